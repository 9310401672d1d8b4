"""Time billed by the slice begun (K-03), and slots that start on a round time."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefront.kernel.slices import billed_minutes, next_slot_boundary


@pytest.mark.parametrize(
    ("worked", "billed"), [(0, 0), (1, 60), (59, 60), (60, 60), (61, 120), (120, 120), (121, 180)]
)
def test_a_slice_begun_is_billed_in_full_and_none_begun_is_free(worked: int, billed: int) -> None:
    assert billed_minutes(worked, 60) == billed


@given(st.integers(0, 10**6), st.integers(1, 1440))
def test_what_is_billed_covers_the_work_by_less_than_a_slice(worked: int, length: int) -> None:
    billed = billed_minutes(worked, length)
    assert billed % length == 0
    assert 0 <= billed - worked < length


@pytest.mark.parametrize(("worked", "length"), [(-1, 60), (10, 0), (10, -60)])
def test_negative_work_or_an_empty_slice_is_a_mistake(worked: int, length: int) -> None:
    with pytest.raises(ValueError, match="minute"):
        billed_minutes(worked, length)


@pytest.mark.parametrize(
    ("instant", "boundary"),
    [
        ("2026-11-23T09:00:00", "2026-11-23T09:00:00"),
        ("2026-11-23T09:00:01", "2026-11-23T09:15:00"),
        ("2026-11-23T09:44:59.999999", "2026-11-23T09:45:00"),
        ("2026-11-23T09:46:00", "2026-11-23T10:00:00"),
        ("2026-12-31T23:50:00", "2027-01-01T00:00:00"),
    ],
)
def test_a_slot_starts_on_the_next_quarter(instant: str, boundary: str) -> None:
    at, expected = (datetime.fromisoformat(text + "+00:00") for text in (instant, boundary))
    assert next_slot_boundary(at, 15) == expected


@given(
    st.datetimes(timezones=st.just(UTC), max_value=datetime(9000, 1, 1)),  # noqa: DTZ001
    st.sampled_from([1, 5, 10, 15, 20, 30, 60]),
)
def test_a_boundary_is_round_and_less_than_a_slot_away(instant: datetime, length: int) -> None:
    boundary = next_slot_boundary(instant, length)
    assert (boundary.minute % length, boundary.second, boundary.microsecond) == (0, 0, 0)
    assert timedelta(0) <= boundary - instant < timedelta(minutes=length)


@pytest.mark.parametrize("length", [0, -15, 7, 45, 90])
def test_a_slot_that_does_not_divide_the_hour_is_a_mistake(length: int) -> None:
    with pytest.raises(ValueError, match="divides"):
        next_slot_boundary(datetime(2026, 11, 23, 9, tzinfo=UTC), length)


def test_a_slot_without_timezone_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="timezone"):
        next_slot_boundary(datetime(2026, 11, 23, 9), 15)  # noqa: DTZ001
