"""What is owed, by whom, when."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, Row, and_, func, not_, or_, select
from sqlalchemy.orm import contains_eager

from storefront.infra.db import db
from storefront.instalments.models import PRICE, Instalment, InstalmentStatus
from storefront.instalments.rules import morning_of
from storefront.orders.models import Order, OrderStatus
from storefront.payments.models import Payment, PaymentStatus
from storefront.payments.providers.offline import OFFLINE
from storefront.payments.queries import orders_in_dispute

TO_TAKE = (InstalmentStatus.SCHEDULED, InstalmentStatus.FAILED)
UNSETTLED = (*TO_TAKE, InstalmentStatus.CHARGING, InstalmentStatus.UNPAID)


def _billable() -> tuple[ColumnElement[bool], ...]:
    """Not taken yet, on a contract that runs: the first part of a price is paid at order.

    Nothing is taken while a payment of the order is contested (M-10), or once its customer has
    withdrawn (W-08).
    """
    return (
        Instalment.status.in_(TO_TAKE),
        Instalment.order_id == Order.id,
        Order.status == OrderStatus.CONFIRMED,
        Order.debits_stopped_at.is_(None),
        Order.id.not_in(orders_in_dispute()),
    )


def of_order(order_id: uuid.UUID) -> Sequence[Instalment]:
    """The instalments of an order, in order of their dates."""
    return db.session.scalars(
        select(Instalment)
        .where(Instalment.order_id == order_id)
        .order_by(Instalment.due_on, Instalment.rank)
    ).all()


def of_user(user_id: uuid.UUID) -> Sequence[Instalment]:
    """What a customer owes or paid on orders that run, next due first."""
    return db.session.scalars(
        select(Instalment)
        .join(Instalment.order)
        .options(contains_eager(Instalment.order))
        .where(Order.user_id == user_id, Order.status == OrderStatus.CONFIRMED)
        .order_by(Instalment.due_on, Order.placed_at, Instalment.rank)
    ).all()


def unsettled_of_user(user_id: uuid.UUID) -> Sequence[Instalment]:
    """What a customer still owes, with its order, on contracts that run or wait to begin."""
    return db.session.scalars(
        select(Instalment)
        .join(Instalment.order)
        .options(contains_eager(Instalment.order))
        .where(
            Order.user_id == user_id,
            Order.status.in_((OrderStatus.CONFIRMED, OrderStatus.AWAITING_PAYMENT)),
            Instalment.status.in_(UNSETTLED),
        )
        .order_by(Instalment.due_on, Order.placed_at, Instalment.rank)
    ).all()


def paid_of_orders(order_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, int]:
    """What was paid of the price of each of these orders, in minor units."""
    rows = db.session.execute(
        select(Instalment.order_id, func.sum(Instalment.amount_minor))
        .where(
            Instalment.order_id.in_(list(order_ids)),
            Instalment.schedule == PRICE,
            Instalment.status == InstalmentStatus.PAID,
        )
        .group_by(Instalment.order_id)
    )
    return {order_id: int(paid) for order_id, paid in rows}


def overdue(limit: int = 50) -> Sequence[Instalment]:
    """What customers must act on to be paid, oldest first, with its order (staff)."""
    return db.session.scalars(
        select(Instalment)
        .join(Instalment.order)
        .options(contains_eager(Instalment.order))
        .where(
            Order.status == OrderStatus.CONFIRMED,
            Instalment.status.in_((InstalmentStatus.UNPAID, InstalmentStatus.FAILED)),
        )
        .order_by(Instalment.due_on)
        .limit(limit)
    ).all()


def to_charge(day: date) -> Sequence[uuid.UUID]:
    """What must be taken by `day`, overdue included: all of it, so that what cannot be taken
    hides nothing behind it. Who pays by their own means has that whole day."""
    by_hand = Order.payment_provider.in_(OFFLINE)
    return db.session.scalars(
        select(Instalment.id)
        .where(
            *_billable(),
            or_(
                Instalment.next_attempt_on < day,
                and_(Instalment.next_attempt_on == day, not_(by_hand)),
            ),
        )
        .order_by(Instalment.next_attempt_on)
    ).all()


def to_announce(day: date, limit: int = 500) -> Sequence[uuid.UUID]:
    """Debits whose announcement is due by `day` and was not made."""
    return db.session.scalars(
        select(Instalment.id)
        .where(
            *_billable(),
            Instalment.status == InstalmentStatus.SCHEDULED,
            Instalment.announced_at.is_(None),
            Instalment.announce_on <= day,
        )
        .order_by(Instalment.announce_on)
        .limit(limit)
    ).all()


def next_charge_at() -> datetime | None:
    """When the next debit is due."""
    by_hand = Order.payment_provider.in_(OFFLINE)
    first = select(func.min(Instalment.next_attempt_on)).where(*_billable())
    debit, sent = (
        db.session.scalar(first.where(not_(by_hand))),
        db.session.scalar(first.where(by_hand)),
    )
    days = [debit] if debit else []
    if sent:
        days.append(sent + timedelta(days=1))
    return morning_of(min(days)) if days else None


def next_announcement_at() -> datetime | None:
    """When the next announcement is due."""
    day = db.session.scalar(
        select(func.min(Instalment.announce_on)).where(
            *_billable(),
            Instalment.status == InstalmentStatus.SCHEDULED,
            Instalment.announced_at.is_(None),
        )
    )
    return morning_of(day) if day else None


class Wait(StrEnum):
    """Which payments by hand are looked for; worded in templates/staff/arrivals/states.html."""

    AWAITED = "awaited"
    ARRIVED = "arrived"
    GIVEN_UP = "given_up"


STATUS_OF = {
    Wait.AWAITED: PaymentStatus.OPEN,
    Wait.ARRIVED: PaymentStatus.SUCCEEDED,
    Wait.GIVEN_UP: PaymentStatus.CANCELLED,
}


def by_hand(
    *,
    wait: Wait | None,
    text: str = "",
    amount_minor: int | None = None,
    after: str = "",
    limit: int = 50,
) -> Sequence[Row[Payment, Instalment, Order]]:
    """Payments by hand with what they pay, the oldest first: pages by key, `after` is a payment's
    id.

    Each word of `text` stands in the reference to quote, the order's, its buyer's name, company or
    e-mail; or it is the amount asked, or missing, in minor units.
    """
    found = (
        select(Payment, Instalment, Order)
        .join(Instalment, Instalment.id == Payment.instalment_id)
        .join(Order, Order.id == Payment.order_id)
        .where(Payment.provider.in_(OFFLINE), Payment.amount_minor > 0)
        .order_by(Payment.created_at, Payment.id)
        .limit(limit)
    )
    if wait is not None:
        found = found.where(Payment.status == STATUS_OF[wait])
    words = [_holds(word) for word in text.split()]
    if words and amount_minor is not None:
        asked = or_(
            Payment.amount_minor == amount_minor,
            Payment.amount_minor - Payment.taken_minor == amount_minor,
        )
        found = found.where(or_(asked, and_(*words)))
    elif words:
        found = found.where(*words)
    if (mark := _payment_named(after)) is not None:
        same = and_(Payment.created_at == mark.created_at, Payment.id > mark.id)
        found = found.where(or_(Payment.created_at > mark.created_at, same))
    return db.session.execute(found).all()


def _holds(word: str) -> ColumnElement[bool]:
    columns = (Payment.page_reference, Order.reference, Order.name, Order.company, Order.email)
    return or_(*(column.icontains(word, autoescape=True) for column in columns))


def _payment_named(key: str) -> Payment | None:
    try:
        return db.session.get(Payment, uuid.UUID(key))
    except ValueError:
        return None
