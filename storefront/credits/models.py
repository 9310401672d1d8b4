"""Hours bought ahead: lots with an expiry, and a ledger that is only appended to (K-01)."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storefront.credits.rules import EntryKind
from storefront.infra.db import Base, enum_type


class HourLot(Base):
    """The hours of one order line, usable until the end of `expires_on` (K-02, Paris).

    Slice and limits were read from the terms and the product that the order accepted.
    """

    __tablename__ = "hour_lots"
    __table_args__ = (Index("ix_hour_lots_use", "user_id", "expires_on"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    order_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("orders.id"))
    order_line_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("order_lines.id"), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    granted_at: Mapped[datetime]
    expires_on: Mapped[date] = mapped_column(index=True)
    slice_minutes: Mapped[int]
    # A one-shot pack serves one intervention, however long (C-06).
    single_use: Mapped[bool] = mapped_column(default=False)
    monthly_minutes: Mapped[int | None]
    monthly_interventions: Mapped[int | None]
    suspended_at: Mapped[datetime | None]
    # Raised by every change, first thing: it locks the lot on both databases.
    version: Mapped[int] = mapped_column(default=0)

    entries: Mapped[list[CreditEntry]] = relationship(
        back_populates="lot", order_by="CreditEntry.at"
    )


class CreditEntry(Base):
    """One movement, in signed minutes. The balance is the sum of them, never a stored figure."""

    __tablename__ = "credit_entries"
    __append_only__ = True
    __table_args__ = (
        UniqueConstraint("lot_id", "kind", "cause_id"),
        CheckConstraint(
            "(kind IN ('granted', 'released', 'given_back') AND minutes >= 0)"
            " OR (kind IN ('held', 'used', 'expired', 'deducted') AND minutes <= 0)",
            name="sign",
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    lot_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("hour_lots.id", ondelete="RESTRICT"))
    kind: Mapped[EntryKind] = mapped_column(enum_type(EntryKind))
    minutes: Mapped[int]
    at: Mapped[datetime]
    # What moved the hours (order line, intervention, lot): the same cause moves them once.
    cause_id: Mapped[uuid.UUID]
    reason: Mapped[str]

    lot: Mapped[HourLot] = relationship(back_populates="entries")
