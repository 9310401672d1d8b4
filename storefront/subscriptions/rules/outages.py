"""What an outage takes off a price, and how available a month was. Pure functions (B-06, MRE-04).

Instants are aware; durations are real seconds, whatever the clocks do meanwhile. Amounts are whole
minor units, rounded half up. docs/algorithms/outage-credits.md tells it with examples.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from storefront.catalogue.rules import ProductKind
from storefront.kernel.calendar import add_months, start_of_day
from storefront.kernel.errors import Refusal

SECOND = timedelta(seconds=1)
BASIS_POINTS = 10_000
MONTHS_SHOWN = 12
LONGEST = timedelta(days=366)

# The terms promise availability, and a credit for what is missing, for the plans (article 8).
COVERED = ProductKind.PLAN


class Severity(StrEnum):
    """OUTAGE: nothing works, it counts. DEGRADED: slow or in part, it is told and not counted."""

    OUTAGE = "outage"
    DEGRADED = "degraded"


class BadOutageTimes(Refusal):
    """The times of an incident cannot be. Details: why (future, order, length), field."""


@dataclass(frozen=True, order=True)
class Span:
    """From an instant to another, the second excluded."""

    start: datetime
    end: datetime

    @property
    def seconds(self) -> int:
        """How long it lasts, in whole real seconds."""
        return (self.end - self.start) // SECOND


def check_times(started_at: datetime, ended_at: datetime | None, now: datetime) -> None:
    """Raise `BadOutageTimes` for what has not happened yet, ends before it begins, or lasts more
    than a year: a typing error must not propose a year's credits."""
    if started_at > now:
        raise BadOutageTimes(why="future", field="start")
    if ended_at is None:
        return
    if ended_at > now:
        raise BadOutageTimes(why="future", field="end")
    if ended_at <= started_at:
        raise BadOutageTimes(why="order", field="end")
    if ended_at - started_at > LONGEST:
        raise BadOutageTimes(why="length", field="end")


def whole_days(starts_on: date, ends_on: date) -> Span:
    """The time of a period: from its first midnight in Paris to that of the next one."""
    return Span(start_of_day(starts_on), start_of_day(ends_on))


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same time without overlaps, in order; what touches becomes one."""
    found: list[Span] = []
    for span in sorted(one for one in spans if one.start < one.end):
        if found and span.start <= found[-1].end:
            found[-1] = Span(found[-1].start, max(found[-1].end, span.end))
        else:
            found.append(span)
    return tuple(found)


def common(ones: Iterable[Span], others: Iterable[Span]) -> tuple[Span, ...]:
    """The time that is in both."""
    others = list(others)
    return merged(
        Span(max(one.start, other.start), min(one.end, other.end))
        for one in ones
        for other in others
    )


def without(ones: Iterable[Span], others: Iterable[Span]) -> tuple[Span, ...]:
    """The time of the ones that is in none of the others."""
    left = merged(ones)
    for other in others:
        left = merged(
            part
            for one in left
            for part in (
                Span(one.start, min(one.end, other.start)),
                Span(max(one.start, other.end), one.end),
            )
        )
    return left


def seconds(spans: Iterable[Span]) -> int:
    """How long all of it lasts."""
    return sum(one.seconds for one in merged(spans))


def in_a_row(outages: Iterable[Span], hours: int) -> tuple[Span, ...]:
    """The stretches that lasted more than this many hours in a row (B-06): 72 hours are not.

    Two outages of which one begins before the other ends are one stretch.
    """
    return tuple(one for one in merged(outages) if one.end - one.start > timedelta(hours=hours))


def apart(outages: Sequence[Sequence[Span]]) -> list[tuple[Span, ...]]:
    """What each outage adds to those before it: no second counts twice."""
    known: tuple[Span, ...] = ()
    added = []
    for one in outages:
        added.append(without(one, known))
        known = merged((*known, *one))
    return added


def to_credit(down: Sequence[int], settled: Sequence[int]) -> list[int]:
    """The seconds of each outage that no decision was made about: never more than all of them
    lasted, less all that was decided."""
    left = max(sum(down) - sum(settled), 0)
    parts = []
    for lasted, decided in zip(down, settled, strict=True):
        part = min(max(lasted - decided, 0), left)
        parts.append(part)
        left -= part
    return parts


class Price(NamedTuple):
    """An amount in minor units: net + VAT = gross."""

    net: int
    vat: int
    gross: int


@dataclass(frozen=True)
class Decided:
    """What was credited of a period already, or would have been: seconds, and minor units."""

    seconds: int = 0
    vat: int = 0
    gross: int = 0


def credits(
    price: Price, whole: int, down: Sequence[int], *, decided: Decided = Decided(), most: int
) -> list[Price]:
    """The credit for each of these down times, in seconds, of a period of `whole` seconds (MRE-04).

    Price × down ÷ whole. Each is what the running total grows by, so that they add up to the
    credit of all of them together; never above the price, nor above `most` more than was decided.
    The VAT follows in the same way.
    """
    running, vat, gross = decided.seconds, decided.vat, decided.gross
    ceiling = min(price.gross, decided.gross + max(most, 0))
    found = []
    for lasted in down:
        running = min(running + lasted, whole)
        part = max(min(_half_up(price.gross * running, whole), ceiling) - gross, 0)
        gross += part
        tax = min(max(_half_up(price.vat * gross, price.gross) - vat, 0), part)
        vat += tax
        found.append(Price(part - tax, tax, part))
    return found


def take(credit: Price, used: int, amount: int) -> Price:
    """The next `amount` (gross, minor units) of a credit of which `used` is gone.

    The VAT follows the running total, so that the last part ends at exactly the credit's own.
    """
    before = _half_up(credit.vat * used, credit.gross)
    tax = _half_up(credit.vat * (used + amount), credit.gross) - before
    return Price(amount - tax, tax, amount)


def _half_up(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator) if denominator else 0


def calendar_months(today: date) -> tuple[date, ...]:
    """The first days of the twelve months that end with this one, the oldest first."""
    this = today.replace(day=1)
    return tuple(add_months(this, step) for step in range(1 - MONTHS_SHOWN, 1))


def availability(down: int, whole: int) -> int:
    """The share of a time that was not down, in basis points, rounded down: never flattering."""
    return (whole - down) * BASIS_POINTS // whole if whole > 0 else BASIS_POINTS
