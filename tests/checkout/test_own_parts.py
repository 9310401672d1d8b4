"""A product is bought by parts of its own: shown, accepted, and never changed after (M-02)."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from storefront import worker
from storefront.catalogue import service as catalogue
from storefront.catalogue.models import Variant
from storefront.catalogue.rules import OwnParts, ProductKind
from storefront.infra.db import db, transaction
from storefront.instalments.models import Instalment
from storefront.instalments.rules import morning_of
from storefront.orders.models import Order
from storefront.payments import jobs as payments
from storefront.payments.models import Payment
from tests import factories
from tests.checkout.shopping import COMPANY, YES, add, click, give_details, seen, text

THREE = OwnParts((30, 35, 35))
LATER = OwnParts((50, 50), first_after_days=15)


@pytest.fixture
def course(shop):
    with shop.app_context(), transaction():
        return factories.product(
            ProductKind.E_LEARNING,
            price=40001,
            name="Art floral",
            particular_terms="conditions-formation",
        ).id


@pytest.fixture
def pays_by(shop, browser, course, now):
    """Give the course these parts, and stand before the order click."""

    def ready(parts, who=COMPANY):
        change(shop, course, parts, now)
        add(browser, course)
        give_details(browser, **who)
        return text(browser.get("/commande/verification"))

    return ready


def change(shop, course, parts, now):
    with shop.app_context(), transaction() as session:
        product = session.get_one(Variant, course).product
        catalogue.set_parts(product.id, parts, seen=product.version, now=now)


def plan(shop):
    with shop.app_context():
        rows = db.session.scalars(select(Instalment).order_by(Instalment.rank)).all()
        return [(row.due_on, row.amount_minor) for row in rows]


def orders(shop):
    with shop.app_context():
        return db.session.scalars(select(Order)).all()


def ordered(browser, count, **changed):
    return click(browser, instalments=count, particular_0=YES, **changed)


def taken(sandbox):
    return [entry["amount"] for entry in sandbox.control("ledger")["stripe"]["taken"]]


def test_a_company_reads_the_parts_with_dates_and_orders_by_them(
    shop, browser, pays_by, sandbox, now
):
    page = pays_by(THREE)
    assert "En 3 fois 120,01 € aujourd’hui" in page
    assert "jeudi 24 décembre 2026 140,00 €" in page
    assert "En 2 fois" not in page

    sandbox.pay_by_card(ordered(browser, "3").location)
    with shop.app_context():
        worker.run_due(now)

    assert plan(shop) == [
        (date(2026, 11, 24), 12001),
        (date(2026, 12, 24), 14000),
        (date(2027, 1, 24), 14000),
    ]
    assert taken(sandbox) == [12001]


def test_with_nothing_due_today_the_card_is_kept_and_taken_on_its_day(
    shop, browser, pays_by, sandbox, now
):
    assert "En 2 fois rien aujourd’hui" in pays_by(LATER)
    answer = ordered(browser, "2")
    back = sandbox.pay_by_card(answer.location).headers["Location"]
    assert browser.get("/" + back.split("/", 3)[3]).status_code in (302, 303)
    assert taken(sandbox) == []

    first = morning_of(date(2026, 12, 9))
    for instant in (now, first):
        sandbox.control("clock", now=instant.isoformat())
        with shop.app_context():
            worker.run_due(instant)

    assert plan(shop) == [(date(2026, 12, 9), 20001), (date(2027, 1, 9), 20000)]
    assert taken(sandbox) == [20001]


def test_concluded_after_midnight_the_dates_of_what_is_no_training_stay_as_accepted(
    shop, browser, sandbox, now
):
    with shop.app_context(), transaction():
        template = factories.product(ProductKind.TEMPLATE, price=9000).id
    change(shop, template, LATER, now)
    add(browser, template)
    give_details(browser)
    sandbox.pay_by_card(click(browser, instalments="2").location)
    next_day = now + timedelta(days=1)
    with shop.app_context():
        (payment_id,) = db.session.scalars(select(Payment.id)).all()
        payments.refresh(payment_id, next_day)
        worker.run_due(next_day)

    assert plan(shop) == [(date(2026, 12, 9), 4500), (date(2027, 1, 9), 4500)]


def test_who_cannot_keep_a_means_of_payment_cannot_be_chosen_for_it(
    shop, browser, pays_by, sandbox
):
    pays_by(LATER)
    answer = ordered(browser, "2", provider="paypal")

    assert answer.status_code == 422
    assert "ne peut pas être enregistré sans un premier paiement" in text(answer)
    assert orders(shop) == []
    assert ordered(browser, "1", provider="paypal").status_code == 303


def test_parts_changed_meanwhile_are_shown_again_before_anything_is_ordered(
    shop, browser, course, pays_by, now
):
    pays_by(THREE)
    before = seen(browser)
    change(shop, course, OwnParts((50, 25, 25)), now)

    answer = click(browser, **{**before, "instalments": "3", "particular_0": YES})

    assert answer.status_code == 409
    assert "L’échéancier n’est plus celui que vous avez vu" in text(answer)
    assert orders(shop) == []


def test_an_order_keeps_its_plan_when_the_product_changes(
    shop, browser, course, pays_by, sandbox, now
):
    pays_by(THREE)
    sandbox.pay_by_card(ordered(browser, "3").location)
    before = plan(shop)
    change(shop, course, None, now)
    with shop.app_context():
        worker.run_due(now)

    assert plan(shop) == before


def test_an_individual_is_bound_by_the_law_first(shop, browser, pays_by, sandbox):
    """FOR-03 and PRE-10: nothing before the period is over, 30 % at most, 50 days at most."""
    page = pays_by(OwnParts((60, 40)), who={})

    assert "En 2 fois, sans frais ni intérêts : rien aujourd’hui" in page
    assert "mercredi 9 décembre 2026 120,00 €" in page
    assert "samedi 9 janvier 2027 280,01 €" in page
    ordered(browser, "2")
    with shop.app_context():
        (payment,) = db.session.scalars(select(Payment)).all()
    assert payment.is_set_up
