"""What is owed, by whom, when."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import contains_eager

from storefront.infra.db import db
from storefront.instalments.models import PRICE, Instalment, InstalmentStatus
from storefront.instalments.rules import morning_of
from storefront.orders.models import Order, OrderStatus
from storefront.payments.queries import orders_in_dispute

TO_TAKE = (InstalmentStatus.SCHEDULED, InstalmentStatus.FAILED)
UNSETTLED = (*TO_TAKE, InstalmentStatus.CHARGING, InstalmentStatus.UNPAID)


def _billable() -> tuple[ColumnElement[bool], ...]:
    """Not taken yet, on a contract that runs: the first part of a price is paid at order.

    Nothing is taken while a payment of the order is contested (M-10), or once its customer has
    withdrawn (W-08), nor ever of what nobody owes.
    """
    return (
        Instalment.status.in_(TO_TAKE),
        Instalment.voluntary.is_(False),
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
        .where(
            Order.user_id == user_id,
            Order.status == OrderStatus.CONFIRMED,
            Instalment.voluntary.is_(False) | (Instalment.status == InstalmentStatus.PAID),
        )
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
            Instalment.voluntary.is_(False),
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
    hides nothing behind it."""
    return db.session.scalars(
        select(Instalment.id)
        .where(*_billable(), Instalment.next_attempt_on <= day)
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
    day = db.session.scalar(select(func.min(Instalment.next_attempt_on)).where(*_billable()))
    return morning_of(day) if day else None


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
