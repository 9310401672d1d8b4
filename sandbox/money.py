"""Amounts: how many decimals a currency has, and how an amount reads in French."""

from decimal import Decimal

_NO_DECIMALS = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf".split())
_SYMBOLS = {"eur": "€", "usd": "$", "gbp": "£", "chf": "CHF", "jpy": "¥"}


def exponent(currency: str) -> int:
    """Decimals of the currency's minor unit (2 for EUR, 0 for JPY)."""
    return 0 if currency.lower() in _NO_DECIMALS else 2


def to_minor(value: str, currency: str) -> int:
    """`"180.00"` EUR is 18000. The caller has already checked the form of `value`."""
    return int(Decimal(value).scaleb(exponent(currency)))


def to_major(minor: int, currency: str) -> str:
    """18000 EUR is `"180.00"`."""
    places = exponent(currency)
    return f"{Decimal(minor).scaleb(-places):.{places}f}"


def french(minor: int, currency: str) -> str:
    """18000 EUR reads `180,00 €`, with narrow non-breaking spaces."""
    whole, _, cents = to_major(minor, currency).partition(".")
    grouped = f"{int(whole):,}".replace(",", "\u202f")
    amount = f"{grouped},{cents}" if cents else grouped
    return f"{amount}\u00a0{_SYMBOLS.get(currency.lower(), currency.upper())}"
