"""Which payment plans a buyer can have, and when what is due."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefront.instalments.rules import (
    PlanLine,
    PlanRefusal,
    morning_of,
    next_attempt,
    offers,
    plan,
    working_day,
)
from storefront.kernel.money import Money

ORDERED_ON = date(2026, 11, 24)
GOODS = PlanLine(instalments_max=4, is_subscription=False, supplied_at_once=True)
TRAINING = PlanLine(instalments_max=4, is_subscription=False, supplied_at_once=False)
CONTRACT = PlanLine(instalments_max=1, is_subscription=True, supplied_at_once=False)


def refusals(*lines: PlanLine, consumer: bool = True) -> list[PlanRefusal | None]:
    found = offers(
        lines, Money(40000), consumer=consumer, first_on=ORDERED_ON, interval="month", most=4
    )
    return [offer.refusal for offer in found]


@given(total=st.integers(1, 10**9), count=st.integers(1, 12))
def test_the_parts_make_the_price_and_the_cents_go_on_the_first(total: int, count: int) -> None:
    parts = [part.amount.minor for part in plan(Money(total), count, ORDERED_ON, "month")]

    assert sum(parts) == total
    assert parts[0] >= parts[-1]
    assert len(set(parts[1:])) <= 1


def test_months_are_counted_from_the_first_date() -> None:
    days = [part.due_on for part in plan(Money(40000), 4, date(2027, 1, 31), "month")]

    assert days == [date(2027, 1, 31), date(2027, 2, 28), date(2027, 3, 31), date(2027, 4, 30)]


def test_a_consumer_may_pay_goods_in_two_months_but_not_in_three() -> None:
    """PRE-10: beyond 50 days it is a consumer credit; 0 and 30 days pass, 0 to 61 do not."""
    assert refusals(GOODS) == [
        None,
        None,
        PlanRefusal.CONSUMER_CREDIT,
        PlanRefusal.CONSUMER_CREDIT,
    ]


def test_four_fortnights_fit_within_fifty_days() -> None:
    found = offers(
        [GOODS], Money(40000), consumer=True, first_on=ORDERED_ON, interval="fortnight", most=4
    )

    assert [offer.refusal for offer in found] == [None] * 4


def test_before_the_new_law_the_guard_did_not_apply() -> None:
    found = offers(
        [GOODS], Money(400), consumer=True, first_on=date(2026, 11, 19), interval="month", most=4
    )

    assert [offer.refusal for offer in found] == [None] * 4


def test_a_professional_and_a_training_may_take_four_months() -> None:
    assert refusals(GOODS, consumer=False) == [None] * 4
    assert refusals(TRAINING) == [None] * 4


def test_the_strictest_line_of_a_mixed_cart_decides() -> None:
    assert refusals(TRAINING, GOODS)[2] is PlanRefusal.CONSUMER_CREDIT
    once = PlanLine(instalments_max=1, is_subscription=False, supplied_at_once=False)
    assert refusals(TRAINING, once)[1] is PlanRefusal.PRODUCT


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
