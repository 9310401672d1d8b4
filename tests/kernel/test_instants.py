"""Between instants and civil days and times in Paris."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefront.kernel.calendar import PARIS, end_of_day, paris_date, paris_instant, start_of_day
from storefront.kernel.errors import DateOutOfRange, NonexistentTime

DAYS = st.dates(date(1990, 1, 1), date(2090, 12, 31))


def test_a_time_in_winter_is_one_hour_from_utc_and_in_summer_two() -> None:
    assert paris_instant(date(2026, 1, 15), time(12)) == datetime(2026, 1, 15, 11, tzinfo=UTC)
    assert paris_instant(date(2026, 7, 15), time(12)) == datetime(2026, 7, 15, 10, tzinfo=UTC)


@pytest.mark.parametrize("at", [time(2), time(2, 30), time(2, 59, 59)])
def test_a_time_skipped_in_spring_is_refused_with_its_facts(at: time) -> None:
    with pytest.raises(NonexistentTime) as refusal:
        paris_instant(date(2027, 3, 28), at)
    assert refusal.value.details == {"day": date(2027, 3, 28), "at": at}


def test_the_times_around_the_skipped_hour_exist() -> None:
    day = date(2027, 3, 28)
    assert paris_instant(day, time(1, 59)) == datetime(2027, 3, 28, 0, 59, tzinfo=UTC)
    assert paris_instant(day, time(3)) == datetime(2027, 3, 28, 1, tzinfo=UTC)


@pytest.mark.parametrize("fold", [0, 1])
def test_of_an_hour_that_comes_twice_the_first_is_meant(fold: int) -> None:
    found = paris_instant(date(2026, 10, 25), time(2, 30, fold=fold))
    assert found == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_day_starts_and_ends_at_midnight_in_paris() -> None:
    assert start_of_day(date(2026, 11, 23)) == datetime(2026, 11, 22, 23, tzinfo=UTC)
    assert end_of_day(date(2026, 11, 23)) == datetime(2026, 11, 23, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "length"), [(date(2027, 3, 28), 23), (date(2026, 10, 25), 25), (date(2026, 11, 23), 24)]
)
def test_a_day_of_a_clock_change_is_an_hour_shorter_or_longer(day: date, length: int) -> None:
    assert end_of_day(day) - start_of_day(day) == timedelta(hours=length)


@given(DAYS)
def test_every_instant_of_a_day_is_dated_that_day_and_no_other(day: date) -> None:
    start, end = start_of_day(day), end_of_day(day)
    tick = timedelta(microseconds=1)
    assert paris_date(start) == paris_date(end - tick) == day
    assert paris_date(start - tick) == day - timedelta(days=1)
    assert paris_date(end) == day + timedelta(days=1)


@given(st.datetimes(datetime(1990, 1, 1), datetime(2090, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001
def test_an_instant_comes_back_from_its_time_in_paris_unless_it_was_the_second_of_two(
    instant: datetime,
) -> None:
    wall = instant.astimezone(PARIS)
    back = paris_instant(wall.date(), wall.time())
    assert back.tzinfo is UTC
    assert back == instant - timedelta(hours=wall.fold)


@given(DAYS, DAYS)
def test_later_days_start_later(one: date, other: date) -> None:
    assert (one < other) == (start_of_day(one) < start_of_day(other))


@pytest.mark.parametrize("day", [date.min, date.max])
def test_the_ends_of_the_calendar_are_refused_not_crashed_into(day: date) -> None:
    with pytest.raises(DateOutOfRange):
        start_of_day(day) if day == date.min else end_of_day(day)


def test_a_naive_instant_or_a_time_elsewhere_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="timezone"):
        paris_date(datetime(2026, 11, 23, 12))  # noqa: DTZ001
    with pytest.raises(ValueError, match="timezone"):
        paris_instant(date(2026, 11, 23), time(12, tzinfo=UTC))
