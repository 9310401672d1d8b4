"""Buyers who click at the same instant, on both databases: the last seat is sold once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from sqlalchemy import select

from storefront.catalogue.models import Variant
from storefront.catalogue.rules import ProductKind
from storefront.identity.models import User
from storefront.infra.db import db, transaction
from storefront.legal.models import Acceptance
from storefront.orders.models import Order
from storefront.payments.models import Payment
from tests import factories
from tests.checkout.shopping import YES, add, give_details, seen, text

BUYERS = 5


def together(*acts):
    """Run these at the same instant, each in its thread; their answers in order."""
    barrier = Barrier(len(acts))

    def run(act):
        barrier.wait(20)
        return act()

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(run, acts))


def ready_buyer(shop, variant_id, email):
    """A browser in front of the order button, and what its click sends."""
    browser = shop.test_client()
    add(browser, variant_id)
    give_details(browser, email=email)
    form = {**seen(browser), "instalments": "1", "provider": "stripe", "terms": YES}
    return browser, form


def sold(shop):
    with shop.app_context():
        return list(db.session.scalars(select(Order))), db.session.scalar(select(Variant.available))


def test_the_last_one_is_sold_to_one_of_the_buyers_who_click_together(shop, sandbox):
    with shop.app_context(), transaction():
        last = factories.product(ProductKind.PAPER_GUIDE, capacity=1).id
    buyers = [ready_buyer(shop, last, f"b{rank}@exemple.fr") for rank in range(BUYERS)]
    answers = together(
        *(
            lambda browser=browser, form=form: browser.post("/commande/payer", data=form)
            for browser, form in buyers
        )
    )
    served = [one for one in answers if one.status_code == 303 and "/panier" not in one.location]
    assert len(served) == 1
    for answer in answers:
        if answer not in served:
            assert answer.status_code in (302, 303, 409)
            assert answer.status_code != 409 or "Quelqu’un vous a devancé" in text(answer)
    orders, left = sold(shop)
    assert (len(orders), left) == (1, 0)


def test_one_cart_clicked_in_two_tabs_at_once_is_one_order(shop, sandbox):
    with shop.app_context(), transaction():
        guide = factories.product(ProductKind.PAPER_GUIDE, capacity=9).id
    browser, form = ready_buyer(shop, guide, "claire@exemple.fr")
    cookie = browser.get_cookie("session").value
    tabs = []
    for _ in range(BUYERS):
        tab = shop.test_client()
        tab.set_cookie("session", cookie)
        tabs.append(tab)
    answers = together(*(lambda tab=tab: tab.post("/commande/payer", data=form) for tab in tabs))
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.location for answer in answers}) == 1
    orders, left = sold(shop)
    assert (len(orders), left) == (1, 8)
    with shop.app_context():
        assert len(db.session.scalars(select(Payment)).all()) == 1
        assert len(db.session.scalars(select(Acceptance)).all()) == 1


def test_two_first_orders_of_one_address_at_once_make_one_account(shop, sandbox):
    with shop.app_context(), transaction():
        guide = factories.product(ProductKind.PAPER_GUIDE, capacity=9).id
    buyers = [ready_buyer(shop, guide, "claire@exemple.fr") for _ in range(3)]
    answers = together(
        *(
            lambda browser=browser, form=form: browser.post("/commande/payer", data=form)
            for browser, form in buyers
        )
    )
    assert {answer.status_code for answer in answers} == {303}
    with shop.app_context():
        assert len(db.session.scalars(select(User)).all()) == 1
    orders, left = sold(shop)
    assert (len(orders), left) == (3, 6)
    assert len({order.reference for order in orders}) == 3


def test_terms_published_at_the_instant_of_the_click_bind_nobody_who_did_not_see_them(
    shop, sandbox, now
):
    """Each order is under the version whose box was ticked, or there is no order (R-02, R-03)."""
    with shop.app_context(), transaction():
        guide = factories.product(ProductKind.PAPER_GUIDE, capacity=9).id
    buyers = [ready_buyer(shop, guide, f"b{rank}@exemple.fr") for rank in range(3)]

    def publish():
        with shop.app_context(), transaction():
            factories.terms(now, hour_slice_minutes=30)

    answers = together(
        publish,
        *(
            lambda browser=browser, form=form: browser.post("/commande/payer", data=form)
            for browser, form in buyers
        ),
    )[1:]
    orders, _ = sold(shop)
    assert {answer.status_code for answer in answers} <= {303, 409}
    assert len(orders) == [answer.status_code for answer in answers].count(303)
    seen_before = {form["versions"].partition("|")[0] for _, form in buyers}
    assert {str(order.terms_version_id) for order in orders} <= seen_before
    with shop.app_context():
        accepted = {one.order_id: one.version_id for one in db.session.scalars(select(Acceptance))}
    assert accepted == {order.id: order.terms_version_id for order in orders}
