"""What is sold: products, their variants, sessions with seats, and the claims on them."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storefront.catalogue.rules import PriceBasis, ProductKind, VatClass, WithdrawalKind
from storefront.infra.db import Base, enum_type
from storefront.kernel.states import Lifecycle


class Category(Base):
    """A shelf of the catalogue."""

    __tablename__ = "categories"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    slug: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    intro: Mapped[str]
    position: Mapped[int] = mapped_column(default=0)


class Product(Base):
    """A page of the catalogue. What is put in a cart is one of its variants."""

    __tablename__ = "products"
    __table_args__ = (
        CheckConstraint("price_minor >= 0", name="price"),
        CheckConstraint("instalments_max >= 1", name="instalments"),
        Index("ix_products_shelf", "category_id", "on_sale", "position"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    kind: Mapped[ProductKind] = mapped_column(enum_type(ProductKind))
    category_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("categories.id"))
    name: Mapped[str] = mapped_column(String(120))
    summary: Mapped[str]
    description: Mapped[str]  # Markdown
    highlights: Mapped[list[str]]
    characteristics: Mapped[list[Any]]  # [[label, value], …]
    included: Mapped[list[str]]
    validity: Mapped[str] = mapped_column(default="")
    currency: Mapped[str] = mapped_column(String(3), default="EUR")
    price_minor: Mapped[int]
    price_basis: Mapped[PriceBasis] = mapped_column(enum_type(PriceBasis))
    vat_class: Mapped[VatClass] = mapped_column(enum_type(VatClass))
    vat_justification: Mapped[str] = mapped_column(default="")
    withdrawal_kind: Mapped[WithdrawalKind] = mapped_column(enum_type(WithdrawalKind))
    instalments_max: Mapped[int] = mapped_column(default=1)
    # What the kind needs: minutes, included_minutes, monthly_minutes, monthly_interventions,
    # commitment_months, entitlements, scope, files, lessons, parts (see catalogue.rules).
    features: Mapped[dict[str, Any]]
    particular_terms: Mapped[str | None] = mapped_column(String(60))
    tax_credit_note: Mapped[bool] = mapped_column(default=False)
    illustration: Mapped[str] = mapped_column(String(120), default="")
    illustration_alt: Mapped[str] = mapped_column(default="")
    position: Mapped[int] = mapped_column(default=0)
    on_sale: Mapped[bool] = mapped_column(default=True)
    version: Mapped[int] = mapped_column(default=1)

    category: Mapped[Category] = relationship()
    variants: Mapped[list[Variant]] = relationship(
        back_populates="product", order_by="Variant.position"
    )
    bundle_items: Mapped[list[BundleItem]] = relationship(
        foreign_keys="BundleItem.bundle_id", order_by="BundleItem.position"
    )

    __mapper_args__ = {"version_id_col": version}


class Variant(Base):
    """What is sold: a price and, where it is limited, how many are left (C-03).

    `available` is None for what never runs out. It only moves by conditional UPDATE, together
    with a `Hold`: available + live holds = capacity.
    """

    __tablename__ = "variants"
    __table_args__ = (
        CheckConstraint("available IS NULL OR available >= 0", name="never_oversold"),
        CheckConstraint("price_minor IS NULL OR price_minor >= 0", name="price"),
        CheckConstraint("(capacity IS NULL) = (available IS NULL)", name="limited_or_not"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    product_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("products.id"), index=True)
    label: Mapped[str] = mapped_column(String(120), default="")
    price_minor: Mapped[int | None]  # None: the product's price
    capacity: Mapped[int | None]
    available: Mapped[int | None]
    weight_g: Mapped[int] = mapped_column(default=0)
    position: Mapped[int] = mapped_column(default=0)
    on_sale: Mapped[bool] = mapped_column(default=True)

    product: Mapped[Product] = relationship(back_populates="variants")
    session: Mapped[CourseSession | None] = relationship(back_populates="variant")

    @property
    def unit_price_minor(self) -> int:
        """The price of one, in minor units, on the product's price basis."""
        return self.product.price_minor if self.price_minor is None else self.price_minor


class CourseSession(Base):
    """When and where the seats of a classroom variant are (F-04)."""

    __tablename__ = "course_sessions"
    __table_args__ = (CheckConstraint("ends_at > starts_at", name="order"),)

    variant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("variants.id"), primary_key=True)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    place: Mapped[str]

    variant: Mapped[Variant] = relationship(back_populates="session")


class BundleItem(Base):
    """One training inside a bundle."""

    __tablename__ = "bundle_items"

    bundle_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("products.id"), primary_key=True)
    item_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("products.id"), primary_key=True)
    position: Mapped[int] = mapped_column(default=0)

    item: Mapped[Product] = relationship(foreign_keys=[item_id])


class HoldStatus(StrEnum):
    HELD = "held"
    SETTLED = "settled"
    RELEASED = "released"


HOLD_LIFECYCLE = Lifecycle(
    "hold",
    {
        HoldStatus.HELD: {HoldStatus.SETTLED, HoldStatus.RELEASED},
        HoldStatus.SETTLED: {HoldStatus.RELEASED},
        # Claimed again, if anything is left: a new attempt to pay, or money that came late.
        HoldStatus.RELEASED: {HoldStatus.HELD},
    },
)


class Hold(Base):
    """Seats or stock claimed for one buyer: held while paying, settled once paid (C-03).

    `claim_id` is who claims: an order. One row a claim and variant, whatever happens to it.
    """

    __tablename__ = "holds"
    __table_args__ = (
        UniqueConstraint("claim_id", "variant_id"),
        CheckConstraint("quantity > 0", name="quantity"),
        Index("ix_holds_expiry", "status", "expires_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    variant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("variants.id"), index=True)
    claim_id: Mapped[uuid.UUID]
    quantity: Mapped[int]
    status: Mapped[HoldStatus] = mapped_column(enum_type(HoldStatus), default=HoldStatus.HELD)
    expires_at: Mapped[datetime]
    created_at: Mapped[datetime]
