"""Amounts: what they hold, how they are written, what they refuse."""

import operator
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefront.kernel.errors import AmbiguousInput, CurrencyMismatch, UnreadableAmount
from storefront.kernel.money import Money

MINORS = st.integers(-(10**14), 10**14)
CURRENCIES = st.sampled_from(["EUR", "MAD", "JPY", "XPF", "TND"])


def test_amounts_of_one_currency_add_subtract_multiply_and_compare() -> None:
    price = Money(18_000)
    assert price + Money(50) == Money(18_050)
    assert price - Money(20_000) == Money(-2_000)
    assert price * 3 == 3 * price == Money(54_000)
    assert -price == Money(-18_000)
    assert sorted([price, Money(1), Money(-5)]) == [Money(-5), Money(1), price]
    assert Money(1) <= Money(1) >= Money(1) > Money(0) < Money(1)
    assert Money.zero().is_zero
    assert not price.is_zero


@pytest.mark.parametrize(
    "mix",
    [operator.add, operator.sub, operator.lt, operator.le, operator.gt, operator.ge],
)
def test_two_currencies_never_mix(mix: Callable[[Money, Money], object]) -> None:
    with pytest.raises(CurrencyMismatch) as refusal:
        mix(Money(100, "EUR"), Money(100, "MAD"))
    assert refusal.value.details == {"left": "1.00 EUR", "right": "1.00 MAD"}


def test_the_same_number_of_two_currencies_is_not_equal() -> None:
    assert Money(100, "EUR") != Money(100, "MAD")


@pytest.mark.parametrize("minor", [1.0, "1", True, None])
def test_only_whole_numbers_are_minor_units(minor: object) -> None:
    with pytest.raises(TypeError):
        Money(minor)  # type: ignore[arg-type]


@pytest.mark.parametrize("times", [0.5, True, Money(2)])
def test_money_is_multiplied_by_whole_numbers_only(times: object) -> None:
    with pytest.raises(TypeError):
        Money(100) * times  # type: ignore[operator]


def test_money_goes_with_money_only() -> None:
    with pytest.raises(TypeError):
        Money(100) + 5  # type: ignore[operator]


@pytest.mark.parametrize("currency", ["", "eur", "EURO", "€", "E R"])
def test_a_currency_is_three_capital_letters(currency: str) -> None:
    with pytest.raises(ValueError, match="currency"):
        Money(1, currency)


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(18_000), "180.00"),
        (Money(5), "0.05"),
        (Money(-5), "-0.05"),
        (Money(0), "0.00"),
        (Money(500, "JPY"), "500"),
        (Money(-500, "XPF"), "-500"),
        (Money(1_005, "TND"), "1.005"),
    ],
)
def test_an_amount_is_written_with_the_decimals_of_its_currency(money: Money, text: str) -> None:
    assert money.major_string() == text
    assert Money.from_major_string(text, money.currency) == money
    assert str(money) == f"{text} {money.currency}"


@pytest.mark.parametrize(
    ("text", "minor"), [("180", 18_000), ("180,5", 18_050), (" 0.10 ", 10), ("007", 700)]
)
def test_an_amount_is_read_with_point_or_comma(text: str, minor: int) -> None:
    assert Money.from_major_string(text) == Money(minor)


@pytest.mark.parametrize(
    "text",
    ["", "-", "abc", "1 234.00", "1.2.3", ".5", "5.", "1e3", "+5", "0x10", "١٢", "9" * 16, "NaN"],
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(UnreadableAmount):
        Money.from_major_string(text)


@pytest.mark.parametrize(("text", "currency"), [("1,234", "EUR"), ("1.000", "EUR"), ("5.0", "JPY")])
def test_more_decimals_than_the_currency_has_are_never_guessed_at(text: str, currency: str) -> None:
    with pytest.raises(AmbiguousInput):
        Money.from_major_string(text, currency)


@given(MINORS, CURRENCIES)
def test_every_amount_is_read_back_as_it_was_written(minor: int, currency: str) -> None:
    money = Money(minor, currency)
    assert Money.from_major_string(money.major_string(), currency) == money
