"""Deadlines in opening hours (I-02), against their page and a clock that walks minute by minute."""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storefront.kernel.calendar import (
    OpeningHours,
    Place,
    add_business_days,
    add_business_minutes,
    business_deadline,
    is_business_day,
)
from storefront.kernel.errors import DateOutOfRange, NoOpeningDay
from tests.kernel import french_holidays
from tests.kernel.worked_examples import table

PAGE = "business-deadlines.md"
PARIS = ZoneInfo("Europe/Paris")
MINUTE = timedelta(minutes=1)

OFFICE = OpeningHours({weekday: ((time(9), time(18)),) for weekday in range(5)})
UNEVEN = OpeningHours(
    {
        **{weekday: ((time(9), time(12)), (time(14), time(18))) for weekday in range(4)},
        4: ((time(9), time(16)),),
        5: ((time(10), time(12)),),
    }
)
# Open on Sunday nights too, when the clocks change, and begins in the hour skipped in spring.
NIGHTS = OpeningHours(
    {6: ((time(0, 30), time(1, 15)), (time(2, 30), time(4))), 0: ((time(2), time(3)),)},
    closures=frozenset({date(2027, 3, 29), date(2026, 11, 15)}),
)


def paris(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS).astimezone(UTC)


class Walker:
    """The rule of the page, one minute after the other and with its own holidays."""

    def __init__(self, hours: OpeningHours) -> None:
        self.hours = hours
        self.open_minutes = cache(self._open_minutes)

    def _open_minutes(self, day: date) -> list[datetime]:
        """Return the open minutes of a day; in an hour that comes twice, a stretch is not cut."""
        if day in self.hours.closures or day in french_holidays.metropolitan(day.year):
            return []
        minutes = self.minutes_of(day)
        found = []
        for start, end in self.hours.weekly.get(day.weekday(), ()):
            reached_start = next(m for m in minutes if m.astimezone(PARIS).time() >= start)
            reached_end = next(m for m in minutes if m.astimezone(PARIS).time() >= end)
            found += [minute for minute in minutes if reached_start <= minute < reached_end]
        return found

    @staticmethod
    def minutes_of(day: date) -> list[datetime]:
        noon = datetime.combine(day, time(12), tzinfo=PARIS).astimezone(UTC)
        around = (noon + offset * MINUTE for offset in range(-14 * 60, 14 * 60))
        return [minute for minute in around if minute.astimezone(PARIS).date() == day]

    def is_open(self, minute: datetime) -> bool:
        return minute in self.open_minutes(minute.astimezone(PARIS).date())

    def after_minutes(self, opened: datetime, minutes: int) -> datetime:
        day = opened.astimezone(PARIS).date()
        left = minutes
        while True:
            for minute in self.open_minutes(day):
                if minute < opened:
                    continue
                if left == 0:
                    return minute
                left -= 1
                if left == 0:
                    return minute + MINUTE
            day += timedelta(days=1)

    def after_days(self, opened: datetime, days: int) -> datetime:
        start = self.after_minutes(opened, 0)
        day = start.astimezone(PARIS).date()
        for _ in range(days):
            day += timedelta(days=1)
            while not self.open_minutes(day):
                day += timedelta(days=1)
        if not days:
            return start
        at = start.astimezone(PARIS).time()
        reached = next(m for m in self.minutes_of(day) if m.astimezone(PARIS).time() >= at)
        open_minutes = self.open_minutes(day)
        allowed = open_minutes + [m + MINUTE for m in open_minutes]
        return max((m for m in allowed if m <= reached), default=open_minutes[0])


WALKERS = [Walker(OFFICE), Walker(UNEVEN), Walker(NIGHTS)]
MOMENTS = st.integers(0, 3 * 365 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + minutes * MINUTE
)
# The weekends of the four clock changes, where a random moment would seldom fall.
CLOCK_CHANGES = st.builds(
    lambda sunday, minutes: datetime.combine(sunday, time(1), tzinfo=UTC) + minutes * MINUTE,
    st.sampled_from([date(2026, 3, 29), date(2026, 10, 25), date(2027, 3, 28), date(2027, 10, 31)]),
    st.integers(-8 * 24 * 60, 24 * 60),
)


@pytest.mark.parametrize(("opened", "due"), table(PAGE, "Opened", "Due"))
def test_each_deadline_of_the_page_in_one_business_day(opened: str, due: str) -> None:
    assert business_deadline(paris(opened), 1, OFFICE) == paris(due)
    assert WALKERS[0].after_days(paris(opened), 1) == paris(due)


@pytest.mark.parametrize(("opened", "minutes", "due"), table(PAGE, "Opened", "Minutes", "Due"))
def test_each_deadline_of_the_page_in_business_minutes(opened: str, minutes: str, due: str) -> None:
    assert add_business_minutes(paris(opened), int(minutes), OFFICE) == paris(due)
    assert WALKERS[0].after_minutes(paris(opened), int(minutes)) == paris(due)


@pytest.mark.parametrize(("opened", "days", "due"), table(PAGE, "Opened", "Days", "Due"))
def test_each_deadline_of_the_page_when_the_days_differ(opened: str, days: str, due: str) -> None:
    assert business_deadline(paris(opened), int(days), UNEVEN) == paris(due)
    assert WALKERS[1].after_days(paris(opened), int(days)) == paris(due)


@settings(max_examples=150)
@given(st.sampled_from(WALKERS), MOMENTS | CLOCK_CHANGES, st.integers(0, 3000))
def test_business_minutes_agree_with_a_clock_that_walks(
    walker: Walker, opened: datetime, minutes: int
) -> None:
    due = add_business_minutes(opened, minutes, walker.hours)
    assert due == walker.after_minutes(opened, minutes)
    assert due.tzinfo is UTC


@settings(max_examples=150)
@given(st.sampled_from(WALKERS), MOMENTS | CLOCK_CHANGES, st.integers(0, 6))
def test_business_days_agree_with_a_clock_that_walks(
    walker: Walker, opened: datetime, days: int
) -> None:
    due = business_deadline(opened, days, walker.hours)
    assert due == walker.after_days(opened, days)
    assert due.tzinfo is UTC


@given(st.sampled_from(WALKERS), MOMENTS, MOMENTS, st.integers(0, 5))
def test_what_is_opened_later_is_never_due_sooner(
    walker: Walker, one: datetime, other: datetime, days: int
) -> None:
    earlier, later = sorted((one, other))
    hours = walker.hours
    assert business_deadline(earlier, days, hours) <= business_deadline(later, days, hours)
    minutes = days * 100
    assert add_business_minutes(earlier, minutes, hours) <= add_business_minutes(
        later, minutes, hours
    )


def test_seconds_are_kept() -> None:
    opened = paris("2026-11-23 17:59:30")
    assert business_deadline(opened, 1, OFFICE) == paris("2026-11-24 17:59:30")
    assert add_business_minutes(opened, 1, OFFICE) == paris("2026-11-24 09:00:30")


def test_an_hour_of_real_time_is_lost_over_the_change_to_summer_time() -> None:
    opened = paris("2026-03-27 12:00")
    assert business_deadline(opened, 1, OFFICE) - opened == timedelta(hours=71)


def test_an_hour_of_real_time_is_gained_over_the_change_to_winter_time() -> None:
    opened = paris("2026-10-23 17:00")
    assert business_deadline(opened, 1, OFFICE) - opened == timedelta(hours=73)


def test_a_night_watch_works_one_real_hour_less_in_spring() -> None:
    watch = OpeningHours({6: ((time(1), time(5)),)})
    opened = paris("2026-03-29 01:00")
    assert add_business_minutes(opened, 180, watch) == paris("2026-03-29 05:00")


def test_a_night_watch_works_one_real_hour_more_in_autumn() -> None:
    watch = OpeningHours({6: ((time(1), time(5)),)})
    opened = paris("2026-10-25 01:00")
    assert add_business_minutes(opened, 300, watch) == paris("2026-10-25 05:00")


def test_a_stretch_within_the_skipped_hour_does_not_happen_that_day() -> None:
    hours = OpeningHours({6: ((time(2, 15), time(2, 45)),)})
    assert not hours.is_open_on(date(2026, 3, 29))
    assert business_deadline(paris("2026-03-28 12:00"), 0, hours) == paris("2026-04-05 02:15")


def test_the_sellers_own_closures_are_closed() -> None:
    hours = OpeningHours(OFFICE.weekly, closures=frozenset({date(2026, 11, 24)}))
    assert business_deadline(paris("2026-11-23 10:00"), 1, hours) == paris("2026-11-25 10:00")


def test_the_holidays_are_those_of_the_sellers_place() -> None:
    opened = paris("2027-03-25 10:00")
    strasbourg = OpeningHours(OFFICE.weekly, place=Place.ALSACE_MOSELLE)
    assert business_deadline(opened, 1, OFFICE) == paris("2027-03-26 10:00")
    assert business_deadline(opened, 1, strasbourg) == paris("2027-03-30 10:00")


@pytest.mark.parametrize(
    "hours",
    [
        OpeningHours({}),
        OpeningHours({0: ()}),
        OpeningHours(
            OFFICE.weekly,
            closures=frozenset(date(2026, 11, 1) + timedelta(days=n) for n in range(800)),
        ),
    ],
)
def test_a_shop_closed_for_a_year_promises_nothing(hours: OpeningHours) -> None:
    with pytest.raises(NoOpeningDay):
        business_deadline(paris("2026-11-23 10:00"), 1, hours)
    with pytest.raises(NoOpeningDay):
        add_business_minutes(paris("2026-11-23 10:00"), 1, hours)


def test_a_promise_of_centuries_is_refused() -> None:
    with pytest.raises(DateOutOfRange):
        add_business_minutes(paris("2099-06-01 10:00"), 10**9, OFFICE)
    with pytest.raises(DateOutOfRange):
        business_deadline(paris("2099-06-01 10:00"), 10**9, OFFICE)


def test_deadlines_are_not_counted_backwards() -> None:
    opened = paris("2026-11-23 10:00")
    with pytest.raises(ValueError, match="forward"):
        business_deadline(opened, -1, OFFICE)
    with pytest.raises(ValueError, match="forward"):
        add_business_minutes(opened, -1, OFFICE)
    with pytest.raises(ValueError, match="forward"):
        add_business_days(opened.date(), -1)


def test_an_instant_without_timezone_is_a_mistake() -> None:
    naive = paris("2026-11-23 10:00").replace(tzinfo=None)
    with pytest.raises(ValueError, match="timezone"):
        business_deadline(naive, 1, OFFICE)
    with pytest.raises(ValueError, match="timezone"):
        add_business_minutes(naive, 1, OFFICE)


@pytest.mark.parametrize(
    "weekly",
    [
        {7: ((time(9), time(18)),)},
        {-1: ((time(9), time(18)),)},
        {0: ((time(18), time(9)),)},
        {0: ((time(9), time(9)),)},
        {0: ((time(9), time(13)), (time(12), time(18)))},
        {0: ((time(14), time(18)), (time(9), time(12)))},
        {0: ((time(9, tzinfo=UTC), time(18, tzinfo=UTC)),)},
    ],
)
def test_hours_that_make_no_sense_are_a_mistake(
    weekly: dict[int, tuple[tuple[time, time], ...]],
) -> None:
    with pytest.raises(ValueError, match=r"weekday|timezone"):
        OpeningHours(weekly)


def test_opening_hours_cannot_be_changed_from_outside() -> None:
    weekly = {0: ((time(9), time(18)),)}
    hours = OpeningHours(weekly)
    weekly.clear()
    assert hours.is_open_on(date(2026, 11, 23))


def test_business_days_start_the_day_after_and_skip_what_is_closed() -> None:
    friday, saturday, monday = date(2026, 11, 20), date(2026, 11, 21), date(2026, 11, 23)
    assert add_business_days(friday, 1) == monday
    assert add_business_days(saturday, 1) == monday
    assert add_business_days(saturday, 0) == monday
    assert add_business_days(friday, 0) == friday
    assert add_business_days(date(2026, 7, 13), 1) == date(2026, 7, 15)


@given(st.dates(date(2020, 1, 1), date(2060, 12, 31)), st.integers(0, 60))
def test_as_many_business_days_lie_between_as_were_added(day: date, count: int) -> None:
    end = add_business_days(day, count)
    passed = [day + timedelta(days=n) for n in range(1, (end - day).days + 1)]
    assert is_business_day(end)
    if count:
        assert sum(map(is_business_day, passed)) == count
