"""What customers can open, and what waits."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from storefront.fulfilment.models import Access, Shipment
from storefront.infra.db import db
from storefront.orders.models import Order, OrderLine, OrderStatus


def accesses_of(user_id: uuid.UUID) -> Sequence[Access]:
    """Everything a customer can or will be able to open, latest purchase first."""
    return db.session.scalars(
        select(Access)
        .join(OrderLine)
        .join(Order)
        .where(Access.user_id == user_id, Access.revoked_at.is_(None))
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


def to_open(now: datetime, limit: int = 500) -> Sequence[uuid.UUID]:
    """Accesses whose waiting is over."""
    return db.session.scalars(
        select(Access.id)
        .where(Access.opens_at <= now, Access.opened_at.is_(None), Access.revoked_at.is_(None))
        .order_by(Access.opens_at)
        .limit(limit)
    ).all()


def next_opening_at() -> datetime | None:
    """When the next access opens."""
    return db.session.scalar(
        select(func.min(Access.opens_at)).where(
            Access.opened_at.is_(None), Access.revoked_at.is_(None)
        )
    )


def to_ship() -> Sequence[Shipment]:
    """Goods that were paid and not sent yet, oldest order first."""
    return db.session.scalars(
        select(Shipment)
        .join(OrderLine)
        .join(Order)
        .where(Shipment.shipped_at.is_(None), Order.status == OrderStatus.CONFIRMED)
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
