"""What subscriptions come to, from their rows alone: docs/algorithms/subscription-figures.md.

Each figure is one statement that SQLite and PostgreSQL both run, whatever the number of rows;
amounts are before tax, in minor units a month.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Function,
    Label,
    Select,
    and_,
    case,
    extract,
    func,
    literal,
    not_,
    or_,
    select,
    union_all,
)
from sqlalchemy.sql.elements import SQLCoreOperations

from storefront.infra.db import db
from storefront.kernel.calendar import add_months
from storefront.subscriptions.models import (
    Pause,
    Subscription,
    SubscriptionPeriod,
    SubscriptionStatus,
)
from storefront.subscriptions.queries.running import RUNNING

S, P = Subscription, SubscriptionPeriod
# At most one: a UNIQUE index says so.
PAUSED = and_(Pause.subscription_id == S.id, Pause.resumed_at.is_(None))
LIVE = (SubscriptionStatus.ACTIVE, SubscriptionStatus.ENDED)


class MovementKind(StrEnum):
    """Why recurring revenue moved on a day."""

    NEW = "new"
    RESUMED = "resumed"
    UPGRADED = "upgraded"
    DOWNGRADED = "downgraded"
    HALTED = "halted"  # unpaid, suspended or paused: it may resume
    LOST = "lost"


@dataclass(frozen=True)
class Movement:
    """What one kind of movement did in a month (its first day); `minor` is signed."""

    currency: str
    month: date
    kind: MovementKind
    count: int
    minor: int


@dataclass(frozen=True)
class Point:
    """A month of the curve: what recurs at its end, and the movements that led there."""

    month: date
    minor: int
    moves: Mapping[MovementKind, Movement] = field(default_factory=dict)


def monthly(net: SQLCoreOperations[int], months: SQLCoreOperations[int]) -> ColumnElement[int]:
    """What a period brings a month, to the nearest minor unit: a year counts for a twelfth."""
    return (2 * net + months) // (2 * months)


def _spans(today: date) -> Select[*tuple[Any, ...]]:
    """Every period that counts, as long as it lasted.

    It counts once it is paid, however late, or while its debit is under way. What is past due,
    suspended or paused today is not counted today.
    """
    cut = and_(S.status == SubscriptionStatus.ENDED, S.ends_on < P.ends_on)
    goes_on = and_(
        S.status == SubscriptionStatus.ACTIVE,
        Pause.id.is_(None),
        or_(S.ends_on.is_(None), S.ends_on > P.ends_on),
    )
    return (
        select(
            S.id,
            S.user_id,
            S.currency,
            S.status,
            goes_on.label("goes_on"),
            P.number,
            P.starts_on,
            case(
                (cut, S.ends_on),
                (Pause.starts_on < P.ends_on, Pause.starts_on),
                else_=P.ends_on,
            ).label("until"),
            monthly(P.net_minor, S.billing_months).label("minor"),
        )
        .join(P, P.subscription_id == S.id)
        .outerjoin(Pause, PAUSED)
        .where(
            or_(P.paid_at.is_not(None), S.status == SubscriptionStatus.ACTIVE),
            or_(S.status.in_(LIVE), P.ends_on <= today),
            P.starts_on <= today,
        )
    )


def _neighbours(today: date) -> CTE:
    """Each span with the one before and the one after it in its subscription."""
    spans = _spans(today).subquery()

    def near(function: Function[Any], name: str) -> Label[Any]:
        return function.over(partition_by=spans.c.id, order_by=spans.c.number).label(name)

    return select(
        *spans.c,
        near(func.lag(spans.c.until), "before_until"),
        near(func.lag(spans.c.minor), "before_minor"),
        near(func.lead(spans.c.starts_on), "after_starts_on"),
    ).cte()


def movements(today: date) -> list[Movement]:
    """Every movement up to today, by currency, month and kind."""
    near = _neighbours(today).c
    first = near.before_until.is_(None)
    begins = or_(first, near.before_until < near.starts_on)
    starts = select(
        near.currency,
        near.starts_on.label("day"),
        case(
            (first, literal(MovementKind.NEW.value)),
            (begins, literal(MovementKind.RESUMED.value)),
            (near.minor > near.before_minor, literal(MovementKind.UPGRADED.value)),
            else_=literal(MovementKind.DOWNGRADED.value),
        ).label("kind"),
        case((begins, near.minor), else_=near.minor - near.before_minor).label("minor"),
    )
    last = near.after_starts_on.is_(None)
    ends = select(
        near.currency,
        near.until.label("day"),
        case(
            (
                and_(last, near.status == SubscriptionStatus.ENDED),
                literal(MovementKind.LOST.value),
            ),
            else_=literal(MovementKind.HALTED.value),
        ),
        -near.minor,
    ).where(
        near.until <= today,
        or_(last, near.after_starts_on > near.until),
        not_(and_(last, near.goes_on)),
    )
    moves = union_all(starts, ends).subquery().c
    month = extract("year", moves.day) * 12 + extract("month", moves.day) - 1
    rows = db.session.execute(
        select(moves.currency, month, moves.kind, func.count(), func.sum(moves.minor))
        .where(moves.minor != 0)
        .group_by(moves.currency, month, moves.kind)
    )
    return [
        Movement(currency, _month(int(index)), MovementKind(kind), count, int(minor))
        for currency, index, kind, count, minor in rows
    ]


def _month(index: int) -> date:
    return date(index // 12, index % 12 + 1, 1)


def curve(moves: Iterable[Movement], currency: str, today: date, months: int = 13) -> list[Point]:
    """The last months in one currency, the present one last: a running sum of the movements."""
    mine = [one for one in moves if one.currency == currency]
    first = add_months(today.replace(day=1), 1 - months)
    minor = sum(one.minor for one in mine if one.month < first)
    points = []
    for rank in range(months):
        month = add_months(first, rank)
        of_month = {one.kind: one for one in mine if one.month == month}
        minor += sum(one.minor for one in of_month.values())
        points.append(Point(month, minor, of_month))
    return points


def revenue_lost(before: Point, now: Point) -> tuple[int, int]:
    """What recurred at the end of the month before, and what was lost or downgraded since."""
    gone = (now.moves.get(kind) for kind in (MovementKind.LOST, MovementKind.DOWNGRADED))
    return before.minor, -sum(move.minor for move in gone if move)


@dataclass(frozen=True)
class Standing:
    """How many priced subscriptions are in one state now, and what their next month brings."""

    currency: str
    status: SubscriptionStatus
    paused: bool
    count: int
    minor: int

    @property
    def counts(self) -> bool:
        """Whether it is part of what recurs."""
        return self.status is SubscriptionStatus.ACTIVE and not self.paused


def standings() -> list[Standing]:
    """What runs, is past due, suspended or paused now, by currency."""
    paused = Pause.id.is_not(None)
    rows = db.session.execute(
        select(
            S.currency,
            S.status,
            paused,
            func.count(),
            func.sum(monthly(S.net_minor, S.billing_months)),
        )
        .outerjoin(Pause, PAUSED)
        .where(S.status.in_(RUNNING), S.net_minor > 0)
        .group_by(S.currency, S.status, paused)
        .order_by(S.currency)
    )
    return [
        Standing(currency, status, is_paused, count, int(minor))
        for currency, status, is_paused, count, minor in rows
    ]


def customers_lost(today: date) -> tuple[int, int]:
    """Of the customers who paid for something on the eve of this month, how many there were, and
    how many have nothing left that runs."""
    first = today.replace(day=1)
    spans = _spans(today).subquery().c
    keeping = select(S.user_id).where(S.status.in_(RUNNING), S.net_minor > 0)
    gone = case((spans.user_id.not_in(keeping), spans.user_id))
    row = db.session.execute(
        select(func.count(spans.user_id.distinct()), func.count(gone.distinct())).where(
            spans.starts_on < first, spans.until >= first, spans.minor > 0
        )
    ).one()
    return row[0], row[1]


@dataclass(frozen=True)
class Cohort:
    """Those who began in a month (its first day): how many still ran 1, 2, 3… months later.

    `kept` stops where the last of them has not had the time yet.
    """

    month: date
    started: int
    kept: Sequence[int]


def cohorts(today: date, months: int = 14) -> list[Cohort]:
    """The priced subscriptions that began in the last months, the oldest first.

    Of fourteen, the oldest tells who is still there after a year.
    """
    this_month = today.year * 12 + today.month - 1
    begun = extract("year", P.starts_on) * 12 + extract("month", P.starts_on) - 1
    over = extract("year", S.ends_on) * 12 + extract("month", S.ends_on) - 1
    # Ended on the 10th, begun on the 10th: the first month without it is that one.
    late = case((extract("day", S.ends_on) > extract("day", P.starts_on), 1), else_=0)
    lasted = case((S.status == SubscriptionStatus.ENDED, over - begun + late))
    rows = db.session.execute(
        select(begun, lasted, func.count())
        .join(P, and_(P.subscription_id == S.id, P.number == 1))
        .where(P.net_minor > 0, begun > this_month - months)
        .group_by(begun, lasted)
    )
    by_month: dict[int, list[tuple[int | None, int]]] = {}
    for index, months_lasted, count in rows:
        lasted_for = None if months_lasted is None else int(months_lasted)
        by_month.setdefault(int(index), []).append((lasted_for, count))
    return [_cohort(index, by_month[index], this_month) for index in sorted(by_month)]


def _cohort(index: int, ends: Sequence[tuple[int | None, int]], this_month: int) -> Cohort:
    kept = [
        sum(count for lasted, count in ends if lasted is None or lasted > after)
        for after in range(1, this_month - index)
    ]
    return Cohort(_month(index), sum(count for _, count in ends), kept)


def retention(found: Sequence[Cohort]) -> list[tuple[int, int]]:
    """By months since the beginning, from 1: how many still ran, of how many who had the time."""
    longest = max((len(one.kept) for one in found), default=0)
    return [
        (
            sum(one.kept[after] for one in found if len(one.kept) > after),
            sum(one.started for one in found if len(one.kept) > after),
        )
        for after in range(longest)
    ]
