"""Where a sale is taxed, at what rate, and what a line costs there (VAT-01, VAT-02)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from storefront.catalogue.rules.kinds import KIND_FACTS, PriceBasis, ProductKind, Supply, VatClass
from storefront.kernel.errors import Refusal
from storefront.kernel.money import vat_from_gross, vat_from_net


class Territory(StrEnum):
    """Where a sale is taxed, as far as the rate depends on it (VAT-02)."""

    METROPOLE = "metropole"
    CORSICA = "corsica"
    ANTILLES_REUNION = "antilles_reunion"  # Guadeloupe, Martinique, La Réunion: 8.5 %
    GUYANE_MAYOTTE = "guyane_mayotte"  # no VAT
    COLLECTIVITY = "collectivity"  # outside the VAT territory, like a third country
    MONACO = "monaco"  # taxed like mainland France, and not France itself
    EUROPEAN_UNION = "european_union"
    ELSEWHERE = "elsewhere"

    @property
    def is_french(self) -> bool:
        """Whether it is France, metropolitan or overseas (C-07)."""
        return self not in (Territory.MONACO, Territory.EUROPEAN_UNION, Territory.ELSEWHERE)

    @property
    def is_overseas(self) -> bool:
        """Whether goods leave for overseas: an export, with import taxes there (F-03, VAT-03)."""
        return self.is_french and self not in (Territory.METROPOLE, Territory.CORSICA)


EU_COUNTRIES = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split()
)
# Saint-Barthélemy and Saint-Martin have postcodes of Guadeloupe.
_ISLANDS = frozenset({"97133", "97150"})
# ISO gives codes of their own to parts of France, and to Monaco, which is taxed like France.
_BY_CODE = {
    **dict.fromkeys(("GP", "MQ", "RE"), Territory.ANTILLES_REUNION),
    **dict.fromkeys(("GF", "YT"), Territory.GUYANE_MAYOTTE),
    **dict.fromkeys(("BL", "MF", "NC", "PF", "PM", "TF", "WF"), Territory.COLLECTIVITY),
    "MC": Territory.MONACO,
}
OVERSEAS_COUNTRIES = frozenset(_BY_CODE) - {"MC"}


def territory_of(country: str, postcode: str) -> Territory:
    """The tax territory of an address: ISO country code, postcode as in France."""
    if country in EU_COUNTRIES:
        return Territory.EUROPEAN_UNION
    if country != "FR":
        return _BY_CODE.get(country, Territory.ELSEWHERE)
    if postcode.startswith(("975", "98")) and not postcode.startswith("980"):
        return Territory.COLLECTIVITY
    if postcode in _ISLANDS:
        return Territory.COLLECTIVITY
    if postcode.startswith(("971", "972", "974")):
        return Territory.ANTILLES_REUNION
    if postcode.startswith(("973", "976")):
        return Territory.GUYANE_MAYOTTE
    return Territory.CORSICA if postcode.startswith("20") else Territory.METROPOLE


class NotSoldThere(Refusal):
    """This kind cannot be sold to this place or to this kind of buyer there (C-07, VAT-06).

    Details: kind, reason ("support", "training", "eu_business", "country").
    """


@dataclass(frozen=True)
class SellerVat:
    """The seller's own tax position: rates of mainland France in basis points (VAT-01).

    `vies_required`: no reverse charge on a number whose life in VIES nobody has checked; such a
    business is asked to write instead.
    """

    standard_bp: int = 2000
    book_bp: int = 550
    franchise: bool = False
    vies_required: bool = False


@dataclass(frozen=True)
class VatRate:
    """The rate of one line; `exemption` says why it is 0: an article of the tax code.

    `franchise`, `training`, `export` (art. 262 I / 294-2), `overseas` (art. 294-1), `outside`
    (art. 259 B), `third_country` (a business beyond the Union, art. 259, 1°), `reverse_charge`
    (a business of the Union, art. 283-2); empty when taxed. The invoice turns it into the
    sentence that the law wants.
    """

    rate_bp: int
    exemption: str = ""


_BOOK_CORSICA_BP = 210  # CGI art. 297
_OVERSEAS_BP = 850  # CGI art. 296


def home_rate(vat_class: VatClass, seller: SellerVat) -> VatRate:
    """The rate in mainland France, which catalogue prices are given with."""
    if seller.franchise:
        return VatRate(0, "franchise")
    if vat_class is VatClass.TRAINING_EXEMPT:
        return VatRate(0, "training")
    return VatRate(seller.book_bp if vat_class is VatClass.BOOK else seller.standard_bp)


def vat_rate(
    kind: ProductKind,
    vat_class: VatClass,
    *,
    territory: Territory,
    professional: bool,
    seller: SellerVat,
    has_vat_number: bool = False,
) -> VatRate:
    """The rate of VAT-02's table for what is sold to this buyer at this place.

    `has_vat_number`: a business of the Union gave a well-formed number of its own country.
    In the European Union consumers, and businesses without one, pay the French rate (below the
    10 000 EUR threshold of CGI art. 259 D). Raises `NotSoldThere` for what the shop does not
    sell there: remote support outside France (C-07), trainings outside France (VAT-06), goods
    to businesses of the Union, goods beyond it.
    """
    facts = KIND_FACTS[kind]
    if facts.is_remote_support and not territory.is_french:
        raise NotSoldThere(kind=kind, reason="support")
    if facts.supply is Supply.TRAINING and not territory.is_french:
        raise NotSoldThere(kind=kind, reason="training")
    abroad = _supplied_abroad(kind, territory, professional, seller, has_vat_number)
    if abroad is not None:
        return abroad
    home = home_rate(vat_class, seller)
    if home.exemption or territory in _TAXED_AT_HOME:
        return home
    if territory is Territory.CORSICA:
        book = vat_class is VatClass.BOOK and facts.supply is Supply.GOODS
        return VatRate(_BOOK_CORSICA_BP) if book else home
    if facts.supply is Supply.GOODS:
        return VatRate(0, "export")
    if facts.supply is Supply.REMOTE_SERVICE and not professional:
        return home
    if territory is Territory.ANTILLES_REUNION:
        return VatRate(_OVERSEAS_BP)
    return VatRate(0, "overseas" if territory is Territory.GUYANE_MAYOTTE else "outside")


_TAXED_AT_HOME = (Territory.METROPOLE, Territory.MONACO, Territory.EUROPEAN_UNION)


def _supplied_abroad(
    kind: ProductKind,
    territory: Territory,
    professional: bool,
    seller: SellerVat,
    has_vat_number: bool,
) -> VatRate | None:
    """Where the place of supply itself lies outside France, whatever the seller's own regime."""
    electronic = KIND_FACTS[kind].supply is Supply.ELECTRONIC
    if territory is Territory.ELSEWHERE:
        if not electronic:
            raise NotSoldThere(kind=kind, reason="country")
        return VatRate(0, "third_country" if professional else "outside")
    if territory is Territory.EUROPEAN_UNION and professional:
        if not electronic or (has_vat_number and seller.vies_required):
            raise NotSoldThere(kind=kind, reason="eu_business")
        return VatRate(0, "reverse_charge") if has_vat_number else None
    return None


def shown_rate(
    kind: ProductKind, vat_class: VatClass, features: Mapping[str, Any], seller: SellerVat
) -> VatRate:
    """The rate that pages show a price with: mainland France's, unless it is not sold there.

    What `features.countries` keeps for other countries is shown as its buyers there pay it.
    """
    countries = features.get("countries")
    if not countries or "FR" in countries:
        return home_rate(vat_class, seller)
    return vat_rate(
        kind,
        vat_class,
        territory=territory_of(countries[0], ""),
        professional=bool(features.get("professionals_only")),
        seller=seller,
    )


def sold_in(features: Mapping[str, Any], country: str) -> bool:
    """Whether a product is meant for this country: for all of them, unless it names some."""
    countries = features.get("countries")
    return not countries or country in countries


@dataclass(frozen=True)
class LineAmounts:
    """What one line costs, in minor units: net + vat = gross, always."""

    net: int
    vat: int
    gross: int
    rate_bp: int
    exemption: str = ""


def price_of(
    unit_minor: int, quantity: int, basis: PriceBasis, *, home_bp: int, rate: VatRate
) -> LineAmounts:
    """The amounts of a line, the tax rounded once on the line (docs/algorithms/vat-rounding.md).

    Where the destination's rate differs from the home rate, the price before tax stays the same
    and the tax changes: overseas buyers of goods pay the price before tax (F-03).
    """
    amount = unit_minor * quantity
    if basis is PriceBasis.GROSS:
        split = vat_from_gross(amount, home_bp)
        if rate.rate_bp != home_bp:
            split = vat_from_net(split.net, rate.rate_bp)
    else:
        split = vat_from_net(amount, rate.rate_bp)
    return LineAmounts(split.net, split.vat, split.gross, rate.rate_bp, rate.exemption)
