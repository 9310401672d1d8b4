"""Who ends a contract on the web, without an account: bound or not, with a good reason or none."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from tests.journeys import acts
from tests.journeys.acts import Customer
from tests.journeys.live_shop import MANAGER, LiveShop, Serving
from tests.journeys.visitor import Visitor

pytestmark = pytest.mark.browser

HUGO = Customer("Hugo Marchal", "hugo@exemple.example")
INES = Customer("Inès Baroin", "ines@baroin.example", "Baroin Réceptions")
LOST_JOB = "la perte de votre emploi"


@pytest.fixture(scope="module")
def shop(serving: Serving) -> Iterator[LiveShop]:
    """A shop of these journeys' own, since the first one moves its clock."""
    with serving() as shop:
        yield shop


def test_a_consumer_leaves_a_bound_contract_in_its_third_month_with_a_reason_and_without(
    visit: Callable[..., Visitor], shop: LiveShop
) -> None:
    """B-02, SUB-01, SUB-04; no script."""
    buyer = visit(java_script_enabled=False)
    reference = buy(buyer, "assistance-mensuelle", HUGO)
    shop.advance_to("2027-02-01T12:00")

    notify(buyer, reference, HUGO)
    buyer.picture("leaving-notified")
    letter = acts.text_of(shop.letter(HUGO.email, "reçu votre résiliation"))
    assert "mardi 23 novembre 2027 (terme de votre engagement)" in letter

    notify(buyer, reference, HUGO, reason=LOST_JOB)
    buyer.sees("Votre motif de fin anticipée est examiné")
    staff = visit()
    acts.enter_as_staff(staff, MANAGER)
    staff.open("/gestion/declarations")
    staff.sees("Motif à examiner")
    staff.picture("leaving-list")
    staff.follow("RES-2027-000002")
    staff.sees(LOST_JOB, "Motif de fin anticipée")
    staff.choose("decision", "ecarte")
    with staff.refused(422):
        staff.press("Enregistrer la décision")
    staff.sees("Expliquez au client pourquoi son motif n’est pas retenu.")
    staff.choose("decision", "retenu")
    staff.picture("leaving-decision")
    staff.press("Enregistrer la décision")
    staff.sees("Retenu")

    told = acts.text_of(shop.letter(HUGO.email, "Votre motif"))
    assert "dernier jour de service, lundi 1er février 2027" in told
    shop.advance_to("2027-03-05T12:00")
    assert shop.taken("stripe", reference) == [2490] * 3
    staff.open(f"/gestion/commandes/{reference}")
    staff.fill(code=shop.code(MANAGER))  # a month has gone by
    staff.press("Entrer")
    staff.open(f"/gestion/commandes/{reference}")
    staff.sees("17,68 €")  # of 24,90 € for 31 days, the 22 that follow 1 February
    staff.picture("leaving-refund")


def test_a_plan_without_commitment_ends_with_its_month_and_is_kept_after_all(
    visit: Callable[..., Visitor], shop: LiveShop
) -> None:
    """B-03."""
    buyer = visit()
    reference = buy(buyer, "offre-essentiel", INES)
    acts.choose_password(buyer, INES)
    notify(buyer, reference, INES)
    buyer.sees("Dernier jour de service")

    buyer.open("/compte/abonnements")
    buyer.follow("Voir, changer, arrêter")
    buyer.sees("Vous y avez mis fin")
    buyer.press("Garder mon abonnement")
    buyer.sees("Vous gardez votre abonnement")
    shop.letter(INES.email, "continue")


def buy(buyer: Visitor, slug: str, who: Customer) -> str:
    """A subscription whose first month is paid by card; the order's reference."""
    acts.put_in_cart(buyer, slug)
    acts.say_who(buyer, who)
    buyer.choose("provider", "stripe")
    buyer.tick("terms")
    buyer.press(acts.ORDER)
    acts.pay_by_card(buyer, acts.FINE_CARD)
    buyer.sees("Votre commande est confirmée")
    return acts.reference_on(buyer)


def notify(buyer: Visitor, reference: str, who: Customer, reason: str = "") -> None:
    """The three steps of the law: what happens, what is asked, read again and notified."""
    buyer.open("/resiliation")
    buyer.follow("Commencer ma demande")
    buyer.fill(name=who.name, contract=reference, email=who.email)
    if reason:
        buyer.fill(reason=reason)
    buyer.press("Relire ma demande")
    buyer.press(re.compile("^notification de la résiliation$"))
    buyer.sees("Votre résiliation est reçue")
