"""Who ends a contract, why, when it takes effect, what goes back: pure (B-03, B-05, B-08)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from storefront.kernel.calendar import end_of_day, paris_date, start_of_day


class Party(StrEnum):
    """Who ends a contract."""

    HOLDER = "holder"
    SELLER = "seller"


class Ground(StrEnum):
    """Why a contract ends.

    WISH: its holder needs no reason (B-03). LEGITIMATE_REASON: its holder leaves a commitment early
    for one that the terms accept (SUB-04). SELLER_BREACH: the seller failed gravely, and has time
    to put it right (B-08). CLOSURE: the seller stops, through no fault of the customer. MISCONDUCT:
    the customer broke the terms (B-05). SERIOUS_FAULT: so gravely that nobody waits (B-05). BREACH:
    gravely, and with time to put it right (B-08).
    """

    WISH = "wish"
    LEGITIMATE_REASON = "legitimate_reason"
    SELLER_BREACH = "seller_breach"
    CLOSURE = "closure"
    MISCONDUCT = "misconduct"
    SERIOUS_FAULT = "serious_fault"
    BREACH = "breach"

    @property
    def party(self) -> Party:
        """Whose end it is."""
        own = self.chosen or self is Ground.SELLER_BREACH
        return Party.HOLDER if own else Party.SELLER

    @property
    def chosen(self) -> bool:
        """Whether its holder decides it alone, and may think better of it until it comes."""
        return self in (Ground.WISH, Ground.LEGITIMATE_REASON)

    @property
    def curable(self) -> bool:
        """Whether the other side has time to put it right."""
        return self in (Ground.SELLER_BREACH, Ground.BREACH)

    @property
    def gives_back(self) -> bool:
        """Whether what was paid and not used goes back: the customer is not at fault."""
        return self in (Ground.LEGITIMATE_REASON, Ground.SELLER_BREACH, Ground.CLOSURE)


# A statement of reasons says something: fewer characters are no reason (MRE-03).
STATEMENT_AT_LEAST = 30


@dataclass(frozen=True)
class Notice:
    """What the accepted terms promise before an end (B-05, B-08).

    `platform_days` counts for professionals established in the Union only; 0: not at all.
    """

    hours: int
    platform_days: int
    cure_days: int


@dataclass(frozen=True)
class Announced:
    """When an announced end takes effect; `cure_until`: the last day to put it right."""

    effective_at: datetime
    cure_until: date | None = None


def early_end(notified_on: date, wanted_on: date | None) -> date:
    """The first day without service of who leaves for a legitimate reason (SUB-04): the day after
    they said so, or the later one that they wish."""
    return max(notified_on + timedelta(days=1), wanted_on or notified_on)


def announced(
    ground: Ground, notice: Notice, notified_at: datetime, committed_until: date | None
) -> Announced:
    """When an end takes effect that was notified at this instant, its holder's wish aside.

    Hours are real hours. Days are whole days in Paris, the day of the notice not counted: it is
    over when its last day is (Règl. 1182/71, art. 3). A seller who stops without a fault of the
    customer keeps to the commitment too, and the 30 days of Règl. (UE) 2019/1150, art. 4, do not
    delay what is so grave that it ends at once. Raises ValueError for what its holder chooses.
    """
    if ground.chosen:
        raise ValueError("its holder says when: see ends_on and early_end")
    if ground is Ground.SERIOUS_FAULT:
        return Announced(notified_at)
    cure_until = None
    at = notified_at.astimezone(UTC) + timedelta(hours=notice.hours)
    if ground.curable:
        cure_until = paris_date(notified_at) + timedelta(days=notice.cure_days)
        at = end_of_day(cure_until)
    if ground.party is Party.SELLER and notice.platform_days:
        at = max(at, end_of_day(paris_date(notified_at) + timedelta(days=notice.platform_days)))
    if ground is Ground.CLOSURE and committed_until:
        at = max(at, start_of_day(committed_until))
    return Announced(at, cure_until)


def unused_minor(gross_minor: int, starts_on: date, ends_on: date, first_unused: date) -> int:
    """The part of a paid period that nobody used, by days, in minor units.

    `first_unused` is the first day without any service: a day that has begun was used. What does
    not divide is the customer's.
    """
    days = (ends_on - max(starts_on, first_unused)).days
    return -(-gross_minor * days // (ends_on - starts_on).days) if days > 0 else 0


def first_unused_day(ended_at: datetime) -> date:
    """The first day without any service after an end at this instant, in Paris."""
    day = paris_date(ended_at)
    return day if ended_at == start_of_day(day) else day + timedelta(days=1)
