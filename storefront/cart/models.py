"""The cart, and what was typed at checkout so far (O-01, O-02)."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storefront.catalogue.models import Variant
from storefront.infra.db import Base


class Cart(Base):
    """One visitor's or customer's cart; its id travels in the signed session cookie."""

    __tablename__ = "carts"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"), index=True)
    # The checkout form as typed: going back a step loses nothing.
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    # Set when an order was placed from it: a second click finds that order.
    order_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("orders.id"))

    lines: Mapped[list[CartLine]] = relationship(
        back_populates="cart", order_by="CartLine.added_at", cascade="all, delete-orphan"
    )


class CartLine(Base):
    """Some of one variant."""

    __tablename__ = "cart_lines"
    __table_args__ = (
        UniqueConstraint("cart_id", "variant_id"),
        CheckConstraint("quantity > 0", name="quantity"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    cart_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("carts.id"))
    variant_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("variants.id"))
    quantity: Mapped[int]
    added_at: Mapped[datetime]

    cart: Mapped[Cart] = relationship(back_populates="lines")
    variant: Mapped[Variant] = relationship()
