"""An order refused by the seller: everything goes back, nothing stays reserved (R-07)."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from sandbox.testing import RunningSandbox
from storefront import worker
from storefront.catalogue import service as catalogue
from storefront.catalogue.models import Variant
from storefront.catalogue.rules import ProductKind
from storefront.fulfilment.models import Access
from storefront.infra.db import db, transaction
from storefront.instalments import queries as instalments
from storefront.instalments.models import InstalmentStatus
from storefront.invoicing import queries as invoices
from storefront.kernel.errors import WrongMove
from storefront.legal.models import AcceptanceKind
from storefront.notifications.models import Email
from storefront.orders import service as orders
from storefront.orders.models import FulfilmentStatus, Order, OrderStatus
from storefront.payments import jobs
from storefront.payments import queries as payments
from storefront.payments.models import Payment, RefundReason, RefundStatus
from storefront.payments.service import RefundTooHigh
from storefront.refunds import service
from storefront.refunds.service import Decision
from storefront.subscriptions import queries as subscriptions
from storefront.subscriptions.models import SubscriptionStatus
from tests import factories
from tests.parallel import at_once
from tests.payments.paid import Counter, the

WHY = "La session est annulée faute de participants."


@pytest.fixture(params=["stripe", "paypal"])
def counter(
    app: Flask, sandbox: RunningSandbox, now: datetime, request: pytest.FixtureRequest
) -> Counter:
    return Counter(sandbox, request.param, now)


@pytest.fixture
def cards(app: Flask, sandbox: RunningSandbox, now: datetime) -> Counter:
    return Counter(sandbox, "stripe", now)


def order_of(payment_id: uuid.UUID) -> uuid.UUID:
    return uuid.UUID(str(the(Payment, payment_id).order_id))


def refuse(order_id: uuid.UUID, now: datetime) -> None:
    with transaction():
        service.refuse_order(order_id, WHY, asked_by=None, now=now)


def settled(now: datetime) -> None:
    """Everything that follows, refunds included."""
    worker.run_due(now)
    worker.run_due(now + timedelta(minutes=5))
    db.session.rollback()


def balance(order_id: uuid.UUID) -> int:
    """What the invoices of an order still ask for, credit notes deducted."""
    db.session.rollback()
    asked = sum(invoice.total_minor for invoice in invoices.of_order(order_id))
    return asked - sum(note.total_minor for note in invoices.credit_notes_of_order(order_id))


def test_a_paid_order_that_is_refused_gives_everything_back(counter, now):
    with transaction():
        variant = factories.product(ProductKind.CLASSROOM_TRAINING, price=39000, capacity=5)
        variant_id = variant.id
    paid = counter.sold(variant=db.session.get_one(Variant, variant_id), count=4)
    settled(now)
    order_id = order_of(paid)
    assert the(Variant, variant_id).available == 4
    refuse(order_id, now)
    settled(now)

    order = the(Order, order_id)
    assert (order.status, order.end_reason) == (OrderStatus.REFUSED, WHY)
    [refund] = payments.refunds_of_order(order_id)
    assert (refund.status, refund.amount_minor) == (RefundStatus.SUCCEEDED, 9750)
    assert (refund.reason, str(refund.due_on)) == (RefundReason.ORDER_REFUSED, "2026-12-08")
    assert counter.given_back() == [9750]
    statuses = [part.status for part in instalments.of_order(order_id)]
    assert statuses == [InstalmentStatus.PAID, *[InstalmentStatus.CANCELLED] * 3]
    assert the(Variant, variant_id).available == 5
    assert {line.fulfilment for line in order.lines} == {FulfilmentStatus.REVOKED}
    assert balance(order_id) == 0
    written = db.session.scalars(select(Email.kind).where(Email.order_id == order_id)).all()
    assert {"order_cancelled", "refund_done", "credit_note"} <= set(written)
    [told] = db.session.scalars(select(Email).where(Email.kind == "order_cancelled"))
    assert WHY in told.text
    worker.run_due(now + timedelta(days=120))
    assert counter.given_back() == [9750]
    assert len(payments.of_order(order_id)) == 1


def test_each_payment_of_an_order_gets_its_own_refund(cards, now):
    paid = cards.sold(40000, kind=ProductKind.E_LEARNING, count=4)
    settled(now)
    order_id = order_of(paid)
    worker.run_due(now + timedelta(days=35))
    cards.sandbox.control("clock", now=(now + timedelta(days=35)).isoformat())
    refuse(order_id, now + timedelta(days=35))
    settled(now + timedelta(days=35))

    refunds = payments.refunds_of_order(order_id)
    assert [refund.amount_minor for refund in refunds] == [10000, 10000]
    assert len({refund.payment_id for refund in refunds}) == 2
    assert {refund.status for refund in refunds} == {RefundStatus.SUCCEEDED}
    assert balance(order_id) == 0


def test_refusing_twice_or_at_once_gives_back_once(app, cards, now):
    paid = cards.sold()
    settled(now)
    order_id = order_of(paid)
    assert at_once(app, lambda _: refuse(order_id, now), 3) == [None] * 3
    settled(now)
    refuse(order_id, now)
    settled(now)

    assert len(payments.refunds_of_order(order_id)) == 1
    assert cards.given_back() == [18000]
    assert balance(order_id) == 0


def test_accesses_are_closed_and_a_subscription_ends(cards, now):
    course = cards.sold(9000, kind=ProductKind.E_LEARNING, consents=(AcceptanceKind.EARLY_START,))
    plan = cards.sold(4900, kind=ProductKind.PLAN)
    settled(now)
    for paid in (course, plan):
        refuse(order_of(paid), now)
    settled(now)

    accesses = db.session.scalars(select(Access)).all()
    assert accesses
    assert not any(access.usable for access in accesses)
    [subscription] = subscriptions.of_order(order_of(plan))
    assert subscription.status is SubscriptionStatus.ENDED


def test_what_was_given_back_before_is_not_given_back_again(cards, now):
    paid = cards.sold()
    settled(now)
    order_id = order_of(paid)
    decision = Decision(3000, RefundReason.GOODWILL, uuid.uuid4(), None)
    with transaction():
        service.refund_order(order_id, decision, asked_by=None, now=now)
    settled(now)
    refuse(order_id, now)
    settled(now)

    assert cards.given_back() == [3000, 15000]
    assert balance(order_id) == 0


def test_an_unpaid_order_is_refused_and_its_late_money_proposed_for_refund(cards, now):
    with transaction():
        factories.terms(now)
        order_id = factories.order(factories.product(), now=now, provider="stripe").id
    payment_id, email = cards.reserve(order_id)
    back = "http://127.0.0.1:8000/retour"
    url = jobs.open_page(payment_id, email=email, return_url=back, cancel_url=back, now=now)
    refuse(order_id, now)
    cards.sandbox.pay_by_card(url)
    jobs.refresh(payment_id, now)
    settled(now)

    [proposed] = payments.refunds_of_order(order_id)
    assert (proposed.status, proposed.amount_minor) == (RefundStatus.PROPOSED, 15900)
    assert proposed.reason is RefundReason.NOT_DUE
    assert str(proposed.due_on) == "2026-12-08"
    assert cards.given_back() == []
    assert the(Order, order_id).status is OrderStatus.REFUSED


def test_an_order_that_ended_otherwise_is_not_refused(cards, now):
    with transaction():
        factories.terms(now)
        order = factories.order(factories.product(), now=now)
        orders.cancel(order, "unpaid", now=now)
        order_id = order.id
    with pytest.raises(WrongMove):
        refuse(order_id, now)


# Scenario 9: money for what cannot be had


def test_money_for_a_sold_out_order_is_proposed_for_refund(counter, now):
    with transaction():
        variant_id = factories.product(ProductKind.PAPER_GUIDE, price=2400, capacity=1).id
    with transaction():
        factories.terms(now)
        variant = db.session.get_one(Variant, variant_id)
        late = factories.order(variant, now=now, provider=counter.provider).id
    much_later = now + timedelta(hours=2)
    with transaction():
        catalogue.release_holds(late)
        variant = db.session.get_one(Variant, variant_id)
        first = factories.order(variant, now=much_later, provider="offline").id
    Counter(counter.sandbox, "offline", much_later).pay(first)
    counter.pay(late)
    settled(much_later)

    order = the(Order, late)
    assert (order.status, order.end_reason) == (OrderStatus.CANCELLED, "sold_out")
    [proposed] = payments.refunds_of_order(late)
    assert proposed.status is RefundStatus.PROPOSED
    assert proposed.amount_minor == order.total_minor
    assert the(Order, first).status is OrderStatus.CONFIRMED


def test_a_second_payment_of_the_same_is_proposed_for_refund_once(cards, now):
    paid = cards.sold()
    order_id = order_of(paid)
    settled(now)
    again = cards.pay(order_id)
    settled(now)
    with transaction():
        service.propose(service.MoneyNotDue(again), now=now)

    [proposed] = payments.refunds_of_order(order_id)
    assert (proposed.payment_id, proposed.amount_minor) == (again, 18000)
    assert the(Order, order_id).status is OrderStatus.CONFIRMED


def test_a_late_cancellation_never_undoes_a_paid_order(cards, now):
    paid = cards.sold()
    settled(now)
    worker.run_due(now + timedelta(days=2))
    assert the(Order, order_of(paid)).status is OrderStatus.CONFIRMED
    assert payments.refunds_of_order(order_of(paid)) == []


# Refunds of an order


def test_an_amount_is_taken_from_the_last_payment_first(cards, now):
    paid = cards.sold(40000, kind=ProductKind.E_LEARNING, count=4)
    settled(now)
    order_id = order_of(paid)
    later = now + timedelta(days=35)
    worker.run_due(later)
    with transaction():
        decision = Decision(12500, RefundReason.GOODWILL, uuid.uuid4(), None)
        made = service.refund_order(order_id, decision, asked_by=None, now=later)
        ids = [(refund.payment_id == paid, refund.amount_minor) for refund in made]
        again = service.refund_order(order_id, decision, asked_by=None, now=later)
        assert {one.id for one in again} == {one.id for one in made}

    assert ids == [(False, 10000), (True, 2500)]


def test_more_than_is_left_is_refused_with_what_is_left(cards, now):
    paid = cards.sold()
    settled(now)
    for amount in (18001, 0, -1):
        decision = Decision(amount, RefundReason.GOODWILL, uuid.uuid4(), None)
        order_id = order_of(paid)
        with pytest.raises(RefundTooHigh) as refusal, transaction():
            service.refund_order(order_id, decision, asked_by=None, now=now)
        assert refusal.value.details["left"].minor == 18000
    assert payments.refunds_of_order(order_of(paid)) == []
