"""What is known of orders."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Row, and_, func, not_, or_, select
from sqlalchemy.orm import contains_eager, selectinload

from storefront.catalogue.rules import WithdrawalKind
from storefront.infra.db import db
from storefront.kernel.calendar import paris_date
from storefront.orders.models import WITHDRAWN, FulfilmentStatus, Order, OrderLine, OrderStatus
from storefront.payments.models import Payment, PaymentStatus, Refund, RefundStatus

ENDED = (OrderStatus.CANCELLED, OrderStatus.REFUSED)


def of_cart(cart_id: uuid.UUID) -> Order | None:
    """The order that was placed from a cart: a second click finds it."""
    return db.session.scalars(select(Order).where(Order.cart_id == cart_id)).one_or_none()


def visible(reference: str, *, user_id: uuid.UUID | None, token: str | None) -> Order | None:
    """The order, for its owner or for who has its secret token; None for everybody else."""
    order = db.session.scalars(
        select(Order).where(Order.reference == reference).options(selectinload(Order.lines))
    ).one_or_none()
    if order is None:
        return None
    owner = user_id is not None and order.user_id == user_id
    guest = bool(token) and secrets.compare_digest(order.token.encode(), (token or "").encode())
    return order if owner or guest else None


def of_user(user_id: uuid.UUID) -> Sequence[Order]:
    """A customer's orders, the last one first."""
    return db.session.scalars(
        select(Order)
        .where(Order.user_id == user_id)
        .options(selectinload(Order.lines))
        .order_by(Order.placed_at.desc())
    ).all()


def lines_ahead(user_id: uuid.UUID, now: datetime) -> Sequence[OrderLine]:
    """What a customer bought that has a session to come or can still be withdrawn from.

    Digital content that opened at once is left out: its buyer gave the right up (W-03).
    """
    waived = and_(
        OrderLine.withdrawal_kind == WithdrawalKind.DIGITAL_CONTENT,
        OrderLine.fulfilment.in_((FulfilmentStatus.OPEN, FulfilmentStatus.DONE)),
    )
    return db.session.scalars(
        select(OrderLine)
        .join(OrderLine.order)
        .where(
            Order.user_id == user_id,
            Order.status == OrderStatus.CONFIRMED,
            or_(
                OrderLine.session_starts_at >= now,
                and_(OrderLine.withdrawal_until >= paris_date(now), not_(waived)),
            ),
        )
        .options(contains_eager(OrderLine.order))
        .order_by(Order.placed_at, OrderLine.position)
    ).all()


def references(order_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    """How these orders are called, by id."""
    rows = db.session.execute(
        select(Order.id, Order.reference).where(Order.id.in_(list(order_ids)))
    )
    return {row.id: row.reference for row in rows}


def by_reference(reference: str) -> Order | None:
    """The order of this reference with its lines, for staff."""
    return db.session.scalars(
        select(Order).where(Order.reference == reference).options(selectinload(Order.lines))
    ).one_or_none()


def search(
    *,
    text: str = "",
    status: OrderStatus | None = None,
    before: str = "",
    limit: int = 50,
) -> Sequence[Order]:
    """Orders whose reference, name or e-mail holds `text`, the last one first.

    `before` is the reference of the order after which to go on: pages by key.
    """
    found = (
        select(Order)
        .options(selectinload(Order.lines))
        .order_by(Order.placed_at.desc(), Order.reference.desc())
        .limit(limit)
    )
    if status is not None:
        found = found.where(Order.status == status)
    for word in text.split():
        columns = (Order.reference, Order.name, Order.email, Order.company)
        found = found.where(or_(*(column.icontains(word, autoescape=True) for column in columns)))
    if before:
        key = select(Order.placed_at).where(Order.reference == before).scalar_subquery()
        same_instant = and_(Order.placed_at == key, Order.reference < before)
        found = found.where(or_(Order.placed_at < key, same_instant))
    return db.session.scalars(found).all()


def waited_for(now: datetime, limit: int = 200) -> Sequence[uuid.UUID]:
    """Orders whose time to be paid is over."""
    return db.session.scalars(
        select(Order.id)
        .where(Order.status == OrderStatus.AWAITING_PAYMENT, Order.held_until <= now)
        .order_by(Order.held_until)
        .limit(limit)
    ).all()


def next_wait_over() -> datetime | None:
    """When the next unpaid order's time is over."""
    first: datetime | None = db.session.scalar(
        select(func.min(Order.held_until)).where(Order.status == OrderStatus.AWAITING_PAYMENT)
    )
    return first


def paid_but_cancelled() -> Sequence[Row[Order, Payment]]:
    """Money held for orders that ended, whose refund was not asked for yet (M-08, M-10)."""
    return db.session.execute(
        select(Order, Payment)
        .join(Payment, Payment.order_id == Order.id)
        .where(
            Order.status.in_(ENDED),
            # What stays of it was decided line by line (W-08).
            Order.end_reason != WITHDRAWN,
            Payment.status == PaymentStatus.SUCCEEDED,
            or_(
                Payment.taken_minor > Payment.refunded_minor + Payment.taken_back_minor,
                select(Refund.id)
                .where(Refund.payment_id == Payment.id, Refund.status == RefundStatus.PROPOSED)
                .exists(),
            ),
        )
        .order_by(Payment.settled_at)
    ).all()
