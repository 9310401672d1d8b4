"""Late interest, against docs/algorithms/late-interest.md and law.md's vector (LAT-01..04)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefront.kernel.money import Money
from storefront.legal.rules import interest
from storefront.legal.rules.interest import Creditor, RateNotPublished, late_interest
from tests.house.sources import ROOT

DOCUMENT = (ROOT / "docs" / "algorithms" / "late-interest.md").read_text(encoding="utf-8")


def table(heading: str) -> list[list[str]]:
    """The rows of the first table under a heading, without its head."""
    part = DOCUMENT.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line.strip("| ").split("|") for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def bp(percent: str) -> int:
    return int(Decimal(percent.removesuffix("%").strip()) * 100)


def test_the_worked_example_holds_line_by_line() -> None:
    *lines, total = table("Worked example")
    worked = late_interest(Money(100_000), date(2025, 12, 1), date(2026, 11, 21), multiplier=3)
    shown = [
        [
            str(one.starts_on),
            str(one.ends_on),
            str(one.days),
            f"{Decimal(one.rate_bp) / 100} %",
            one.amount.major_string(),
        ]
        for one in worked.segments
    ]
    assert shown == lines
    assert total[-1] == f"**{worked.total.major_string()}**"


def test_the_vector_of_the_law_notes() -> None:
    """LAT-04: 1,000 EUR between professionals, three times the legal rate."""
    worked = late_interest(Money(100_000), date(2025, 12, 1), date(2026, 11, 21), multiplier=3)
    assert worked.total == Money(7833)


def test_the_documented_rates_are_those_of_the_code() -> None:
    written = {}
    for half_year, *rates in table("The rates"):
        year, half = map(int, half_year.split("-"))
        written[date(year, 1 if half == 1 else 7, 1)] = tuple(bp(rate) for rate in rates)
    assert written == {
        row.starts_on: (row.individuals_bp, row.others_bp, row.ecb_bp) for row in interest.RATES
    }


def test_the_half_years_follow_one_another_each_with_its_source() -> None:
    for row, after in zip(interest.RATES, interest.RATES[1:], strict=False):
        assert row.ends_on == after.starts_on
    assert all(row.source for row in interest.RATES)


@pytest.mark.parametrize("day", [date(2021, 12, 31), date(2027, 1, 1), date(2030, 5, 5)])
def test_a_half_year_without_a_rate_raises_and_is_never_extrapolated(day: date) -> None:
    with pytest.raises(RateNotPublished) as missing:
        late_interest(Money(100_000), day, day + timedelta(days=1))
    assert missing.value.details["day"] == day


def test_interest_up_to_the_last_known_day_can_be_computed() -> None:
    until = interest.known_until()
    assert late_interest(Money(100_000), until - timedelta(days=1), until).total == Money(8)
    with pytest.raises(RateNotPublished):
        late_interest(Money(100_000), until - timedelta(days=1), until + timedelta(days=1))


def test_what_the_shop_owes_a_person_follows_the_other_column() -> None:
    start, end = date(2026, 7, 1), date(2026, 8, 1)
    owed = late_interest(Money(365_000), start, end, creditor=Creditor.INDIVIDUAL)
    assert [one.rate_bp for one in owed.segments] == [684]
    assert owed.total == Money(2120)


def test_a_contract_rate_never_goes_below_the_multiple_of_the_law() -> None:
    """10 % a year passes in 2026, not in 2023-S2, half-year by half-year (LAT-04)."""
    worked = late_interest(
        Money(100_000), date(2023, 6, 1), date(2026, 8, 1), multiplier=3, contract_bp=1000
    )
    rates = [one.rate_bp for one in worked.segments]
    assert rates == [1000, 1266, 1521, 1476, 1113, 1000, 1000, 1000]


def test_a_leap_day_is_a_day_like_another() -> None:
    worked = late_interest(Money(100_000), date(2024, 2, 28), date(2024, 3, 1))
    assert [one.days for one in worked.segments] == [2]
    assert worked.total == Money(28)  # 100 000 × 5.07 % × 2 / 365 = 27.78


def test_a_yen_has_no_cents() -> None:
    worked = late_interest(Money(1000, "JPY"), date(2026, 7, 1), date(2026, 7, 31))
    assert worked.total == Money(2, "JPY")


def test_nothing_is_due_before_the_first_day() -> None:
    nothing = late_interest(Money(100_000), date(2026, 8, 1), date(2026, 8, 1))
    assert nothing.segments == ()
    assert nothing.total == Money(0)


DAYS = st.dates(date(2022, 1, 1), date(2026, 12, 31))


@given(st.integers(0, 10**9), DAYS, DAYS, st.integers(1, 10), st.integers(0, 2000))
def test_segments_add_up_and_the_rounding_is_less_than_half_a_cent(
    minor: int, one: date, other: date, multiplier: int, contract_bp: int
) -> None:
    start, end = sorted((one, other))
    worked = late_interest(Money(minor), start, end, multiplier=multiplier, contract_bp=contract_bp)
    assert sum(part.amount.minor for part in worked.segments) == worked.total.minor
    assert sum(part.days for part in worked.segments) == (end - start).days
    exact = sum(
        Decimal(minor) * part.rate_bp * part.days / (10_000 * 365) for part in worked.segments
    )
    assert abs(exact - worked.total.minor) <= Decimal("0.5000001")
    assert all(part.amount.minor >= 0 for part in worked.segments)
