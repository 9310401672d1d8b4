"""Paying on the providers' pages, coming back, trying again; providers that do not answer."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from storefront import worker
from storefront.app import create_app
from storefront.catalogue import jobs as catalogue_jobs
from storefront.catalogue import service as catalogue
from storefront.catalogue.models import Hold, Variant
from storefront.catalogue.rules import ProductKind
from storefront.infra.db import db, transaction
from storefront.invoicing.models import Invoice
from storefront.orders import jobs as order_jobs
from storefront.orders import queries as order_queries
from storefront.orders import service as orders
from storefront.orders.models import Order, OrderStatus
from storefront.payments import jobs as payments
from storefront.payments.models import Payment, PaymentStatus
from tests import factories
from tests.checkout.shopping import add, click, counted, give_details, order, text

DECLINED = "4000000000000002"


@pytest.fixture
def guide(shop):
    with shop.app_context(), transaction():
        return factories.product(ProductKind.PAPER_GUIDE, price=3900, capacity=2, name="Guide").id


def the(shop, model):
    with shop.app_context():
        return db.session.scalars(select(model)).one()


def local(address):
    """The path of one of the shop's own addresses."""
    return "/" + address.split("/", 3)[3]


def follow(browser, answer):
    page = browser.get(local(answer.headers["Location"]))
    while page.status_code in (302, 303):
        page = browser.get(page.location)
    return page


def test_paid_by_card_the_order_is_confirmed_on_return(shop, browser, guide, sandbox):
    page = sandbox.pay_by_card(order(browser, guide).location)
    shown = text(follow(browser, page))
    assert "Merci. Votre commande est confirmée." in shown
    assert "Payée en entier" in shown
    assert the(shop, Order).status is OrderStatus.CONFIRMED
    assert the(shop, Invoice).total_minor == the(shop, Order).total_minor


def test_paid_by_paypal_the_order_is_confirmed_on_return(shop, browser, guide, sandbox):
    answer = order(browser, guide, provider="paypal")
    shown = text(follow(browser, sandbox.pay_by_paypal(answer.location)))
    assert "Merci. Votre commande est confirmée." in shown


def test_coming_back_twenty_times_confirms_once(shop, browser, guide, sandbox):
    back = local(sandbox.pay_by_card(order(browser, guide).location).headers["Location"])
    for _ in range(20):
        assert browser.get(back).status_code == 303
    assert the(shop, Order).status is OrderStatus.CONFIRMED
    the(shop, Invoice)


def test_three_d_secure_refused_then_agreed(shop, browser, guide, sandbox):
    where = order(browser, guide).location
    refused = sandbox.pay_by_card(where, "4000002760003184", agree=False)
    assert refused.status_code == 200
    shown = text(follow(browser, sandbox.pay_by_card(where, "4000002760003184")))
    assert "Merci. Votre commande est confirmée." in shown


def test_a_refused_card_keeps_the_order_and_another_means_pays_it(shop, browser, guide, sandbox):
    where = order(browser, guide).location
    assert sandbox.pay_by_card(where, DECLINED).status_code == 402
    placed = the(shop, Order)
    here = f"/commandes/{placed.reference}?jeton={placed.token}"
    shown = text(browser.get(here))
    assert "Payer cette commande" in shown
    assert "Rien de reçu" in shown
    answer = browser.post(
        f"/commandes/{placed.reference}/payer?jeton={placed.token}", data={"provider": "paypal"}
    )
    assert answer.status_code == 303
    shown = text(follow(browser, sandbox.pay_by_paypal(answer.location)))
    assert "Merci. Votre commande est confirmée." in shown
    with shop.app_context():
        attempts = db.session.scalars(select(Payment).order_by(Payment.attempt)).all()
        assert [one.provider for one in attempts] == ["stripe", "paypal"]
        assert {one.order_id for one in attempts} == {placed.id}


def test_paying_again_by_the_same_means_finds_the_same_page(shop, browser, guide, sandbox):
    first = order(browser, guide)
    placed = the(shop, Order)
    address = f"/commandes/{placed.reference}/payer?jeton={placed.token}"
    for _ in range(2):
        assert browser.post(address, data={"provider": "stripe"}).location == first.location
    the(shop, Payment)


@pytest.mark.parametrize("provider", ["", "bitcoin", "on_request"])
def test_paying_again_by_an_unknown_means_is_refused_in_words(
    shop, browser, guide, sandbox, provider
):
    order(browser, guide)
    placed = the(shop, Order)
    answer = browser.post(
        f"/commandes/{placed.reference}/payer?jeton={placed.token}", data={"provider": provider}
    )
    assert answer.status_code == 422
    wanted = "N'est pas un choix valide" if provider else "Choisissez un moyen de paiement"
    assert wanted in text(answer).replace("’", "'")


def test_leaving_the_page_says_that_the_order_is_kept(shop, browser, guide, sandbox):
    order(browser, guide)
    payment, placed = the(shop, Payment), the(shop, Order)
    answer = browser.get(f"/commande/annulation/{payment.id}?jeton={placed.token}")
    assert "Votre commande est gardée" in text(browser.get(answer.location))
    assert the(shop, Order).status is OrderStatus.AWAITING_PAYMENT


def test_leaving_after_having_paid_is_having_paid(shop, browser, guide, sandbox):
    sandbox.pay_by_card(order(browser, guide).location)
    payment, placed = the(shop, Payment), the(shop, Order)
    answer = browser.get(f"/commande/annulation/{payment.id}?jeton={placed.token}")
    assert "Votre commande est confirmée" in text(browser.get(answer.location))


@pytest.mark.parametrize("where", ["retour", "annulation"])
def test_somebody_elses_return_address_does_not_exist(shop, browser, guide, sandbox, where):
    order(browser, guide)
    payment = the(shop, Payment)
    stranger = shop.test_client()
    for token in ("", "?jeton=", "?jeton=faux", "?jeton=é"):
        page = stranger.get(f"/commande/{where}/{payment.id}{token}")
        assert page.status_code == 404
    assert (
        stranger.get(f"/commande/{where}/00000000-0000-0000-0000-000000000000").status_code == 404
    )


def test_money_that_arrives_without_any_return_confirms_by_the_worker(
    shop, browser, guide, sandbox, now
):
    sandbox.pay_by_card(order(browser, guide).location)
    later = now + timedelta(minutes=40)
    with shop.app_context():
        worker.run_due(later)
    assert the(shop, Order).status is OrderStatus.CONFIRMED


def test_an_order_that_nobody_pays_ends_and_gives_back_what_it_held(
    shop, browser, guide, sandbox, now
):
    order(browser, guide)
    later = now + timedelta(minutes=45)
    sandbox.control("clock", now=later.isoformat())
    with shop.app_context():
        worker.run_due(later)
        assert db.session.scalar(select(Variant.available)) == 2
    ended = the(shop, Order)
    assert (ended.status, ended.end_reason) == (OrderStatus.CANCELLED, "unpaid")
    shown = text(browser.get(f"/commandes/{ended.reference}?jeton={ended.token}"))
    assert "Cette commande est annulée. Elle n’a pas été payée à temps." in shown
    answer = browser.post(
        f"/commandes/{ended.reference}/payer?jeton={ended.token}", data={"provider": "stripe"}
    )
    assert answer.status_code == 303
    assert the(shop, Order).status is OrderStatus.CANCELLED


def test_an_order_is_not_ended_while_its_provider_cannot_be_asked(
    shop, browser, guide, sandbox, now
):
    order(browser, guide)
    sandbox.control("faults", provider="stripe", kind="error", status=500, count=50)
    later = now + timedelta(minutes=40)
    with shop.app_context():
        order_jobs.cancel_unpaid(later)
        kept = db.session.scalars(select(Order)).one()
        assert kept.status is OrderStatus.AWAITING_PAYMENT
        assert kept.held_until > later


def test_the_provider_down_keeps_the_order_and_says_how_to_go_on(shop, browser, guide, sandbox):
    sandbox.control("faults", provider="stripe", kind="error", status=500, count=50)
    answer = order(browser, guide)
    placed = the(shop, Order)
    assert answer.location == f"/commandes/{placed.reference}?jeton={placed.token}"
    shown = text(browser.get(answer.location))
    assert "Le service de paiement ne répond pas" in shown
    assert "Payer cette commande" in shown
    assert placed.status is OrderStatus.AWAITING_PAYMENT
    sandbox.control("faults", "DELETE")
    again = browser.post(
        f"/commandes/{placed.reference}/payer?jeton={placed.token}", data={"provider": "stripe"}
    )
    assert again.location.startswith(sandbox.base_url)
    the(shop, Payment)


def test_nobody_listening_at_the_provider_is_no_crash(settings, now):
    dead = "http://127.0.0.1:9"
    app = create_app(replace(settings, stripe_api_base=dead, paypal_api_base=dead))
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context(), transaction():
        factories.terms(now)
        made = factories.product(ProductKind.TEMPLATE).id
    browser = app.test_client()
    answer = order(browser, made)
    assert answer.location.startswith("/commandes/")
    assert "ne répond pas" in text(browser.get(answer.location))


def test_an_expired_hold_taken_by_another_is_told_before_paying_again(
    shop, browser, guide, sandbox, now
):
    order(browser, guide)
    mine = the(shop, Order)
    with shop.app_context(), transaction() as session:
        session.get_one(Variant, guide).available = 0
        hold = session.scalars(select(Hold)).one()
        hold.expires_at = now - timedelta(minutes=1)
    with shop.app_context():
        catalogue_jobs.release_expired_holds(now)
        with transaction() as session:
            session.get_one(Variant, guide).available = 0
    answer = browser.post(
        f"/commandes/{mine.reference}/payer?jeton={mine.token}", data={"provider": "stripe"}
    )
    assert answer.status_code == 409
    assert "Quelqu’un vous a devancé" in text(answer)
    assert "Rien n’a été débité" in text(answer)


def test_money_for_what_was_sold_meanwhile_stays_visible_and_confirms_nothing(
    shop, browser, guide, sandbox, now
):
    where = order(browser, guide).location
    with shop.app_context(), transaction() as session:
        catalogue.release_holds(session.scalars(select(Order.id)).one())
        session.get_one(Variant, guide).available = 0
    shown = text(follow(browser, sandbox.pay_by_card(where)))
    assert "Cette commande est annulée" in shown
    assert "Votre paiement est bien arrivé" in shown
    with shop.app_context():
        ((ended, payment),) = order_queries.paid_but_cancelled()
        assert ended.end_reason == "sold_out"
        assert payment.status is PaymentStatus.SUCCEEDED


def test_late_money_for_a_cancelled_order_stays_visible(shop, browser, guide, sandbox, now):
    where = order(browser, guide).location
    with shop.app_context(), transaction():
        orders.cancel(db.session.scalars(select(Order)).one(), "unpaid", now=now)
    shown = text(follow(browser, sandbox.pay_by_card(where)))
    assert "Votre paiement est bien arrivé" in shown
    assert the(shop, Order).status is OrderStatus.CANCELLED
    with shop.app_context():
        assert len(order_queries.paid_but_cancelled()) == 1


def test_a_monthly_contract_keeps_the_means_of_payment(shop, browser, sandbox):
    with shop.app_context(), transaction():
        contract = factories.product(ProductKind.SUPPORT_CONTRACT, price=2490).id
    answer = order(browser, contract)
    assert the(shop, Payment).save_method
    follow(browser, sandbox.pay_by_card(answer.location))
    assert the(shop, Order).status is OrderStatus.CONFIRMED


def test_the_whole_road_from_product_to_confirmed_order_is_short(shop, browser, sandbox):
    """One bound on all requests, the worker's part of a first order included."""
    with shop.app_context(), transaction():
        made = factories.product(ProductKind.TEMPLATE, slug="modele").id
    with counted(shop) as statements:
        browser.get("/produits/modele")
        add(browser, made)
        give_details(browser)
        answer = click(browser)
        paid = sandbox.pay_by_card(answer.location)
        browser.get(local(paid.headers["Location"]))
    assert the(shop, Order).status is OrderStatus.CONFIRMED
    assert len(statements) <= 175


def test_money_that_arrived_is_not_asked_for_again_before_the_order_is_confirmed(
    shop, browser, guide, sandbox, now
):
    back = sandbox.pay_by_card(order(browser, guide).location).headers["Location"]
    placed, paid = the(shop, Order), the(shop, Payment)
    with shop.app_context():
        # The webhook has told of it; nobody has reacted yet.
        payments.refresh(paid.id, now)
    here = f"/commandes/{placed.reference}"
    shown = browser.get(f"{here}?jeton={placed.token}")
    assert "Votre paiement est reçu" in text(shown)
    assert f"{here}/payer" not in shown.text
    again = browser.post(f"{here}/payer?jeton={placed.token}", data={"provider": "paypal"})
    assert (again.status_code, the(shop, Payment).status) == (303, PaymentStatus.SUCCEEDED)
    # The browser's return does what is left to do before it shows the order.
    assert browser.get(local(back)).status_code == 303
    assert the(shop, Order).status is OrderStatus.CONFIRMED
