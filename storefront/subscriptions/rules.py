"""Months counted from the anchor day, commitment and grace. Pure functions (B-01, B-02, B-04)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from storefront.kernel.calendar import PARIS, add_months


@dataclass(frozen=True)
class Month:
    """One period: number from 1, first day, first day of the next."""

    number: int
    starts_on: date
    ends_on: date


def month(anchor: date, number: int) -> Month:
    """The month `number` of a subscription, always counted from its anchor (SUB-03).

    31 January, 28 February, 31 March: a short month does not move the ones after it.
    """
    return Month(number, add_months(anchor, number - 1), add_months(anchor, number))


def committed_until(anchor: date, months: int) -> date | None:
    """The first day on which a committed contract may end; None without commitment (B-02).

    Twelve months from 10 January: debits 10 January to 10 December, end on 10 January.
    """
    return add_months(anchor, months) if months else None


def goes_on(ends_on: date | None, starts_on: date) -> bool:
    """Whether a month that starts on this day is still part of the subscription."""
    return ends_on is None or starts_on < ends_on


def ends_on(
    anchor: date,
    next_period_on: date,
    committed_until: date | None,
    *,
    notified_on: date,
    wanted_on: date | None = None,
) -> date:
    """The first day without service after its holder ended it on `notified_on` (B-02, B-03).

    The end of the month that was under way, or of the commitment, or of the month that the wanted
    day falls in, whichever is last. A month that was not opened yet on its first day never is.
    """
    unopened = next_period_on <= notified_on
    soonest = notified_on if unopened else notified_on + timedelta(days=1)
    floor = max(soonest, committed_until or soonest, wanted_on or soonest)
    number = (floor.year - anchor.year) * 12 + floor.month - anchor.month
    end = add_months(anchor, number)
    return end if end >= floor else add_months(anchor, number + 1)


def suspends_at(past_due_since: datetime, grace_days: int) -> datetime:
    """When an unpaid service stops: the same time of day, grace days later (B-04, MRE-02).

    A failure on 28 February at 18:00 suspends on 7 March at 18:00, in Paris.
    """
    wall = past_due_since.astimezone(PARIS) + timedelta(days=grace_days)
    return wall.astimezone(past_due_since.tzinfo)


def schedule_name(order_line_id: uuid.UUID) -> str:
    """The schedule that a subscription's months after the first are owed on."""
    return f"line:{order_line_id}"
