"""What is decided about hours: signs, balances, whose turn it is, expiry. Pure functions.

Time is in minutes. What is billed of the time worked is in `kernel.slices` (K-03).
See docs/algorithms/hour-consumption.md.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Protocol, TypeVar

from storefront.kernel.calendar import add_months, paris_date, paris_instant
from storefront.kernel.errors import Refusal
from storefront.kernel.moments import Moment

# Nobody is written to in the night: what falls due on a day is done at this hour in Paris.
MORNING = time(8)


class EntryKind(StrEnum):
    """Why the minutes of a lot moved."""

    GRANTED = "granted"
    HELD = "held"
    RELEASED = "released"
    USED = "used"
    EXPIRED = "expired"
    DEDUCTED = "deducted"
    GIVEN_BACK = "given_back"


ADDING = frozenset({EntryKind.GRANTED, EntryKind.RELEASED, EntryKind.GIVEN_BACK})
# What an intervention does to the number of interventions of its month: +1 held, −1 given up.
_COUNTS = {EntryKind.HELD: 1, EntryKind.RELEASED: -1, EntryKind.USED: 1}


class InsufficientCredit(Refusal):
    """Not enough time left (K-05). Details: needed, available (minutes), lots (those looked at).

    `limit` is "minutes" or "interventions" when a limit of use a month stands in the way (K-04).
    """

    status = 409


class LotUnusable(Refusal):
    """No hour can be taken from this lot. Details: lot, reason ("expired", "suspended",
    "revoked")."""

    status = 409


class Movement(Protocol):
    """What the rules read of an entry."""

    @property
    def kind(self) -> EntryKind: ...
    @property
    def minutes(self) -> int: ...
    @property
    def cause_id(self) -> uuid.UUID: ...
    @property
    def used_on(self) -> date | None: ...


def signed(kind: EntryKind, minutes: int) -> int:
    """The minutes of a movement with the sign of its kind. Raises `ValueError` for a negative."""
    if minutes < 0:
        raise ValueError(f"a movement is counted in positive minutes: {minutes}")
    return minutes if kind in ADDING else -minutes


def balance(entries: Iterable[Movement]) -> int:
    """What can still be held or used: the sum of the ledger (K-01)."""
    return sum(entry.minutes for entry in entries)


def held_by(entries: Iterable[Movement], cause_id: uuid.UUID) -> int | None:
    """The minutes that this cause holds; None when it holds nothing (0 is a hold, single use)."""
    kinds = (EntryKind.HELD, EntryKind.RELEASED)
    own = [entry for entry in entries if entry.cause_id == cause_id and entry.kind in kinds]
    return -balance(own) if len(own) == 1 else None


def held(entries: Iterable[Movement]) -> int:
    """The minutes kept for interventions to come."""
    kinds = (EntryKind.HELD, EntryKind.RELEASED)
    return -balance(entry for entry in entries if entry.kind in kinds)


def interventions(entries: Iterable[Movement], month: date | None = None) -> int:
    """How many interventions are planned or done, in the calendar month of `month` or in all."""
    return sum(
        _COUNTS.get(entry.kind, 0)
        for entry in entries
        if month is None or _same_month(entry.used_on, month)
    )


def minutes_of_month(entries: Iterable[Movement], month: date) -> int:
    """The minutes planned or used in the calendar month of this day (K-04)."""
    return -balance(
        entry for entry in entries if entry.kind in _COUNTS and _same_month(entry.used_on, month)
    )


def _same_month(day: date | None, month: date) -> bool:
    return day is not None and (day.year, day.month) == (month.year, month.month)


def last_day(granted_on: date, months: int) -> date:
    """The last day on which hours granted on this day can be used, itself included (K-02).

    The day of the same number, `months` later, or the month's last: bought on 24 November 2026
    for 12 months, used until the end of 24 November 2027.
    """
    return add_months(granted_on, months)


def is_over(expires_on: date, today: date) -> bool:
    """Whether hours usable until `expires_on` are lost `today`: only from the day after (K-02)."""
    return today > expires_on


def expiry_instant(expires_on: date) -> datetime:
    """When what is left is written off: the morning after the last day."""
    return paris_instant(expires_on + timedelta(days=1), MORNING)


def last_day_of(written_off_at: datetime) -> date:
    """The last day of use of what was written off then: `expiry_instant` the other way round."""
    return paris_date(written_off_at) - timedelta(days=1)


def next_reminder(expires_on: date, reminder_days: Iterable[int], after: date) -> date | None:
    """The first day after `after` on which a reminder is due, None when there is none left.

    `reminder_days`: how many days before the last day of use (K-02: 60, 30 and 7).
    """
    days = (expires_on - timedelta(days=ahead) for ahead in reminder_days)
    return min((day for day in days if day > after), default=None)


def reminder_instant(day: date) -> datetime:
    """When the reminder of a day leaves."""
    return paris_instant(day, MORNING)


class Happens(StrEnum):
    """What happens to hours by the calendar."""

    GRANTED = "hours_granted"
    REMINDER = "hours_reminder"
    LAST_DAY = "hours_last_day"
    EXPIRY = "hours_expiry"


@dataclass(frozen=True)
class Hours:
    """A lot of which something is left, as far as its days depend on it."""

    name: str
    expires_on: date
    reminder_days: tuple[int, ...]
    next_reminder_on: date | None


def granted(name: str, granted_on: date, expires_on: date, reminder_days: Iterable[int]) -> Hours:
    """A lot as it begins."""
    days = tuple(reminder_days)
    return Hours(name, expires_on, days, next_reminder(expires_on, days, granted_on))


def coming(hours: Hours) -> Iterator[Moment]:
    """What becomes of hours that nobody uses: the days left are the number of a reminder (K-02).

    Nobody is reminded of a month of a contract, which is followed by the next.
    """
    day = hours.next_reminder_on
    while day is not None:
        left = (hours.expires_on - day).days
        yield Moment(reminder_instant(day), Happens.REMINDER, hours.name, number=left)
        day = next_reminder(hours.expires_on, hours.reminder_days, day)
    if hours.reminder_days:
        yield Moment(hours.expires_on, Happens.LAST_DAY, hours.name)
    yield Moment(expiry_instant(hours.expires_on), Happens.EXPIRY, hours.name)


class Limits(Protocol):
    """What the rules read of a lot."""

    @property
    def id(self) -> uuid.UUID: ...
    @property
    def expires_on(self) -> date: ...
    @property
    def granted_at(self) -> datetime: ...
    @property
    def single_use(self) -> bool: ...
    @property
    def monthly_minutes(self) -> int | None: ...
    @property
    def monthly_interventions(self) -> int | None: ...


Lot = TypeVar("Lot", bound=Limits)


@dataclass(frozen=True)
class Available:
    """The minutes that one intervention can take from a lot; `limit` is what keeps the rest."""

    minutes: int
    limit: str | None = None


def available(
    lot: Limits, entries: Sequence[Movement], on: date, cause_id: uuid.UUID | None = None
) -> Available:
    """What an intervention on the day `on` can take from this lot (K-04).

    The balance, within what is left of the month's minutes and interventions. What `cause_id`
    holds already is available to it. Single use is counted in interventions: see `serves`.
    """
    others = [entry for entry in entries if entry.cause_id != cause_id or not _holds(entry)]
    left = balance(others)
    most = lot.monthly_interventions
    if most is not None and interventions(others, on) >= most:
        return Available(0, "interventions")
    if lot.monthly_minutes is not None:
        left_of_month = max(lot.monthly_minutes - minutes_of_month(others, on), 0)
        if left_of_month < left:
            return Available(left_of_month, "minutes")
    return Available(max(left, 0))


def _holds(entry: Movement) -> bool:
    return entry.kind in (EntryKind.HELD, EntryKind.RELEASED)


def serves(entries: Iterable[Movement], cause_id: uuid.UUID | None = None) -> bool:
    """Whether a one-shot pack can serve this intervention: it has served no other (C-06)."""
    others = [entry for entry in entries if entry.cause_id != cause_id]
    gone = any(entry.kind in (EntryKind.EXPIRED, EntryKind.DEDUCTED) for entry in others)
    return interventions(others) == 0 and not gone


def order_of_use(lots: Iterable[Lot]) -> list[Lot]:
    """The lot that expires first is used first (K-04); then the one granted first."""
    return sorted(lots, key=lambda lot: (lot.expires_on, lot.granted_at, str(lot.id)))


def share(needed: int, offers: Sequence[Available]) -> list[int] | None:
    """How many minutes each lot gives, in the order of use; None when all of them lack time."""
    given = []
    for offer in offers:
        part = min(needed, offer.minutes)
        given.append(part)
        needed -= part
    return given if needed == 0 else None
