"""What is decided about an order: amounts, taxes, dates. Pure functions."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from storefront.catalogue.rules import (
    KIND_FACTS,
    KindFacts,
    LineAmounts,
    PriceBasis,
    ProductKind,
    SellerVat,
    Territory,
    VatClass,
    VatRate,
    WithdrawalKind,
    home_rate,
    price_of,
    territory_of,
    vat_rate,
)
from storefront.kernel.calendar import paris_date, withdrawal_last_day
from storefront.kernel.errors import Refusal
from storefront.kernel.moments import Moment


class BuyerKind(StrEnum):
    """As whom the customer buys: many rules differ by this (O-03, PRE-08)."""

    CONSUMER = "consumer"
    PROFESSIONAL = "professional"


@dataclass(frozen=True)
class Buyer:
    """Who buys, as typed and checked at checkout (O-03, O-05)."""

    kind: BuyerKind
    name: str
    email: str
    phone: str
    street: str
    postcode: str
    city: str
    street_2: str = ""
    country: str = "FR"
    company: str = ""
    siren: str = ""
    ice: str = ""  # the fifteen digits of a Moroccan company
    vat_number: str = ""

    @property
    def professional(self) -> bool:
        """Whether this is a business buying for its business."""
        return self.kind is BuyerKind.PROFESSIONAL

    @property
    def territory(self) -> Territory:
        """Where the sale is taxed."""
        return territory_of(self.country, self.postcode)

    @property
    def has_vat_number(self) -> bool:
        """Whether this business gave a VAT number of its own country, whose form was checked."""
        prefix = vat_prefix(self.country)
        return self.professional and self.vat_number.startswith(prefix)


def vat_prefix(country: str) -> str:
    """How the VAT numbers of a country of the Union begin: like its code, but for Greece."""
    return {"GR": "EL"}.get(country, country)


@dataclass(frozen=True)
class SaleLine:
    """What is about to be sold: everything that an order copies of it (C-05)."""

    product_id: uuid.UUID
    variant_id: uuid.UUID
    kind: ProductKind
    name: str
    quantity: int
    unit_price_minor: int
    price_basis: PriceBasis
    vat_class: VatClass
    withdrawal_kind: WithdrawalKind
    weight_g: int = 0
    instalments_max: int = 1
    particular_terms: str | None = None
    features: Mapping[str, Any] = field(default_factory=dict)
    characteristics: Sequence[Any] = ()
    session_starts_at: datetime | None = None
    session_ends_at: datetime | None = None
    session_place: str | None = None

    @property
    def facts(self) -> KindFacts:
        """What its kind implies."""
        return KIND_FACTS[self.kind]


@dataclass(frozen=True)
class PricedOrder:
    """The amounts of every line and of the whole, in minor units of one currency."""

    lines: tuple[tuple[SaleLine, LineAmounts], ...]
    shipping: LineAmounts | None
    shipping_class: VatClass
    currency: str

    @property
    def all_amounts(self) -> tuple[LineAmounts, ...]:
        """Every line's amounts, shipping last."""
        own = tuple(amounts for _, amounts in self.lines)
        return (*own, self.shipping) if self.shipping else own

    @property
    def net(self) -> int:
        """Before tax."""
        return sum(amounts.net for amounts in self.all_amounts)

    @property
    def vat(self) -> int:
        """The tax."""
        return sum(amounts.vat for amounts in self.all_amounts)

    @property
    def exemptions(self) -> tuple[str, ...]:
        """Why some of it bears no tax, each reason once (catalogue.rules.VatRate)."""
        codes = dict.fromkeys(amounts.exemption for amounts in self.all_amounts)
        return tuple(code for code in codes if code)

    @property
    def gross(self) -> int:
        """What the customer pays in all."""
        return sum(amounts.gross for amounts in self.all_amounts)


class TooHeavyToShip(Refusal):
    """No shipping price is set for such a weight. Details: weight_g, heaviest_g."""


# Zone of the seller's shipping table, by tax territory.
_ZONES = {
    Territory.METROPOLE: "metropole",
    Territory.CORSICA: "metropole",
    Territory.MONACO: "metropole",
    Territory.EUROPEAN_UNION: "european_union",
}

ShippingBands = Mapping[str, Sequence[tuple[int, int]]]


def shipping_fee(weight_g: int, territory: Territory, bands: ShippingBands) -> int:
    """What shipping costs, tax included, in minor units (F-02).

    `bands` gives by zone pairs (up to so many grams, price). Raises `TooHeavyToShip`.
    """
    zone = bands[_ZONES.get(territory, "overseas")]
    for up_to_g, fee in zone:
        if weight_g <= up_to_g:
            return fee
    raise TooHeavyToShip(weight_g=weight_g, heaviest_g=zone[-1][0])


def price_order(
    lines: Sequence[SaleLine],
    *,
    currency: str,
    territory: Territory,
    professional: bool,
    seller: SellerVat,
    bands: ShippingBands,
    has_vat_number: bool = False,
) -> PricedOrder:
    """What these lines cost this buyer at this place, shipping included.

    Shipping is taxed like the goods it carries. Raises `NotSoldThere` and `TooHeavyToShip`.
    """

    def rate_of(line: SaleLine) -> VatRate:
        return vat_rate(
            line.kind,
            line.vat_class,
            territory=territory,
            professional=professional,
            seller=seller,
            has_vat_number=has_vat_number,
        )

    priced = []
    for line in lines:
        home, rate = home_rate(line.vat_class, seller), rate_of(line)
        amounts = price_of(
            line.unit_price_minor, line.quantity, line.price_basis, home_bp=home.rate_bp, rate=rate
        )
        priced.append((line, amounts))
    goods = [pair for pair in priced if pair[0].facts.needs_shipping]
    if not goods:
        return PricedOrder(tuple(priced), None, VatClass.STANDARD, currency)
    # The highest of the goods' rates: never too little tax on a mixed parcel.
    carried, _ = max(goods, key=lambda pair: pair[1].rate_bp)
    weight = sum(line.weight_g * line.quantity for line, _ in goods)
    shipping = price_of(
        shipping_fee(weight, territory, bands),
        1,
        PriceBasis.GROSS,
        home_bp=home_rate(carried.vat_class, seller).rate_bp,
        rate=rate_of(carried),
    )
    return PricedOrder(tuple(priced), shipping, carried.vat_class, currency)


def withdrawal_until(
    kind: ProductKind | None,
    regime: WithdrawalKind | None,
    buyer: BuyerKind,
    *,
    concluded_at: datetime,
    days: int,
    training_days: int = 0,
    contractual: bool = True,
) -> date | None:
    """The last day on which this line can be withdrawn from; None when it is not known or none.

    Consumers have the legal period from the conclusion (WDR-02, WDR-03); goods count from their
    delivery, so nothing is set yet. Trainings have the later of the two periods (FOR-02).
    Professionals have none (WDR-01), except what the terms grant them on plans (`contractual`).
    """
    if regime is None or regime is WithdrawalKind.GOODS:
        return None
    granted = contractual and kind is ProductKind.PLAN
    if buyer is BuyerKind.PROFESSIONAL and not granted:
        return None
    day = paris_date(concluded_at)
    last = withdrawal_last_day(day, days)
    if regime is WithdrawalKind.TRAINING:
        return max(last, day + timedelta(days=training_days))
    return last


class Happens(StrEnum):
    """What happens to an order by the calendar, and what became of it."""

    PLACED = "placed"
    CONFIRMED = "confirmed"
    ENDED = "ended"
    WITHDRAWAL_END = "withdrawal_end"
    SESSION = "session"


@dataclass(frozen=True)
class Dated:
    """A line with the days that it has of its own. `waived`: the right to withdraw was given up."""

    name: str
    withdrawal_until: date | None
    session_starts_at: datetime | None
    waived: bool = False


def coming(lines: Sequence[Dated]) -> list[Moment]:
    """When lines can be withdrawn from for the last time, and when their sessions begin.

    The lines of one last day are one moment.
    """
    names: dict[date, list[str]] = {}
    for line in lines:
        if line.withdrawal_until is not None and not line.waived:
            names.setdefault(line.withdrawal_until, []).append(line.name)
    ends = [Moment(day, Happens.WITHDRAWAL_END, ", ".join(some)) for day, some in names.items()]
    return ends + [
        Moment(line.session_starts_at, Happens.SESSION, line.name)
        for line in lines
        if line.session_starts_at is not None
    ]


FIRST_PATIENCE = timedelta(minutes=15)
LONGEST_PATIENCE = timedelta(days=1)


def wait_again(placed_at: datetime, now: datetime) -> datetime:
    """Until when to wait for a payment whose end is not known: as long again as it has lasted."""
    return now + min(max(now - placed_at, FIRST_PATIENCE), LONGEST_PATIENCE)


# A transfer takes a working day, a cheque more: shorter than this nobody can pay in time.
SHORTEST_WAIT = timedelta(days=2)


def last_day_to_pay(
    placed_on: date, days: int, session_starts: Iterable[datetime | None]
) -> date | None:
    """Until the end of which day an order waits for money sent by hand (M-09, C-03).

    `days` after it was placed, by its terms, and never up to a session that it sells: None when too
    little is left for any money to arrive.
    """
    sessions = [paris_date(at) - timedelta(days=1) for at in session_starts if at is not None]
    last = min([placed_on + timedelta(days=days), *sessions])
    return last if last - placed_on >= SHORTEST_WAIT else None
