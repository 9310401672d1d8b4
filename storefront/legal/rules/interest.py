"""Interest on what is paid late: the legal rates by half-year, and what they make (LAT-01..04).

A table of law (G-0): each row with its validity and its source. A half-year that is not in it has
no rate: nothing is guessed. See docs/algorithms/late-interest.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from storefront.kernel.errors import Refusal
from storefront.kernel.money import Money

DAYS_OF_YEAR = 365
WHOLE_BP = 10_000


class RateNotPublished(Refusal):
    """The table has no rate for this day. Details: day."""

    status = 409


class Creditor(StrEnum):
    """Who is owed decides the column (LAT-03)."""

    INDIVIDUAL = "individual"  # « particuliers »: a person who does not act for their business
    OTHER = "other"  # « autres cas »: the shop, whoever its customer is


@dataclass(frozen=True)
class LegalRate:
    """The rates of one half-year, in basis points a year.

    `ecb_bp` is the European Central Bank's refinancing rate on the first day: with ten points
    more, the rate between professionals where their terms state none (C. com. L441-10).
    """

    starts_on: date
    individuals_bp: int
    others_bp: int
    ecb_bp: int
    source: str
    certain: bool = True

    @property
    def ends_on(self) -> date:
        """The first day of the next half-year."""
        return _next_half_year(self.starts_on)

    def of(self, creditor: Creditor) -> int:
        """The column of this creditor."""
        return self.individuals_bp if creditor is Creditor.INDIVIDUAL else self.others_bp


def _next_half_year(day: date) -> date:
    return date(day.year, 7, 1) if day.month < 7 else date(day.year + 1, 1, 1)


_LEGAL = "Arrêté fixant le taux de l’intérêt légal (C. mon. fin., art. L313-2 et D313-1-A)"
_ECB = "BCE, opérations principales de refinancement"


def _half(year: int, half: int, individuals: int, others: int, ecb: int) -> LegalRate:
    source = f"{_LEGAL}, {'1er' if half == 1 else '2e'} semestre {year} ; {_ECB}"
    certain = (year, half) != (2026, 2)
    return LegalRate(date(year, 6 * half - 5, 1), individuals, others, ecb, source, certain)


# LAT-04. A new half-year is a new line, never a change of one that is there.
RATES: tuple[LegalRate, ...] = (
    _half(2022, 1, 313, 76, 0),
    _half(2022, 2, 315, 77, 0),
    _half(2023, 1, 447, 206, 250),
    _half(2023, 2, 682, 422, 400),
    _half(2024, 1, 801, 507, 450),
    _half(2024, 2, 816, 492, 425),
    _half(2025, 1, 721, 371, 315),
    _half(2025, 2, 665, 276, 215),
    _half(2026, 1, 667, 262, 215),
    _half(2026, 2, 684, 275, 240),
)


def legal_rate(day: date) -> LegalRate:
    """The rates of the half-year of this day. Raises `RateNotPublished` when it has none."""
    for rate in RATES:
        if rate.starts_on <= day < rate.ends_on:
            return rate
    raise RateNotPublished(day=day)


def known_until() -> date:
    """The first day without a rate: interest can be computed up to this day, itself excluded."""
    return RATES[-1].ends_on


@dataclass(frozen=True)
class Segment:
    """Days at one rate: from `starts_on` to the day before `ends_on`. `rate_bp` is a year's."""

    starts_on: date
    ends_on: date
    rate_bp: int
    amount: Money

    @property
    def last_day(self) -> date:
        """The last day that bears interest at this rate."""
        return self.ends_on - timedelta(days=1)

    @property
    def days(self) -> int:
        """How many days."""
        return (self.ends_on - self.starts_on).days


@dataclass(frozen=True)
class LateInterest:
    """What one unpaid sum has borne: its segments add up to `total`."""

    segments: tuple[Segment, ...]
    total: Money


def late_interest(
    principal: Money,
    starts_on: date,
    ends_on: date,
    *,
    multiplier: int = 1,
    contract_bp: int = 0,
    creditor: Creditor = Creditor.OTHER,
) -> LateInterest:
    """Simple interest from `starts_on` to the day before `ends_on`, actual days over 365.

    The rate of each half-year is the legal one times `multiplier`, or `contract_bp` a year where
    that is more: between professionals no contract may go below the multiple (LAT-01). The
    total is rounded once, half up, to the minor unit; a segment is what the total grows by with
    it. Tax is not due on interest. Raises `RateNotPublished`.
    """
    segments: list[Segment] = []
    exact, shown = 0, 0
    for first, after in _half_years(starts_on, ends_on):
        rate_bp = max(multiplier * legal_rate(first).of(creditor), contract_bp)
        exact += principal.minor * rate_bp * (after - first).days
        so_far = _half_up(exact, WHOLE_BP * DAYS_OF_YEAR)
        segments.append(Segment(first, after, rate_bp, Money(so_far - shown, principal.currency)))
        shown = so_far
    return LateInterest(tuple(segments), Money(shown, principal.currency))


def _half_years(starts_on: date, ends_on: date) -> Iterator[tuple[date, date]]:
    while starts_on < ends_on:
        after = min(_next_half_year(starts_on), ends_on)
        yield starts_on, after
        starts_on = after


def _half_up(number: int, by: int) -> int:
    return (2 * number + by) // (2 * by)
