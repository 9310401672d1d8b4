"""What an invoice must say, what its lines add up to, what is credited of them. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from storefront.catalogue.rules import KIND_FACTS as PRODUCT_FACTS
from storefront.catalogue.rules import ProductKind, Supply
from storefront.kernel.money import Money, share

SERIES = "F"
CREDIT_SERIES = "A"


class Mention(StrEnum):
    """A sentence that the law wants on some invoices; its French stands in
    templates/invoicing/mentions/, and is frozen on the invoice when it is issued (INV-05)."""

    SIMULATION = "simulation"  # INV-12: not a real shop
    FRANCHISE = "franchise"  # CGI 293 B, 293 E
    TRAINING = "training"  # CGI 261, 4, 4° a (INV-06)
    EXPORT = "export"  # CGI 262 I, 294-2 (VAT-03)
    OVERSEAS = "overseas"  # CGI 294-1
    OUTSIDE = "outside"  # CGI 259 B
    THIRD_COUNTRY = "third_country"  # CGI 259, 1° (VAT-07)
    REVERSE_CHARGE = "reverse_charge"  # CGI 283-2, directive 2006/112/CE art. 196 (VAT-07)
    TRAINING_DECLARATION = "training_declaration"  # C. trav. R6351-6 (FOR-06)
    CATEGORY_GOODS = "category_goods"  # CGI ann. II 242 nonies A (INV-07)
    CATEGORY_SERVICES = "category_services"
    CATEGORY_MIXED = "category_mixed"
    DEBITS = "debits"  # CGI 269, 2, c: the seller's option (INV-07)
    NO_DISCOUNT = "no_discount"  # C. com. L441-9 (INV-01)
    LATE_PENALTIES = "late_penalties"  # C. com. L441-10 (LAT-01)
    RECOVERY_FEE = "recovery_fee"  # C. com. D441-5
    RETENTION_OF_TITLE = "retention_of_title"  # M-07


_BETWEEN_PROFESSIONALS = (Mention.NO_DISCOUNT, Mention.LATE_PENALTIES, Mention.RECOVERY_FEE)

_CATEGORIES = {
    frozenset({True}): Mention.CATEGORY_GOODS,
    frozenset({False}): Mention.CATEGORY_SERVICES,
    frozenset({True, False}): Mention.CATEGORY_MIXED,
}


def mentions(
    *,
    exemptions: Iterable[str],
    kinds: Iterable[ProductKind | None],
    professional: bool,
    on_debits: bool,
    simulation: bool,
) -> tuple[Mention, ...]:
    """The sentences for what these lines are and who buys them, in the order of the page.

    `exemptions` are the codes of the lines (empty: taxed), `kinds` the products' kinds (None:
    shipping, which follows the goods). Raises ValueError for a code that no sentence explains:
    an untaxed line without its article is no invoice.
    """
    supplies = {PRODUCT_FACTS[kind].supply for kind in kinds if kind is not None}
    goods = Supply.GOODS in supplies
    exempt = {Mention(code) for code in exemptions if code}
    wanted = {
        *exempt,
        *(_BETWEEN_PROFESSIONALS if professional else ()),
        _CATEGORIES[frozenset(supply is Supply.GOODS for supply in supplies) or _SERVICES],
        *({Mention.SIMULATION} if simulation else ()),
        *({Mention.TRAINING_DECLARATION} if Supply.TRAINING in supplies else ()),
        *({Mention.DEBITS} if on_debits else ()),
        *({Mention.RETENTION_OF_TITLE} if goods else ()),
    }
    return tuple(mention for mention in Mention if mention in wanted)


_SERVICES = frozenset({False})


def check_tax_currency(currency: str, vat_minor: int) -> None:
    """French VAT is stated in EUR (directive 2006/112/CE art. 230, VAT-07).

    What is priced in MAD goes to businesses of Morocco alone, which owe none: the shop needs no
    rate of exchange, for which the ECB would publish none. Raises ValueError for an invoice that
    would need one.
    """
    if vat_minor and currency != "EUR":
        raise ValueError(f"{vat_minor} of VAT in {currency}: French VAT is stated in EUR")


@dataclass(frozen=True)
class RateTotal:
    """What the lines of one rate add up to, in minor units; `exemption` tells zero rates apart."""

    vat_rate_bp: int
    exemption: str
    net_minor: int
    vat_minor: int


def totals_by_rate(lines: Sequence[tuple[int, str, int, int]]) -> tuple[RateTotal, ...]:
    """Sums of lines (rate in basis points, exemption, net, VAT) per rate, highest rate first.

    Nothing is rounded again: see docs/algorithms/vat-rounding.md.
    """
    sums: dict[tuple[int, str], tuple[int, int]] = {}
    for rate, exemption, net, vat in lines:
        net_before, vat_before = sums.get((rate, exemption), (0, 0))
        sums[rate, exemption] = (net_before + net, vat_before + vat)
    return tuple(
        RateTotal(rate, exemption, net, vat)
        for (rate, exemption), (net, vat) in sorted(sums.items(), reverse=True)
    )


def unit_net(net_minor: int, quantity: int) -> int:
    """The unit price before tax, rounded half up to the cent: it informs, the line's net counts.

    The tax is rounded once, on the line (docs/algorithms/vat-rounding.md).
    """
    return (2 * net_minor + quantity) // (2 * quantity)


def series_of(issued_on: date, letter: str = SERIES) -> str:
    """One series a year: `F-2026`, and `A-2026` for credit notes (INV-02)."""
    return f"{letter}-{issued_on.year}"


def number_of(series: str, sequence: int) -> str:
    """How an invoice is called: `F-2026-000012`."""
    return f"{series}-{sequence:06d}"


# What an invoice says of how it is to be paid has no place on a credit note.
NOT_CREDITED = frozenset({*_BETWEEN_PROFESSIONALS, Mention.RETENTION_OF_TITLE})


@dataclass(frozen=True)
class InvoicedLine:
    """A line of an invoice and what was credited of it so far, in minor units."""

    gross_minor: int
    vat_minor: int
    credited_minor: int = 0
    credited_vat_minor: int = 0

    @property
    def left(self) -> int:
        """What can still be credited of it."""
        return self.gross_minor - self.credited_minor


def folded(lines: Sequence[InvoicedLine]) -> list[InvoicedLine]:
    """The lines with each reduction (a negative line) taken off the lines before it.

    What a line was reduced by was never paid, so that it cannot be credited: the reduction itself
    becomes a line of nothing. The VAT of a reduction is that of its own amount.
    """
    found: list[InvoicedLine] = []
    for line in lines:
        gross, vat = -line.gross_minor, -line.vat_minor
        for at in reversed(range(len(found))) if gross > 0 else ():
            before = found[at]
            less = min(gross, before.gross_minor)
            tax = min(vat, before.vat_minor) if less == gross else before.vat_minor
            found[at] = replace(
                before, gross_minor=before.gross_minor - less, vat_minor=before.vat_minor - tax
            )
            gross, vat = gross - less, vat - tax
        found.append(line if line.gross_minor >= 0 else InvoicedLine(0, 0))
    return found


def credit(
    lines: Sequence[InvoicedLine], amount_minor: int, wanted: Sequence[int]
) -> list[tuple[int, int]]:
    """What is credited of each line: (gross, VAT) in minor units, adding up to the cent.

    `wanted` is the gross amount that was chosen for each line; what of the whole amount is not
    chosen, or chosen beyond what a line has left, is divided pro rata over what is left. Never
    more than the lines have left. The VAT follows the running total of its line, so that a line
    that is credited in parts ends at exactly its own VAT.
    """
    chosen = [min(asked, line.left) for asked, line in zip(wanted, lines, strict=True)]
    amount = min(amount_minor, sum(line.left for line in lines))
    over = sum(chosen) - amount
    for at in reversed(range(len(chosen))):
        if over > 0:
            less = min(over, chosen[at])
            chosen[at], over = chosen[at] - less, over - less
    rest = amount - sum(chosen)
    room = [line.left - taken for line, taken in zip(lines, chosen, strict=True)]
    more = [part.minor for part in share(Money(rest), room)] if rest else [0] * len(lines)
    return [
        (gross, _vat_of(line, gross))
        for line, gross in zip(
            lines, (sum(pair) for pair in zip(chosen, more, strict=True)), strict=True
        )
    ]


def _vat_of(line: InvoicedLine, gross: int) -> int:
    if line.gross_minor == 0:
        return 0
    running = line.credited_minor + gross
    vat = (2 * line.vat_minor * running + line.gross_minor) // (2 * line.gross_minor)
    return vat - line.credited_vat_minor
