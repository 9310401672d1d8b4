"""From one plan to another: what it costs at once, what it opens and closes (B-07).

Pure functions; docs/algorithms/plan-changes.md has worked examples.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from storefront.kernel.calendar import start_of_day
from storefront.kernel.money import NetAndVat, vat_from_net

if TYPE_CHECKING:
    from storefront.subscriptions.rules.months import Contract

SECOND = timedelta(seconds=1)
# What a page shows is charged to the cent, as long as it is not older than this.
QUOTE_LIFETIME = timedelta(minutes=30)


class Direction(StrEnum):
    """UP: at once, the difference is paid. DOWN: from the next period, nothing to pay."""

    UP = "up"
    DOWN = "down"


class Hindrance(StrEnum):
    """Why a plan cannot be changed now; the wording lives in templates/errors."""

    ENDED = "ended"
    WITHDRAWN = "withdrawn"  # its customer has withdrawn from the order, staff have not decided
    AWAITING = "awaiting"  # another change waits for its payment
    ENDING = "ending"  # it stops before the next period: the end is taken back first
    COMMITTED = "committed"  # nobody goes down before the term of a commitment (B-02)
    PAUSED = "paused"  # it cannot be supplied (B-08): nothing is decided meanwhile
    UNPAID = "unpaid"  # a period is not paid
    AHEAD = "ahead"  # periods to come are opened, and paid, at the present price
    NO_PAGE = "no_page"  # nobody can take the payment on a page
    TURNING = "turning"  # the next period begins this morning
    ARREARS = "arrears"  # who owes or disputes something buys no services (O-07)
    GONE = "gone"  # this plan is not offered to this subscriber


@dataclass(frozen=True)
class ProRata:
    """What the rest of a period costs on a dearer plan, before tax, in minor units.

    `left` of `whole` seconds are still to come; `share` is the new price for them, `credit` what
    was paid for them already.
    """

    left: int
    whole: int
    share: int
    credit: int

    @property
    def net(self) -> int:
        """What is to be paid, before tax; never money back."""
        return max(0, self.share - self.credit)


def pro_rata(
    new_net: int, covered_net: int, paid_net: int, starts_on: date, ends_on: date, at: datetime
) -> ProRata:
    """The rest of the period from `starts_on` to `ends_on` (excluded), counted from `at` (B-07).

    Days are those of Paris: one of 23 or 25 hours counts as it is. `covered_net` is the dearest
    price that this period was on so far, so that consecutive upgrades add up; what is credited of
    it is never more than `paid_net`, what was really paid for the period. Raises ValueError for an
    instant outside the period.
    """
    start, end = start_of_day(starts_on), start_of_day(ends_on)
    if not start <= at < end:
        raise ValueError(f"{at} is not within {starts_on} to {ends_on}")
    left, whole = (end - at) // SECOND, (end - start) // SECOND
    credit = min(_share(covered_net, left, whole), max(0, paid_net))
    return ProRata(left, whole, _share(new_net, left, whole), credit)


def _share(price: int, left: int, whole: int) -> int:
    """Rounded half up to the minor unit."""
    return (2 * price * left + whole) // (2 * whole)


def due_now(net: int, rate_bp: int, new_gross: int, paid_gross: int) -> NetAndVat:
    """The tax on what is paid at once, rounded on its line like any other.

    A period never costs more in all than the dearer plan's price: where two roundings would make
    a minor unit more of it, the tax is that much less.
    """
    vat = vat_from_net(net, rate_bp).vat
    return NetAndVat(net, max(0, min(vat, new_gross - paid_gross - net)))


@dataclass(frozen=True)
class LimitChange:
    """A number that changes; None: without limit."""

    name: str
    before: int | None
    after: int | None

    @property
    def narrows(self) -> bool:
        """Whether less is allowed than before: the rest is kept, and hidden."""
        return self.after is not None and (self.before is None or self.after < self.before)


@dataclass(frozen=True)
class Difference:
    """What another plan opens, closes, and allows more or less of."""

    gained: tuple[str, ...]
    lost: tuple[str, ...]
    limits: tuple[LimitChange, ...]


def difference(old: Contract, new: Contract) -> Difference:
    """What changes between two plans, each in alphabetical order."""
    names = sorted({*old.limits, *new.limits})
    limits = (LimitChange(name, old.limits.get(name, 0), new.limits.get(name, 0)) for name in names)
    return Difference(
        gained=tuple(sorted(new.entitlements - old.entitlements)),
        lost=tuple(sorted(old.entitlements - new.entitlements)),
        limits=tuple(one for one in limits if one.before != one.after),
    )


def comparable(old: Contract, new: Contract) -> bool:
    """Whether one can change from one plan to the other: same family and rhythm, another rank.

    A plan that binds for another time is another contract; hours are bought by the month, not by
    its second half.
    """
    same = (old.family, old.billing_months, old.term_months, old.renewal) == (
        new.family,
        new.billing_months,
        new.term_months,
        new.renewal,
    )
    hours = old.included_minutes or new.included_minutes
    return same and old.family is not None and old.rank != new.rank and not hours


def direction(old: Contract, new: Contract) -> Direction:
    """Up or down, by rank alone."""
    return Direction.UP if new.rank > old.rank else Direction.DOWN


def change_schedule(change_id: object) -> str:
    """The schedule that an upgrade is paid on, and the cause of its invoice."""
    return f"change:{change_id}"
