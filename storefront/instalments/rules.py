"""Which payment plans a buyer can have, and when what is due: pure functions (M-02, PRE-10)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import accumulate
from typing import Literal, NamedTuple

from storefront.catalogue.rules import OwnParts
from storefront.kernel.calendar import PARIS, add_months, paris_instant
from storefront.kernel.moments import Moment
from storefront.kernel.money import Money, share

Interval = Literal["month", "fortnight"]

# Debits and their announcements leave in the morning: a customer who looks sees them coming.
MORNING = time(6, 0)


@dataclass(frozen=True)
class Guard:
    """A legal limit on plans: a row with its date and source, never a constant in code (G-0)."""

    key: str
    valid_from: date
    source: str


CONSUMER_DEFERRAL = Guard(
    key="consumer_deferral_outside_credit_law",
    valid_from=date(2026, 11, 20),
    source="Code de la consommation, art. L312-4, 4°",
)
LONGEST_DEFERRAL = timedelta(days=50)
INDIVIDUAL_TRAINING = Guard(
    key="individual_training_payments",
    valid_from=date(2008, 5, 1),
    source="Code du travail, art. L6353-5 et L6353-6",
)


class PlanRefusal(StrEnum):
    """Why a number of payments is not offered; the wording lives in the templates."""

    PRODUCT = "product"  # one of the products, or its terms, allows fewer
    SUBSCRIPTION = "subscription"  # a monthly contract is paid month by month
    CONSUMER_CREDIT = "consumer_credit"  # PRE-10: it would be a consumer credit
    TRAINING = "training"  # FOR-03: an individual's training cannot be paid at once


SOURCES: Mapping[PlanRefusal, Guard] = {
    PlanRefusal.CONSUMER_CREDIT: CONSUMER_DEFERRAL,
    PlanRefusal.TRAINING: INDIVIDUAL_TRAINING,
}


@dataclass(frozen=True)
class Course:
    """When an individual's training may be paid (FOR-03), as Paris civil dates.

    Nothing before `withdrawal_ends_on` is over; then `first_share_max_bp` (basis points) at most;
    the rest as it is delivered, evenly from `starts_on` to `ends_on`.
    """

    starts_on: date
    ends_on: date
    withdrawal_ends_on: date
    first_share_max_bp: int

    def delivered_on(self, part: int, whole: int) -> date:
        """The first day on which `part` of `whole` has been delivered."""
        length = (self.ends_on - self.starts_on).days
        return self.starts_on + timedelta(days=-(-length * part // whole))


@dataclass(frozen=True)
class PlanLine:
    """What a plan must know of one line, if it is ordered today."""

    gross: Money
    instalments_max: int
    # Goods and digital content count as supplied when ordered, a session when it ends.
    supplied_on: date
    is_subscription: bool = False
    course: Course | None = None  # an individual pays for this training
    own: OwnParts | None = None  # instead of equal parts

    def own_of(self, count: int) -> OwnParts | None:
        """Its own parts, when they are as many."""
        return self.own if self.own and len(self.own.shares) == count else None


@dataclass(frozen=True)
class PlannedInstalment:
    """One part: rank from 1, Paris civil date, amount."""

    rank: int
    due_on: date
    amount: Money


@dataclass(frozen=True)
class PlanOffer:
    """A number of payments with its dates and amounts, or why it is not offered.

    When a training is among others, `count` is that of the training: the rest is paid at order.
    """

    count: int
    instalments: tuple[PlannedInstalment, ...]
    refusal: PlanRefusal | None = None


def plan(
    total: Money,
    count: int,
    first_on: date,
    interval: Interval,
    shares: Sequence[int] | None = None,
) -> tuple[PlannedInstalment, ...]:
    """`count` parts from `first_on` on; the cents that don't divide go on the first (M-02).

    Equal parts, or `shares` of any unit, one a part. Months are counted from the first date, so
    that a 31st comes back after a shorter month.
    """
    parts = total.split(count) if shares is None else _shared(total, shares)
    return tuple(
        PlannedInstalment(rank, _due(first_on, rank - 1, interval), part)
        for rank, part in enumerate(parts, start=1)
    )


def _shared(total: Money, shares: Sequence[int]) -> list[Money]:
    later = [total.minor * share // sum(shares) for share in shares[1:]]
    return [Money(part, total.currency) for part in (total.minor - sum(later), *later)]


def course_plan(
    total: Money,
    count: int,
    course: Course,
    interval: Interval,
    shares: Sequence[int] | None = None,
    not_before: date | None = None,
) -> tuple[PlannedInstalment, ...]:
    """The parts of an individual's training (FOR-03); `count` is 2 at least.

    After the first part no more is paid than was delivered, and never two parts within one
    interval; the law bends `shares` and `not_before`, the first day of the product's own parts.
    Raises ValueError for one part: the law forbids it.
    """
    if count < 2:
        raise ValueError("an individual's training is not paid at once")
    parts = total.split(count) if shares is None else _shared(total, shares)
    most = total.minor * course.first_share_max_bp // 10_000
    if parts[0].minor > most:
        first = Money(most, total.currency)
        rest = total - first
        parts = [first, *(rest.split(count - 1) if shares is None else _shared(rest, shares[1:]))]
    anchor, steps = course.withdrawal_ends_on + timedelta(days=1), 0
    anchor = max(anchor, not_before or anchor)
    planned, paid = [PlannedInstalment(1, anchor, parts[0])], parts[0]
    for rank, part in enumerate(parts[1:], start=2):
        paid, steps = paid + part, steps + 1
        delivered = course.delivered_on(paid.minor, total.minor)
        if delivered > _due(anchor, steps, interval):
            anchor, steps = delivered, 0
        planned.append(PlannedInstalment(rank, _due(anchor, steps, interval), part))
    return tuple(planned)


def merged(plans: Iterable[Sequence[PlannedInstalment]]) -> tuple[PlannedInstalment, ...]:
    """Several plans as one: what falls on one day is one part."""
    by_day: dict[date, Money] = {}
    for part in (part for plan in plans for part in plan if part.amount.minor):
        by_day[part.due_on] = by_day.get(part.due_on, part.amount * 0) + part.amount
    return tuple(
        PlannedInstalment(rank, day, by_day[day]) for rank, day in enumerate(sorted(by_day), 1)
    )


def _due(first_on: date, step: int, interval: Interval) -> date:
    if interval == "fortnight":
        return first_on + timedelta(days=14 * step)
    return add_months(first_on, step)


def offers(
    lines: Sequence[PlanLine],
    *,
    consumer: bool,
    today: date,
    interval: Interval,
    most: int,
) -> tuple[PlanOffer, ...]:
    """Every number of payments from 1 to `most`, each offered or refused with its reason.

    Paying at once is always offered, except for an individual's training, which always has two
    parts or more. Raises ValueError without lines.
    """
    if not lines:
        raise ValueError("nothing to pay")
    courses = [line for line in lines if line.course and not line.gross.is_zero]
    others = [line for line in lines if line not in courses]
    if courses:
        return (
            PlanOffer(1, (), PlanRefusal.TRAINING),
            *(
                _offer_with_courses(courses, others, count, today, interval)
                for count in range(2, max(most, 2) + 1)
            ),
        )
    return tuple(
        _offer_at_order(others, count, today, interval, consumer=consumer)
        for count in range(1, most + 1)
    )


def _offer_at_order(
    lines: Sequence[PlanLine], count: int, today: date, interval: Interval, *, consumer: bool
) -> PlanOffer:
    equal = [line for line in lines if not line.own_of(count)]
    plans = [
        (line, _own_plan(line, own, today, interval))
        for line in lines
        if (own := line.own_of(count))
    ]
    together = [parts for _, parts in plans]
    if equal:
        shared = plan(_sum(equal), count, today, interval)
        together.append(shared)
        plans += [(line, shared) for line in equal]
    refused = (_refusal(line, count, parts, consumer=consumer) for line, parts in plans)
    return PlanOffer(count, merged(together), next(filter(None, refused), None))


def _own_plan(
    line: PlanLine, own: OwnParts, today: date, interval: Interval
) -> tuple[PlannedInstalment, ...]:
    first_on = today + timedelta(days=own.first_after_days)
    return plan(line.gross, len(own.shares), first_on, interval, own.shares)


def _offer_with_courses(
    courses: Sequence[PlanLine],
    others: Sequence[PlanLine],
    count: int,
    today: date,
    interval: Interval,
) -> PlanOffer:
    each = [
        (line, _course_parts(line, line.course, count, today, interval))
        for line in courses
        if line.course
    ]
    refused = (
        # Two parts are the fewest that the law allows, whatever the product says.
        _refusal(line, 1 if count == 2 else count, parts, consumer=True)
        for line, parts in each
    )
    plans = [parts for _, parts in each]
    if others:
        plans.append(plan(_sum(others), 1, today, interval))
    return PlanOffer(count, merged(plans), next(filter(None, refused), None))


def _course_parts(
    line: PlanLine, course: Course, count: int, today: date, interval: Interval
) -> tuple[PlannedInstalment, ...]:
    """By its own parts as the law bends them; two parts are always lawful, so that where its own
    two would be a credit those of the law stand for them."""
    legal = course_plan(line.gross, count, course, interval)
    own = line.own_of(count)
    if own is None:
        return legal
    not_before = today + timedelta(days=own.first_after_days)
    parts = course_plan(line.gross, count, course, interval, own.shares, not_before)
    return legal if count == 2 and _refusal(line, 1, parts, consumer=True) else parts


def _sum(lines: Sequence[PlanLine]) -> Money:
    return sum((line.gross for line in lines[1:]), lines[0].gross)


def _refusal(
    line: PlanLine, count: int, parts: Sequence[PlannedInstalment], *, consumer: bool
) -> PlanRefusal | None:
    if count > 1 and line.is_subscription:
        return PlanRefusal.SUBSCRIPTION
    other = line.own is not None and count > 1 and not line.own_of(count)
    if count > line.instalments_max or other:
        return PlanRefusal.PRODUCT
    guarded = consumer and parts[0].due_on >= CONSUMER_DEFERRAL.valid_from
    if guarded and parts[-1].due_on - line.supplied_on > LONGEST_DEFERRAL:
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


def reduced(parts: Sequence[int], minor: int) -> list[int]:
    """What is left of each part of a price once `minor` of them all is not owed any more.

    In proportion, to the cent; the parts that are left add up to the rest exactly. Raises
    ValueError for more than all of them.
    """
    whole = sum(parts)
    if not 0 <= minor <= whole:
        raise ValueError(f"{minor} of {whole}")
    if not whole:
        return list(parts)
    return [money.minor for money in share(Money(whole - minor), parts)]


class Days(NamedTuple):
    """The days of a part: the last one to pay it in time, and the one on which it is announced."""

    last_day: date
    announce_on: date


def days_of(due_on: date, known_on: date, notice_days: int, *, by_hand_month: bool) -> Days:
    """When a part that is written down on `known_on` is announced and taken (M-03).

    A month that begins today and is paid by hand can be paid as long as its notice lasts (M-09).
    """
    notice = timedelta(days=notice_days)
    last_day = max(due_on, known_on + notice) if by_hand_month else due_on
    return Days(last_day, last_day - notice)


def falls_due(owed_on: date, on: date, notice_days: int) -> date:
    """The day of a part once the rest of its plan falls due on `on`: after its notice, and never
    later than it was (M-05)."""
    return min(owed_on, on + timedelta(days=notice_days))


class Happens(StrEnum):
    """What happens to a part by the calendar; what is sent by hand is its customer's to pay."""

    ANNOUNCEMENT = "announcement"
    DEBIT = "debit"
    RETRY = "retry"
    TO_PAY = "to_pay"
    REFUSED = "debit_refused"


@dataclass(frozen=True)
class Owed:
    """A part that is still to come, as far as its moments depend on it.

    `name` is what is paid by the month, "" for a price; `announce_on` None: it was announced, or
    need not be. `known_at`: since when it was owed. `debited`: taken by the shop; by hand it is
    sent, and what no attempt is left for waits for its customer. `due_early`: the day on which the
    rest of an unpaid plan falls due, and how long ahead it is announced.
    """

    name: str
    rank: int
    amount: Money
    attempt_on: date
    announce_on: date | None
    known_at: datetime
    debited: bool = True
    failed: bool = False
    due_early: tuple[date, int] | None = None


def coming(owed: Owed) -> Iterator[Moment]:
    """The announcement of a part, and its payment, as if every debit were accepted (M-03)."""
    details = (owed.name, owed.amount, owed.rank)
    if owed.due_early is not None:
        on, notice_days = owed.due_early
        day = falls_due(owed.attempt_on, on, notice_days)
        if day != owed.attempt_on:
            if owed.announce_on is not None and owed.announce_on < on:
                yield Moment(morning_of(owed.announce_on), Happens.ANNOUNCEMENT, *details)
            owed = replace(owed, attempt_on=day, announce_on=on, known_at=morning_of(on))
    if owed.announce_on is not None:
        at = max(morning_of(owed.announce_on), owed.known_at)
        yield Moment(at, Happens.ANNOUNCEMENT, *details)
    if owed.debited:
        kind = Happens.RETRY if owed.failed else Happens.DEBIT
        yield Moment(max(morning_of(owed.attempt_on), owed.known_at), kind, *details)
    else:
        yield Moment(owed.attempt_on, Happens.TO_PAY, *details)
