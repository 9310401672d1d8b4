"""Money that staff saw arrive: once, in parts, too much, too late (M-09)."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from storefront import worker
from storefront.catalogue import service as catalogue
from storefront.catalogue.models import Variant
from storefront.infra import journal
from storefront.infra.db import db, transaction
from storefront.instalments import queries as instalments
from storefront.instalments.models import InstalmentStatus
from storefront.invoicing.models import CreditNote, Invoice
from storefront.kernel.calendar import end_of_day, paris_date
from storefront.kernel.errors import StaleWrite, WrongMove
from storefront.orders import service as orders
from storefront.orders.models import OrderStatus
from storefront.payments import queries, service
from storefront.payments.models import (
    Arrival,
    ArrivalWay,
    PaymentStatus,
    RefundReason,
    RefundStatus,
)
from storefront.payments.service import AlreadyRecorded, RefundTooHigh, Seen
from storefront.refunds.queries import Matter, money_queue
from storefront.refunds.service import Decision, refund_order, refuse_order
from tests import factories
from tests.by_hand import PRICE, arrives, emails, last, morning, order, ordered, parts
from tests.parallel import at_once
from tests.payments.paid import refunds


@pytest.fixture
def paying(client: FlaskClient, now: datetime) -> uuid.UUID:
    """What an order by transfer waits for."""
    return ordered(client, now)


def matters(now: datetime) -> list[Matter]:
    db.session.rollback()
    return [item.matter for item in money_queue(now)]


def test_nothing_is_confirmed_before_the_money_is_recorded(paying, now):
    """M-08, M-06."""
    assert (order().status, last().status) == (OrderStatus.AWAITING_PAYMENT, PaymentStatus.OPEN)
    assert db.session.scalars(select(Invoice)).all() == []
    assert matters(now + timedelta(days=3)) == []
    arrives(paying, PRICE, now + timedelta(hours=3))
    assert order().status is OrderStatus.CONFIRMED
    assert last().status is PaymentStatus.SUCCEEDED
    assert len(db.session.scalars(select(Invoice)).all()) == 1
    assert len(emails("order_confirmation")) == 1


def test_what_arrived_is_kept_word_for_word_and_in_the_journal(paying, now):
    arrival = arrives(paying, PRICE, now, on=paris_date(now) - timedelta(days=1))
    assert (arrival.number, arrival.bank_label, arrival.currency) == (1, "VIR ESSAI", "EUR")
    [entry] = journal.about([arrival.id])
    assert entry.kind == "payment.arrival"


@pytest.mark.parametrize("more", [0, 1])
def test_the_same_form_twice_records_once(paying, now, more):
    arrives(paying, PRICE - 1 + more, now, number=1)
    arrives(paying, PRICE - 1 + more, now, number=1)
    assert last().taken_minor == PRICE - 1 + more
    assert len(emails("order_confirmation")) == more


def test_another_amount_under_the_same_form_is_refused_and_changes_nothing(paying, now):
    arrives(paying, PRICE, now, number=1)
    with pytest.raises(AlreadyRecorded) as refused:
        arrives(paying, PRICE // 2, now, number=1)
    assert refused.value.details["amount"].minor == PRICE
    assert last().taken_minor == PRICE


def test_a_form_from_nowhere_is_refused(paying, now):
    with pytest.raises(StaleWrite):
        arrives(paying, PRICE, now, number=7)
    assert last().taken_minor == 0


def test_two_people_at_once_record_it_once(app: Flask, paying, now):
    db.session.rollback()

    def record(_: int) -> None:
        with transaction():
            seen = Seen(1, ArrivalWay.TRANSFER, PRICE, paris_date(now))
            service.record_arrival(paying, seen, recorded_by=None, now=now)

    assert at_once(app, record, 2) == [None, None]
    worker.run_due(now)
    assert last().taken_minor == PRICE
    assert len(db.session.scalars(select(Arrival)).all()) == 1
    assert refunds(paying) == []
    assert order().status is OrderStatus.CONFIRMED


def test_too_little_waits_for_the_rest_and_says_how_much_is_missing(paying, now):
    arrives(paying, 10000, now)
    assert (order().status, last().status) == (OrderStatus.AWAITING_PAYMENT, PaymentStatus.OPEN)
    assert parts()[0].missing_minor == 8000
    [mail] = emails("payment_short")
    assert "80,00" in mail.text
    assert last().page_reference in mail.text
    [item] = money_queue(now)
    assert (item.matter, item.amount.minor) == (Matter.UNDERPAID, 8000)
    arrives(paying, 8000, now + timedelta(days=1))
    assert order().status is OrderStatus.CONFIRMED
    assert (last().taken_minor, last().mismatch) == (PRICE, None)
    assert matters(now) == []
    assert refunds(paying) == []


def test_a_part_gives_once_as_much_time_again_for_the_rest(paying, now):
    stated = order().kept_on
    arrives(paying, 1, now + timedelta(days=3))
    assert order().kept_on == stated + timedelta(days=3)
    arrives(paying, 1, now + timedelta(days=5))
    assert order().kept_on == stated + timedelta(days=3)


def test_too_much_confirms_and_the_rest_is_proposed_for_refund(paying, now):
    arrives(paying, PRICE + 2000, now)
    assert order().status is OrderStatus.CONFIRMED
    [proposed] = refunds(paying)
    assert (proposed.status, proposed.amount_minor) == (RefundStatus.PROPOSED, 2000)
    assert proposed.reason is RefundReason.NOT_DUE
    assert matters(now) == [Matter.PROPOSED]
    with transaction():
        service.approve(service.locked_refund(proposed.id), asked_by=None, now=now)
    assert matters(now) == [Matter.TO_GIVE]
    with transaction():
        sent_on = paris_date(now)
        found = service.locked_refund(proposed.id)
        service.record_transfer(found, "VIR-BANQUE-1", sent_on=sent_on, now=now)
    worker.run_due(now)
    [done] = refunds(paying)
    assert (done.status, done.sent_on) == (RefundStatus.SUCCEEDED, sent_on)
    # It was never invoiced: the customer is told, and nothing is credited.
    assert db.session.scalars(select(CreditNote)).all() == []
    assert len(emails("refund_done")) == 1


def test_the_rest_paid_too_generously_is_too_much_as_well(paying, now):
    arrives(paying, 10000, now)
    arrives(paying, 9000, now)
    assert order().status is OrderStatus.CONFIRMED
    assert [one.amount_minor for one in refunds(paying)] == [1000]


def test_a_second_transfer_for_what_is_paid_is_proposed_for_refund(paying, now):
    arrives(paying, PRICE, now)
    arrives(paying, PRICE, now + timedelta(days=2))
    assert [(one.status, one.amount_minor) for one in refunds(paying)] == [
        (RefundStatus.PROPOSED, PRICE)
    ]
    assert len(db.session.scalars(select(Invoice)).all()) == 1


def test_money_for_a_cancelled_order_is_recorded_and_proposed_for_refund(paying, now):
    late = end_of_day(order().kept_on)
    worker.run_due(late)
    assert order().status is OrderStatus.CANCELLED
    assert last().status is PaymentStatus.CANCELLED
    arrives(paying, PRICE, late + timedelta(days=1))
    assert order().status is OrderStatus.CANCELLED
    assert [(one.status, one.amount_minor) for one in refunds(paying)] == [
        (RefundStatus.PROPOSED, PRICE)
    ]


def test_another_amount_for_a_cancelled_order_is_proposed_for_refund_once(paying, now):
    late = end_of_day(order().kept_on)
    worker.run_due(late)
    arrives(paying, 5000, late)
    arrives(paying, 13000, late)
    assert sum(one.amount_minor for one in refunds(paying)) == PRICE
    assert last().mismatch is not None
    assert order().status is OrderStatus.CANCELLED


def test_too_much_for_a_cancelled_order_is_proposed_whole(paying, now):
    late = end_of_day(order().kept_on)
    worker.run_due(late)
    arrives(paying, PRICE + 500, late)
    assert sum(one.amount_minor for one in refunds(paying)) == PRICE + 500


def test_the_order_ends_at_midnight_in_paris_of_the_stated_day(client, now):
    payment_id = ordered(client, now, capacity=1)
    variant_id = db.session.scalars(select(Variant.id)).one()
    stated = paris_date(now) + timedelta(days=7)
    assert order().kept_on == stated
    midnight = end_of_day(stated)
    worker.run_due(midnight - timedelta(seconds=1))
    assert order().status is OrderStatus.AWAITING_PAYMENT
    assert db.session.get_one(Variant, variant_id).available == 0
    worker.run_due(midnight)
    assert (order().status, order().end_reason) == (OrderStatus.CANCELLED, "unpaid")
    assert db.session.get_one(Variant, variant_id).available == 1
    [mail] = emails("order_cancelled")
    assert "Vous ne devez rien" in mail.text
    assert refunds(payment_id) == []


def test_a_part_of_what_expired_is_proposed_for_refund(paying, now):
    arrives(paying, 10000, now)
    worker.run_due(end_of_day(order().kept_on))
    assert order().status is OrderStatus.CANCELLED
    [proposed] = refunds(paying)
    assert (proposed.status, proposed.amount_minor) == (RefundStatus.PROPOSED, 10000)


def test_refusing_an_order_gives_back_the_part_that_came_once(paying, now):
    arrives(paying, 10000, now)
    with transaction():
        refuse_order(order().id, "Demande anormale.", asked_by=None, now=now)
    worker.run_due(now)
    assert [one.amount_minor for one in refunds(paying)] == [10000]


def test_the_buyer_is_reminded_once_before_the_end(paying, now):
    worker.run_due(morning(now, 4))
    assert emails("payment_reminder") == []
    for _ in range(2):
        worker.run_due(morning(now, 5))
    [mail] = emails("payment_reminder")
    assert last().page_reference in mail.text


def test_who_has_paid_is_not_reminded(paying, now):
    arrives(paying, PRICE, now)
    worker.run_due(morning(now, 5))
    assert emails("payment_reminder") == []


def test_money_that_a_provider_takes_is_not_recorded_by_hand(client, now):
    with transaction():
        factories.terms(now)
        placed = factories.order(factories.product(), now=now)
        part = parts_of(placed)
        payment_id = service.reserve(
            order_id=placed.id,
            user_id=placed.user_id,
            provider="stripe",
            amount=placed.total,
            order_reference=placed.reference,
            description="Essai",
            instalment_id=part,
            expires_at=now + timedelta(minutes=31),
            now=now,
        ).id
    with pytest.raises(WrongMove):
        arrives(payment_id, 100, now)


def parts_of(placed) -> uuid.UUID:
    return instalments.of_order(placed.id)[0].id


def test_a_refund_by_hand_never_exceeds_what_came(paying, now):
    """M-10."""
    arrives(paying, PRICE, now)

    def decide(minor: int) -> Decision:
        return Decision(minor, RefundReason.GOODWILL, uuid.uuid4(), due_on=None)

    with pytest.raises(RefundTooHigh), transaction():
        refund_order(order().id, decide(PRICE + 1), asked_by=None, now=now)
    with transaction():
        [refund] = refund_order(order().id, decide(8000), asked_by=None, now=now)
        refund_id = refund.id
    with pytest.raises(RefundTooHigh), transaction():
        refund_order(order().id, decide(10001), asked_by=None, now=now)
    worker.run_due(now)
    assert matters(now) == [Matter.TO_GIVE]
    with transaction():
        service.record_transfer(service.locked_refund(refund_id), "", now=now)
    worker.run_due(now)
    [note] = db.session.scalars(select(CreditNote)).all()
    assert note.total_minor == 8000


def test_a_cheque_goes_back_by_hand_too(client, now):
    payment_id = ordered(client, now, provider="cheque")
    assert last().page_reference.startswith("CHQ-")
    arrives(payment_id, PRICE, now, way=ArrivalWay.CHEQUE)
    with transaction():
        decision = Decision(PRICE, RefundReason.GOODWILL, uuid.uuid4(), due_on=None)
        [refund] = refund_order(order().id, decision, asked_by=None, now=now)
        assert refund.provider == service.BY_HAND
        service.record_transfer(service.locked_refund(refund.id), "", now=now)
    worker.run_due(now)
    assert len(db.session.scalars(select(CreditNote)).all()) == 1


def test_sold_out_meanwhile_ends_in_a_proposed_refund(client, now):
    """C-03: a claim that lapsed, and somebody else took the last one."""
    payment_id = ordered(client, now, capacity=1)
    variant_id = db.session.scalars(select(Variant.id)).one()
    later = end_of_day(order().kept_on)
    with transaction():
        catalogue.hold(uuid.uuid4(), {variant_id: 1}, until=later + timedelta(days=1), now=later)
    arrives(payment_id, PRICE, later)
    assert order().status is OrderStatus.CANCELLED
    assert [one.amount_minor for one in refunds(payment_id)] == [PRICE]


def test_cancelling_twice_proposes_once(paying, now):
    arrives(paying, 10000, now)
    for _ in range(2):
        with transaction():
            orders.cancel(order(), "customer", now=now)
        worker.run_due(now)
    assert len(refunds(paying)) == 1
    assert parts()[0].status is InstalmentStatus.SCHEDULED
    assert len(queries.arrivals_of(paying)) == 1
