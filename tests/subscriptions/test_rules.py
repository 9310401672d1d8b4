"""Months, commitment and grace, as dates."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import pairwise

import pytest

from storefront.kernel.calendar import PARIS
from storefront.subscriptions import rules


def test_a_short_month_does_not_move_the_ones_after_it() -> None:
    """SUB-03: 31 January, 28 February, 31 March."""
    months = [rules.month(date(2027, 1, 31), number) for number in range(1, 5)]

    assert [month.starts_on for month in months] == [
        date(2027, 1, 31),
        date(2027, 2, 28),
        date(2027, 3, 31),
        date(2027, 4, 30),
    ]
    assert all(one.ends_on == two.starts_on for one, two in pairwise(months))


def test_twelve_months_from_the_tenth_of_january_end_on_the_next_tenth() -> None:
    """B-02: twelve debits, the last on 10 December."""
    assert rules.committed_until(date(2027, 1, 10), 12) == date(2028, 1, 10)
    assert rules.month(date(2027, 1, 10), 12).starts_on == date(2027, 12, 10)
    assert rules.committed_until(date(2027, 1, 10), 0) is None


@pytest.mark.parametrize(
    ("failed_at", "suspended_at"),
    [
        ("2027-02-28T18:00+01:00", "2027-03-07T18:00+01:00"),
        # The clocks go forward in between: still the same hour of the day in Paris.
        ("2027-03-25T18:00+01:00", "2027-04-01T18:00+02:00"),
        ("2026-10-23T06:00+02:00", "2026-10-30T06:00+01:00"),
    ],
)
def test_the_service_is_kept_seven_days_to_the_hour_in_paris(
    failed_at: str, suspended_at: str
) -> None:
    """B-04."""
    failed = datetime.fromisoformat(failed_at).astimezone(UTC)

    until = rules.suspends_at(failed, 7)

    assert until == datetime.fromisoformat(suspended_at)
    assert until.astimezone(PARIS).hour == failed.astimezone(PARIS).hour


def test_nothing_goes_on_from_the_day_of_the_end() -> None:
    assert rules.goes_on(None, date(2027, 1, 1))
    assert rules.goes_on(date(2027, 1, 2), date(2027, 1, 1))
    assert not rules.goes_on(date(2027, 1, 1), date(2027, 1, 1))
