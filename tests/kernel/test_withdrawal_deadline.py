"""The last day to withdraw (WDR-03), against its page and against a naive oracle."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefront.kernel.calendar import (
    Place,
    end_of_day,
    informed_last_day,
    is_public_holiday,
    paris_date,
    withdrawal_last_day,
)
from storefront.kernel.errors import DateOutOfRange
from tests.kernel import french_holidays
from tests.kernel.worked_examples import table

PAGE = "withdrawal-deadline.md"
DAYS = st.dates(date(2020, 1, 1), date(2060, 12, 31))

# law.md lists these seven; the page must keep them.
REQUIRED = {
    "2026-11-07": "2026-11-23",
    "2026-10-28": "2026-11-12",
    "2026-12-11": "2026-12-28",
    "2026-12-18": "2027-01-04",
    "2027-03-15": "2027-03-30",
    "2027-04-22": "2027-05-07",
    "2026-11-23": "2026-12-07",
}


def naive_last_day(event: date, holidays_of: Callable[[int], frozenset[date]]) -> date:
    day = event
    for _ in range(14):
        day += timedelta(days=1)
    while day.strftime("%a") in ("Sat", "Sun") or day in holidays_of(day.year):
        day += timedelta(days=1)
    return day


@pytest.mark.parametrize(("event", "last"), REQUIRED.items())
def test_each_legal_example_gives_its_last_day(event: str, last: str) -> None:
    assert withdrawal_last_day(date.fromisoformat(event)) == date.fromisoformat(last)


def test_the_page_shows_every_legal_example() -> None:
    assert sorted(table(PAGE, "Event", "Last day")) == sorted(REQUIRED.items())


@pytest.mark.parametrize(
    ("event", "anywhere", "metropole"),
    table(PAGE, "Event", "Anywhere in France", "Metropole only"),
)
def test_a_holiday_anywhere_extends_unless_the_places_are_named(
    event: str, anywhere: str, metropole: str
) -> None:
    day = date.fromisoformat(event)
    assert withdrawal_last_day(day).isoformat() == anywhere
    assert withdrawal_last_day(day, places=[Place.METROPOLE]).isoformat() == metropole


def test_ten_years_of_days_agree_with_a_naive_count() -> None:
    day = date(2025, 1, 1)
    while day < date(2035, 1, 1):
        assert withdrawal_last_day(day) == naive_last_day(day, french_holidays.anywhere), day
        metropole = withdrawal_last_day(day, places=[Place.METROPOLE])
        assert metropole == naive_last_day(day, french_holidays.metropolitan), day
        day += timedelta(days=1)


def test_the_holidays_of_the_metropole_are_the_eleven_of_the_law() -> None:
    for year in range(2020, 2061):
        days = (date(year, 1, 1) + timedelta(days=n) for n in range(366))
        found = {day for day in days if day.year == year and is_public_holiday(day)}
        assert found == french_holidays.metropolitan(year)


def test_a_place_has_its_own_holidays_on_top() -> None:
    saint_stephen = date(2028, 12, 26)
    assert is_public_holiday(saint_stephen, Place.ALSACE_MOSELLE)
    assert not is_public_holiday(saint_stephen)
    assert not is_public_holiday(saint_stephen, Place.REUNION)


@pytest.mark.parametrize("place", Place)
def test_the_eleven_days_are_holidays_in_every_place(place: Place) -> None:
    assert all(is_public_holiday(day, place) for day in french_holidays.metropolitan(2027))


@pytest.mark.parametrize(("event", "told", "last"), table(PAGE, "Event", "Told", "Last day"))
def test_who_was_told_late_or_never_has_longer(event: str, told: str, last: str) -> None:
    informed_on = None if told == "never" else date.fromisoformat(told)
    in_time = withdrawal_last_day(date.fromisoformat(event))
    assert informed_last_day(in_time, informed_on).isoformat() == last


@given(DAYS, st.none() | st.integers(-30, 500))
def test_being_told_late_never_costs_a_day_nor_gives_more_than_twelve_months(
    event: date, told_after: int | None
) -> None:
    informed_on = None if told_after is None else event + timedelta(days=told_after)
    told = withdrawal_last_day(event)
    last, never_told = informed_last_day(told, informed_on), informed_last_day(told, None)
    assert told <= last <= never_told
    assert never_told >= told + timedelta(days=365)
    if informed_on is not None:
        assert last == never_told or last >= informed_on + timedelta(days=14)


@given(DAYS, DAYS)
def test_a_later_event_never_ends_sooner(one: date, other: date) -> None:
    earlier, later = sorted((one, other))
    assert withdrawal_last_day(earlier) <= withdrawal_last_day(later)


@given(DAYS)
def test_the_customer_never_has_fewer_than_fourteen_days_and_ends_on_a_worked_one(
    event: date,
) -> None:
    last = withdrawal_last_day(event)
    assert last >= event + timedelta(days=14)
    assert last.weekday() < 5
    assert not is_public_holiday(last)


def test_the_event_is_dated_in_paris() -> None:
    late_in_the_evening = datetime(2026, 11, 7, 23, 30, tzinfo=UTC)
    assert paris_date(late_in_the_evening) == date(2026, 11, 8)


def test_the_last_second_of_the_last_day_in_paris_is_in_time() -> None:
    end = end_of_day(withdrawal_last_day(date(2026, 11, 7)))
    assert end == datetime(2026, 11, 23, 23, 0, tzinfo=UTC)
    assert datetime(2026, 11, 23, 22, 59, 59, tzinfo=UTC) < end


def test_a_contract_may_grant_more_days() -> None:
    assert withdrawal_last_day(date(2026, 11, 2), days=30) == date(2026, 12, 2)


@pytest.mark.parametrize("event", [date(2100, 12, 25), date(9999, 12, 25)])
def test_a_year_without_known_holidays_is_refused(event: date) -> None:
    with pytest.raises(DateOutOfRange):
        withdrawal_last_day(event)


@pytest.mark.parametrize("days", [0, -14])
def test_a_period_without_days_is_a_mistake(days: int) -> None:
    with pytest.raises(ValueError, match="at least one day"):
        withdrawal_last_day(date(2026, 11, 7), days)
