"""Disputes: what was sold freezes; won, it comes back; lost, it ends (M-10, scenario 13)."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

import pytest
from flask import Flask, current_app
from sqlalchemy import select

from sandbox.testing import RunningSandbox
from storefront import worker
from storefront.catalogue.rules import ProductKind
from storefront.fulfilment import service as fulfilment
from storefront.fulfilment.models import Access
from storefront.infra.db import db, transaction
from storefront.instalments import queries as instalments
from storefront.instalments.models import InstalmentStatus
from storefront.invoicing import queries as invoices
from storefront.legal.models import AcceptanceKind
from storefront.notifications.models import Email
from storefront.orders.models import FulfilmentStatus, Order, OrderStatus
from storefront.payments import queries, service
from storefront.payments.models import (
    DisputeStatus,
    Payment,
    Refund,
    RefundReason,
    RefundStatus,
)
from tests import paying
from tests.payments.paid import Counter, cause, disputes, the


@pytest.fixture(params=["stripe", "paypal"])
def counter(
    app: Flask, sandbox: RunningSandbox, now: datetime, request: pytest.FixtureRequest
) -> Counter:
    return Counter(sandbox, request.param, now)


@pytest.fixture
def cards(app: Flask, sandbox: RunningSandbox, now: datetime) -> Counter:
    return Counter(sandbox, "stripe", now)


def course(counter: Counter) -> uuid.UUID:
    """A course in four parts, the first paid, its lessons open."""
    paid = counter.sold(
        40000, kind=ProductKind.E_LEARNING, count=4, consents=(AcceptanceKind.EARLY_START,)
    )
    worker.run_due(counter.now)
    return paid


def order_of(payment_id: uuid.UUID) -> Order:
    order: Order = the(Order, the(Payment, payment_id).order_id)
    return order


def lessons_open() -> bool:
    db.session.rollback()
    return all(access.usable for access in db.session.scalars(select(Access)))


def to_staff() -> list[str]:
    db.session.rollback()
    found = select(Email.subject).where(Email.kind == "dispute_to_staff").order_by(Email.queued_at)
    return [subject.partition(" : ")[0] for subject in db.session.scalars(found)]


def test_a_dispute_freezes_what_was_sold_and_charges_nothing_more(counter, now):
    paid = course(counter)
    assert lessons_open()
    counter.contest(paid)
    counter.tell("opened", times=3)
    worker.run_due(now)

    [dispute] = disputes(paid)
    assert (dispute.status, dispute.amount_minor) == (DisputeStatus.OPEN, 10000)
    assert dispute.evidence_due_at > now
    assert not lessons_open()
    assert order_of(paid).lines[0].fulfilment is FulfilmentStatus.SUSPENDED
    assert to_staff() == ["Paiement contesté"]
    assert queries.open_disputes_of_user(order_of(paid).user_id)
    later = now + timedelta(days=70)
    worker.run_due(later)
    assert len(queries.of_order(order_of(paid).id)) == 1
    assert instalments.next_charge_at() is None


def test_won_resumes_exactly_what_it_had_stopped(counter, now):
    paid = course(counter)
    reference = counter.contest(paid)
    counter.tell("opened")
    worker.run_due(now)
    later = now + timedelta(days=40)
    counter.sandbox.control("clock", now=later.isoformat())
    counter.close(reference, "won")
    current_app.extensions["clock"].move_to(later)
    counter.tell("closed", times=2)
    worker.run_due(later)

    assert [one.status for one in disputes(paid)] == [DisputeStatus.WON]
    assert lessons_open()
    assert not queries.open_disputes_of_user(order_of(paid).user_id)
    assert the(Payment, paid).taken_back_minor == 0
    # What came due meanwhile is announced before it is taken.
    assert len(queries.of_order(order_of(paid).id)) == 1
    announced = select(Email.id).where(Email.kind == "instalment_announced")
    assert db.session.scalars(announced).all()
    worker.run_due(later + timedelta(days=3))
    assert len(queries.of_order(order_of(paid).id)) == 2


def test_lost_ends_the_contract_and_corrects_its_invoice(counter, now):
    paid = course(counter)
    reference = counter.contest(paid)
    counter.tell("opened")
    worker.run_due(now)
    counter.close(reference, "lost")
    counter.tell("closed", times=3)
    worker.run_due(now)

    order = order_of(paid)
    [dispute] = disputes(paid)
    assert (dispute.status, dispute.taken_back_minor) == (DisputeStatus.LOST, 10000)
    assert the(Payment, paid).taken_back_minor == 10000
    assert the(Payment, paid).refundable.minor == 0
    assert (order.status, order.end_reason) == (OrderStatus.CANCELLED, "dispute_lost")
    assert order.lines[0].fulfilment is FulfilmentStatus.REVOKED
    assert not lessons_open()
    statuses = [part.status for part in instalments.of_order(order.id)]
    assert statuses == [InstalmentStatus.PAID, *[InstalmentStatus.CANCELLED] * 3]
    credited = {
        note.cause.partition(":")[0]: note.total_minor
        for note in invoices.credit_notes_of_order(order.id)
    }
    assert credited == {"dispute": 10000, "rest": 30000}
    assert to_staff() == ["Paiement contesté", "Contestation perdue"]
    assert queries.refunds_of_order(order.id) == []
    lost = counter.sandbox.control("ledger")[counter.provider]["totals"]["EUR"]["lost"]
    assert lost == 10000


def test_the_end_told_before_the_beginning_stays_the_end(counter, now):
    paid = course(counter)
    reference = counter.contest(paid)
    counter.close(reference, "lost")
    counter.tell("closed")
    counter.tell("opened", times=2)
    worker.run_due(now)

    assert [one.status for one in disputes(paid)] == [DisputeStatus.LOST]
    assert order_of(paid).status is OrderStatus.CANCELLED
    assert "Paiement contesté" not in to_staff()


def test_a_dispute_told_before_our_payment_is_known_waits_for_it(cards, now):
    paid = course(cards)
    charge = the(Payment, paid).charge_reference
    with transaction():
        service.locked(paid).charge_reference = "not known yet"
    cards.sandbox.control(f"stripe/payment_intents/{charge}/dispute", "POST")
    cards.tell("opened")
    assert disputes(paid) == []
    with transaction():
        service.locked(paid).charge_reference = charge
    worker.run_due(now + timedelta(hours=1))

    assert [one.status for one in disputes(paid)] == [DisputeStatus.OPEN]


def test_the_end_is_learnt_without_its_webhook(cards, now):
    paid = course(cards)
    reference = cards.contest(paid)
    cards.tell("opened")
    worker.run_due(now)
    cards.close(reference, "won")
    worker.run_due(now + timedelta(hours=23))
    assert [one.status for one in disputes(paid)] == [DisputeStatus.OPEN]
    worker.run_due(now + timedelta(hours=25))

    assert [one.status for one in disputes(paid)] == [DisputeStatus.WON]


def test_a_provider_that_is_down_decides_nothing(cards, now):
    paid = course(cards)
    cards.contest(paid)
    cards.sandbox.control("faults", kind="error", count=-1, status=500, path="/v1/*")
    cards.tell("opened")
    assert disputes(paid) == []
    cards.sandbox.control("faults", "DELETE")
    worker.run_due(now + timedelta(hours=1))

    assert [one.status for one in disputes(paid)] == [DisputeStatus.OPEN]


def test_a_refund_reserved_when_the_dispute_is_lost_is_taken_once(cards, now):
    paid = course(cards)
    with transaction():
        refund_id = service.reserve_refund(paid, 4000, cause(), now=now).id
    reference = cards.contest(paid)
    cards.close(reference, "lost")
    cards.tell("closed")
    assert the(Payment, paid).taken_back_minor == 6000
    worker.run_due(now + timedelta(minutes=2))

    assert the(Refund, refund_id).status is RefundStatus.REFUSED
    assert the(Payment, paid).taken_back_minor == 10000
    assert the(Payment, paid).refunded_minor == 0
    assert disputes(paid)[0].taken_back_minor == 10000


def test_a_won_dispute_leaves_another_cause_in_force(cards, now):
    paid = course(cards)
    with transaction():
        fulfilment.suspend(the(Payment, paid).order_id, "unpaid", now=now)
    reference = cards.contest(paid)
    cards.tell("opened")
    worker.run_due(now)
    cards.close(reference, "won")
    cards.tell("closed")
    worker.run_due(now)

    assert order_of(paid).lines[0].fulfilment is FulfilmentStatus.SUSPENDED


def test_a_debit_in_doubt_when_the_dispute_is_lost_is_given_back_when_it_comes(cards, now):
    paid = course(cards)
    order_id = order_of(paid).id
    later = now + timedelta(days=35)
    cards.sandbox.control("clock", now=later.isoformat())
    cards.sandbox.control(
        "faults", kind="lost_answer", method="POST", path="/v1/payment_intents", count=9
    )
    worker.run_due(later)
    cards.sandbox.control("faults", "DELETE")
    reference = cards.contest(paid)
    cards.close(reference, "lost")
    current_app.extensions["clock"].move_to(later)
    cards.tell("closed")
    worker.run_due(later + timedelta(hours=7))

    [proposed] = queries.refunds_of_order(order_id)
    assert (proposed.status, proposed.amount_minor) == (RefundStatus.PROPOSED, 10000)


def test_what_else_was_paid_of_the_order_is_proposed_to_staff_once(cards, now):
    """The contract is over: what was supplied for the other part only people can say."""
    paid = course(cards)
    order_id = order_of(paid).id
    later = now + timedelta(days=35)
    cards.sandbox.control("clock", now=later.isoformat())
    worker.run_due(later)
    second = next(one.id for one in queries.of_order(order_id) if one.id != paid)
    reference = cards.contest(second)
    cards.close(reference, "lost")
    current_app.extensions["clock"].move_to(later)
    cards.tell("closed", times=3)
    worker.run_due(later + timedelta(days=90))

    [proposed] = queries.refunds_of_order(order_id)
    assert (proposed.payment_id, proposed.amount_minor) == (paid, 10000)
    assert (proposed.status, proposed.reason) == (
        RefundStatus.PROPOSED,
        RefundReason.DISPUTE_LOST,
    )
    assert len(queries.of_order(order_id)) == 2  # no other part was debited
    with transaction():
        service.dismiss(service.locked_refund(proposed.id), now=later)
    assert the(Payment, paid).refundable.minor == 10000
    assert cards.given_back() == []


def test_the_months_of_a_subscription_were_supplied_and_are_not_proposed(cards, now):
    paying.bought(cards.sandbox, ProductKind.PLAN, now, card=paying.GOOD_CARD)
    later = now + timedelta(days=32)
    cards.sandbox.control("clock", now=later.isoformat())
    worker.run_due(later)
    first, second = db.session.scalars(select(Payment.id).order_by(Payment.created_at)).all()
    reference = cards.contest(second)
    cards.close(reference, "lost")
    current_app.extensions["clock"].move_to(later)
    cards.tell("closed")
    worker.run_due(later)

    assert order_of(first).status is OrderStatus.CANCELLED
    assert queries.refunds_of_order(order_of(first).id) == []
