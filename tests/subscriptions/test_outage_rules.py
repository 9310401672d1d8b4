"""What an outage takes off a price: hours in a row, real seconds, whole cents (B-06, MRE-04)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefront.subscriptions.rules.outages import (
    BadOutageTimes,
    Decided,
    Price,
    Span,
    apart,
    availability,
    calendar_months,
    check_times,
    common,
    credits,
    in_a_row,
    merged,
    seconds,
    take,
    to_credit,
    whole_days,
    without,
)

pytestmark = pytest.mark.once

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
START = datetime.fromisoformat("2027-06-03T22:10+02:00")
ESSENTIAL = Price(1900, 380, 2280)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def lasting(hours: int, minutes: int = 0, start: datetime = START) -> Span:
    return Span(start, start + hours * HOUR + minutes * MINUTE)


@pytest.mark.parametrize(
    ("start", "end", "counts"),
    [
        # The clocks show three days, of which the spring night took an hour.
        ("2027-03-26T12:00+01:00", "2027-03-29T12:00+02:00", False),
        ("2027-03-26T12:00+01:00", "2027-03-29T13:01+02:00", True),
        # And three days less half an hour, to which the autumn night added one.
        ("2027-10-29T12:00+02:00", "2027-11-01T11:30+01:00", True),
        ("2027-10-29T12:00+02:00", "2027-11-01T11:00+01:00", False),
    ],
)
def test_hours_in_a_row_are_real_ones_across_a_change_of_clocks(
    start: str, end: str, counts: bool
) -> None:
    assert bool(in_a_row([Span(at(start), at(end))], 72)) is counts


def test_two_outages_that_overlap_or_touch_are_one_stretch() -> None:
    first, second = lasting(40), lasting(40, start=START + 35 * HOUR)
    touching = lasting(40, start=START + 40 * HOUR)

    assert in_a_row([first, second], 72) == (lasting(75),)
    assert in_a_row([first, touching], 72) == (lasting(80),)
    assert in_a_row([first, lasting(40, start=START + 40 * HOUR + MINUTE)], 72) == ()


def test_no_second_of_two_outages_counts_twice() -> None:
    [one, two] = apart([[lasting(40)], [lasting(40, start=START + 35 * HOUR)]])

    assert seconds(one) == 40 * 3600
    assert seconds(two) == 35 * 3600
    assert apart([[lasting(80)], [lasting(10, start=START + HOUR)]])[1] == ()


def test_a_month_has_its_true_length() -> None:
    assert whole_days(date(2027, 3, 10), date(2027, 4, 10)).seconds == (31 * 24 - 1) * 3600
    assert whole_days(date(2027, 10, 10), date(2027, 11, 10)).seconds == (31 * 24 + 1) * 3600
    assert whole_days(date(2028, 1, 29), date(2028, 2, 29)).seconds == 31 * 24 * 3600
    assert whole_days(date(2028, 2, 29), date(2028, 3, 29)).seconds == 29 * 24 * 3600 - 3600


def test_the_credit_is_the_price_for_the_time_without_service() -> None:
    """80 hours of a month of 30 days: 22,80 × 80 ÷ 720 = 2,5333."""
    [credit] = credits(ESSENTIAL, 720 * 3600, [80 * 3600], most=2280)

    assert credit == Price(211, 42, 253)


def test_a_price_without_vat_gives_a_credit_without_vat() -> None:
    [credit] = credits(Price(1900, 0, 1900), 720 * 3600, [80 * 3600], most=1900)

    assert credit == Price(211, 0, 211)


def test_halves_are_rounded_up_and_a_free_plan_gives_nothing() -> None:
    assert credits(Price(1, 0, 1), 2, [1], most=1) == [Price(1, 0, 1)]
    assert credits(Price(0, 0, 0), 720, [80], most=0) == [Price(0, 0, 0)]


def test_an_outage_over_two_periods_gives_each_its_part() -> None:
    outage = lasting(80, start=at("2027-06-08T00:00+02:00"))
    june = whole_days(date(2027, 5, 10), date(2027, 6, 10))
    july = whole_days(date(2027, 6, 10), date(2027, 7, 10))

    parts = [seconds(common([outage], [period])) for period in (june, july)]

    assert parts == [48 * 3600, 32 * 3600]
    assert [credits(ESSENTIAL, june.seconds, [parts[0]], most=2280)] == [[Price(122, 25, 147)]]
    assert [credits(ESSENTIAL, july.seconds, [parts[1]], most=2280)] == [[Price(84, 17, 101)]]


def test_what_was_decided_is_not_credited_again() -> None:
    whole = 720 * 3600
    decided = Decided(80 * 3600, 42, 253)

    [more] = credits(ESSENTIAL, whole, [10 * 3600], decided=decided, most=2027)

    assert more.gross == 285 - 253  # 22,80 × 90 ÷ 720 in all
    assert to_credit([90 * 3600], [80 * 3600]) == [10 * 3600]
    assert to_credit([70 * 3600], [80 * 3600]) == [0]
    # An outage declared since, that the decided one had counted already.
    assert to_credit([60, 20], [0, 80]) == [0, 0]


def test_never_more_than_what_is_left_of_what_was_paid() -> None:
    assert credits(ESSENTIAL, 720, [720], most=1000) == [Price(833, 167, 1000)]
    assert credits(ESSENTIAL, 720, [720], most=-5) == [Price(0, 0, 0)]


@given(
    gross=st.integers(1, 90_000),
    taxed=st.booleans(),
    parts=st.lists(st.integers(0, 400_000), min_size=2, max_size=9).filter(any),
)
def test_credits_of_a_period_add_up_and_never_exceed_its_price(
    gross: int, taxed: bool, parts: list[int]
) -> None:
    """However a period is cut, the parts are the credit of the whole, to the cent."""
    vat = (gross + 3) // 6 if taxed else 0
    price = Price(gross - vat, vat, gross)

    found = credits(price, sum(parts), parts, most=gross)

    assert sum(one.gross for one in found) == gross
    assert sum(one.vat for one in found) == vat
    assert all(one.net + one.vat == one.gross and min(one) >= 0 for one in found)
    [at_once] = credits(price, sum(parts), [sum(parts[:2])], most=gross)
    assert found[0].gross + found[1].gross == at_once.gross
    decided = Decided(sum(parts), vat, gross)
    [again] = credits(price, sum(parts), [sum(parts)], decided=decided, most=gross)
    assert again.gross == 0


def test_a_credit_used_in_parts_ends_at_exactly_its_own_vat() -> None:
    credit = Price(2111, 422, 2533)
    parts = [take(credit, used, amount) for used, amount in ((0, 1000), (1000, 1000), (2000, 533))]

    assert sum(one.vat for one in parts) == 422
    assert sum(one.net for one in parts) == 2111
    assert all(one.net + one.vat == one.gross for one in parts)


def test_spans_are_added_and_taken_away() -> None:
    day = Span(at("2027-06-03T00:00+02:00"), at("2027-06-04T00:00+02:00"))
    noon = Span(at("2027-06-03T11:00+02:00"), at("2027-06-03T13:00+02:00"))

    assert seconds(without([day], [noon])) == 22 * 3600
    assert without([noon], [day]) == ()
    assert without([noon], []) == (noon,)
    assert merged([noon, day, noon]) == (day,)
    assert common([day], [noon]) == (noon,)
    assert common([day], []) == ()


def test_a_month_is_available_for_the_time_that_was_not_down() -> None:
    june = whole_days(date(2027, 6, 1), date(2027, 7, 1))

    assert availability(0, june.seconds) == 10_000
    assert availability(80 * 3600, june.seconds) == 8888
    # A second is enough for the month not to be whole.
    assert availability(1, june.seconds) == 9999
    assert availability(june.seconds, june.seconds) == 0


def test_twelve_months_end_with_this_one() -> None:
    months = calendar_months(date(2027, 2, 28))

    assert (months[0], months[-1], len(months)) == (date(2026, 3, 1), date(2027, 2, 1), 12)


@pytest.mark.parametrize(
    ("start", "end", "why"),
    [
        (1, None, "future"),
        (-1, 1, "future"),
        (-1, -1, "order"),
        (-1, -2, "order"),
        (-9000, -1, "length"),
    ],
)
def test_times_that_cannot_be_are_refused(start: int, end: int | None, why: str) -> None:
    with pytest.raises(BadOutageTimes) as refused:
        check_times(START + start * HOUR, None if end is None else START + end * HOUR, START)
    assert refused.value.details["why"] == why
