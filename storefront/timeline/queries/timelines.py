"""The past and the future of contracts, one after the other (X-03, X-04)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from storefront.kernel.moments import Moment
from storefront.orders.models import Order
from storefront.timeline.queries.facts import facts_of
from storefront.timeline.queries.history import past
from storefront.timeline.queries.rows import Rows, rows_of
from storefront.timeline.rules import coming, horizon


@dataclass(frozen=True)
class Timeline:
    """One contract: what was done, and what is to come until `until`, each in order of time."""

    order: Order
    now: datetime
    until: datetime
    past: Sequence[Moment]
    coming: Sequence[Moment]


def of_order(order_id: uuid.UUID, now: datetime, until: datetime | None = None) -> Timeline:
    """The timeline of an order, up to 24 months ahead. Raises LookupError for an unknown one."""
    found = rows_of(select(Order).where(Order.id == order_id))
    if not found:
        raise LookupError(f"no order {order_id}")
    return _timeline(found[0], now, until or horizon(now))


def of_user(user_id: uuid.UUID, now: datetime, until: datetime | None = None) -> list[Timeline]:
    """The same of everything that a customer ordered, the first order first."""
    last = until or horizon(now)
    return [
        _timeline(rows, now, last)
        for rows in rows_of(select(Order).where(Order.user_id == user_id))
    ]


def _timeline(rows: Rows, now: datetime, until: datetime) -> Timeline:
    ahead = coming(facts_of(rows, now), now, until)
    return Timeline(rows.order, now, until, past(rows, now), ahead)
