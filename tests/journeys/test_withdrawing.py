"""A guest changes their mind at the last minute while no mail leaves; the shop gives back what is
due, line by line (W-01 to W-08)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from tests.journeys import acts
from tests.journeys.acts import Customer
from tests.journeys.live_shop import MANAGER, TECHNICIAN, LiveShop, Serving, eventually
from tests.journeys.visitor import Visitor, plain

pytestmark = pytest.mark.browser

MAUD = Customer("Maud Kerjean", "maud@exemple.example")
DECLARATIONS = ("own_equipment", "legal_licences", "backup_made", "guarantees_checked")
GUIDE, TOOLBOX, HOURS, COURSE = (
    "guide-de-l-organisation",
    "boite-a-outils-organisation",
    "forfait-5-heures",
    "art-floral-en-ligne",
)
SENT = "SELECT count(*) FROM emails WHERE kind = 'withdrawal_received' AND sent_at IS NOT NULL"
TRIED = "SELECT count(*) FROM emails WHERE kind = 'withdrawal_received' AND attempts > 0"


@pytest.fixture(scope="module")
def shop(serving: Serving) -> Iterator[LiveShop]:
    """A shop of this journey's own, since it moves its clock."""
    with serving() as shop:
        yield shop


def test_a_guest_withdraws_at_the_last_minute_and_each_line_has_its_due(
    visit: Callable[..., Visitor], shop: LiveShop
) -> None:
    buyer, technician, guest, manager = visit(), visit(), visit(), visit()
    order(buyer)
    reference = acts.reference_on(buyer)
    # The hours, the toolbox, the guide and its delivery; of the training nothing before December.
    assert shop.taken("stripe", reference) == [33995]
    shop.letter(MAUD.email, f"{reference} est confirmée")
    acts.choose_password(buyer, MAUD)
    buyer.open("/compte/telechargements")
    assert buyer.download(re.compile("^Télécharger"))
    use_two_hours(buyer, technician, shop)
    agree_on_another(buyer, technician)

    shop.advance_to("2026-12-08T23:58")
    guest.open("/")
    guest.follow("renoncer au contrat ici")
    guest.fill(name="Kerjean Maud", email=MAUD.email, contract=f"ma commande {reference}")
    guest.press("Relire ma déclaration")
    shop.advance_to("2026-12-08T23:59")
    with shop.mail_down():
        guest.press("confirmer la rétractation")
        guest.sees("Votre rétractation est reçue", "mardi 8 décembre 2026 à 23 h 59 min")
        declared = str(guest.page.locator("main").inner_text()).partition("Déclaration ")[2][:15]
        eventually(lambda: shop.count(TRIED), "an attempt to acknowledge")
        assert shop.count(SENT) == 0
        assert shop.letters(MAUD.email, "Accusé de réception") == []
    shop.advance_to("2026-12-09T09:30")
    acknowledged = plain(acts.text_of(shop.letter(MAUD.email, "Accusé de réception")))
    assert "mardi 8 décembre 2026 à 23 h 59 min" in acknowledged
    assert f"rattachée à la commande {reference}" in acknowledged

    acts.enter_as_staff(manager, MANAGER)
    manager.sees("Rétractations à décider ou à rembourser", "22 déc. 2026")
    manager.picture("withdrawal-desk")
    manager.follow(declared)
    manager.sees(
        "À rembourser avant la fin du mardi 22 décembre 2026",
        # The parcel never left: nothing has to come back.
        "Le prix est rendu en entier (article L221-24). 39,00 € payés, 39,00 € rendus.",
        "il reste acquis et n’est pas remboursé (article L221-28, 13°)",
        "5 h × 60 = 300 minutes, dont 120 vraiment travaillées : 245,00 € × 120 ÷ 300 = 98,00 €",
        "245,00 € payés − 98,00 € fournis = 147,00 € rendus",
        "rien n’est retenu (article L6353-5 du code du travail). Rien n’a été payé",
        "La livraison standard est rendue avec les articles",
    )
    # 39.00 + 0 + 147.00 + 0 + 6.95
    manager.sees("Proposé maintenant", "192,95 €")
    manager.picture("withdrawal-decision")
    manager.press("Confirmer la décision")
    manager.sees("C’est décidé", "Remboursé 192,95 € sur la carte utilisée", "Pris fin")
    manager.picture("withdrawal-decided")
    refunded = shop.control("ledger")["stripe"]["refunded"]
    assert [one["amount"] for one in refunded] == [19295]

    letter = plain(acts.text_of(shop.letter(MAUD.email, "Décision sur votre rétractation")))
    assert "245,00 € × 120 ÷ 300 = 98,00 €" in letter
    assert "Rendu en tout : 192,95 €" in letter
    done = shop.letter(MAUD.email, "Remboursement effectué")
    assert any(name.startswith("avoir") for name in acts.attachments(done))
    assert shop.letters(MAUD.email, "Rendez-vous annulé")

    buyer.open("/compte/telechargements")
    assert buyer.download(re.compile("^Télécharger"))  # the toolbox was opened: it stays
    assert "Art floral" not in buyer.read()
    buyer.open("/compte/heures")
    buyer.sees("Retiré")
    shop.advance_to("2027-01-12T12:00")
    assert shop.taken("stripe", reference) == [33995]  # nothing of the training, ever


def order(buyer: Visitor) -> None:
    """Four things in one order, paid by card, the hours and the toolbox at once."""
    for slug in (GUIDE, TOOLBOX, HOURS, COURSE):
        buyer.open(f"/produits/{slug}")
        buyer.press("Ajouter au panier")
    buyer.follow("Passer à la commande")
    acts.say_who(buyer, MAUD)
    buyer.choose("provider", "stripe")
    buyer.tick("terms", "particular_0", "particular_1", "early_start", "digital_waiver")
    buyer.press(acts.ORDER)
    acts.pay_by_card(buyer, acts.FINE_CARD)
    buyer.sees("Votre commande est confirmée")


def ask(client: Visitor) -> str:
    """A request on the hours."""
    client.open("/assistance/nouveau")
    client.page.locator("[name=lot]").first.check(force=True)
    client.fill(subject="Reprise des photos", description="Trois ans de photos à classer.")
    client.press("Envoyer la demande")
    return acts.reference_on(client)


def agree(client: Visitor, staff: Visitor, request: str, day: str, minutes: str) -> None:
    """A time that staff propose and the client accepts."""
    staff.open(f"/gestion/assistance/{request}")
    form = staff.page.locator("form[action$='/proposer']")
    form.locator("[name=description]").fill("Tri et reprise des photos.")
    staff.fill(day=day, at="10:00", minutes=minutes)
    staff.press("Proposer au client")
    client.open(f"/assistance/{request}")
    client.tick(*DECLARATIONS)
    client.press(re.compile("Accepter et réserver"))


def use_two_hours(client: Visitor, staff: Visitor, shop: LiveShop) -> None:
    """An intervention of two hours, reported."""
    request = ask(client)
    acts.enter_as_staff(staff, TECHNICIAN)
    agree(client, staff, request, "2026-11-26", "120")
    shop.advance_to("2026-11-26T10:00")
    staff.open(f"/gestion/assistance/{request}")
    staff.fill(code=shop.code(TECHNICIAN))
    staff.press("Entrer")
    staff.press("Commencer l’intervention")
    shop.advance_to("2026-11-26T12:00")
    staff.press("Arrêter le temps")
    staff.page.locator("details:has([name=corrected]) > summary").click()
    staff.fill(
        report="Photos triées et reprises.",
        corrected="120",
        why="Deux heures, à la minute près.",
    )
    staff.press("Envoyer le compte rendu et décompter")


def agree_on_another(client: Visitor, staff: Visitor) -> None:
    """An appointment that is still to come when its client withdraws."""
    request = ask(client)
    agree(client, staff, request, "2026-12-15", "60")
