"""Every deadline of the shop in one queue, the soonest first, page by page (X-03).

What the jobs look for and what waits for a person, by the same conditions; each kind is one
statement that goes on by key, and the statements are merged.
"""

from __future__ import annotations

import heapq
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_

from storefront.infra.db import db
from storefront.kernel.calendar import paris_date
from storefront.kernel.moments import By, Moment
from storefront.orders.models import Order
from storefront.timeline.rules import BY

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Source:
    """Where the deadlines of one kind are read.

    `rows` gives rows with their order, `on` is the column that dates them and `at` the instant of
    a date; an instant stands for itself, `after` later. A row's moment is at that instant.
    `ahead_only`: a date that is over is no deadline any more.
    """

    kind: StrEnum
    rows: Callable[[], Select[Any, Any]]
    row: Any
    on: Any
    moment: Callable[[Any], Moment]
    at: Callable[[date], datetime] | None = None
    after: timedelta = timedelta(0)
    ahead_only: bool = False

    def value(self, at: datetime) -> date | datetime:
        """The last date, or instant, in the column that is due by then."""
        if self.at is None:
            return at - self.after
        day = paris_date(at) + ONE_DAY
        while self.at(day) > at:
            day -= ONE_DAY
        return day

    def past(self, at: datetime, key: uuid.UUID) -> ColumnElement[bool]:
        """After this mark: the same instant goes on by id."""
        last = self.value(at)
        later: ColumnElement[bool] = self.on > last
        if self.at is not None and self.at(last) != at:
            return later
        return or_(later, and_(self.on == last, self.row.id > key))


@dataclass(frozen=True, order=True)
class Deadline:
    """One deadline of one order."""

    at: datetime
    key: uuid.UUID
    moment: Moment
    order: Order

    @property
    def by(self) -> By:
        """Who makes it happen, or is waited for."""
        return BY[self.moment.kind]

    @property
    def mark(self) -> str:
        """After which one a page goes on."""
        return f"{self.at.isoformat()}_{self.key}"


@dataclass(frozen=True)
class Wanted:
    """Which deadlines: of a kind, by somebody, late ones only, of orders that hold these words."""

    kind: StrEnum | None = None
    by: By | None = None
    late: bool = False
    text: str = ""


def deadlines(
    sources: Sequence[Source], now: datetime, wanted: Wanted, *, after: str = "", limit: int = 50
) -> list[Deadline]:
    """The deadlines that are wanted, the soonest first; `after` is the `mark` of the last one."""
    mark = _mark_read(after)
    chosen = [
        source
        for source in sources
        if wanted.kind in (None, source.kind)
        and wanted.by in (None, BY[source.kind])
        and not (wanted.late and source.ahead_only)
    ]
    found = (list(_read(source, now, wanted, mark, limit)) for source in chosen)
    merged = heapq.merge(*found, key=lambda one: (one.at, one.key))
    return list(islice(merged, limit))


def _read(
    source: Source,
    now: datetime,
    wanted: Wanted,
    mark: tuple[datetime, uuid.UUID] | None,
    limit: int,
) -> Iterator[Deadline]:
    found = source.rows().order_by(source.on, source.row.id).limit(limit)
    if mark is not None:
        found = found.where(source.past(*mark))
    if wanted.late:
        found = found.where(source.on <= source.value(now))
    if source.ahead_only:
        found = found.where(source.on > source.value(now))
    for word in wanted.text.split():
        columns = (Order.reference, Order.name, Order.email, Order.company)
        found = found.where(or_(*(column.icontains(word, autoescape=True) for column in columns)))
    for row, order in db.session.execute(found).unique():
        moment = source.moment(row)
        yield Deadline(moment.at, row.id, moment, order)


def _mark_read(after: str) -> tuple[datetime, uuid.UUID] | None:
    """A mark; one that nobody gave begins the list."""
    text, _, key = after.rpartition("_")
    try:
        at, known = datetime.fromisoformat(text), uuid.UUID(key)
    except ValueError:
        return None
    return (at, known) if at.tzinfo and 2000 <= at.year < 2200 else None
