"""Between instants (aware, UTC) and civil days and times in Paris."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from storefront.kernel.errors import DateOutOfRange, NonexistentTime

PARIS = ZoneInfo("Europe/Paris")


def paris_date(instant: datetime) -> date:
    """Return the day it is in Paris at this instant. Raises `ValueError` for a naive one."""
    return paris_wall(instant).date()


def paris_wall(instant: datetime) -> datetime:
    """Return the instant as a clock in Paris shows it. Raises `ValueError` for a naive one."""
    if instant.tzinfo is None:
        raise ValueError(f"an instant carries its timezone: {instant.isoformat()}")
    return instant.astimezone(PARIS)


def paris_instant(day: date, at: time, *, second: bool = False) -> datetime:
    """Return the instant, in UTC, at which clocks in Paris show this time on this day.

    In autumn an hour happens twice: the first of the two is meant, or the `second` one, in winter
    time (see `happens_twice`). In spring an hour is skipped: a time within it raises
    `NonexistentTime` rather than being moved in silence. Raises
    `DateOutOfRange` at the two ends of the calendar and `ValueError` for a time with a timezone.
    """
    if at.tzinfo is not None:
        raise ValueError(f"a time of day in Paris carries no timezone of its own: {at}")
    wall = datetime.combine(day, at.replace(fold=int(second)), tzinfo=PARIS)
    try:
        instant = wall.astimezone(UTC)
        shown = instant.astimezone(PARIS)
    except OverflowError as error:
        raise DateOutOfRange(day=day) from error
    if shown.replace(tzinfo=None) != wall.replace(tzinfo=None):
        raise NonexistentTime(day=day, at=at)
    return instant


def happens_twice(day: date, at: time) -> bool:
    """Whether clocks in Paris show this time twice on this day, as they do one night in autumn."""
    first, second = (
        datetime.combine(day, at.replace(fold=fold), tzinfo=PARIS).utcoffset() for fold in (0, 1)
    )
    return first is not None and second is not None and first > second


def start_of_day(day: date) -> datetime:
    """Return the first instant of the day in Paris, in UTC. Raises `DateOutOfRange`."""
    return paris_instant(day, time.min)


def end_of_day(day: date) -> datetime:
    """Return the instant the day in Paris is over: the start of the next one, itself excluded.

    "Until the end of 23 November" is `instant < end_of_day(date(2026, 11, 23))`. Days of a clock
    change last 23 or 25 hours. Raises `DateOutOfRange`.
    """
    try:
        next_day = day + timedelta(days=1)
    except OverflowError as error:
        raise DateOutOfRange(day=day) from error
    return start_of_day(next_day)
