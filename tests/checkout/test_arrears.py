"""Who owes something buys no service until it is paid (O-07)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from storefront import worker
from storefront.arrears import queries
from storefront.catalogue.rules import ProductKind
from storefront.infra.db import db, transaction
from storefront.instalments import service as instalments
from storefront.instalments.models import Instalment, InstalmentStatus
from storefront.kernel.calendar import paris_date
from storefront.kernel.money import Money
from storefront.orders.models import Order
from tests import factories, paying
from tests.checkout.shopping import add, click, give_details, order, seen, text
from tests.identity import people

EMAIL = "claire@exemple.example"


@pytest.fixture
def debtor(shop, now):
    """Somebody whose part was due yesterday; a browser in which they are signed in."""
    with shop.app_context():
        order_id = paying.transferred(ProductKind.HOUR_PACK, now)
        owe(order_id, now)
        return people.sign_in(shop, people.customer(now, EMAIL))


def owe(order_id, now):
    worker.run_due(now)
    with transaction():
        part = instalments.owe(
            db.session.get_one(Order, order_id),
            "price",
            2,
            paris_date(now) - timedelta(days=1),
            Money(5000),
            label="",
            now=now,
        )
        part.status = InstalmentStatus.UNPAID


def settle(shop):
    with shop.app_context(), transaction():
        part = db.session.scalars(select(Instalment).where(Instalment.rank == 2)).one()
        part.status = InstalmentStatus.PAID


def make(shop, kind):
    with shop.app_context(), transaction():
        return factories.product(kind).id


def orders(shop):
    with shop.app_context():
        return db.session.scalar(select(func.count()).select_from(Order))


@pytest.mark.parametrize(
    "kind", [ProductKind.HOUR_PACK, ProductKind.E_LEARNING, ProductKind.SUPPORT_CONTRACT]
)
def test_a_service_waits_for_what_is_due_and_the_page_leads_to_paying_it(
    shop, sandbox, debtor, kind
):
    add(debtor, make(shop, kind))
    give_details(debtor, email=EMAIL)

    page = debtor.get("/commande/verification")

    assert page.status_code == 409
    assert "50,00 € depuis le" in text(page)
    assert "/compte/echeances/" in page.text
    assert "votre panier est gardé" in text(page)


@pytest.mark.parametrize("kind", [ProductKind.PAPER_GUIDE, ProductKind.DIGITAL_PRODUCT])
def test_goods_and_files_stay_possible(shop, sandbox, debtor, kind):
    answer = order(debtor, make(shop, kind))
    assert answer.status_code == 303
    assert orders(shop) == 2


def test_what_falls_due_between_the_page_and_the_click_is_seen_by_the_click(shop, sandbox, debtor):
    settle(shop)
    add(debtor, make(shop, ProductKind.HOUR_PACK))
    give_details(debtor, email=EMAIL)
    shown = seen(debtor)
    with shop.app_context(), transaction():
        part = db.session.scalars(select(Instalment).where(Instalment.rank == 2)).one()
        part.status = InstalmentStatus.FAILED

    answer = debtor.post(
        "/commande/payer",
        data={
            **shown,
            "instalments": "1",
            "provider": "stripe",
            "terms": "oui",
            "early_start": "oui",
        },
    )

    assert answer.status_code == 409
    assert orders(shop) == 1


def test_once_it_is_paid_the_order_goes_through(shop, sandbox, debtor):
    add(debtor, make(shop, ProductKind.HOUR_PACK))
    give_details(debtor, email=EMAIL)
    assert debtor.get("/commande/verification").status_code == 409
    settle(shop)
    assert click(debtor).status_code == 303


def test_somebody_who_types_anothers_address_learns_no_amount(shop, sandbox, debtor, browser):
    add(browser, make(shop, ProductKind.HOUR_PACK))
    give_details(browser, email=EMAIL)
    page = browser.get("/commande/verification")
    assert page.status_code == 409
    assert "Connectez-vous" in text(page)
    assert "50,00" not in text(page)
    assert "CMD-" not in text(page)


def test_everybody_else_orders_as_before(shop, sandbox, debtor, browser):
    assert order(browser, make(shop, ProductKind.HOUR_PACK)).status_code == 303


def test_a_sum_due_today_is_not_late(shop, now, debtor):
    with shop.app_context():
        part = db.session.scalars(select(Instalment).where(Instalment.rank == 2)).one()
        user_id = part.order.user_id
        assert not queries.standing(user_id, now).clear
        assert queries.standing(user_id, now - timedelta(days=1)).clear
