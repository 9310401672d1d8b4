"""Who subscribes: a contract that binds, plans up and down and out, and one paid in dirhams."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from tests.journeys import acts
from tests.journeys.acts import Customer
from tests.journeys.live_shop import LiveShop, Serving
from tests.journeys.visitor import Visitor, plain

pytestmark = pytest.mark.browser

PAUL = Customer("Paul Aubry", "paul@exemple.example")
MAYA = Customer("Maya Lorient", "maya@lorient.example", "Lorient Traiteur")
SALMA = Customer("Salma Idrissi", "salma@idrissi.example", "Idrissi Events", "001234567000089")
OBLIGES = re.compile("^Changer d’offre avec obligation de paiement")


@pytest.fixture(scope="module")
def shop(serving: Serving) -> Iterator[LiveShop]:
    """A shop of these journeys' own, since the first one moves its clock."""
    with serving() as shop:
        yield shop


def test_a_contract_that_binds_says_what_is_left_of_it_and_then_what_remains(
    visit: Callable[..., Visitor], shop: LiveShop
) -> None:
    """B-01, B-02: its page in the third month and in what would be the thirteenth; no script."""
    buyer = visit(java_script_enabled=False)
    acts.put_in_cart(buyer, "assistance-mensuelle")
    acts.say_who(buyer, PAUL)
    buyer.sees("Engagement de 12 mois, soit 12 × 24,90 € (298,80 € en tout)")
    buyer.choose("provider", "stripe")
    buyer.tick("terms")
    buyer.press(acts.ORDER)
    acts.pay_by_card(buyer, acts.FINE_CARD)
    buyer.sees("Votre commande est confirmée")
    reference = acts.reference_on(buyer)
    acts.choose_password(buyer, PAUL)

    shop.advance_to("2027-02-01T12:00")
    to_the_subscription(buyer)
    buyer.sees(
        "12 mois, jusqu’au mercredi 24 novembre 2027",
        "il reste 9 mensualités sur 12",
        "mercredi 24 février 2027\nPrélèvement de 24,90 €",
        "mercredi 24 novembre 2027\nFin du contrat",
        "payé le 24 janv. 2027",
    )
    assert shop.taken("stripe", reference) == [2490] * 3
    buyer.picture("subscription-month-3")

    shop.advance_to("2027-12-01T12:00")
    buyer.page.reload()
    buyer.look()
    buyer.sees(
        "Terminé le mercredi 24 novembre 2027. Il s’est arrêté à son terme.",
        "Plus rien n’est prélevé pour lui.",
        "payé le 24 oct. 2027",
    )
    assert "mensualité" not in buyer.read()
    assert shop.taken("stripe", reference) == [2490] * 12
    assert buyer.download(re.compile("^F-2027-")).startswith(b"%PDF")
    buyer.picture("subscription-month-13")


def test_from_the_free_plan_up_twice_then_down_out_and_back_in(
    visit: Callable[..., Visitor], shop: LiveShop
) -> None:
    """B-03, B-07: no card for the free plan, each amount said before, what was paid for kept."""
    buyer = visit()
    buyer.open("/offres")
    buyer.follow("Voir cette offre")
    buyer.press("Ajouter au panier")
    buyer.follow("Passer à la commande")
    acts.say_who(buyer, MAYA)
    buyer.sees("Aucun moyen de paiement n’est demandé.")
    buyer.picture("subscription-free-check")
    buyer.tick("terms")
    buyer.press("Commander sans rien payer")
    acts.choose_password(buyer, MAYA)
    to_the_subscription(buyer)
    buyer.sees("Libre", "Rien n’est prélevé, ni aujourd’hui ni plus tard")
    buyer.picture("subscription-free")

    buyer.follow("Passer à Essentiel")
    buyer.press("Ajouter au panier")
    buyer.follow("Passer à la commande")
    acts.say_who(buyer, MAYA)
    buyer.choose("provider", "stripe")
    buyer.tick("terms")
    buyer.press(acts.ORDER)
    acts.pay_by_card(buyer, acts.FINE_CARD)
    reference = acts.reference_on(buyer)
    to_the_subscription(buyer)
    buyer.sees("Essentiel", "samedi 1er janvier 2028\nPrélèvement de 22,80 €")

    buyer.follow("Passer à Premium")
    buyer.sees("Le calcul, à la seconde")
    buyer.picture("subscription-up")
    shown = plain(buyer.page.locator(".totals .total .money").inner_text())
    buyer.press(OBLIGES)
    acts.pay_by_card(buyer, acts.FINE_CARD)
    buyer.sees("Votre paiement est reçu", "Premium", "Prélèvement de 58,80 €")
    paid = shop.taken("stripe", reference)
    assert paid == [2280, minor(shown)]
    assert paid[1] < 5880 - 2280

    buyer.follow("Revenir à Essentiel")
    buyer.sees("samedi 1er janvier 2028, 22,80 € TTC", "Rien n’est effacé")
    buyer.picture("subscription-down")
    buyer.press(OBLIGES)
    buyer.sees("Vous passez à Essentiel le samedi 1er janvier 2028", "Prélèvement de 22,80 €")
    buyer.picture("subscription-scheduled")

    buyer.follow("Mettre fin à mon abonnement")
    buyer.sees("Rien n’est encore décidé", "vendredi 31 décembre 2027")
    buyer.picture("subscription-ending")
    buyer.press("Confirmer la fin de mon abonnement")
    buyer.sees("Vous y avez mis fin", "Plus rien n’est prélevé.")
    buyer.picture("subscription-ended")
    buyer.press("Garder mon abonnement")
    buyer.sees("Vous gardez votre abonnement", "Premium", "samedi 1er janvier 2028\nPrélèvement de")
    assert shop.taken("stripe", reference) == paid


def test_a_plan_in_dirhams_is_paid_by_card_and_says_why_not_by_paypal(
    visit: Callable[..., Visitor], shop: LiveShop
) -> None:
    """M-01, MRE-06, VAT-07."""
    buyer = visit()
    buyer.open("/offres?devise=MAD")
    buyer.picture("plans-morocco")
    acts.put_in_cart(buyer, "offre-essentiel-maroc")
    acts.say_who(buyer, SALMA)
    buyer.sees(
        "199,00 MAD",
        "article 259, 1°",
        "PayPal ne prend pas le dirham marocain : ce moyen n’est pas proposé",
    )
    assert buyer.page.locator("[name=provider][value=paypal]").count() == 0
    assert "Par carte ou PayPal" not in buyer.read()
    buyer.picture("plans-morocco-check")
    buyer.choose("provider", "stripe")
    buyer.tick("terms")
    buyer.press(acts.ORDER)
    acts.pay_by_card(buyer, acts.FINE_CARD)
    buyer.sees("Votre commande est confirmée", "199,00 MAD")
    buyer.picture("plans-morocco-order")
    assert shop.taken("stripe", acts.reference_on(buyer)) == [19900]


def to_the_subscription(buyer: Visitor) -> None:
    """From the account to the page of the one that runs."""
    buyer.open("/compte/abonnements")
    buyer.follow("Voir, changer, arrêter")


def minor(shown: str) -> int:
    """A French amount in euros, in cents."""
    return int(shown.removesuffix(" €").replace(",", "").replace(" ", ""))
