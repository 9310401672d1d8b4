"""When a new price or new terms reach a running subscription, and when never (R-06, MRE-05)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from storefront.kernel.calendar import add_months
from storefront.subscriptions.rules.months import Contract, Renewal
from storefront.subscriptions.rules.renewals import next_term


class NotTold(StrEnum):
    """Why a change is not announced to a subscriber, who then keeps what they have.

    The French stands in templates/staff/versions/parts.html.
    """

    NEWER = "newer"  # has this version, or a later one
    FREE = "free"  # took it for nothing: paying needs an acceptance
    RHYTHM = "rhythm"  # paid by the year where the version is paid by the month, or the reverse
    COMMITTED = "committed"  # bound until a term at which it ends by itself (SUB-05, R212-1, 3°)
    ENDING = "ending"  # ends before the change could apply


@dataclass(frozen=True)
class Course:
    """Where a subscription stands, as far as a change of it is concerned.

    `next_period_on` is the first day of the first period that is not opened yet, `every` the
    months of a period, `committed_until` the first day after the running term.
    """

    anchor_on: date
    every: int
    next_period_on: date
    committed_until: date | None
    term_months: int
    renewal: Renewal
    ends_on: date | None


def first_start(anchor: date, every: int, floor: date) -> date:
    """The first day of the first period that starts on `floor` or after it."""
    months = (floor.year - anchor.year) * 12 + floor.month - anchor.month
    number = max(months // every, 0)
    start = add_months(anchor, number * every)
    return start if start >= floor else add_months(anchor, (number + 1) * every)


def applies_on(course: Course, told_on: date, notice_days: int, *, better: bool = False) -> date:
    """The first day on which a change told on `told_on` (a Paris day) holds (R-06, MRE-05).

    That of the first period that starts `notice_days` after or later, never before the end of a
    running term (SUB-05). What is `better` for the subscriber waits for neither.
    """
    floor = max(told_on + timedelta(days=0 if better else notice_days), course.next_period_on)
    term = course.committed_until
    if better or term is None:
        return first_start(course.anchor_on, course.every, floor)
    while course.term_months and term < floor:
        term = next_term(course.anchor_on, term, course.term_months)
    return first_start(course.anchor_on, course.every, max(term, floor))


def may_apply(
    starts_on: date,
    told_on: date | None,
    notice_days: int,
    *,
    committed_until: date | None,
    better: bool = False,
) -> bool:
    """Whether the period that starts on this day may follow the change: thirty days to the day.

    `told_on` is the Paris day on which the message really left; None: it never did, and who was
    not told keeps the old price (MRE-05).
    """
    if told_on is None:
        return False
    if better:
        return told_on <= starts_on
    free = committed_until is None or committed_until <= starts_on
    return free and told_on + timedelta(days=notice_days) <= starts_on


def is_better(old_price: int, old: Contract, new_price: int, new: Contract) -> bool:
    """Whether a version takes nothing away: no dearer, and at least as much of everything."""
    limits = all(
        _at_least(new.limits.get(name, 0), most) for name, most in old.limits.items()
    ) and all(name in old.limits or most is None for name, most in new.limits.items())
    return (
        new_price <= old_price
        and new.entitlements >= old.entitlements
        and new.included_minutes >= old.included_minutes
        and limits
    )


def _at_least(new: int | None, old: int | None) -> bool:
    return new is None or (old is not None and new >= old)


def can_follow(
    course: Course, *, gross_minor: int, to_price: int, to: Contract, newer: bool
) -> NotTold | None:
    """Why this subscription cannot follow a version at all; None when it can."""
    if not newer:
        return NotTold.NEWER
    if gross_minor == 0 and to_price > 0:
        return NotTold.FREE
    if to.billing_months != course.every:
        return NotTold.RHYTHM
    return None


def not_told(course: Course, on: date) -> NotTold | None:
    """Why a change that would hold from `on` comes too late for this subscription.

    One that is renewed by its holder's word (express) ends unless it is given: the change is part
    of what they are asked.
    """
    end = course.ends_on
    if end is None or end > on:
        return None
    if end == course.committed_until and course.renewal is Renewal.EXPRESS:
        return None
    bound = end == course.committed_until and course.renewal is Renewal.NONE
    return NotTold.COMMITTED if bound else NotTold.ENDING


def last_day_to_stop(on: date) -> date:
    """The last day on which a subscriber may stop before a change that holds from `on`."""
    return on - timedelta(days=1)
