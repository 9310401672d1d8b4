"""What catalogue pages read: prebuilt selects of plain rows, a fixed number for each page."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, select

from storefront.catalogue.models import (
    BundleItem,
    Category,
    CourseSession,
    Hold,
    HoldStatus,
    Product,
    Variant,
)
from storefront.catalogue.rules import (
    KIND_FACTS,
    KindFacts,
    LineAmounts,
    PriceBasis,
    ProductKind,
    SellerVat,
    VatClass,
    WithdrawalKind,
    price_of,
    search_score,
    search_stems,
    shown_rate,
)
from storefront.infra.db import db
from storefront.infra.seller import seller
from storefront.kernel.money import Money

FEW_LEFT = 5
SEARCHED = 1000
SHOWN = 48
LONGEST_SEARCH = 80


class Shelf(NamedTuple):
    """A category."""

    slug: str
    name: str
    intro: str


@dataclass(frozen=True)
class Offer:
    """One variant as it can be bought now. Prices of one, where pages show it (`shown_rate`)."""

    id: uuid.UUID
    product_id: uuid.UUID
    label: str
    amounts: LineAmounts
    price: Money  # on the product's basis: what the page shows large
    gross: Money
    net: Money
    available: int | None
    starts_at: datetime | None
    ends_at: datetime | None
    place: str | None

    @property
    def sold_out(self) -> bool:
        """Whether nothing is left."""
        return self.available == 0

    @property
    def few_left(self) -> bool:
        """Whether to say how many are left."""
        return self.available is not None and 0 < self.available <= FEW_LEFT


@dataclass(frozen=True)
class Card:
    """A product in a list, with what can be bought of it."""

    id: uuid.UUID
    slug: str
    kind: ProductKind
    name: str
    summary: str
    basis: PriceBasis
    features: dict[str, Any]
    currency: str
    illustration: str
    shelf: str
    highlights: list[str]
    included: list[str]
    offers: list[Offer] = field(default_factory=list)

    @property
    def facts(self) -> KindFacts:
        """What its kind implies."""
        return KIND_FACTS[self.kind]

    @property
    def first(self) -> Offer | None:
        """The cheapest way to buy it; None when nothing can be bought."""
        return min(self.offers, key=lambda offer: offer.price, default=None)

    @property
    def is_free(self) -> bool:
        """Whether it costs nothing."""
        return self.first is not None and self.first.price.is_zero

    @property
    def several_prices(self) -> bool:
        """Whether its variants do not all cost the same."""
        return len({offer.price for offer in self.offers}) > 1

    @property
    def next_session(self) -> Offer | None:
        """The next session that still has seats."""
        open_ones = [offer for offer in self.offers if offer.starts_at and not offer.sold_out]
        return open_ones[0] if open_ones else None

    @property
    def next_session_at(self) -> datetime | None:
        """When that session starts."""
        return self.next_session.starts_at if self.next_session else None

    @property
    def sold_out(self) -> bool:
        """Whether none of its variants has anything left."""
        return all(offer.sold_out for offer in self.offers)


@dataclass(frozen=True)
class ProductPage:
    """Everything that the page of one product says (C-02)."""

    card: Card
    category: Shelf
    description: str
    characteristics: list[tuple[str, str]]
    validity: str
    vat_class: VatClass
    rate_bp: int
    exemption: str
    withdrawal_kind: WithdrawalKind
    particular_terms: str | None
    instalments_max: int
    tax_credit_note: bool
    illustration_alt: str
    on_sale: bool
    contains: list[tuple[str, str]]  # of a bundle: slug and name
    version: int


_SHELVES = select(Category.slug, Category.name, Category.intro).order_by(Category.position)
_SHELF = _SHELVES.where(Category.slug == bindparam("slug"))

_CARD = (
    Product.id,
    Product.slug,
    Product.kind,
    Product.name,
    Product.summary,
    Product.price_minor,
    Product.price_basis,
    Product.currency,
    Product.vat_class,
    Product.features,
    Product.illustration,
    Product.highlights,
    Product.included,
    Category.slug.label("shelf"),
)
_CARDS = (
    select(*_CARD)
    .join(Product.category)
    .where(Product.on_sale)
    .order_by(Category.position, Product.position, Product.name)
)
_CARDS_OF_SHELF = _CARDS.where(Category.slug == bindparam("shelf_slug"))
_CARDS_OF_KINDS = _CARDS.where(Product.kind.in_(bindparam("kinds", expanding=True)))

# A session that has begun is not sold any more.
_OFFERS = (
    select(
        Variant.id,
        Variant.product_id,
        Variant.label,
        Variant.price_minor,
        Variant.available,
        CourseSession.starts_at,
        CourseSession.ends_at,
        CourseSession.place,
    )
    .outerjoin(Variant.session)
    .where(
        Variant.on_sale,
        CourseSession.starts_at.is_(None) | (CourseSession.starts_at > bindparam("now")),
    )
    .order_by(CourseSession.starts_at, Variant.position)
)
_OFFERS_OF_PRODUCT = _OFFERS.where(Variant.product_id == bindparam("product_id"))
_OFFERS_ON_SALE = _OFFERS.join(Variant.product).where(Product.on_sale)
_OFFERS_OF_SHELF = _OFFERS_ON_SALE.join(Product.category).where(
    Category.slug == bindparam("shelf_slug")
)
_OFFERS_OF_KINDS = _OFFERS_ON_SALE.where(Product.kind.in_(bindparam("kinds", expanding=True)))

_PAGE = (
    select(
        *_CARD,
        Category.name.label("shelf_name"),
        Category.intro.label("shelf_intro"),
        Product.description,
        Product.characteristics,
        Product.validity,
        Product.withdrawal_kind,
        Product.particular_terms,
        Product.instalments_max,
        Product.tax_credit_note,
        Product.illustration_alt,
        Product.on_sale,
        Product.version,
    )
    .join(Product.category)
    .where(Product.slug == bindparam("slug"))
)
_CONTAINS = (
    select(Product.slug, Product.name)
    .join(BundleItem, BundleItem.item_id == Product.id)
    .where(BundleItem.bundle_id == bindparam("bundle_id"))
    .order_by(BundleItem.position)
)


def seller_vat() -> SellerVat:
    """The seller's tax position, as the seller's file says it."""
    facts = seller().facts["vat"]
    return SellerVat(
        facts.get("standard_rate_bp", 2000),
        facts.get("book_rate_bp", 550),
        franchise=facts.get("basis") == "franchise",
        vies_required=bool(facts.get("vies_required")),
    )


def monthly_products() -> Sequence[Product]:
    """What goes on period after period, in the order of the shelves; sold today or not."""
    kinds = [kind for kind, facts in KIND_FACTS.items() if facts.is_subscription]
    return db.session.scalars(
        select(Product).where(Product.kind.in_(kinds)).order_by(Product.position, Product.name)
    ).all()


def monthly_product(slug: str) -> Product | None:
    """One of them."""
    return next((one for one in monthly_products() if one.slug == slug), None)


def shelves() -> list[Shelf]:
    """Every category, in the order of the menu."""
    return [Shelf(*row) for row in db.session.execute(_SHELVES)]


def shelf(slug: str) -> Shelf | None:
    """One category."""
    row = db.session.execute(_SHELF, {"slug": slug}).one_or_none()
    return Shelf(*row) if row else None


def cards(now: datetime, limit: int | None = None) -> list[Card]:
    """Everything on sale, in the order of the shelves."""
    return _with_offers(
        db.session.execute(_CARDS.limit(limit)).all(),
        db.session.execute(_OFFERS_ON_SALE, {"now": now}).all(),
    )


def cards_of_shelf(slug: str, now: datetime) -> list[Card]:
    """What is on sale in one category."""
    return _with_offers(
        db.session.execute(_CARDS_OF_SHELF, {"shelf_slug": slug}).all(),
        db.session.execute(_OFFERS_OF_SHELF, {"shelf_slug": slug, "now": now}).all(),
    )


def cards_of_kinds(kinds: Iterable[ProductKind], now: datetime) -> list[Card]:
    """What is on sale of some kinds."""
    wanted = list(kinds)
    return _with_offers(
        db.session.execute(_CARDS_OF_KINDS, {"kinds": wanted}).all(),
        db.session.execute(_OFFERS_OF_KINDS, {"kinds": wanted, "now": now}).all(),
    )


def product_page(slug: str, now: datetime) -> ProductPage | None:
    """One product, on sale or not any more; None when there never was one."""
    row = db.session.execute(_PAGE, {"slug": slug}).one_or_none()
    if row is None:
        return None
    offers = db.session.execute(_OFFERS_OF_PRODUCT, {"product_id": row.id, "now": now}).all()
    contains: list[tuple[str, str]] = []
    if row.kind is ProductKind.BUNDLE:
        found = db.session.execute(_CONTAINS, {"bundle_id": row.id})
        contains = [(item.slug, item.name) for item in found]
    rate = shown_rate(row.kind, row.vat_class, row.features, seller_vat())
    return ProductPage(
        card=_with_offers([row], offers)[0],
        category=Shelf(row.shelf, row.shelf_name, row.shelf_intro),
        description=row.description,
        characteristics=[(label, value) for label, value in row.characteristics],
        validity=row.validity,
        vat_class=row.vat_class,
        rate_bp=rate.rate_bp,
        exemption=rate.exemption,
        withdrawal_kind=row.withdrawal_kind,
        particular_terms=row.particular_terms,
        instalments_max=row.instalments_max,
        tax_credit_note=row.tax_credit_note,
        illustration_alt=row.illustration_alt,
        on_sale=row.on_sale,
        contains=contains,
        version=row.version,
    )


def _with_offers(products: Sequence[Any], offers: Sequence[Any]) -> list[Card]:
    vat = seller_vat()
    by_product: dict[uuid.UUID, list[Any]] = {}
    for offer in offers:
        by_product.setdefault(offer.product_id, []).append(offer)
    return [
        Card(
            id=row.id,
            slug=row.slug,
            kind=row.kind,
            name=row.name,
            summary=row.summary,
            basis=row.price_basis,
            features=row.features,
            currency=row.currency,
            illustration=row.illustration,
            shelf=row.shelf,
            highlights=row.highlights,
            included=row.included,
            offers=[_offer(row, offer, vat) for offer in by_product.get(row.id, ())],
        )
        for row in products
    ]


def _offer(product: Any, row: Any, vat: SellerVat) -> Offer:
    unit = product.price_minor if row.price_minor is None else row.price_minor
    rate = shown_rate(product.kind, product.vat_class, product.features, vat)
    amounts = price_of(unit, 1, product.price_basis, home_bp=rate.rate_bp, rate=rate)
    return Offer(
        id=row.id,
        product_id=row.product_id,
        label=row.label,
        amounts=amounts,
        price=Money(unit, product.currency),
        gross=Money(amounts.gross, product.currency),
        net=Money(amounts.net, product.currency),
        available=row.available,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        place=row.place,
    )


class Found(NamedTuple):
    """What a search gives: the best first; `complete` is False when more was found than shown."""

    cards: list[Card]
    complete: bool


def search(text: str, now: datetime) -> Found:
    """The products that hold every word of `text`, best first.

    The catalogue is read and ranked in memory, which is honest for a shop of its size: at most
    `SEARCHED` products are looked at and `SHOWN` are shown.
    """
    wanted = search_stems(text[:LONGEST_SEARCH])
    if not wanted:
        return Found([], complete=True)
    found: list[tuple[int, int, Card]] = []
    for card in cards(now, limit=SEARCHED):
        texts = [
            (6, card.name),
            (3, card.shelf.replace("-", " ")),
            (2, card.summary),
            (1, " ".join(card.highlights)),
        ]
        if score := search_score(wanted, texts):
            found.append((-score, len(found), card))
    found.sort(key=lambda entry: entry[:2])
    return Found([card for *_, card in found[:SHOWN]], complete=len(found) <= SHOWN)


def bundle_lessons(bundle_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[str]]:
    """The lessons that each bundle's trainings hold, in their order."""
    rows = db.session.execute(
        select(BundleItem.bundle_id, Product.features)
        .join(Product, Product.id == BundleItem.item_id)
        .where(BundleItem.bundle_id.in_(bundle_ids))
        .order_by(BundleItem.bundle_id, BundleItem.position)
    )
    lessons: dict[uuid.UUID, list[str]] = {}
    for bundle_id, features in rows:
        lessons.setdefault(bundle_id, []).extend(features.get("lessons", []))
    return lessons


def addresses() -> list[str]:
    """The address of every page of the catalogue, for the sitemap."""
    slugs = select(Product.slug).where(Product.on_sale).order_by(Product.slug)
    return [
        *(f"/catalogue/{row.slug}" for row in shelves()),
        *(f"/produits/{slug}" for slug in db.session.scalars(slugs)),
    ]


def next_hold_expiry() -> datetime | None:
    """When the next unpaid claim expires."""
    first: datetime | None = db.session.scalar(
        select(func.min(Hold.expires_at)).where(Hold.status == HoldStatus.HELD)
    )
    return first


def variants_with_expired_holds(now: datetime, limit: int = 200) -> list[uuid.UUID]:
    """The variants on which unpaid claims have expired."""
    expired = (
        select(Hold.variant_id)
        .where(Hold.status == HoldStatus.HELD, Hold.expires_at <= now)
        .distinct()
        .limit(limit)
    )
    return list(db.session.scalars(expired))
