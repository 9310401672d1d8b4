"""Money that staff saw arrive: recorded once, settled like any other (M-09)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from storefront.infra import journal
from storefront.infra.db import db
from storefront.infra.outbox import publish
from storefront.kernel.errors import Refusal, StaleWrite, WrongMove
from storefront.payments import queries, rules
from storefront.payments.events import MoreArrived, PartArrived, PaymentSucceeded
from storefront.payments.models import (
    PAYMENT_LIFECYCLE,
    Arrival,
    ArrivalWay,
    Payment,
    PaymentStatus,
)
from storefront.payments.providers.offline import OFFLINE
from storefront.payments.service.attempts import locked


class AlreadyRecorded(Refusal):
    """Somebody recorded another sum since this form was opened. Details: amount, arrived_on,
    payment (its id)."""

    status = 409


@dataclass(frozen=True)
class Seen:
    """What staff saw on the account. `number` is the rank that it had when the form was opened:
    two people who record the same transfer record it once."""

    number: int
    way: ArrivalWay
    amount_minor: int
    arrived_on: date
    bank_label: str = ""


def record_arrival(
    payment_id: uuid.UUID, seen: Seen, *, recorded_by: uuid.UUID | None, now: datetime
) -> Arrival:
    """Write down money that came for a payment, whatever became of it since.

    Less than was asked leaves it open for the rest; more is told to who proposes refunds. Raises
    `AlreadyRecorded` when somebody recorded another amount meanwhile, `StaleWrite` for a form that
    is no longer true, and `WrongMove` for a payment that a provider takes.
    """
    payment = locked(payment_id)
    known = queries.arrivals_of(payment_id)
    for one in known:
        if one.number == seen.number:
            if one.amount_minor != seen.amount_minor:
                raise AlreadyRecorded(
                    amount=one.amount, arrived_on=one.arrived_on, payment=payment_id
                )
            return one
    if seen.number != len(known) + 1:
        raise StaleWrite
    if not payment.by_hand or payment.is_set_up:
        raise WrongMove(
            lifecycle="payment",
            current=payment.status.value,
            wanted=PaymentStatus.SUCCEEDED.value,
        )
    arrival = Arrival(
        id=uuid.uuid4(),
        payment_id=payment_id,
        number=seen.number,
        way=seen.way,
        amount_minor=seen.amount_minor,
        currency=payment.currency,
        arrived_on=seen.arrived_on,
        bank_label=seen.bank_label,
        recorded_by=recorded_by,
        recorded_at=now,
    )
    db.session.add(arrival)
    db.session.flush()
    _count(payment, arrival, now)
    journal.record(
        "payment.arrival",
        arrival,
        {
            "payment": payment_id,
            "order": payment.order_id,
            "amount": seen.amount_minor,
            "currency": payment.currency,
            "way": seen.way,
            "arrived_on": seen.arrived_on,
        },
        now=now,
    )
    return arrival


def _count(payment: Payment, arrival: Arrival, now: datetime) -> None:
    """Add what came, and say what that makes of the payment."""
    settled = payment.status is PaymentStatus.SUCCEEDED
    given_up = payment.status is PaymentStatus.CANCELLED
    payment.taken_minor += arrival.amount_minor
    payment.taken_currency, payment.updated_at = payment.currency, now
    extra = payment.taken_minor - payment.amount_minor
    if settled:
        publish(MoreArrived(payment.id, arrival.id, arrival.amount_minor), now=now)
    elif extra >= 0:
        _succeed(payment, now)
        publish(PaymentSucceeded(payment.id), now=now)
        if extra:
            publish(MoreArrived(payment.id, arrival.id, extra), now=now)
    elif given_up:
        _succeed(payment, now)
        payment.mismatch = rules.mismatch(payment.amount, arrival.amount)
        publish(MoreArrived(payment.id, arrival.id, arrival.amount_minor), now=now)
    else:
        publish(PartArrived(payment.id, arrival.id), now=now)
    journal.record(
        "payment.counted",
        payment,
        {"order": payment.order_id, "arrival": arrival.id, "taken": payment.taken_minor},
        now=now,
    )


def _succeed(payment: Payment, now: datetime) -> None:
    PAYMENT_LIFECYCLE.check(payment.status, PaymentStatus.SUCCEEDED)
    payment.status, payment.settled_at = PaymentStatus.SUCCEEDED, now
    payment.check_at = payment.remind_at = None


def stop_waiting(order_id: uuid.UUID, *, now: datetime) -> None:
    """The order ends: nothing more is waited for. A part that had come is to be given back."""
    waiting = db.session.scalars(
        select(Payment.id)
        .where(
            Payment.order_id == order_id,
            Payment.provider.in_(OFFLINE),
            Payment.status == PaymentStatus.OPEN,
        )
        .order_by(Payment.id)
    ).all()
    for payment_id in waiting:
        payment = locked(payment_id)
        if payment.status is PaymentStatus.OPEN:
            put_aside(payment, now=now)


def put_aside(payment: Payment, *, now: datetime) -> None:
    """Stop waiting for a locked payment by hand; what comes all the same is recorded on it."""
    if payment.taken_minor:
        _succeed(payment, now)
        payment.mismatch = rules.mismatch(payment.amount, payment.refundable)
        publish(MoreArrived(payment.id, payment.id, payment.taken_minor), now=now)
    else:
        PAYMENT_LIFECYCLE.check(payment.status, PaymentStatus.CANCELLED)
        payment.status, payment.remind_at = PaymentStatus.CANCELLED, None
    payment.updated_at = now
    journal.record(
        f"payment.{payment.status}",
        payment,
        {"order": payment.order_id, "mismatch": payment.mismatch},
        now=now,
    )


def reminded(payment: Payment) -> None:
    """The reminder left."""
    payment.remind_at = None


def remind_later(payment: Payment, at: datetime | None) -> None:
    """The payer has more time than was said: they are reminded then."""
    payment.remind_at = at
