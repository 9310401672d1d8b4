"""What a pause moves: every day that comes after it (B-08). Pure functions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from storefront.kernel.calendar import add_months
from storefront.subscriptions.rules.months import suspends_at


@dataclass(frozen=True)
class RunningDays:
    """The days that a subscription runs by: what a pause moves. `next_period_on` is where the
    last period that was opened ends."""

    next_period_on: date
    committed_until: date | None
    ends_on: date | None


def after_pause(course: RunningDays, paused_on: date, resumed_on: date) -> RunningDays:
    """The same subscription once it is resumed: the period under way is longer by the days that
    nobody could use, and everything after it follows from its new end (B-08).

    Months that are left stay as many: they are counted from the new day, so that a pause over a
    short month leaves no period of a day. Another end than a period's moves by the same days.
    """
    days = resumed_on - paused_on
    new = course.next_period_on + days

    def moved(day: date | None) -> date | None:
        if day is None:
            return None
        ahead = (
            (day.year - course.next_period_on.year) * 12 + day.month - (course.next_period_on.month)
        )
        if ahead >= 0 and _falls_with(course.next_period_on, day, ahead):
            return add_months(new, ahead)
        return day + days

    return RunningDays(new, moved(course.committed_until), moved(course.ends_on))


def _falls_with(first: date, day: date, ahead: int) -> bool:
    """Whether a period can start on this day when one starts on `first`: same day of the month,
    or either of them on the last day of a month too short for it."""
    return (
        day.day == first.day
        or add_months(first, ahead) == day
        or (add_months(day, -ahead) == first)
    )


def later_by(instant: datetime, days: int) -> datetime:
    """The same time of day in Paris so many days later, whatever the clocks do meanwhile."""
    return suspends_at(instant, days)
