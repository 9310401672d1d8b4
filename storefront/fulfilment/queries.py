"""What customers can open, and what waits."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from storefront.fulfilment.models import Access, Shipment, Suspension
from storefront.infra.db import db
from storefront.orders.models import FulfilmentStatus, Order, OrderLine, OrderStatus

STOPPED = (FulfilmentStatus.SUSPENDED, FulfilmentStatus.REVOKED)


def accesses_of(user_id: uuid.UUID) -> Sequence[Access]:
    """Everything a customer can or will be able to open, latest purchase first."""
    return db.session.scalars(
        select(Access)
        .join(OrderLine)
        .join(Order)
        .where(Access.user_id == user_id, OrderLine.fulfilment != FulfilmentStatus.REVOKED)
        .options(joinedload(Access.order_line).joinedload(OrderLine.order))
        .order_by(Order.placed_at.desc(), OrderLine.position, Access.order_line_id, Access.title)
    ).all()


def of_order(order_id: uuid.UUID) -> Sequence[Access]:
    """The accesses that an order gives."""
    return db.session.scalars(
        select(Access).join(OrderLine).where(OrderLine.order_id == order_id).order_by(Access.title)
    ).all()


def open_of_line(order_line_id: uuid.UUID) -> Sequence[Access]:
    """What is open of an order line."""
    return db.session.scalars(
        select(Access)
        .where(Access.order_line_id == order_line_id, Access.opened_at.is_not(None))
        .order_by(Access.title)
    ).all()


def by_code(code: str) -> Access | None:
    """The access that a personal link names."""
    return db.session.scalars(select(Access).where(Access.code == code)).first()


def open_suspensions(order_line_ids: Iterable[uuid.UUID]) -> Sequence[Suspension]:
    """What stops these lines now, the first cause first."""
    return db.session.scalars(
        select(Suspension)
        .where(Suspension.order_line_id.in_(list(order_line_ids)), Suspension.lifted_at.is_(None))
        .order_by(Suspension.since, Suspension.id)
    ).all()


def causes_by_line(order_line_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[str]]:
    """The codes of what stops each of these lines now."""
    causes: dict[uuid.UUID, list[str]] = {}
    for row in open_suspensions(order_line_ids):
        causes.setdefault(row.order_line_id, []).append(row.cause)
    return causes


def suspensions_of(order_id: uuid.UUID) -> Sequence[Suspension]:
    """Every time something stopped a line of this order, the first first."""
    return db.session.scalars(
        select(Suspension)
        .join(Suspension.order_line)
        .where(OrderLine.order_id == order_id)
        .order_by(Suspension.since, OrderLine.position, Suspension.cause)
    ).all()


def to_open(now: datetime, limit: int = 500) -> Sequence[uuid.UUID]:
    """Accesses whose waiting is over."""
    return db.session.scalars(
        select(Access.id)
        .join(OrderLine)
        .where(
            Access.opens_at <= now,
            Access.opened_at.is_(None),
            OrderLine.fulfilment.not_in(STOPPED),
        )
        .order_by(Access.opens_at)
        .limit(limit)
    ).all()


def next_opening_at() -> datetime | None:
    """When the next access opens."""
    return db.session.scalar(
        select(func.min(Access.opens_at))
        .join(OrderLine)
        .where(Access.opened_at.is_(None), OrderLine.fulfilment.not_in(STOPPED))
    )


def to_ship() -> Sequence[Shipment]:
    """Goods that were paid and not sent yet, oldest order first."""
    return db.session.scalars(
        select(Shipment)
        .join(OrderLine)
        .join(Order)
        .where(
            Shipment.shipped_at.is_(None),
            Order.status == OrderStatus.CONFIRMED,
            OrderLine.fulfilment.not_in(STOPPED),
        )
        .options(joinedload(Shipment.order_line).joinedload(OrderLine.order))
        .order_by(Order.placed_at)
    ).all()


def under_way() -> Sequence[Shipment]:
    """Parcels that left and did not arrive yet, the first sent first."""
    return db.session.scalars(
        select(Shipment)
        .join(OrderLine)
        .where(Shipment.shipped_at.is_not(None), Shipment.delivered_at.is_(None))
        .options(joinedload(Shipment.order_line).joinedload(OrderLine.order))
        .order_by(Shipment.shipped_at)
    ).all()


def shipments_of(order_id: uuid.UUID) -> Sequence[Shipment]:
    """What an order ships."""
    return db.session.scalars(
        select(Shipment).join(OrderLine).where(OrderLine.order_id == order_id)
    ).all()
