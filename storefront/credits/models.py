"""Hours bought ahead: lots with an expiry, and a ledger that is only appended to (K-01)."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storefront.credits.rules import EntryKind
from storefront.infra.db import Base, enum_type
from storefront.infra.journal import SealedRow


class HourLot(Base):
    """The hours of one order line, usable until the end of `expires_on` (K-02, Paris).

    A pack grants one lot; a monthly contract one a paid month, told apart by `period_number`.
    Slice, limits and reminders were read from the terms and the product that the order accepted.
    """

    __tablename__ = "hour_lots"
    __table_args__ = (
        UniqueConstraint("order_line_id", "period_number"),
        CheckConstraint("slice_minutes > 0", name="slice"),
        Index("ix_hour_lots_use", "user_id", "expires_on"),
        Index("ix_hour_lots_expiry", "expired_at", "expires_on"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    order_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("orders.id"), index=True)
    order_line_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("order_lines.id"))
    period_number: Mapped[int] = mapped_column(default=0)
    name: Mapped[str] = mapped_column(String(120))
    granted_at: Mapped[datetime]
    expires_on: Mapped[date]
    slice_minutes: Mapped[int]
    # A one-shot pack serves one intervention, however long (C-06): its movements are of 0 minutes.
    single_use: Mapped[bool] = mapped_column(default=False)
    monthly_minutes: Mapped[int | None]
    monthly_interventions: Mapped[int | None]
    # Days ahead of the expiry on which the customer is reminded; the next of these days.
    reminder_days: Mapped[list[Any]]
    next_reminder_on: Mapped[date | None] = mapped_column(index=True)
    expired_at: Mapped[datetime | None]
    suspended_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    # Raised by every change, first thing: it locks the lot on both databases.
    version: Mapped[int] = mapped_column(default=0)

    entries: Mapped[list[CreditEntry]] = relationship(
        back_populates="lot", order_by="CreditEntry.number"
    )


class CreditEntry(SealedRow, Base):
    """One movement, in signed minutes. The balance is the sum of them, never a stored figure."""

    __tablename__ = "credit_entries"
    __append_only__ = True
    __table_args__ = (
        UniqueConstraint("lot_id", "kind", "cause_id"),
        UniqueConstraint("lot_id", "number"),
        CheckConstraint(
            "(kind IN ('granted', 'released', 'given_back') AND minutes >= 0)"
            " OR (kind IN ('held', 'used', 'expired', 'deducted') AND minutes <= 0)",
            name="sign",
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    lot_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("hour_lots.id", ondelete="RESTRICT"))
    number: Mapped[int]  # 1, 2, 3… in the lot: the order of the ledger
    kind: Mapped[EntryKind] = mapped_column(enum_type(EntryKind))
    minutes: Mapped[int]
    at: Mapped[datetime]
    # What moved the hours (order line, intervention, lot): the same cause moves them once.
    cause_id: Mapped[uuid.UUID] = mapped_column(index=True)
    # The civil day of the intervention: whose month counts for the limits of use (K-04).
    used_on: Mapped[date | None]
    reason: Mapped[str]  # what a person knows the cause by: a reference or a name

    lot: Mapped[HourLot] = relationship(back_populates="entries")
