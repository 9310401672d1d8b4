"""Orders: what was agreed, copied so that no later change reaches it (C-05)."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storefront.catalogue.rules import PriceBasis, ProductKind, VatClass, WithdrawalKind
from storefront.identity.models import User
from storefront.infra.db import Base, enum_type
from storefront.infra.journal import SealedRow
from storefront.kernel.calendar import paris_date
from storefront.kernel.money import Money
from storefront.kernel.states import Lifecycle
from storefront.legal.models import TermsVersion
from storefront.orders.rules import BuyerKind
from storefront.payments.providers.offline import OFFLINE


class OrderStatus(StrEnum):
    """The contract's state. Money and fulfilment have states of their own."""

    AWAITING_PAYMENT = "awaiting_payment"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    REFUSED = "refused"


ORDER_LIFECYCLE = Lifecycle(
    "order",
    {
        OrderStatus.AWAITING_PAYMENT: {
            OrderStatus.CONFIRMED,
            OrderStatus.CANCELLED,
            OrderStatus.REFUSED,
        },
        OrderStatus.CONFIRMED: {OrderStatus.REFUSED, OrderStatus.CANCELLED},
        OrderStatus.CANCELLED: set(),
        OrderStatus.REFUSED: set(),
    },
)


# Why an order ended: its customer withdrew from all that it sold.
WITHDRAWN = "withdrawn"


class Order(SealedRow, Base):
    """One contract: who, what, at which price, under which terms.

    The journal seals what was agreed, its lines included, but not by whom in words: names and
    addresses stay erasable (law.md DAT-03), invoices and acceptances seal their own.
    """

    __tablename__ = "orders"
    __sealed__ = (
        *("id", "reference", "user_id", "terms_version_id", "buyer_kind", "country", "currency"),
        *("net_minor", "vat_minor", "shipping_minor", "total_minor", "instalment_count"),
        "placed_at",
    )
    __table_args__ = (
        CheckConstraint("total_minor >= 0", name="total"),
        Index("ix_orders_status_placed", "status", "placed_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    reference: Mapped[str] = mapped_column(String(30), unique=True)  # CMD-2026-000123
    token: Mapped[str] = mapped_column(String(64), unique=True)  # lets a guest see it
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), index=True)
    # The cart that it was placed from: one order a cart, whatever the clicks (UNIQUE).
    cart_id: Mapped[uuid.UUID | None] = mapped_column(unique=True)
    status: Mapped[OrderStatus] = mapped_column(
        enum_type(OrderStatus), default=OrderStatus.AWAITING_PAYMENT
    )
    terms_version_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("terms_versions.id", ondelete="RESTRICT")
    )
    buyer_kind: Mapped[BuyerKind] = mapped_column(enum_type(BuyerKind))
    name: Mapped[str] = mapped_column(String(120))
    email: Mapped[str] = mapped_column(String(254))
    phone: Mapped[str] = mapped_column(String(30))
    company: Mapped[str] = mapped_column(String(160), default="")
    siren: Mapped[str] = mapped_column(String(9), default="")
    ice: Mapped[str] = mapped_column(String(15), default="")  # Morocco's number of companies
    # As given with the order, its form checked; whether it is alive only VIES can say.
    vat_number: Mapped[str] = mapped_column(String(20), default="")
    street: Mapped[str] = mapped_column(String(200))
    street_2: Mapped[str] = mapped_column(String(200), default="")
    postcode: Mapped[str] = mapped_column(String(12))
    city: Mapped[str] = mapped_column(String(120))
    country: Mapped[str] = mapped_column(String(2), default="FR")
    currency: Mapped[str] = mapped_column(String(3), default="EUR")
    net_minor: Mapped[int]
    vat_minor: Mapped[int]
    shipping_minor: Mapped[int] = mapped_column(default=0)  # gross, a line of its own too
    total_minor: Mapped[int]
    instalment_count: Mapped[int] = mapped_column(default=1)
    payment_provider: Mapped[str] = mapped_column(String(20))
    placed_at: Mapped[datetime]
    # Until when it waits for its first payment; None once it is decided.
    held_until: Mapped[datetime | None] = mapped_column(index=True)
    # Since when nothing is taken for it: its customer has withdrawn, and staff have not decided.
    debits_stopped_at: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None]
    version: Mapped[int] = mapped_column(default=1)

    user: Mapped[User] = relationship()
    terms_version: Mapped[TermsVersion] = relationship()
    lines: Mapped[list[OrderLine]] = relationship(
        back_populates="order", order_by="OrderLine.position"
    )

    __mapper_args__ = {"version_id_col": version}

    def sealed_content(self) -> dict[str, Any]:
        """What the journal's seal covers: the contract and what it sold."""
        sold = [line.sold_content() for line in self.lines]
        return {"order": super().sealed_content(), "lines": sold}

    def sealed_name(self) -> str:
        """How a verification names this order."""
        return f"order {self.reference}"

    @property
    def by_hand(self) -> bool:
        """Whether its buyer pays by their own means: nothing is debited, staff record it."""
        return self.payment_provider in OFFLINE

    @property
    def kept_on(self) -> date | None:
        """The last day, in Paris, on which it waits for its first payment."""
        return paris_date(self.held_until - timedelta(seconds=1)) if self.held_until else None

    @property
    def total(self) -> Money:
        """What the order costs in all, tax and shipping included."""
        return Money(self.total_minor, self.currency)


class FulfilmentStatus(StrEnum):
    """PENDING: nothing due yet. WAITING: until the withdrawal period ends or a consent is
    confirmed. OPEN: the customer can use it. DONE: nothing is left to supply."""

    PENDING = "pending"
    WAITING = "waiting"
    OPEN = "open"
    DONE = "done"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


class OrderLine(Base):
    """A copy of what was sold: name, price, tax, characteristics (C-05). Amounts in minor units."""

    __tablename__ = "order_lines"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("net_minor + vat_minor = gross_minor", name="adds_up"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    order_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("orders.id"), index=True)
    position: Mapped[int]
    # None: a charge of its own (shipping).
    product_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("products.id"))
    variant_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("variants.id"))
    kind: Mapped[ProductKind | None] = mapped_column(enum_type(ProductKind))
    name: Mapped[str] = mapped_column(String(250))
    quantity: Mapped[int]
    unit_price_minor: Mapped[int]
    price_basis: Mapped[PriceBasis] = mapped_column(enum_type(PriceBasis))
    vat_class: Mapped[VatClass] = mapped_column(enum_type(VatClass))
    vat_rate_bp: Mapped[int]
    # Why the rate is 0 (catalogue.rules.VatRate); empty when taxed.
    vat_exemption: Mapped[str] = mapped_column(String(20), default="")
    net_minor: Mapped[int]
    vat_minor: Mapped[int]
    gross_minor: Mapped[int]
    withdrawal_kind: Mapped[WithdrawalKind | None] = mapped_column(enum_type(WithdrawalKind))
    # The last day on which a consumer can withdraw; None: no right, or not started yet (goods).
    withdrawal_until: Mapped[date | None]
    features: Mapped[dict[str, Any]]
    characteristics: Mapped[list[Any]]
    session_starts_at: Mapped[datetime | None]
    session_ends_at: Mapped[datetime | None]
    session_place: Mapped[str | None]
    trainee: Mapped[str] = mapped_column(String(120), default="")
    fulfilment: Mapped[FulfilmentStatus] = mapped_column(
        enum_type(FulfilmentStatus), default=FulfilmentStatus.PENDING
    )

    order: Mapped[Order] = relationship(back_populates="lines")

    def sold_content(self) -> dict[str, Any]:
        """What the seal of its order covers of it: what was sold, not what is supplied of it."""
        return {name: getattr(self, name) for name in SOLD}


SOLD = (
    *("id", "position", "product_id", "variant_id", "kind", "name", "quantity"),
    *("unit_price_minor", "price_basis", "vat_class", "vat_rate_bp", "vat_exemption"),
    *("net_minor", "vat_minor", "gross_minor", "withdrawal_kind", "features", "characteristics"),
)
