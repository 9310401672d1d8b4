"""What goes back of a line, against docs/algorithms/what-is-due-back.md (W-02..W-08, L242-4)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storefront.catalogue.rules import WithdrawalKind
from storefront.kernel.money import Money
from storefront.legal.rules.interest import RateNotPublished
from storefront.withdrawals.rules import (
    Basis,
    Line,
    Part,
    Timing,
    Unit,
    due_back,
    late_refund,
    paid_by_line,
    spread_over,
    worked_until,
)
from tests.kernel.worked_examples import table

pytestmark = pytest.mark.once

PAGE = "what-is-due-back.md"
EXAMPLES = table(
    PAGE,
    *("regime", "buyer", "standing", "asked", "confirmed", "supplied", "of"),
    *("price", "paid", "went back", "ground", "due", "kept"),
)
LATE = table(PAGE, "due", "refund by", "given back on", "percent", "increase")
START = datetime(2026, 11, 24, 9, tzinfo=UTC)


def cents(text: str) -> int:
    return Money.from_major_string(text).minor


def hours(minutes: int, whole: int = 300, price: int = 44_900) -> Part:
    return Part(price, Unit.MINUTES, minutes, whole)


@pytest.mark.parametrize("row", EXAMPLES, ids=lambda row: f"{row[0]}-{row[10]}-{row[11]}")
def test_a_worked_example_holds(row: tuple[str, ...]) -> None:
    regime, buyer, standing, asked, confirmed, supplied, whole = row[:7]
    price, paid, back, ground, due, kept = row[7:]
    line = Line(
        regime=WithdrawalKind(regime),
        timing=Timing(standing),
        paid_minor=cents(paid),
        given_back_minor=cents(back),
        consumer=buyer == "consumer",
        consented=asked == "yes",
        informed=confirmed == "yes",
        begun=int(supplied) > 0,
        parts=(Part(cents(price), Unit.DAYS, int(supplied), int(whole)),),
        contractual=buyer.startswith("contractual"),
        used=buyer.endswith("used"),
    )
    found = due_back(line)
    assert (found.basis.value, found.due_minor, found.kept_minor) == (
        ground,
        cents(due),
        cents(kept),
    )


def test_every_ground_has_a_worked_example_or_a_test_of_its_own() -> None:
    shown = {Basis(row[10]) for row in EXAMPLES}
    assert set(Basis) - shown == {Basis.DELIVERY, Basis.DELIVERY_KEPT}


def test_the_delivery_follows_the_goods_without_what_an_express_one_cost_more() -> None:
    plain = Line(regime=None, timing=Timing.IN_TIME, paid_minor=690)
    assert due_back(plain).due_minor == 690
    express = Line(regime=None, timing=Timing.IN_TIME, paid_minor=1490, surplus_minor=800)
    assert due_back(express).due_minor == 690
    kept = Line(regime=None, timing=Timing.IN_TIME, paid_minor=690, kept_goods=True)
    assert (due_back(kept).basis, due_back(kept).due_minor) == (Basis.DELIVERY_KEPT, 0)


def test_a_bundle_is_worth_the_share_of_each_product_that_was_supplied() -> None:
    """Two lessons of four of the dearer product, none of the other: half of its share."""
    parts = (Part(40_000, Unit.LESSONS, 2, 4), Part(20_000, Unit.LESSONS, 0, 3))
    line = service(parts, paid=60_000)
    assert due_back(line).worth_minor == 20_000
    assert due_back(line).due_minor == 40_000


def test_a_contract_that_goes_on_ends_even_on_the_last_day_of_a_period() -> None:
    whole = service((Part(2280, Unit.DAYS, 30, 30),), paid=2280, continues=True)
    assert due_back(whole).basis is Basis.PRO_RATA
    assert due_back(whole).ends_contract
    assert due_back(whole).due_minor == 0


def service(parts: tuple[Part, ...], *, paid: int, continues: bool = False) -> Line:
    return Line(
        regime=WithdrawalKind.SERVICE,
        timing=Timing.IN_TIME,
        paid_minor=paid,
        consented=True,
        informed=True,
        continues=continues,
        parts=parts,
    )


PARTS = st.builds(
    Part,
    price_minor=st.integers(0, 500_000),
    unit=st.sampled_from(Unit),
    supplied=st.integers(0, 1000),
    whole=st.integers(1, 600),
)
LINES = st.builds(
    Line,
    regime=st.sampled_from([None, *WithdrawalKind]),
    timing=st.sampled_from(Timing),
    paid_minor=st.integers(0, 500_000),
    given_back_minor=st.integers(0, 500_000),
    consumer=st.booleans(),
    consented=st.booleans(),
    informed=st.booleans(),
    begun=st.booleans(),
    continues=st.booleans(),
    parts=st.lists(PARTS, max_size=3).map(tuple),
    contractual=st.booleans(),
    used=st.booleans(),
    surplus_minor=st.integers(0, 2000),
    kept_goods=st.booleans(),
)


@given(LINES)
@settings(max_examples=300)
def test_what_goes_back_is_within_what_was_paid_and_comes_out_the_same(line: Line) -> None:
    found = due_back(line)
    left = max(line.paid_minor - line.given_back_minor, 0)
    assert 0 <= found.due_minor <= left
    assert found.due_minor + found.kept_minor == left
    assert due_back(line) == found


@given(st.integers(1, 600), st.integers(0, 600), st.integers(0, 500_000))
@settings(max_examples=100)
def test_more_supplied_never_gives_more_back(whole: int, supplied: int, price: int) -> None:
    less = due_back(service((hours(supplied, whole, price),), paid=price))
    more = due_back(service((hours(supplied + 1, whole, price),), paid=price))
    assert more.due_minor <= less.due_minor


@given(st.lists(st.integers(0, 90_000), min_size=1, max_size=6), st.data())
@settings(max_examples=100)
def test_what_came_is_spread_over_the_lines_to_the_cent(
    prices: list[int], data: st.DataObject
) -> None:
    paid = data.draw(st.integers(0, sum(prices)))
    deferred = data.draw(st.lists(st.booleans(), min_size=len(prices), max_size=len(prices)))
    shares = paid_by_line(Money(paid), prices, deferred)
    assert sum(shares) == paid
    assert all(0 <= share <= price for share, price in zip(shares, prices, strict=True))


def test_an_individuals_training_is_paid_after_everything_else() -> None:
    """Guide, toolbox, hours, training, delivery: 339.95 were paid at order, none for the course."""
    prices, course = [3900, 4900, 24500, 49000, 695], [False, False, False, True, False]
    assert paid_by_line(Money(33995), prices, course) == [3900, 4900, 24500, 0, 695]
    assert paid_by_line(Money(48695), prices, course) == [3900, 4900, 24500, 14700, 695]


def test_minutes_are_those_worked_until_the_declaration() -> None:
    def at(minutes: int) -> datetime:
        return START + timedelta(minutes=minutes)

    spans = [(at(0), at(40)), (at(60), at(90))]
    assert worked_until(spans, 65, at(600)) == 65  # as it was reported
    assert worked_until(spans, 65, at(70)) == 50  # its end came after
    assert worked_until([(at(0), None)], None, at(25)) == 25  # it still runs
    assert worked_until([(at(30), at(60))], 30, at(10)) == 0


def test_the_rest_of_a_slice_is_not_worked_on_the_last_lot() -> None:
    assert spread_over([60, 120], 70) == [60, 10]
    assert spread_over([60, 60], 40) == [40, 0]


@pytest.mark.parametrize("row", LATE, ids=lambda row: row[2])
def test_a_late_refund_costs_more_step_by_step(row: tuple[str, ...]) -> None:
    due, by, on, percent, increase = row
    found = late_refund(Money(cents(due)), date.fromisoformat(by), date.fromisoformat(on))
    if percent == "none":
        assert found is None
    else:
        assert found is not None
        assert (found.percent, found.increase.minor) == (int(percent), cents(increase))


def test_no_legal_rate_is_made_up() -> None:
    with pytest.raises(RateNotPublished):
        late_refund(Money(10_000), date(2031, 1, 10), date(2031, 1, 12))


@given(st.integers(1, 400))
@settings(max_examples=60)
def test_a_later_day_never_costs_less(days: int) -> None:
    by, due = date(2024, 1, 1), Money(44_900)
    one = late_refund(due, by, by + timedelta(days=days))
    other = late_refund(due, by, by + timedelta(days=days + 1))
    assert one is not None
    assert other is not None
    assert one.increase <= other.increase
