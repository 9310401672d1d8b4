"""Taking VAT out and putting it on, sharing among lines, against their page."""

from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from storefront.kernel.money import Money, share, vat_from_gross, vat_from_net
from tests.kernel.worked_examples import table

PAGE = "vat-rounding.md"
MINORS = st.integers(-(10**12), 10**12)
RATES = st.one_of(st.sampled_from([0, 210, 550, 850, 1000, 2000]), st.integers(0, 10_000))
WEIGHTS = st.lists(st.integers(0, 10**6), min_size=1, max_size=12)


def cents(text: str) -> int:
    return Money.from_major_string(text).minor


@pytest.mark.parametrize(
    ("gross", "rate", "net", "vat"), table(PAGE, "Gross", "Rate (bp)", "Net", "VAT")
)
def test_each_price_of_the_page_that_includes_vat_is_taken_apart_as_shown(
    gross: str, rate: str, net: str, vat: str
) -> None:
    assert vat_from_gross(cents(gross), int(rate)) == (cents(net), cents(vat))


@pytest.mark.parametrize(
    ("net", "rate", "vat", "gross"), table(PAGE, "Net", "Rate (bp)", "VAT", "Gross")
)
def test_each_price_of_the_page_that_excludes_vat_is_completed_as_shown(
    net: str, rate: str, vat: str, gross: str
) -> None:
    parts = vat_from_net(cents(net), int(rate))
    assert parts == (cents(net), cents(vat))
    assert parts.gross == cents(gross)


@pytest.mark.parametrize(("total", "weights", "shares"), table(PAGE, "Total", "Weights", "Shares"))
def test_each_total_of_the_page_is_shared_as_shown(total: str, weights: str, shares: str) -> None:
    found = share(Money.from_major_string(total), [int(weight) for weight in weights.split(", ")])
    assert ", ".join(part.major_string() for part in found) == shares


@given(MINORS, RATES)
def test_net_and_vat_are_the_gross_and_within_half_a_cent_of_the_exact_tax(
    gross: int, rate: int
) -> None:
    parts = vat_from_gross(gross, rate)
    assert parts.net + parts.vat == parts.gross == gross
    assert abs(parts.vat - Fraction(gross * rate, 10_000 + rate)) <= Fraction(1, 2)


@given(MINORS, RATES)
def test_vat_on_a_net_is_within_half_a_cent_of_the_exact_tax(net: int, rate: int) -> None:
    parts = vat_from_net(net, rate)
    assert parts.net == net
    assert abs(parts.vat - Fraction(net * rate, 10_000)) <= Fraction(1, 2)


@given(MINORS, RATES)
def test_a_credit_takes_back_exactly_the_tax_that_was_charged(minor: int, rate: int) -> None:
    for taken_apart in (vat_from_gross, vat_from_net):
        charged, credited = taken_apart(minor, rate), taken_apart(-minor, rate)
        assert (credited.net, credited.vat) == (-charged.net, -charged.vat)


@given(MINORS, RATES)
def test_the_gross_of_a_net_gives_the_net_back(net: int, rate: int) -> None:
    assert vat_from_gross(vat_from_net(net, rate).gross, rate).net == net


@given(MINORS, WEIGHTS)
def test_shares_add_up_and_stay_within_a_cent_of_their_exact_value(
    minor: int, weights: list[int]
) -> None:
    assume(any(weights))
    shares = share(Money(minor), weights)
    assert sum(shares, Money.zero()) == Money(minor)
    for part, weight in zip(shares, weights, strict=True):
        assert abs(part.minor - Fraction(minor * weight, sum(weights))) <= 1
        assert weight or part.is_zero


@pytest.mark.parametrize("weights", [[], [0, 0], [3, -1]])
def test_nothing_is_shared_without_weights(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        share(Money(100), weights)


@pytest.mark.parametrize("rate", [-1, 10_001])
def test_a_rate_that_is_none_is_a_mistake(rate: int) -> None:
    with pytest.raises(ValueError, match="basis points"):
        vat_from_gross(100, rate)
    with pytest.raises(ValueError, match="basis points"):
        vat_from_net(100, rate)
