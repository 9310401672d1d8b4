"""Dates and amounts of schedules, against their page."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefront.kernel.calendar import add_months, month_anchor_dates, months_between
from storefront.kernel.errors import DateOutOfRange
from storefront.kernel.money import Money
from tests.kernel.worked_examples import table

PAGE = "schedules.md"
DAYS = st.dates(date(2000, 1, 1), date(2090, 12, 31))
AMOUNTS = st.builds(Money, st.integers(-(10**12), 10**12))
PARTS = st.integers(1, 48)


@pytest.mark.parametrize(("anchor", "count", "dates"), table(PAGE, "Anchor", "Count", "Dates"))
def test_each_schedule_of_the_page_falls_on_its_dates(anchor: str, count: str, dates: str) -> None:
    found = month_anchor_dates(date.fromisoformat(anchor), int(count))
    assert ", ".join(day.isoformat() for day in found) == dates


@pytest.mark.parametrize(("anchor", "months", "day"), table(PAGE, "Anchor", "Months", "Day"))
def test_each_validity_of_the_page_ends_on_its_day(anchor: str, months: str, day: str) -> None:
    assert add_months(date.fromisoformat(anchor), int(months)).isoformat() == day


@pytest.mark.parametrize(("total", "parts", "amounts"), table(PAGE, "Total", "Parts", "Amounts"))
def test_each_amount_of_the_page_is_split_as_shown(total: str, parts: str, amounts: str) -> None:
    found = Money.from_major_string(total).split(int(parts))
    assert ", ".join(part.major_string() for part in found) == amounts


def test_a_commitment_of_twelve_months_is_debited_twelve_times_and_ends_on_the_thirteenth() -> None:
    start = date(2027, 1, 10)
    debits = month_anchor_dates(start, 12)
    assert (len(debits), debits[0], debits[-1]) == (12, start, date(2027, 12, 10))
    assert add_months(start, 12) == date(2028, 1, 10)


def test_a_month_has_passed_on_the_last_day_of_a_short_month() -> None:
    assert months_between(date(2027, 1, 31), date(2027, 2, 27)) == 0
    assert months_between(date(2027, 1, 31), date(2027, 2, 28)) == 1


@given(DAYS, st.integers(-600, 600))
def test_months_keep_the_anchors_day_or_take_the_last_of_the_month(
    anchor: date, months: int
) -> None:
    day = add_months(anchor, months)
    assert (day.year * 12 + day.month) - (anchor.year * 12 + anchor.month) == months
    if day.day != anchor.day:
        assert day.day < anchor.day
        assert add_months(day.replace(day=1), 1).toordinal() == day.toordinal() + 1


@given(DAYS, st.integers(0, 600), st.integers(0, 600))
def test_more_months_never_end_sooner(anchor: date, one: int, other: int) -> None:
    fewer, more = sorted((one, other))
    assert add_months(anchor, fewer) <= add_months(anchor, more)


@given(DAYS, st.integers(0, 600))
def test_as_many_months_have_passed_as_were_added(anchor: date, months: int) -> None:
    assert months_between(anchor, add_months(anchor, months)) == months


@given(DAYS, DAYS)
def test_whole_months_have_passed_and_one_more_has_not(one: date, other: date) -> None:
    earlier, later = sorted((one, other))
    months = months_between(earlier, later)
    assert add_months(earlier, months) <= later < add_months(earlier, months + 1)


@given(AMOUNTS, PARTS)
def test_parts_add_up_to_the_whole(amount: Money, parts: int) -> None:
    found = amount.split(parts)
    assert len(found) == parts
    assert sum(found, Money.zero()) == amount


@given(AMOUNTS, PARTS)
def test_only_the_first_part_differs_and_by_less_than_a_cent_a_part(
    amount: Money, parts: int
) -> None:
    first, *others = (abs(part.minor) for part in amount.split(parts))
    assert len(set(others)) <= 1
    assert all(0 <= first - other < parts for other in others)


@given(AMOUNTS, PARTS)
def test_a_credit_is_split_like_what_it_takes_back(amount: Money, parts: int) -> None:
    assert (-amount).split(parts) == [-part for part in amount.split(parts)]


def test_a_currency_without_decimals_is_split_in_whole_units() -> None:
    assert [part.minor for part in Money(1000, "JPY").split(3)] == [334, 333, 333]


@pytest.mark.parametrize("parts", [0, -1])
def test_nothing_is_split_in_no_parts(parts: int) -> None:
    with pytest.raises(ValueError, match="at least one part"):
        Money(100).split(parts)


@pytest.mark.parametrize("months", [120_000, -120_000])
def test_months_beyond_the_calendar_are_refused(months: int) -> None:
    with pytest.raises(DateOutOfRange):
        add_months(date(2026, 11, 21), months)


def test_months_are_not_counted_backwards() -> None:
    with pytest.raises(ValueError, match="before"):
        months_between(date(2027, 1, 2), date(2027, 1, 1))


def test_a_schedule_may_be_empty_but_not_negative() -> None:
    assert month_anchor_dates(date(2027, 1, 31), 0) == ()
    with pytest.raises(ValueError, match="negative"):
        month_anchor_dates(date(2027, 1, 31), -1)
