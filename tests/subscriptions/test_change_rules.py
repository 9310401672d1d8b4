"""What a change of plan costs, and what the document says of it (B-07)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefront.kernel.calendar import add_months, start_of_day
from storefront.kernel.money import vat_from_net
from storefront.subscriptions import rules
from storefront.subscriptions.rules import Direction, LimitChange, contract_of

DOCUMENT = Path(__file__).parents[2] / "docs" / "algorithms" / "plan-changes.md"
ROW = re.compile(r"\| (\d{4}-\d\d-\d\d) to (\S+) \| (\S+) \|" + r" ([\d.]+) \|" * 6)

FREE = {"family": "annuaire", "rank": 0, "entitlements": ["page"], "limits": {"photos": 3}}
PAID = {"family": "annuaire", "rank": 1, "entitlements": ["page", "mail"], "limits": {"photos": 12}}


def cents(text: str) -> int:
    return round(Fraction(text) * 100)


ROWS = ROW.findall(DOCUMENT.read_text(encoding="utf-8"))


def test_the_document_has_examples():
    assert len(ROWS) == 6


@pytest.mark.parametrize("row", ROWS)
def test_the_examples_of_the_document_hold(row: tuple[str, ...]):
    starts, ends, at, old, new, share, credit, net, gross = row
    parts = rules.pro_rata(
        cents(new),
        cents(old),
        cents(old),
        date.fromisoformat(starts),
        date.fromisoformat(ends),
        datetime.fromisoformat(at),
    )
    assert (parts.share, parts.credit, parts.net) == (cents(share), cents(credit), cents(net))
    paid, full = vat_from_net(cents(old), 2000).gross, vat_from_net(cents(new), 2000).gross
    assert rules.due_now(parts.net, 2000, full, paid).gross == cents(gross)


def test_a_month_with_a_change_of_clocks_counts_its_own_hours():
    spring = rules.pro_rata(1, 0, 0, date(2027, 3, 1), date(2027, 4, 1), start(date(2027, 3, 1)))
    autumn = rules.pro_rata(1, 0, 0, date(2027, 10, 1), date(2027, 11, 1), start(date(2027, 10, 1)))
    assert spring.whole == (31 * 24 - 1) * 3600
    assert autumn.whole == (31 * 24 + 1) * 3600


def start(day: date) -> datetime:
    return start_of_day(day)


def test_the_credit_is_never_above_what_was_really_paid():
    """A period that was given back in part, or given, is worth what it cost."""
    at = start(date(2026, 11, 24))
    parts = rules.pro_rata(4900, 1900, 700, date(2026, 11, 24), date(2026, 12, 24), at)
    assert (parts.credit, parts.net) == (700, 4200)


@pytest.mark.parametrize("at", [date(2026, 11, 23), date(2026, 12, 24)])
def test_an_instant_outside_the_period_has_no_price(at: date):
    with pytest.raises(ValueError, match="not within"):
        rules.pro_rata(4900, 1900, 1900, date(2026, 11, 24), date(2026, 12, 24), start(at))


PRICES = st.lists(st.integers(1, 60_000), min_size=2, max_size=6)
RATES = st.sampled_from([0, 210, 550, 850, 2000])


@st.composite
def ups(draw: st.DrawFn) -> tuple[date, date, list[tuple[int, datetime]]]:
    """A period, and the plans that it went up to with their instants; the first one opened it."""
    day = draw(st.dates(date(2026, 1, 1), date(2030, 12, 31)))
    end = add_months(day, draw(st.sampled_from([1, 12])))
    prices = draw(PRICES)
    length = (start(end) - start(day)) // timedelta(seconds=1)
    moments = sorted(draw(st.lists(st.integers(0, length - 1), min_size=6, max_size=6)))
    instants = [start(day) + timedelta(seconds=one) for one in moments]
    return day, end, list(zip(prices, instants, strict=False))


@given(ups(), RATES)
def test_any_sequence_of_upgrades_adds_up(
    period: tuple[date, date, list[tuple[int, datetime]]], rate: int
):
    """Within one cent a step of what the exact shares come to, never above the dearest plan."""
    day, end, steps = period
    second = timedelta(seconds=1)
    whole = (start(end) - start(day)) // second
    paid = vat_from_net(steps[0][0], rate)
    net, vat, covered, exact = paid.net, paid.vat, paid.net, Fraction(paid.net)
    for price, at in steps[1:]:
        parts = rules.pro_rata(price, covered, net, day, end, at)
        full = vat_from_net(price, rate)
        due = rules.due_now(parts.net, rate, full.gross, net + vat)
        assert due.net >= 0
        assert due.vat >= 0
        assert due.gross <= full.gross
        assert parts.credit <= net
        exact += max(0, price - covered) * Fraction((start(end) - at) // second, whole)
        net, vat, covered = net + due.net, vat + due.vat, max(covered, price)
    dearest = vat_from_net(covered, rate)
    assert net <= dearest.net
    assert net + vat <= dearest.gross
    assert abs(net - exact) <= len(steps) - 1
    assert vat <= vat_from_net(net, rate).vat + len(steps)


@given(ups())
def test_going_straight_up_costs_the_same_as_in_two_steps_at_once(
    period: tuple[date, date, list[tuple[int, datetime]]],
):
    day, end, steps = period
    prices, at = sorted(price for price, _ in steps), steps[-1][1]
    straight = rules.pro_rata(prices[-1], prices[0], prices[0], day, end, at).net
    paid = covered = prices[0]
    for price in prices[1:]:
        more = rules.pro_rata(price, covered, paid, day, end, at).net
        paid, covered = paid + more, price
    assert paid - prices[0] == straight


def test_what_opens_closes_and_is_counted_otherwise_is_named():
    down = rules.difference(contract_of(PAID), contract_of(FREE))
    assert (down.gained, down.lost) == ((), ("mail",))
    assert down.limits == (LimitChange("photos", 12, 3),)
    assert down.limits[0].narrows
    unlimited = contract_of({**PAID, "limits": {"photos": None}})
    up = rules.difference(contract_of(PAID), unlimited)
    assert up.limits == (LimitChange("photos", 12, None),)
    assert not up.limits[0].narrows
    assert rules.difference(unlimited, contract_of(FREE)).limits[0].narrows


@pytest.mark.parametrize(
    "other",
    [
        {"family": "autre"},
        {"rank": 1},
        {"billing_interval": "year"},
        {"commitment_months": 12},
        {"included_minutes": 60},
        {"renewal": "tacit"},
    ],
)
def test_only_comparable_plans_are_changed_for_one_another(other: dict[str, object]):
    paid = contract_of(PAID)
    assert rules.comparable(paid, contract_of({**PAID, "rank": 2}))
    assert not rules.comparable(paid, contract_of({**PAID, "rank": 2, **other}))
    assert not rules.comparable(contract_of({}), contract_of({"rank": 2}))


def test_rank_alone_says_up_or_down():
    assert rules.direction(contract_of(FREE), contract_of(PAID)) is Direction.UP
    assert rules.direction(contract_of(PAID), contract_of(FREE)) is Direction.DOWN


def test_the_second_is_counted_whatever_the_zone_of_the_instant():
    day, end = date(2026, 11, 24), date(2026, 12, 24)
    noon = datetime(2026, 12, 1, 11, tzinfo=UTC)
    paris = datetime.fromisoformat("2026-12-01T12:00:00+01:00")
    assert rules.pro_rata(4900, 1900, 1900, day, end, noon) == rules.pro_rata(
        4900, 1900, 1900, day, end, paris
    )
