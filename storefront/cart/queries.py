"""What a cart holds, as it can be bought now."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, select

from storefront.cart.models import Cart, CartLine
from storefront.catalogue.models import CourseSession, Product, Variant
from storefront.catalogue.queries import seller_vat
from storefront.catalogue.rules import (
    KIND_FACTS,
    KindFacts,
    LineAmounts,
    PriceBasis,
    ProductKind,
    VatClass,
    WithdrawalKind,
    price_of,
    shown_rate,
)
from storefront.infra.db import db
from storefront.kernel.money import Money


@dataclass(frozen=True)
class Line:
    """One line of a cart with today's price and what stands in its way."""

    variant_id: uuid.UUID
    product_id: uuid.UUID
    slug: str
    kind: ProductKind
    product_name: str
    label: str
    quantity: int
    unit_price_minor: int
    currency: str
    basis: PriceBasis
    vat_class: VatClass
    withdrawal_kind: WithdrawalKind
    weight_g: int
    instalments_max: int
    particular_terms: str | None
    features: dict[str, Any]
    characteristics: list[Any]
    illustration: str
    available: int | None
    starts_at: datetime | None
    ends_at: datetime | None
    place: str | None
    withdrawn: bool  # from sale, or its session has begun
    amounts: LineAmounts  # at the rate that pages show (catalogue.rules.shown_rate)

    @property
    def facts(self) -> KindFacts:
        """What its kind implies."""
        return KIND_FACTS[self.kind]

    @property
    def gross(self) -> Money:
        """What the line costs, tax included."""
        return Money(self.amounts.gross, self.currency)

    @property
    def short(self) -> bool:
        """Whether fewer are left than wanted."""
        return self.available is not None and self.available < self.quantity

    @property
    def blocked(self) -> bool:
        """Whether this line cannot be ordered as it stands."""
        return self.withdrawn or self.short


@dataclass(frozen=True)
class Contents:
    """A cart, line by line."""

    lines: tuple[Line, ...]

    @property
    def currency(self) -> str:
        """The one currency of the cart."""
        return self.lines[0].currency if self.lines else "EUR"

    @property
    def countries(self) -> list[str]:
        """Where its first article is sold, when that is not everywhere."""
        return self.lines[0].features.get("countries", []) if self.lines else []

    @property
    def total(self) -> Money:
        """What can be ordered of it, before shipping, at the rates that pages show."""
        gross = sum(line.amounts.gross for line in self.lines if not line.withdrawn)
        return Money(gross, self.currency)

    @property
    def blocked(self) -> bool:
        """Whether something must be changed before ordering."""
        return not self.lines or any(line.blocked for line in self.lines)

    @property
    def count(self) -> int:
        """How many articles."""
        return sum(line.quantity for line in self.lines)


_LINES = (
    select(
        CartLine.variant_id,
        CartLine.quantity,
        Variant.label,
        Variant.price_minor.label("variant_price"),
        Variant.available,
        Variant.weight_g,
        (Variant.on_sale & Product.on_sale).label("on_sale"),
        Product.id.label("product_id"),
        Product.slug,
        Product.kind,
        Product.name,
        Product.price_minor,
        Product.price_basis,
        Product.currency,
        Product.vat_class,
        Product.withdrawal_kind,
        Product.instalments_max,
        Product.particular_terms,
        Product.features,
        Product.characteristics,
        Product.illustration,
        CourseSession.starts_at,
        CourseSession.ends_at,
        CourseSession.place,
    )
    .join(Variant, Variant.id == CartLine.variant_id)
    .join(Product, Product.id == Variant.product_id)
    .outerjoin(CourseSession, CourseSession.variant_id == Variant.id)
    .where(CartLine.cart_id == bindparam("cart_id"))
    .order_by(CartLine.added_at, CartLine.id)
)


def contents(cart_id: uuid.UUID | None, now: datetime) -> Contents:
    """What the cart holds; nothing for no cart. One statement whatever the number of lines."""
    if cart_id is None:
        return Contents(())
    vat = seller_vat()
    lines = []
    for row in db.session.execute(_LINES, {"cart_id": cart_id}):
        unit = row.price_minor if row.variant_price is None else row.variant_price
        rate = shown_rate(row.kind, row.vat_class, row.features, vat)
        begun = row.starts_at is not None and row.starts_at <= now
        lines.append(
            Line(
                variant_id=row.variant_id,
                product_id=row.product_id,
                slug=row.slug,
                kind=row.kind,
                product_name=row.name,
                label=row.label,
                quantity=row.quantity,
                unit_price_minor=unit,
                currency=row.currency,
                basis=row.price_basis,
                vat_class=row.vat_class,
                withdrawal_kind=row.withdrawal_kind,
                weight_g=row.weight_g,
                instalments_max=row.instalments_max,
                particular_terms=row.particular_terms,
                features=row.features,
                characteristics=row.characteristics,
                illustration=row.illustration,
                available=row.available,
                starts_at=row.starts_at,
                ends_at=row.ends_at,
                place=row.place,
                withdrawn=begun or not row.on_sale,
                amounts=price_of(
                    unit, row.quantity, row.price_basis, home_bp=rate.rate_bp, rate=rate
                ),
            )
        )
    return Contents(tuple(lines))


def open_cart(cart_id: uuid.UUID) -> Cart | None:
    """A cart that was not ordered yet."""
    return db.session.scalars(
        select(Cart).where(Cart.id == cart_id, Cart.order_id.is_(None))
    ).one_or_none()


def was_ordered(cart_id: uuid.UUID) -> bool:
    """Whether a cart became an order."""
    found = select(Cart.id).where(Cart.id == cart_id, Cart.order_id.is_not(None))
    return db.session.scalar(found) is not None


def cart_of_user(user_id: uuid.UUID) -> Cart | None:
    """The customer's cart that was not ordered yet, the latest when there are several."""
    return db.session.scalars(
        select(Cart)
        .where(Cart.user_id == user_id, Cart.order_id.is_(None))
        .order_by(Cart.updated_at.desc(), Cart.id)
        .limit(1)
    ).one_or_none()


def count(cart_id: uuid.UUID) -> int:
    """How many articles a cart holds."""
    wanted = select(func.coalesce(func.sum(CartLine.quantity), 0)).where(
        CartLine.cart_id == cart_id
    )
    return int(db.session.scalar(wanted) or 0)
