"""Which payment plans a buyer can have, and when what is due. Pure functions (M-02, PRE-10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import accumulate
from typing import Literal

from storefront.kernel.calendar import PARIS, add_months, paris_instant
from storefront.kernel.money import Money

Interval = Literal["month", "fortnight"]

# Debits and their announcements leave in the morning: a customer who looks sees them coming.
MORNING = time(6, 0)


@dataclass(frozen=True)
class DeferralGuard:
    """A legal limit on deferred payment: table row of law.md G-0, never a constant in code."""

    key: str
    longest: timedelta
    valid_from: date
    source: str


CONSUMER_DEFERRAL = DeferralGuard(
    key="consumer_deferral_outside_credit_law",
    longest=timedelta(days=50),
    valid_from=date(2026, 11, 20),
    source="Code de la consommation, art. L312-4, 4°",
)


class PlanRefusal(StrEnum):
    """Why a number of payments is not offered; the wording lives in the templates."""

    PRODUCT = "product"  # one of the products, or its terms, allows fewer
    SUBSCRIPTION = "subscription"  # a monthly contract is paid month by month
    CONSUMER_CREDIT = "consumer_credit"  # PRE-10: it would be a consumer credit


@dataclass(frozen=True)
class PlanLine:
    """What a plan must know of one line: how many parts it allows at most, and of what kind."""

    instalments_max: int
    is_subscription: bool
    # Goods and digital content are supplied at once; a service is paid along its performance.
    supplied_at_once: bool


@dataclass(frozen=True)
class PlannedInstalment:
    """One part: rank from 1, Paris civil date, amount."""

    rank: int
    due_on: date
    amount: Money


@dataclass(frozen=True)
class PlanOffer:
    """A number of payments with its dates and amounts, or why it is not offered."""

    count: int
    instalments: tuple[PlannedInstalment, ...]
    refusal: PlanRefusal | None = None


def plan(
    total: Money, count: int, first_on: date, interval: Interval
) -> tuple[PlannedInstalment, ...]:
    """`count` equal parts from `first_on` on; the cents that don't divide go on the first (M-02).

    Months are counted from the first date, so that a 31st comes back after a shorter month.
    """
    return tuple(
        PlannedInstalment(rank, _due(first_on, rank - 1, interval), part)
        for rank, part in enumerate(total.split(count), start=1)
    )


def _due(first_on: date, step: int, interval: Interval) -> date:
    if interval == "fortnight":
        return first_on + timedelta(days=14 * step)
    return add_months(first_on, step)


def offers(
    lines: Sequence[PlanLine],
    total: Money,
    *,
    consumer: bool,
    first_on: date,
    interval: Interval,
    most: int,
) -> tuple[PlanOffer, ...]:
    """Every number of payments from 1 to `most`, each offered or refused with its reason.

    Raises ValueError without lines. Paying at once is always offered.
    """
    if not lines:
        raise ValueError("nothing to pay")
    return tuple(
        PlanOffer(
            count,
            instalments := plan(total, count, first_on, interval),
            _refusal(lines, instalments, consumer=consumer),
        )
        for count in range(1, most + 1)
    )


def _refusal(
    lines: Sequence[PlanLine], instalments: Sequence[PlannedInstalment], *, consumer: bool
) -> PlanRefusal | None:
    if len(instalments) == 1:
        return None
    if any(line.is_subscription for line in lines):
        return PlanRefusal.SUBSCRIPTION
    if any(line.instalments_max < len(instalments) for line in lines):
        return PlanRefusal.PRODUCT
    if consumer and any(line.supplied_at_once for line in lines):
        first, last = instalments[0].due_on, instalments[-1].due_on
        guarded = first >= CONSUMER_DEFERRAL.valid_from
        if guarded and last - first > CONSUMER_DEFERRAL.longest:
            return PlanRefusal.CONSUMER_CREDIT
    return None


def next_attempt(due_on: date, attempts: int, retry_days: Sequence[int]) -> date | None:
    """The day of the next try after `attempts` failures, each step counted from the one before.

    None once the schedule of the accepted terms is exhausted (M-03).
    """
    if attempts > len(retry_days):
        return None
    return due_on + timedelta(days=list(accumulate(retry_days))[attempts - 1])


def morning_of(day: date) -> datetime:
    """The instant from which what is due on `day` is taken or announced."""
    return paris_instant(day, MORNING)


def working_day(now: datetime) -> date:
    """The last day whose morning has come: what is due on it or before can be done."""
    local = now.astimezone(PARIS)
    return local.date() if local.time() >= MORNING else local.date() - timedelta(days=1)
