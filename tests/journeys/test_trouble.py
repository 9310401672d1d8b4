"""What goes wrong in a browser: forms sent empty, boxes forgotten, the back button, two clicks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.journeys import acts
from tests.journeys.acts import Customer
from tests.journeys.live_shop import LiveShop
from tests.journeys.visitor import Visitor

pytestmark = pytest.mark.browser

LOU = Customer("Lou Garnier", "lou@exemple.example", "Garnier Fêtes")
SACHA = Customer("Sacha Morin", "sacha@exemple.example")
EVE = Customer("Ève Tanguy", "eve@exemple.example")
ORDERS = "SELECT count(*) FROM orders WHERE email = ?"


def test_forms_say_what_is_missing_and_keep_what_was_typed(visit: Callable[..., Visitor]) -> None:
    buyer = visit()
    acts.put_in_cart(buyer, "organiser-un-mariage-en-ligne")
    buyer.fill(name="Lou Garnier", email="lou", postcode="4900")
    with buyer.refused(422):
        buyer.press("Continuer vers la vérification")
        buyer.sees(
            "Il reste des points à corriger",
            "Saisissez une adresse e-mail complète",
            "Un code postal français compte cinq chiffres.",
        )
        buyer.picture("checkout-details-refused")
    assert buyer.page.locator("[name=name]").input_value() == "Lou Garnier"
    assert buyer.page.locator("[name=email]").input_value() == "lou"
    buyer.page.get_by_role("link", name="Un code postal français").click()
    assert buyer.page.evaluate("document.activeElement.name") == "postcode"

    acts.say_who(buyer, LOU)
    buyer.choose("instalments", "3")
    buyer.choose("provider", "paypal")
    with buyer.refused(422):
        buyer.press(acts.ORDER)
        buyer.sees("Pour commander, lisez et acceptez les conditions générales de vente.")
    assert buyer.page.locator("[name=instalments][value='3']").is_checked()
    assert buyer.page.locator("[name=provider][value=paypal]").is_checked()
    assert not buyer.page.locator("[name=terms]").is_checked()


def test_going_back_after_having_paid_orders_and_pays_nothing_more(
    visit: Callable[..., Visitor], shop: LiveShop
) -> None:
    buyer = visit()
    to_the_order_click(buyer, SACHA)
    buyer.press(acts.ORDER)
    acts.pay_by_card(buyer, acts.FINE_CARD)
    buyer.sees("Votre commande est confirmée")
    reference = acts.reference_on(buyer)
    order_click = buyer.page.get_by_role("button", name=acts.ORDER)
    for _ in range(6):
        buyer.page.go_back()
        if order_click.is_visible():
            buyer.press(acts.ORDER)
            break
        if buyer.path().endswith(reference):
            break
    assert acts.reference_on(buyer) == reference
    buyer.sees("Votre commande est confirmée")
    assert shop.count(ORDERS, SACHA.email) == 1
    assert shop.taken("stripe", reference) == [4900]


def test_two_clicks_on_the_order_button_give_one_order(
    visit: Callable[..., Visitor], shop: LiveShop
) -> None:
    buyer = visit()
    to_the_order_click(buyer, EVE)
    buyer.page.get_by_role("button", name=acts.ORDER).dblclick(no_wait_after=True)
    buyer.page.wait_for_url(f"{shop.stand_in}/**")
    buyer.look()
    acts.pay_by_card(buyer, acts.FINE_CARD)
    buyer.sees("Votre commande est confirmée")
    assert shop.count(ORDERS, EVE.email) == 1
    assert shop.taken("stripe", acts.reference_on(buyer)) == [4900]


def to_the_order_click(buyer: Visitor, customer: Customer) -> None:
    """Everything before the order click."""
    acts.put_in_cart(buyer, "boite-a-outils-organisation")
    acts.say_who(buyer, customer)
    buyer.choose("provider", "stripe")
    buyer.tick("terms", "digital_waiver")
