"""Which payment plans a buyer can have, and when what is due."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefront.catalogue.rules import OwnParts
from storefront.instalments.rules import (
    Course,
    Interval,
    PlanLine,
    PlanOffer,
    PlanRefusal,
    course_plan,
    morning_of,
    next_attempt,
    offers,
    plan,
    reduced,
    working_day,
)
from storefront.kernel.calendar import withdrawal_last_day
from storefront.kernel.money import Money

ORDERED_ON = date(2026, 11, 24)
PRICE = Money(40000)
GOODS = PlanLine(PRICE, 4, supplied_on=ORDERED_ON)
CONTRACT = PlanLine(PRICE, 1, supplied_on=ORDERED_ON, is_subscription=True)
SESSION = PlanLine(PRICE, 4, supplied_on=date(2027, 2, 16))


def individual(starts_on: date, ends_on: date, ordered_on: date = ORDERED_ON) -> PlanLine:
    """A training that somebody pays for themselves."""
    ends = max(withdrawal_last_day(ordered_on, 14), ordered_on + timedelta(days=10))
    course = Course(starts_on, ends_on, withdrawal_ends_on=ends, first_share_max_bp=3000)
    return PlanLine(PRICE, 4, supplied_on=ends_on, course=course)


ONLINE = individual(ORDERED_ON, ORDERED_ON)
IN_FEBRUARY = individual(date(2027, 2, 15), date(2027, 2, 16))


def found(
    *lines: PlanLine,
    consumer: bool = True,
    today: date = ORDERED_ON,
    interval: Interval = "month",
) -> tuple[PlanOffer, ...]:
    return offers(lines, consumer=consumer, today=today, interval=interval, most=4)


def refusals(*lines: PlanLine, consumer: bool = True) -> list[PlanRefusal | None]:
    return [offer.refusal for offer in found(*lines, consumer=consumer)]


def shown(offer: PlanOffer) -> list[tuple[date, int]]:
    return [(part.due_on, part.amount.minor) for part in offer.instalments]


@given(total=st.integers(1, 10**9), count=st.integers(1, 12))
def test_the_parts_make_the_price_and_the_cents_go_on_the_first(total: int, count: int) -> None:
    parts = [part.amount.minor for part in plan(Money(total), count, ORDERED_ON, "month")]

    assert sum(parts) == total
    assert parts[0] >= parts[-1]
    assert len(set(parts[1:])) <= 1


def test_parts_by_percentage_make_the_price_too() -> None:
    parts = plan(Money(10001), 3, ORDERED_ON, "month", shares=(50, 30, 20))

    assert [part.amount.minor for part in parts] == [5001, 3000, 2000]


def test_months_are_counted_from_the_first_date() -> None:
    days = [part.due_on for part in plan(PRICE, 4, date(2027, 1, 31), "month")]

    assert days == [date(2027, 1, 31), date(2027, 2, 28), date(2027, 3, 31), date(2027, 4, 30)]


def test_a_consumer_may_pay_goods_in_two_months_but_not_in_three() -> None:
    """PRE-10: beyond 50 days it is a consumer credit; 0 and 30 days pass, 0 to 61 do not."""
    credit = PlanRefusal.CONSUMER_CREDIT
    assert refusals(GOODS) == [None, None, credit, credit]


def test_four_fortnights_fit_within_fifty_days() -> None:
    assert [offer.refusal for offer in found(GOODS, interval="fortnight")] == [None] * 4


def test_before_the_new_law_the_guard_did_not_apply() -> None:
    before = date(2026, 11, 19)
    line = PlanLine(PRICE, 4, supplied_on=before)

    assert [offer.refusal for offer in found(line, today=before)] == [None] * 4


def test_a_professional_may_take_four_months_whatever_is_bought() -> None:
    assert refusals(GOODS, consumer=False) == [None] * 4
    assert refusals(SESSION, consumer=False) == [None] * 4


def test_nothing_of_an_individuals_training_is_due_before_the_withdrawal_period_is_over() -> None:
    """FOR-03: 24 November and 14 days: the 8th of December is the last day to withdraw."""
    once, twice, thrice, fourfold = found(ONLINE)

    assert once.refusal is PlanRefusal.TRAINING
    assert shown(twice) == [(date(2026, 12, 9), 12000), (date(2027, 1, 9), 28000)]
    assert twice.refusal is None
    assert thrice.refusal is fourfold.refusal is PlanRefusal.CONSUMER_CREDIT


def test_what_follows_the_first_part_of_a_session_waits_for_the_session() -> None:
    """FOR-03: 30 % at most, then never more than was delivered."""
    _, twice, thrice, fourfold = found(IN_FEBRUARY)

    assert shown(twice) == [(date(2026, 12, 9), 12000), (date(2027, 2, 16), 28000)]
    assert shown(thrice) == [
        (date(2026, 12, 9), 12000),
        (date(2027, 2, 16), 14000),
        (date(2027, 3, 16), 14000),
    ]
    assert (twice.refusal, thrice.refusal) == (None, None)
    assert fourfold.refusal is PlanRefusal.CONSUMER_CREDIT


def test_a_long_training_is_paid_at_half_three_quarters_and_the_end() -> None:
    """The example of FOR-03: four quarters, released at 50, 75 and 100 % delivered."""
    line = individual(date(2027, 1, 1), date(2027, 12, 31))
    fourfold = found(line)[3]

    assert fourfold.refusal is None
    assert shown(fourfold) == [
        (date(2026, 12, 9), 10000),
        (date(2027, 7, 2), 10000),
        (date(2027, 10, 1), 10000),
        (date(2027, 12, 31), 10000),
    ]


@given(
    ordered_on=st.dates(date(2026, 11, 20), date(2036, 12, 31)),
    ahead=st.integers(0, 400),
    length=st.integers(0, 400),
    price=st.integers(2, 10**7),
    count=st.integers(2, 4),
)
def test_an_individual_never_pays_more_than_the_law_lets_be_asked(
    ordered_on: date, ahead: int, length: int, price: int, count: int
) -> None:
    starts = ordered_on + timedelta(days=ahead)
    line = individual(starts, starts + timedelta(days=length), ordered_on)
    assert line.course is not None
    parts = course_plan(Money(price), count, line.course, "month")

    assert sum(part.amount.minor for part in parts) == price
    assert parts[0].due_on > line.course.withdrawal_ends_on
    assert parts[0].amount.minor * 10 <= price * 3
    paid = parts[0].amount.minor
    for before, part in pairwise(parts):
        assert part.due_on > before.due_on
        paid += part.amount.minor
        assert line.course.delivered_on(paid, price) <= part.due_on


@given(ordered_on=st.dates(date(2026, 11, 20), date(2036, 12, 31)), ahead=st.integers(0, 400))
def test_an_individual_is_always_offered_one_lawful_plan(ordered_on: date, ahead: int) -> None:
    starts = ordered_on + timedelta(days=ahead)
    line = individual(starts, starts, ordered_on)

    assert found(line, today=ordered_on)[1].refusal is None


def test_goods_beside_a_training_are_paid_at_order() -> None:
    twice = found(ONLINE, GOODS)[1]

    assert shown(twice) == [
        (ORDERED_ON, 40000),
        (date(2026, 12, 9), 12000),
        (date(2027, 1, 9), 28000),
    ]


def test_two_trainings_are_debited_on_the_same_days() -> None:
    twice = found(ONLINE, ONLINE)[1]

    assert shown(twice) == [(date(2026, 12, 9), 24000), (date(2027, 1, 9), 56000)]


def test_the_strictest_line_of_a_mixed_cart_decides() -> None:
    once = PlanLine(PRICE, 1, supplied_on=ORDERED_ON)

    assert refusals(SESSION, once)[1] is PlanRefusal.PRODUCT
    assert refusals(SESSION, GOODS)[2] is PlanRefusal.CONSUMER_CREDIT


def test_a_monthly_contract_is_not_split_further() -> None:
    assert refusals(CONTRACT) == [None, *[PlanRefusal.SUBSCRIPTION] * 3]


@pytest.mark.parametrize(
    ("attempts", "expected"),
    [(1, date(2026, 12, 27)), (2, date(2026, 12, 30)), (3, date(2027, 1, 2)), (4, None)],
)
def test_each_retry_comes_three_days_after_the_one_before(
    attempts: int, expected: date | None
) -> None:
    assert next_attempt(date(2026, 12, 24), attempts, (3, 3, 3)) == expected


def test_nothing_is_debited_before_the_morning() -> None:
    day = date(2026, 12, 24)

    assert morning_of(day) == datetime(2026, 12, 24, 5, 0, tzinfo=UTC)
    assert working_day(morning_of(day) - timedelta(seconds=1)) == date(2026, 12, 23)
    assert working_day(morning_of(day)) == day


def own(*shares: int, after: int = 0, line: PlanLine = SESSION) -> PlanLine:
    return replace(line, own=OwnParts(shares, after), instalments_max=len(shares))


def test_own_parts_take_the_place_of_equal_ones() -> None:
    once, twice, thrice, fourfold = found(own(50, 20, 30), consumer=False)

    assert shown(once) == [(ORDERED_ON, 40000)]
    assert [part.amount.minor for part in thrice.instalments] == [20000, 8000, 12000]
    assert twice.refusal is fourfold.refusal is PlanRefusal.PRODUCT
    assert once.refusal is thrice.refusal is None


def test_the_first_of_the_own_parts_can_wait() -> None:
    twice = found(own(50, 50, after=30), consumer=False)[1]

    assert shown(twice) == [(date(2026, 12, 24), 20000), (date(2027, 1, 24), 20000)]


def test_own_parts_of_a_consumer_that_last_too_long_are_refused_as_a_credit() -> None:
    """PRE-10 counts from the supply, whatever the shares are."""
    assert refusals(own(90, 10, after=19, line=GOODS))[1] is None
    assert refusals(own(90, 10, after=21, line=GOODS))[1] is PlanRefusal.CONSUMER_CREDIT
    assert refusals(own(50, 50, after=60, line=GOODS))[0] is None


def test_other_lines_of_the_cart_are_split_evenly_beside_own_parts() -> None:
    twice = found(own(70, 30, after=10), GOODS, consumer=False)[1]

    assert shown(twice) == [
        (ORDERED_ON, 20000),
        (date(2026, 12, 4), 28000),
        (date(2026, 12, 24), 20000),
        (date(2027, 1, 4), 12000),
    ]


def test_an_individuals_own_parts_begin_after_the_period_and_with_thirty_percent() -> None:
    twice = found(own(50, 50, line=IN_FEBRUARY))[1]

    assert shown(twice) == [(date(2026, 12, 9), 12000), (date(2027, 2, 16), 28000)]


def test_where_own_parts_would_be_a_credit_an_individual_has_those_of_the_law() -> None:
    late = found(own(20, 80, after=60, line=ONLINE))[1]

    assert late.refusal is None
    assert shown(late) == shown(found(ONLINE)[1])


@given(
    shares=st.lists(st.integers(1, 60), min_size=2, max_size=4),
    after=st.integers(0, 60),
    ahead=st.integers(0, 200),
    price=st.integers(100, 10**6),
)
def test_own_parts_never_ask_an_individual_for_more_than_the_law_lets(
    shares: list[int], after: int, ahead: int, price: int
) -> None:
    course = individual(ORDERED_ON + timedelta(days=ahead), ORDERED_ON + timedelta(days=ahead + 9))
    line = replace(own(*shares, after=after, line=course), gross=Money(price))
    for offer in found(line)[1:]:
        if offer.refusal is None:
            assert line.course is not None
            parts = offer.instalments
            assert sum(part.amount.minor for part in parts) == price
            assert parts[0].due_on > line.course.withdrawal_ends_on
            assert parts[0].amount.minor * 10 <= price * 3
    assert found(line)[1].refusal is None


@given(st.lists(st.integers(0, 90_000), min_size=1, max_size=6), st.data())
def test_parts_are_smaller_by_exactly_what_is_not_owed_any_more(
    parts: list[int], data: st.DataObject
) -> None:
    less = data.draw(st.integers(0, sum(parts)))
    left = reduced(parts, less)
    assert sum(left) == sum(parts) - less
    assert all(0 <= after <= before for after, before in zip(left, parts, strict=True))


def test_no_more_than_is_owed_can_be_taken_off() -> None:
    with pytest.raises(ValueError, match="101 of 100"):
        reduced([60, 40], 101)
