"""What is paid by the customer's own means: asked for, waited for, come in parts (M-09)."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta

from storefront.infra.db import db
from storefront.infra.outbox import publish
from storefront.instalments import rules
from storefront.instalments.events import PartReceived
from storefront.instalments.models import Instalment
from storefront.instalments.service.schedules import (
    PAYABLE,
    NothingToPay,
    PaymentUnderWay,
    attempt,
    locked,
    note_announced,
)
from storefront.kernel.calendar import end_of_day, paris_date
from storefront.legal.queries import parameters_of
from storefront.orders import service as orders
from storefront.orders.models import Order, OrderStatus
from storefront.orders.rules import last_day_to_pay
from storefront.payments import queries as payment_queries
from storefront.payments import service as payments
from storefront.payments.events import PartArrived, PaymentAwaited
from storefront.payments.models import Payment
from storefront.payments.providers.offline import TRANSFER


def last_day(order: Order, placed_on: date) -> date | None:
    """Until the end of which day this order waits for money that was asked for on `placed_on`."""
    days = parameters_of(order.terms_version).offline_payment_days
    return last_day_to_pay(placed_on, days, [line.session_starts_at for line in order.lines])


def reminder(order: Order, until: date, now: datetime) -> datetime | None:
    """When its buyer is reminded; None when that is over."""
    days = parameters_of(order.terms_version).offline_reminder_days
    at = rules.morning_of(until - timedelta(days=days))
    return at if at > now else None


def ask_for(instalment: Instalment, *, now: datetime) -> bool:
    """Tell how to pay a locked part of an order that is paid by hand, and wait for it.

    Says whether it was; while the customer is on a provider's page for it, it is announced later.
    """
    waiting = payment_queries.undecided_of_instalment(instalment.id)
    if waiting is not None and not waiting.by_hand:
        instalment.announced_at = None
        return False
    if waiting is None:
        attempt(instalment, instalment.order.payment_provider, now=now)
    else:
        publish(PaymentAwaited(waiting.id), now=now)
    note_announced(instalment, now=now)
    return True


def wait_for(instalment_id: uuid.UUID, *, now: datetime) -> Payment:
    """What staff record money on for this part, whatever way it was to be paid.

    Asked again, the same. Raises `NothingToPay`, and `PaymentUnderWay` while a provider's attempt
    may still succeed.
    """
    instalment = locked(instalment_id)
    order = instalment.order
    waiting = payment_queries.undecided_of_instalment(instalment_id)
    if waiting is not None and waiting.by_hand:
        return waiting
    if waiting is not None:
        raise PaymentUnderWay(
            provider=waiting.provider, until=waiting.expires_at, instalment=instalment_id
        )
    if instalment.status not in PAYABLE or order.status is not OrderStatus.CONFIRMED:
        raise NothingToPay(status=instalment.status, order=order.reference)
    provider = order.payment_provider if order.by_hand else TRANSFER
    return attempt(instalment, provider, tell=False, now=now)


def note_part(event: PartArrived, *, now: datetime) -> None:
    """A part arrived: the order waits for the rest, once for as long again as it had."""
    payment = db.session.get_one(Payment, event.payment_id)
    instalment = locked(payment.instalment_id)
    order = orders.locked(instalment.order_id)
    payment = payments.locked(payment.id)
    if instalment.status not in PAYABLE:
        return
    instalment.received_minor = payment.taken_minor
    first = len(payment_queries.arrivals_of(payment.id)) == 1
    if first and order.status is OrderStatus.AWAITING_PAYMENT:
        until = last_day(order, paris_date(now))
        if until is not None:
            orders.wait_until(order, end_of_day(until))
            payments.remind_later(payment, reminder(order, until, now))
    publish(PartReceived(payment.id, event.arrival_id), now=now)
