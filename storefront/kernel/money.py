"""Money: whole minor units of one currency, and ways of dividing it without losing a cent.

No binary or decimal fraction ever appears: an amount is an `int` of minor units (cents for EUR).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, Self

from storefront.kernel.errors import AmbiguousInput, CurrencyMismatch, UnreadableAmount

BASIS_POINTS = 10_000

# ISO 4217 minor units; every currency not listed has two decimals. A provider that counts
# differently converts in its own adapter.
_WITHOUT_DECIMALS = re.compile(
    "BIF|CLP|DJF|GNF|ISK|JPY|KMF|KRW|PYG|RWF|UGX|UYI|VND|VUV|XAF|XOF|XPF"
)
_THREE_DECIMALS = re.compile("BHD|IQD|JOD|KWD|LYD|OMR|TND")
_CURRENCY = re.compile(r"[A-Z]{3}")
# Fifteen digits before the mark: more than any price, less than a 64-bit column holds.
_MAJOR = re.compile(r"(-?)([0-9]{1,15})(?:[.,]([0-9]{1,9}))?")


@dataclass(frozen=True, slots=True)
class Money:
    """An amount: `minor` units of `currency` (ISO 4217). `Money(18000)` is 180.00 EUR.

    Amounts of one currency add, subtract, compare and multiply by whole numbers; mixing currencies
    raises `CurrencyMismatch`. There is no division: use `split` or `share`.
    """

    minor: int
    currency: str = "EUR"

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise TypeError(f"minor units are whole numbers, not {self.minor!r}")
        if not _CURRENCY.fullmatch(self.currency):
            raise ValueError(f"a currency is three capital letters, not {self.currency!r}")

    @classmethod
    def zero(cls, currency: str = "EUR") -> Self:
        """Return nothing at all, in this currency."""
        return cls(0, currency)

    @classmethod
    def from_major_string(cls, text: str, currency: str = "EUR") -> Self:
        """Read an amount in major units: `180`, `180.00`, `180,5`, `-3.10`.

        Point or comma, no separator of thousands. Raises `UnreadableAmount` for anything else, and
        `AmbiguousInput` for more decimals than the currency has: `1,234` may mean a thousand.
        """
        zero = cls.zero(currency)
        match = _MAJOR.fullmatch(text.strip())
        if match is None:
            raise UnreadableAmount(text=text, currency=currency)
        sign, whole, decimals = match[1], match[2], match[3] or ""
        if len(decimals) > zero.exponent:
            raise AmbiguousInput(text=text, currency=currency)
        minor = int(whole + decimals.ljust(zero.exponent, "0"))
        return cls(-minor if sign else minor, currency)

    @property
    def exponent(self) -> int:
        """Return how many decimals the currency has: 2 for EUR, 0 for JPY, 3 for TND."""
        if _WITHOUT_DECIMALS.fullmatch(self.currency):
            return 0
        return 3 if _THREE_DECIMALS.fullmatch(self.currency) else 2

    @property
    def is_zero(self) -> bool:
        """Whether there is nothing to pay."""
        return self.minor == 0

    def major_string(self) -> str:
        """Return the amount in major units for machines: `180.00`, `-0.05`, `500` for JPY."""
        sign = "-" if self.minor < 0 else ""
        digits = str(abs(self.minor)).rjust(self.exponent + 1, "0")
        if not self.exponent:
            return sign + digits
        return f"{sign}{digits[: -self.exponent]}.{digits[-self.exponent :]}"

    def split(self, parts: int) -> list[Self]:
        """Divide into equal parts; the minor units that do not divide all go on the first (M-02).

        The parts add up to the whole, and all but the first are equal. A negative amount is split
        like its opposite. Raises `ValueError` for fewer than one part.
        """
        if parts < 1:
            raise ValueError(f"an amount is split in at least one part, not {parts}")
        sign = -1 if self.minor < 0 else 1
        each, left_over = divmod(abs(self.minor), parts)
        minors = [each + left_over] + [each] * (parts - 1)
        return [type(self)(sign * minor, self.currency) for minor in minors]

    def __add__(self, other: "Money") -> Self:
        return type(self)(self.minor + self._minor_of(other), self.currency)

    def __sub__(self, other: "Money") -> Self:
        return type(self)(self.minor - self._minor_of(other), self.currency)

    def __mul__(self, times: int) -> Self:
        if type(times) is not int:
            raise TypeError(f"money is multiplied by whole numbers, not by {times!r}")
        return type(self)(self.minor * times, self.currency)

    __rmul__ = __mul__

    def __neg__(self) -> Self:
        return type(self)(-self.minor, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._minor_of(other)

    def __le__(self, other: "Money") -> bool:
        return self.minor <= self._minor_of(other)

    def __gt__(self, other: "Money") -> bool:
        return self.minor > self._minor_of(other)

    def __ge__(self, other: "Money") -> bool:
        return self.minor >= self._minor_of(other)

    def __str__(self) -> str:
        return f"{self.major_string()} {self.currency}"

    def _minor_of(self, other: "Money") -> int:
        if not isinstance(other, Money):
            raise TypeError(f"money goes with money, not with {other!r}")
        if other.currency != self.currency:
            raise CurrencyMismatch(left=str(self), right=str(other))
        return other.minor


def share(total: Money, weights: Sequence[int]) -> list[Money]:
    """Divide `total` in proportion to whole `weights`; the shares add up to it exactly.

    Share i is the rounded running total up to i less the one before, so no share is further than
    one minor unit from its exact value and a weight of 0 receives nothing. Raises `ValueError` when
    a weight is negative or all are 0.
    """
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0:
        raise ValueError(f"weights are positive or zero, not all zero: {list(weights)}")
    running = 0
    marks = [0]
    for weight in weights:
        running += weight
        marks.append(_round_half_up(total.minor * running, whole))
    return [Money(after - before, total.currency) for before, after in pairwise(marks)]


class NetAndVat(NamedTuple):
    """An amount taken apart, in minor units: what is the seller's and what is the State's."""

    net: int
    vat: int

    @property
    def gross(self) -> int:
        """Return what the customer pays, in minor units."""
        return self.net + self.vat


def vat_from_gross(gross_minor: int, rate_bp: int) -> NetAndVat:
    """Take the VAT out of a price that includes it. Rate in basis points: 2000 is 20 %.

    The VAT is rounded half up to the minor unit, away from zero for a credit, and the net is what
    remains: net + VAT is the gross, always. Raises `ValueError` for a rate outside 0 to 10 000.
    See docs/algorithms/vat-rounding.md.
    """
    _check_rate(rate_bp)
    vat = _round_half_up(gross_minor * rate_bp, BASIS_POINTS + rate_bp)
    return NetAndVat(net=gross_minor - vat, vat=vat)


def vat_from_net(net_minor: int, rate_bp: int) -> NetAndVat:
    """Put the VAT on a price that excludes it; same rounding and errors as `vat_from_gross`."""
    _check_rate(rate_bp)
    return NetAndVat(net=net_minor, vat=_round_half_up(net_minor * rate_bp, BASIS_POINTS))


def _check_rate(rate_bp: int) -> None:
    if not 0 <= rate_bp <= BASIS_POINTS:
        raise ValueError(f"a VAT rate is 0 to {BASIS_POINTS} basis points, not {rate_bp}")


def _round_half_up(numerator: int, denominator: int) -> int:
    """Round a fraction to the nearest whole number, halves away from zero."""
    magnitude = (2 * abs(numerator) + denominator) // (2 * denominator)
    return -magnitude if numerator < 0 else magnitude
