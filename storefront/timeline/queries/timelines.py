"""The past and the future of contracts, one after the other (X-03, X-04)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Select, select

from storefront.kernel.calendar import paris_date
from storefront.orders.models import Order
from storefront.timeline.queries.facts import facts_of
from storefront.timeline.queries.history import past
from storefront.timeline.queries.rows import Rows, rows_of
from storefront.timeline.rules import Day, Entry, by_day, coming, horizon, next_of_each


@dataclass(frozen=True)
class Timeline:
    """Contracts on one line: what was done, and what is to come until `until`, in order of time."""

    now: datetime
    until: datetime
    contracts: Sequence[Rows]
    past: Sequence[Entry]
    coming: Sequence[Entry]

    @property
    def today(self) -> date:
        """The day that it is in Paris."""
        return paris_date(self.now)

    @property
    def until_day(self) -> date:
        """The last day that it looks at."""
        return paris_date(self.until - timedelta(seconds=1))

    @property
    def past_days(self) -> list[Day]:
        """What was done, day by day."""
        return by_day(self.past)

    @property
    def coming_days(self) -> list[Day]:
        """What is to come, day by day; what is late comes first."""
        return by_day(self.coming, self.now)

    @property
    def next_days(self) -> list[Day]:
        """What comes next of each kind: a month is followed by others like it."""
        return by_day(next_of_each(self.coming), self.now)


def of_order(order_id: uuid.UUID, now: datetime, until: datetime | None = None) -> Timeline:
    """The timeline of an order, up to 24 months ahead."""
    return _timeline(select(Order).where(Order.id == order_id), now, until)


def of_user(user_id: uuid.UUID, now: datetime, until: datetime | None = None) -> Timeline:
    """The same of everything that a customer ordered."""
    return _timeline(select(Order).where(Order.user_id == user_id), now, until)


def _timeline(orders: Select[Order], now: datetime, until: datetime | None) -> Timeline:
    last = until or horizon(now)
    contracts = rows_of(orders)
    done, ahead = list[Entry](), list[Entry]()
    for rows, moments in zip(contracts, past(contracts, now), strict=True):
        reference = rows.order.reference
        done += [Entry(one, reference) for one in moments]
        ahead += [Entry(one, reference) for one in coming(facts_of(rows, now), now, last)]
    return Timeline(now, last, contracts, done, ahead)
