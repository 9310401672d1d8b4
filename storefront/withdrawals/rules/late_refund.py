"""What a refund that comes too late costs more (C. conso. L242-4, WDR-12). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from storefront.kernel.calendar import add_months
from storefront.kernel.money import Money
from storefront.legal.rules.interest import Creditor, late_interest

# Up to so many days late, so many percent more; the first days bear the legal interest instead.
LEGAL_INTEREST_DAYS = 10
STEPS = ((20, 5), (30, 10), (60, 20), (90, 50))
POINTS_A_MONTH = 5
WHOLE = 100  # percent: the increase never goes above the price, but by the legal interest


@dataclass(frozen=True)
class LateRefund:
    """How late a refund is, and what is owed on top of it.

    `percent` is that of the law's steps; 0 while the legal interest alone runs. `interest` is the
    part of `increase` that is legal interest.
    """

    days: int
    percent: int
    interest: Money
    increase: Money


def late_refund(due: Money, refund_by: date, on: date) -> LateRefund | None:
    """What is owed on top of `due` when it is given back on this day; None in time.

    Up to 10 days late the legal interest, day by day, in the column of individuals (LAT-03); then
    5, 10, 20 and 50 percent up to 20, 30, 60 and 90 days; then 5 points for each month begun, up
    to the price; from then on the legal interest too. Rounded down never: half up, to the cent.
    Raises `RateNotPublished` where a rate of the legal interest is needed and not known.
    """
    days = (on - refund_by).days
    if days <= 0:
        return None
    first = refund_by + timedelta(days=1)
    if days <= LEGAL_INTEREST_DAYS:
        interest = _interest(due, first, on)
        return LateRefund(days, 0, interest, interest)
    percent, full_from = _percent(days, refund_by, on)
    interest = _interest(due, full_from, on) if full_from else Money.zero(due.currency)
    flat = Money((2 * due.minor * percent + WHOLE) // (2 * WHOLE), due.currency)
    return LateRefund(days, percent, interest, flat + interest)


def _percent(days: int, refund_by: date, on: date) -> tuple[int, date | None]:
    """The percentage of the steps, and the day from which the price is reached."""
    for up_to, percent in STEPS:
        if days <= up_to:
            return percent, None
    last, percent = STEPS[-1]
    since = refund_by + timedelta(days=last)
    months = (WHOLE - percent) // POINTS_A_MONTH
    begun = next((n for n in range(1, months + 1) if on <= add_months(since, n)), None)
    if begun is not None:
        return percent + POINTS_A_MONTH * begun, None
    return WHOLE, add_months(since, months) + timedelta(days=1)


def _interest(due: Money, first: date, on: date) -> Money:
    """The legal interest of the days from `first` to `on`, both counted."""
    after = on + timedelta(days=1)
    return late_interest(due, first, after, creditor=Creditor.INDIVIDUAL).total
