"""What is due back of one order line after a withdrawal, and on what ground. Pure (W-02..W-08).

Amounts are in minor units. See docs/algorithms/what-is-due-back.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from storefront.catalogue.rules import WithdrawalKind
from storefront.kernel.money import Money, share
from storefront.tickets.rules import worked_minutes
from storefront.withdrawals.rules.declarations import Timing


class Unit(StrEnum):
    """In what a service is counted."""

    MINUTES = "minutes"  # really worked, never slices begun (WDR-08)
    SESSIONS = "sessions"
    LESSONS = "lessons"
    DAYS = "days"


class Basis(StrEnum):
    """The ground of a result; each has its sentence in templates/withdrawals/grounds.html."""

    GOODS = "goods"  # L221-24
    DELIVERY = "delivery"
    DELIVERY_KEPT = "delivery_kept"  # something of the parcel is kept
    UNTOUCHED = "untouched"
    NOT_REQUESTED = "not_requested"  # L221-25: no express request to start early
    NOT_INFORMED = "not_informed"  # L221-25: nothing confirmed on a durable medium
    PRO_RATA = "pro_rata"  # L221-25
    FULLY_SUPPLIED = "fully_supplied"  # L221-28 1°
    TRAINING = "training"  # C. trav. L6353-5
    CONTENT_UNOPENED = "content_unopened"
    CONTENT_NOT_WAIVED = "content_not_waived"  # L221-26 2°
    CONTENT_NOT_CONFIRMED = "content_not_confirmed"  # L221-26 2°
    CONTENT_BEGUN = "content_begun"  # L221-28 13°
    CONTRACTUAL = "contractual"  # the accepted terms give it to a professional
    CONTRACTUAL_USED = "contractual_used"
    PROFESSIONAL = "professional"  # L221-18: consumers only
    LATE = "late"
    NO_PERIOD = "no_period"


# There is no right to withdraw from the line, or not any more: its contract goes on.
WITHOUT_EFFECT = frozenset(
    {
        Basis.DELIVERY_KEPT,
        Basis.FULLY_SUPPLIED,
        Basis.CONTENT_BEGUN,
        Basis.CONTRACTUAL_USED,
        Basis.PROFESSIONAL,
        Basis.LATE,
        Basis.NO_PERIOD,
    }
)


@dataclass(frozen=True)
class Part:
    """A share of a line's price, and how much of what it pays was supplied until the declaration.

    A service is one part; a bundle has one a product, a subscription one a paid period.
    """

    price_minor: int
    unit: Unit
    supplied: int
    whole: int

    @property
    def worth_minor(self) -> int:
        """The price of what was supplied; what does not divide is the customer's."""
        return self.price_minor * min(self.supplied, self.whole) // self.whole if self.whole else 0


@dataclass(frozen=True)
class Line:
    """One order line and everything that decides what goes back of it.

    `paid_minor` is what came for it, `given_back_minor` what went back before. `regime` is None for
    the delivery. `consented`: the express request of the regime (early start of a service, or
    immediate content with the loss of the right) was recorded; `informed`: it was confirmed on a
    durable medium before. `begun`: content that was opened. `continues`: a contract without an
    end is never fully performed. `contractual` and `used`: what the accepted terms give a
    professional, and whether its condition fails. `surplus_minor`: what a dearer delivery than
    the standard one cost more. `kept_goods`: part of the parcel is not withdrawn from.
    """

    regime: WithdrawalKind | None
    timing: Timing
    paid_minor: int
    given_back_minor: int = 0
    consumer: bool = True
    consented: bool = False
    informed: bool = False
    begun: bool = False
    continues: bool = False
    parts: tuple[Part, ...] = ()
    contractual: bool = False
    used: bool = False
    surplus_minor: int = 0
    kept_goods: bool = False


@dataclass(frozen=True)
class DueBack:
    """What goes back of a line, what stays, and why. `worth_minor` is what was supplied costs."""

    basis: Basis
    due_minor: int
    kept_minor: int
    worth_minor: int

    @property
    def ends_contract(self) -> bool:
        """Whether the withdrawal takes effect: what the line sold is taken back (WDR-13)."""
        return self.basis not in WITHOUT_EFFECT


def due_back(line: Line) -> DueBack:
    """What is due back of a line: never less than nothing, nor more than what is left of it."""
    basis = _basis(line)
    left = max(line.paid_minor - line.given_back_minor, 0)
    if basis in WITHOUT_EFFECT:
        worth = line.paid_minor
    elif basis is Basis.PRO_RATA:
        worth = sum(part.worth_minor for part in line.parts)
    else:
        worth = line.surplus_minor if basis is Basis.DELIVERY else 0
    due = max(left - worth, 0)
    return DueBack(basis, due, left - due, worth)


def _basis(line: Line) -> Basis:
    if line.regime is None:
        return Basis.DELIVERY_KEPT if line.kept_goods else Basis.DELIVERY
    if not line.consumer:
        if not line.contractual or line.timing is Timing.NO_PERIOD:
            return Basis.PROFESSIONAL
        if line.timing is Timing.LATE:
            return Basis.LATE
        return Basis.CONTRACTUAL_USED if line.used else Basis.CONTRACTUAL
    if line.timing is Timing.LATE:
        return Basis.LATE
    if line.timing is Timing.NO_PERIOD:
        return Basis.NO_PERIOD
    match line.regime:
        case WithdrawalKind.GOODS:
            return Basis.GOODS
        case WithdrawalKind.TRAINING:
            return Basis.TRAINING
        case WithdrawalKind.DIGITAL_CONTENT:
            return _content(line)
        case _:
            return _service(line)


def _content(line: Line) -> Basis:
    if not line.begun:
        return Basis.CONTENT_UNOPENED
    if not line.consented:
        return Basis.CONTENT_NOT_WAIVED
    return Basis.CONTENT_BEGUN if line.informed else Basis.CONTENT_NOT_CONFIRMED


def _service(line: Line) -> Basis:
    if not any(part.supplied for part in line.parts):
        return Basis.UNTOUCHED
    if not line.consented:
        return Basis.NOT_REQUESTED
    if not line.informed:
        return Basis.NOT_INFORMED
    over = all(part.supplied >= part.whole for part in line.parts)
    return Basis.FULLY_SUPPLIED if over and not line.continues else Basis.PRO_RATA


def paid_by_line(paid: Money, prices: Sequence[int], deferred: Sequence[bool]) -> list[int]:
    """What came for an order, by line, to the cent: at most the price of each.

    The trainings of an individual (`deferred`) are paid after everything else, which is paid with
    the order (L6353-6); within each of the two, in proportion to the prices.
    """
    at_order = [0 if late else price for price, late in zip(prices, deferred, strict=True)]
    later = [price - first for price, first in zip(prices, at_order, strict=True)]
    first = min(paid.minor, sum(at_order))
    pairs = zip(_shares(first, at_order), _shares(paid.minor - first, later), strict=True)
    return [one + other for one, other in pairs]


def _shares(minor: int, weights: Sequence[int]) -> list[int]:
    if not any(weights):
        return [0] * len(weights)
    return [money.minor for money in share(Money(minor), weights)]


def worked_until(
    spans: Iterable[tuple[datetime, datetime | None]], reported: int | None, until: datetime
) -> int:
    """The minutes of one intervention that were worked until an instant.

    What its report says, once all of the work was done by then; else what the clock says.
    """
    known = list(spans)
    before = [(start, min(stop or until, until)) for start, stop in known if start < until]
    clocked = worked_minutes(before)
    cut = len(before) < len(known) or any(stop is None or stop > until for _, stop in known)
    return clocked if reported is None else min(reported, clocked) if cut else reported


def spread_over(taken: Sequence[int], worked: int) -> list[int]:
    """Of the minutes that an intervention took from several lots, those really worked.

    The first lot first, as they were taken: the rest of a slice begun is the last one's.
    """
    spread = []
    for minutes in taken:
        spread.append(min(minutes, worked))
        worked -= spread[-1]
    return spread
