"""Opening hours, and the deadlines promised in them (I-02).

Hours are those of the clock in Paris; durations are real minutes. The two differ on the nights the
clocks change, which is why everything is turned into instants before it is counted.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain, pairwise
from types import MappingProxyType
from typing import NamedTuple

from storefront.kernel.calendar.instants import paris_instant, paris_wall
from storefront.kernel.calendar.working_days import Place, is_public_holiday
from storefront.kernel.errors import DateOutOfRange, NonexistentTime, NoOpeningDay

_DAYS_IN_A_YEAR = 366
_WEEKDAYS = range(7)


class Opening(NamedTuple):
    """A stretch of opening time: two instants in UTC, the second excluded."""

    start: datetime
    end: datetime

    @property
    def duration(self) -> timedelta:
        """Return the real time between the two, whatever the clocks do meanwhile."""
        return self.end - self.start


@dataclass(frozen=True)
class OpeningHours:
    """When somebody is there to answer.

    `weekly` maps a weekday (Monday is 0) to its stretches of Paris time, in order and apart; a
    weekday left out is closed. `closures` are further closed days, and public holidays of `place`
    are closed too. A stretch lies within one day. Raises `ValueError` when it does not.
    """

    weekly: Mapping[int, tuple[tuple[time, time], ...]]
    closures: frozenset[date] = field(default_factory=frozenset)
    place: Place = Place.METROPOLE

    def __post_init__(self) -> None:
        for weekday, stretches in self.weekly.items():
            bounds = list(chain.from_iterable(stretches))
            if weekday not in _WEEKDAYS:
                raise ValueError(f"a weekday is 0 (Monday) to 6, not {weekday}")
            if any(bound.tzinfo is not None for bound in bounds):
                raise ValueError("opening hours are Paris time and carry no timezone")
            if any(before >= after for before, after in pairwise(bounds)):
                raise ValueError(f"the hours of weekday {weekday} overlap or run backwards")
        object.__setattr__(self, "weekly", MappingProxyType(dict(self.weekly)))

    def openings(self, day: date) -> tuple[Opening, ...]:
        """Return the stretches this day is open, in order; none on a closed day.

        A stretch that lies wholly in the hour skipped in spring does not happen.
        """
        if day in self.closures or is_public_holiday(day, self.place):
            return ()
        stretches = (
            Opening(_instant_reached(day, start), _instant_reached(day, end))
            for start, end in self.weekly.get(day.weekday(), ())
        )
        return tuple(opening for opening in stretches if opening.duration)

    def is_open_on(self, day: date) -> bool:
        """Whether there is any opening time on this day."""
        return bool(self.openings(day))


def add_business_minutes(opened: datetime, minutes: int, hours: OpeningHours) -> datetime:
    """Return the instant by which `minutes` of opening time have passed since `opened`, in UTC.

    Time outside opening hours does not count: a ticket of 18:01 starts at the next opening. Minutes
    that run out with the day end at its closing, not at the next opening. Raises `ValueError` for
    negative minutes or a naive instant, `NoOpeningDay` when a whole year is closed and
    `DateOutOfRange`.
    """
    if minutes < 0:
        raise ValueError(f"business minutes are counted forward: {minutes}")
    left = timedelta(minutes=minutes)
    openings = _openings_from(opened, hours)
    opening = next(openings)
    while left > opening.duration:
        left -= opening.duration
        opening = next(openings)
    return opening.start + left


def business_deadline(opened: datetime, business_days: int, hours: OpeningHours) -> datetime:
    """Return the same time of day, `business_days` opening days later, in UTC (I-02).

    What is opened outside opening hours counts as opened at the next opening. A deadline that would
    fall outside the hours of its own day is brought back to the closing before it, or to the day's
    opening if there is none before: never later than promised. Raises `ValueError` for a negative
    count or a naive instant, `NoOpeningDay` when a whole year is closed and `DateOutOfRange`.
    See docs/algorithms/business-deadlines.md.
    """
    if business_days < 0:
        raise ValueError(f"business days are counted forward: {business_days}")
    start = next(_openings_from(opened, hours)).start
    wall = paris_wall(start)
    day = wall.date()
    if not business_days:
        return start
    for _ in range(business_days):
        day = _next_open_day(_day_after(day), hours)
    openings = hours.openings(day)
    wanted = _instant_reached(day, wall.time())
    begun = [opening for opening in openings if opening.start <= wanted]
    return min(wanted, begun[-1].end) if begun else openings[0].start


def _openings_from(instant: datetime, hours: OpeningHours) -> Iterator[Opening]:
    """Yield what is left of the opening under way, then every later one, without end."""
    day = paris_wall(instant).date()
    instant = instant.astimezone(UTC)
    while True:
        day = _next_open_day(day, hours)
        for opening in hours.openings(day):
            if opening.end > instant:
                yield Opening(max(opening.start, instant), opening.end)
        day = _day_after(day)


def _next_open_day(day: date, hours: OpeningHours) -> date:
    """Return the first open day from `day` on, itself included."""
    first = day
    for _ in range(_DAYS_IN_A_YEAR):
        if hours.is_open_on(day):
            return day
        day = _day_after(day)
    raise NoOpeningDay(after=first)


def _day_after(day: date) -> date:
    try:
        return day + timedelta(days=1)
    except OverflowError as error:
        raise DateOutOfRange(day=day) from error


def _instant_reached(day: date, at: time) -> datetime:
    """Return the instant the clock in Paris first reaches this time.

    A time skipped in spring is reached the moment the clocks jump over it, which is at 01:00 UTC
    in the whole Union (directive 2000/84).
    """
    try:
        return paris_instant(day, at)
    except NonexistentTime:
        return datetime.combine(day, time(1), tzinfo=UTC)
