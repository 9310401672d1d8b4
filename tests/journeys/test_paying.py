"""Paying: by PayPal after having left its page, with a second card, by a second means."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.journeys import acts
from tests.journeys.acts import Customer
from tests.journeys.live_shop import LiveShop
from tests.journeys.visitor import Visitor

pytestmark = pytest.mark.browser

INES = Customer("Inès Marchal", "ines@exemple.example")
TOM = Customer("Tom Vasseur", "tom@exemple.example")
ADELE = Customer("Adèle Roncin", "adele@exemple.example")


def test_a_toolbox_is_paid_by_paypal_at_the_second_visit_and_opens_at_once_with_the_waiver(
    visit: Callable[..., Visitor], shop: LiveShop
) -> None:
    buyer = visit(color_scheme="dark")
    acts.put_in_cart(buyer, "boite-a-outils-decor")
    acts.say_who(buyer, INES)
    buyer.choose("provider", "paypal")
    buyer.tick("terms", "digital_waiver")
    buyer.press(acts.ORDER)
    buyer.press("Annuler et revenir à la boutique")
    buyer.sees("Vous avez interrompu le paiement. Votre commande est gardée.")
    reference = acts.reference_on(buyer)
    assert shop.taken("paypal", reference) == []

    buyer.choose("provider", "paypal")
    buyer.press(re.compile("^(Payer|Réessayer)"))
    acts.pay_by_paypal(buyer)
    buyer.sees(
        "Votre commande est confirmée", "je reconnais que je perds mon droit de rétractation"
    )
    assert shop.taken("paypal", reference) == [4500]

    shop.letter(INES.email, f"{reference} est confirmée")
    acts.choose_password(buyer, INES)
    buyer.open("/compte/telechargements")
    assert buyer.download(re.compile("^Télécharger"))


def test_a_refused_card_is_followed_by_another_on_the_same_page(
    visit: Callable[..., Visitor], shop: LiveShop
) -> None:
    buyer = visit()
    acts.put_in_cart(buyer, "modele-de-dossier-de-decor")
    acts.say_who(buyer, TOM)
    buyer.choose("provider", "stripe")
    buyer.tick("terms")
    buyer.press(acts.ORDER)
    with buyer.refused(402):
        acts.pay_by_card(buyer, acts.REFUSED_CARD)
    buyer.sees("Votre carte a été refusée. Essayez avec une autre carte.")
    acts.pay_by_card(buyer, acts.FINE_CARD)
    buyer.sees("Votre commande est confirmée")
    assert shop.taken("stripe", acts.reference_on(buyer)) == [6900]


def test_what_paypal_refuses_can_be_paid_by_card(
    visit: Callable[..., Visitor], shop: LiveShop
) -> None:
    buyer = visit()
    acts.put_in_cart(buyer, "boite-a-outils-ceremonie")
    acts.say_who(buyer, ADELE)
    buyer.choose("provider", "paypal")
    buyer.tick("terms")
    buyer.press(acts.ORDER)
    acts.pay_by_paypal(buyer, "account_declined")
    buyer.sees("Paiement refusé", "Rien n’a été débité")
    reference = acts.reference_on(buyer)
    buyer.choose("provider", "stripe")
    buyer.press("Réessayer avec ce moyen")
    acts.pay_by_card(buyer, acts.FINE_CARD)
    buyer.sees("Votre commande est confirmée")
    assert acts.reference_on(buyer) == reference
    assert shop.taken("paypal", reference) == []
    assert shop.taken("stripe", reference) == [3900]
