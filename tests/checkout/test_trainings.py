"""An individual buys a training: nothing is taken before the withdrawal period is over (FOR-03)."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from storefront import worker
from storefront.catalogue.models import Variant
from storefront.catalogue.rules import ProductKind
from storefront.infra.db import db, transaction
from storefront.instalments.models import Instalment, InstalmentStatus
from storefront.instalments.rules import morning_of
from storefront.legal.models import Acceptance
from storefront.notifications.models import Email
from storefront.orders.models import Order, OrderStatus
from storefront.payments import jobs as payments
from storefront.payments.models import Payment, PaymentStatus, SavedMethod
from tests import factories
from tests.checkout.shopping import COMPANY, YES, add, click, give_details, text

CHALLENGED = "4000002500003155"
DECLINED = "4000000000000002"
FIRST, SECOND = date(2026, 12, 9), date(2027, 1, 9)


@pytest.fixture
def course(shop):
    with shop.app_context(), transaction():
        return factories.product(
            ProductKind.E_LEARNING,
            price=40000,
            name="Art floral",
            particular_terms="conditions-formation",
        ).id


@pytest.fixture
def ready(browser, course):
    """A consumer before the order click."""
    add(browser, course)
    give_details(browser)


def ordered(browser, **changed):
    return click(browser, **{"instalments": "2", "particular_0": YES, **changed})


def follow(browser, answer):
    page = browser.get("/" + answer.headers["Location"].split("/", 3)[3])
    while page.status_code in (302, 303):
        page = browser.get(page.location)
    return page


def live_until(shop, sandbox, instant):
    sandbox.control("clock", now=instant.isoformat())
    with shop.app_context():
        worker.run_due(instant)


def rows(shop, model):
    with shop.app_context():
        return db.session.scalars(select(model)).all()


def states(shop):
    parts = sorted(rows(shop, Instalment), key=lambda part: part.rank)
    return [part.status for part in parts]


def taken(sandbox):
    return [entry["amount"] for entry in sandbox.control("ledger")["stripe"]["taken"]]


def test_the_page_offers_the_lawful_plan_and_says_why_no_other(browser, ready):
    page = text(browser.get("/commande/verification"))

    assert "En 2 fois, sans frais ni intérêts : rien aujourd’hui" in page
    assert "mercredi 9 décembre 2026 120,00 €" in page
    assert "samedi 9 janvier 2027 280,00 €" in page
    assert "rien n’est débité aujourd’hui" in page
    assert "la loi interdit de demander à un particulier" in page
    assert "la loi y voit un crédit à la consommation" in page
    assert "Compte PayPal" not in page


def test_a_company_pays_the_same_training_in_four_months_from_the_order_on(browser, course):
    add(browser, course)
    give_details(browser, **COMPANY)
    page = text(browser.get("/commande/verification"))

    assert "En 4 fois 100,00 € aujourd’hui" in page
    assert "non proposé" not in page
    assert "Compte PayPal" in page


def test_an_individual_concludes_the_training_contract_by_a_box_of_its_own(
    shop, browser, ready, sandbox, now, course
):
    """Beside the particular terms, once the shop has written one (FOR-01, R-04)."""
    assert "Contrat de formation" not in browser.get("/commande/verification").text
    with shop.app_context(), transaction():
        factories.training_contract(now)
        slug = db.session.get_one(Variant, course).product.slug
    page = text(browser.get("/commande/verification"))
    assert "J’ai lu et j’accepte « Contrat de formation », dont je recevrai le texte" in page
    assert "Contrat de formation , version 1" in text(browser.get(f"/produits/{slug}"))
    assert ordered(browser).status_code == 422
    assert rows(shop, Order) == []
    assert ordered(browser, particular_1=YES).status_code == 303
    with shop.app_context():
        accepted = {one.version.reference for one in db.session.scalars(select(Acceptance))}
    assert accepted == {"cgv-1", "conditions-formation-1", "contrat-formation-1"}


def test_a_company_concludes_no_training_contract(shop, browser, course, sandbox, now):
    with shop.app_context(), transaction():
        factories.training_contract(now)
    add(browser, course)
    give_details(browser, **COMPANY)
    assert "Contrat de formation" not in browser.get("/commande/verification").text
    assert ordered(browser, instalments="4").status_code == 303


@pytest.mark.parametrize("count", ["1", "3", "4"])
def test_an_unlawful_number_of_payments_is_refused_whoever_sends_it(shop, browser, ready, count):
    assert ordered(browser, instalments=count).status_code == 422
    assert rows(shop, Order) == []


def test_the_card_is_kept_and_each_part_is_taken_on_its_day(shop, browser, ready, sandbox, now):
    answer = ordered(browser)
    shown = text(follow(browser, sandbox.pay_by_card(answer.location, CHALLENGED)))
    assert "Merci. Votre commande est confirmée." in shown
    assert taken(sandbox) == []
    live_until(shop, sandbox, now)
    assert states(shop) == [InstalmentStatus.SCHEDULED] * 2

    live_until(shop, sandbox, morning_of(FIRST) - timedelta(minutes=1))
    assert taken(sandbox) == []
    live_until(shop, sandbox, morning_of(FIRST))
    assert taken(sandbox) == [12000]
    live_until(shop, sandbox, morning_of(SECOND))
    assert taken(sandbox) == [12000, 28000]
    assert states(shop) == [InstalmentStatus.PAID] * 2
    kinds = [email.kind for email in rows(shop, Email)]
    assert kinds.count("instalment_announced") == 2
    assert kinds.count("instalment_paid") == 2
    assert kinds.count("order_confirmation") == 1


def test_the_confirmation_says_that_nothing_was_received_and_what_is_to_come(
    shop, browser, ready, sandbox, now
):
    follow(browser, sandbox.pay_by_card(ordered(browser).location))
    live_until(shop, sandbox, now)
    (email,) = (one for one in rows(shop, Email) if one.kind == "order_confirmation")
    words = email.text.replace("\u202f", " ").replace("\xa0", " ")

    assert "Reçu : 0,00 €" in words
    assert "À venir mercredi 9 décembre 2026 : 120,00 €" in words


def test_the_webhook_alone_confirms_what_was_only_set_up(shop, browser, ready, sandbox, now):
    sandbox.pay_by_card(ordered(browser).location)
    (event,) = sandbox.events("stripe", "setup_intent.succeeded")
    headers, body = sandbox.signed("stripe", event["id"])

    assert browser.post("/webhooks/stripe", headers=headers, data=body).status_code == 200
    live_until(shop, sandbox, now)

    assert [order.status for order in rows(shop, Order)] == [OrderStatus.CONFIRMED]


def test_a_refused_card_then_another_keeps_the_good_one(shop, browser, ready, sandbox):
    where = ordered(browser).location
    assert sandbox.pay_by_card(where, DECLINED).status_code == 402
    follow(browser, sandbox.pay_by_card(where))

    (kept,) = rows(shop, SavedMethod)
    assert kept.label == "Visa •••• 4242"
    assert [order.status for order in rows(shop, Order)] == [OrderStatus.CONFIRMED]


def test_a_page_left_alone_keeps_no_card_and_the_order_ends(shop, browser, ready, sandbox, now):
    ordered(browser)
    live_until(shop, sandbox, now + timedelta(days=1))

    assert [order.status for order in rows(shop, Order)] == [OrderStatus.CANCELLED]
    assert [payment.status for payment in rows(shop, Payment)] == [PaymentStatus.CANCELLED]
    assert rows(shop, SavedMethod) == []


def test_concluded_after_midnight_nothing_is_taken_before_the_later_end(
    shop, browser, ready, sandbox, now
):
    """The period counts from the conclusion: the part that was shown for its last day waits."""
    sandbox.pay_by_card(ordered(browser).location)
    next_day = now + timedelta(hours=24)
    with shop.app_context():
        (payment_id,) = db.session.scalars(select(Payment.id)).all()
        payments.refresh(payment_id, next_day)
        worker.run_due(next_day)

    first = min(rows(shop, Instalment), key=lambda part: part.rank)
    assert first.due_on == first.next_attempt_on == FIRST + timedelta(days=1)


def test_goods_in_the_same_cart_are_paid_at_order(shop, browser, ready, sandbox, now):
    with shop.app_context(), transaction():
        guide = factories.product(ProductKind.PAPER_GUIDE, price=3900, capacity=2).id
    add(browser, guide)
    follow(browser, sandbox.pay_by_card(ordered(browser).location))
    live_until(shop, sandbox, now)
    (at_order,) = taken(sandbox)
    live_until(shop, sandbox, morning_of(SECOND))

    assert sorted(taken(sandbox)) == [at_order, 12000, 28000]
    assert sum(taken(sandbox)) == rows(shop, Order)[0].total_minor
