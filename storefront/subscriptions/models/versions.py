"""What a monthly product was on a day: its price and what it gives, never changed after."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storefront.catalogue.rules import PriceBasis, ProductKind
from storefront.infra.db import Base, enum_type
from storefront.infra.journal import SealedRow


class PlanVersion(SealedRow, Base):
    """One version of a plan or of a support contract; a subscription follows exactly one (C-08).

    The price is the catalogue's, in minor units on `price_basis`: what a subscriber pays also
    depends on where they are (VAT-02). `family` groups the plans that one can change between
    (B-07), `rank` orders them: more is an upgrade.
    """

    __tablename__ = "plan_versions"
    __append_only__ = True
    __table_args__ = (
        UniqueConstraint("product_id", "number"),
        CheckConstraint("price_minor >= 0", name="price"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    product_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("products.id", ondelete="RESTRICT"))
    number: Mapped[int]  # from 1
    kind: Mapped[ProductKind] = mapped_column(enum_type(ProductKind))
    name: Mapped[str] = mapped_column(String(250))
    family: Mapped[str | None] = mapped_column(String(60))
    rank: Mapped[int] = mapped_column(default=0)
    currency: Mapped[str] = mapped_column(String(3))
    price_minor: Mapped[int]
    price_basis: Mapped[PriceBasis] = mapped_column(enum_type(PriceBasis))
    # As the catalogue had them: entitlements, limits, included_minutes, commitment_months,
    # renewal, billing_interval (see subscriptions.rules.Contract).
    features: Mapped[dict[str, Any]]
    published_at: Mapped[datetime]
