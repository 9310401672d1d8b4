"""Ordering what is paid by transfer, by cheque or on request (M-09, O-01, C-03)."""

from __future__ import annotations

import re
import uuid
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from storefront.catalogue.rules import ProductKind
from storefront.infra.db import db, transaction
from storefront.kernel.calendar import paris_date
from storefront.orders.models import Order, OrderStatus
from storefront.orders.rules import last_day_to_pay
from storefront.payments import rules
from storefront.payments.models import Payment, PaymentStatus
from storefront.payments.providers.base import ProviderSettings
from storefront.payments.providers.registry import build_providers
from tests import factories
from tests.checkout.shopping import add, click, give_details, seen, text
from tests.checkout.test_details import CASABLANCA

ALL = tuple(
    build_providers(
        ProviderSettings(
            stripe_secret_key="sk_test_sandbox",
            stripe_webhook_secret="whsec_sandbox",
            paypal_client_id="client",
            paypal_client_secret="secret",
            paypal_webhook_id="WH",
        )
    ).values()
)
BY_HAND = tuple(one for one in ALL if not one.capabilities.hosted_page)


def keys(providers, currency: str = "EUR", *, more: bool = False, nothing: bool = False):
    found = rules.ways_to_pay(providers, currency, debited_later=more, due_today=not nothing)
    return [one.key for one in found.offered]


def test_on_request_stands_in_for_a_provider_never_beside_one():
    assert keys(ALL) == ["stripe", "paypal", "offline", "cheque"]
    assert keys(BY_HAND) == ["offline", "cheque", "on_request"]


def test_what_no_provider_takes_in_its_currency_can_be_ordered_on_request():
    without_stripe = [one for one in ALL if one.key != "stripe"]
    assert keys(without_stripe, "MAD") == ["on_request"]
    assert keys(ALL, "MAD") == ["stripe"]
    assert keys(ALL, "CHF") == ["stripe", "paypal"]


def test_what_goes_on_can_be_paid_by_hand_too():
    assert keys(ALL, more=True) == ["stripe", "paypal", "offline", "cheque"]


def test_while_nothing_is_due_a_kept_card_is_preferred():
    """FOR-03: an individual's training."""
    assert keys(ALL, nothing=True) == ["stripe"]
    assert keys(BY_HAND, nothing=True) == ["offline", "cheque", "on_request"]


def test_money_is_waited_for_until_the_day_before_the_session(now: datetime):
    today = paris_date(now)
    assert last_day_to_pay(today, 7, [None]) == today + timedelta(days=7)
    assert last_day_to_pay(today, 7, [now + timedelta(days=5)]) == today + timedelta(days=4)
    assert last_day_to_pay(today, 7, [now + timedelta(days=2)]) is None


def variant(shop: Flask, **fields) -> uuid.UUID:
    with shop.app_context(), transaction():
        found: uuid.UUID = factories.product(fields.pop("kind", ProductKind.HOUR_PACK), **fields).id
        return found


def placed(shop: Flask) -> tuple[Order, list[Payment]]:
    with shop.app_context():
        order = db.session.scalars(select(Order)).one()
        payments = list(db.session.scalars(select(Payment).order_by(Payment.attempt)))
        db.session.expunge_all()
        return order, payments


def test_the_page_says_what_happens_and_until_when_before_the_order(shop, browser):
    add(browser, variant(shop))
    give_details(browser)
    page = text(browser.get("/commande/verification"))
    assert "Virement bancaire" in page
    assert "Chèque" in page
    assert "Sur demande" not in page
    assert "jusqu’au mardi 1er décembre 2026 inclus" in page
    assert "Rien n’est confirmé avant" in page


def test_the_order_waits_and_its_page_says_how_to_pay(shop, browser):
    add(browser, variant(shop))
    give_details(browser)
    answer = click(browser, provider="offline")
    order, [payment] = placed(shop)
    assert answer.location.startswith(f"/commandes/{order.reference}")
    assert order.status is OrderStatus.AWAITING_PAYMENT
    page = browser.get(answer.location)
    for told in (payment.page_reference, "FR76 9999 9000 4900", "LETAFR2AXXX", "SARL L’Établi"):
        assert told in page.text
    assert "data:image/svg+xml" in page.text
    assert "mardi 1er décembre 2026 inclus" in text(page)
    # Twice the same order, the same reference.
    again = browser.post("/commande/payer", data={"provider": "offline", "terms": "oui"})
    assert again.location.startswith(f"/commandes/{order.reference}")
    assert len(placed(shop)[1]) == 1


def test_a_cheque_says_to_whom_and_where(shop, browser):
    add(browser, variant(shop))
    give_details(browser)
    page = browser.get(click(browser, provider="cheque").location)
    assert "À l’ordre de" in page.text
    assert "12 rue des Copeaux" in page.text
    assert "FR76 9999" not in page.text


def test_what_the_seller_does_not_name_is_not_offered(shop, browser):
    seller = shop.extensions["seller"]
    shop.extensions["seller"] = replace(seller, offline=replace(seller.offline, cheque=None))
    add(browser, variant(shop))
    give_details(browser)
    assert "Chèque" not in browser.get("/commande/verification").text
    assert click(browser, provider="cheque").status_code == 422


def test_a_shop_without_a_provider_takes_orders_on_request(shop, browser):
    """M-09."""
    shop.extensions["providers"] = {one.key: one for one in BY_HAND}
    add(browser, variant(shop))
    give_details(browser)
    page = text(browser.get("/commande/verification"))
    assert "Nous vous écrivons comment payer" in page
    assert "page de paiement" not in page
    page = browser.get(click(browser, provider="on_request").location)
    order, [payment] = placed(shop)
    assert order.status is OrderStatus.AWAITING_PAYMENT
    assert payment.page_reference in page.text


def test_a_price_in_dirhams_is_ordered_on_request_where_no_provider_takes_it(shop, browser):
    shop.extensions["providers"] = {one.key: one for one in ALL if one.key != "stripe"}
    add(browser, variant(shop, kind=ProductKind.PLAN, currency="MAD", price=50000))
    give_details(browser, **CASABLANCA)
    assert click(browser, provider="paypal").status_code == 422
    answer = click(browser, provider="on_request")
    order, [payment] = placed(shop)
    assert (order.currency, payment.currency) == ("MAD", "MAD")
    assert "data:image" not in browser.get(answer.location).text


def test_who_chose_a_transfer_can_still_pay_by_card(shop, browser):
    add(browser, variant(shop))
    give_details(browser)
    here = click(browser, provider="offline").location
    order, _ = placed(shop)
    path, _, query = here.partition("?")
    browser.post(f"{path}/payer?{query}", data={"provider": "stripe"})
    again, payments = placed(shop)
    assert [one.status for one in payments] == [PaymentStatus.CANCELLED, PaymentStatus.RESERVED]
    assert again.held_until == order.held_until


def test_changing_to_a_transfer_does_not_wait_longer_than_from_the_order(shop, browser, now):
    add(browser, variant(shop))
    give_details(browser)
    here = click(browser, provider="stripe").location or ""
    order, _ = placed(shop)
    here = f"/commandes/{order.reference}/payer?jeton={order.token}"
    assert browser.post(here, data={"provider": "offline"}).status_code == 303
    assert placed(shop)[0].kept_on == paris_date(now) + timedelta(days=7)


@pytest.mark.parametrize("kind", [ProductKind.PLAN, ProductKind.SUPPORT_CONTRACT])
def test_a_subscription_says_that_nothing_is_debited_by_transfer(shop, browser, kind):
    add(browser, variant(shop, kind=kind))
    give_details(browser)
    page = text(browser.get("/commande/verification"))
    assert "Autrement, rien n’est prélevé" in page
    click(browser, provider="offline")
    _, [payment] = placed(shop)
    assert payment.save_method is False


def test_an_individuals_training_without_provider_is_confirmed_with_nothing_asked(shop, browser):
    """FOR-03: nothing may be asked before the withdrawal period ends."""
    shop.extensions["providers"] = {one.key: one for one in BY_HAND}
    add(browser, variant(shop, kind=ProductKind.E_LEARNING, price=40000))
    give_details(browser)
    page = text(browser.get("/commande/verification"))
    assert "Rien n’est à payer aujourd’hui" in page
    counts = re.findall(
        r'name="instalments"[^>]*value="(\d)"', browser.get("/commande/verification").text
    )
    click(browser, provider="offline", instalments=counts[0])
    order, payments = placed(shop)
    assert order.status is OrderStatus.CONFIRMED
    assert payments == []


def test_a_cart_that_nobody_takes_says_so_instead_of_a_dead_button(shop, browser):
    shop.extensions["providers"] = {}
    add(browser, variant(shop))
    give_details(browser)
    page = browser.get("/commande/verification")
    assert "ne peut pas être payée en ligne" in page.text
    assert "Commander avec obligation de paiement" not in page.text
    assert seen(browser)["total"]
