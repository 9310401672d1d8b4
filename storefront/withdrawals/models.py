"""Declarations as they were made, for ever, and apart from them what they were found to be about.

Personal data stands in these rows only; the journal keeps a hash of each (law.md DAT-03).
"""

from __future__ import annotations

import uuid
from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storefront.identity.models import User
from storefront.infra.db import Base
from storefront.infra.journal import SealedRow
from storefront.orders.models import Order


class WithdrawalRequest(SealedRow, Base):
    """Somebody withdraws from a contract, in their words (L221-21, WDR-05)."""

    __tablename__ = "withdrawal_requests"
    __append_only__ = True

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    # One act, one row: `rules.submission_key`. It also names the page that shows what was sent.
    key: Mapped[str] = mapped_column(String(64), unique=True)
    reference: Mapped[str] = mapped_column(String(30), unique=True)  # RET-2026-000001
    # Who was signed in, if anybody was: nobody has to be.
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    name: Mapped[str] = mapped_column(String(120))
    email: Mapped[str] = mapped_column(String(254))
    contract: Mapped[str] = mapped_column(String(300))
    remark: Mapped[str]
    declared_at: Mapped[datetime] = mapped_column(index=True)

    def sealed_name(self) -> str:
        """How a verification names this declaration."""
        return f"withdrawal {self.reference}"


class CancellationRequest(SealedRow, Base):
    """Somebody ends a contract that goes on, in their words (L215-1-1, D215-2, SUB-01)."""

    __tablename__ = "cancellation_requests"
    __append_only__ = True
    __table_args__ = (CheckConstraint("email <> '' OR postal_address <> ''", name="reachable"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    reference: Mapped[str] = mapped_column(String(30), unique=True)  # RES-2026-000001
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    name: Mapped[str] = mapped_column(String(120))
    email: Mapped[str] = mapped_column(String(254))
    postal_address: Mapped[str] = mapped_column(String(400))
    contract: Mapped[str] = mapped_column(String(300))
    # None: as soon as possible.
    wanted_on: Mapped[date | None]
    # Why before the commitment ends, in the words of the terms or the customer's; empty: no reason.
    reason: Mapped[str]
    declared_at: Mapped[datetime] = mapped_column(index=True)

    def sealed_name(self) -> str:
        """How a verification names this declaration."""
        return f"cancellation {self.reference}"


class WithdrawalMatch(Base):
    """The order that a withdrawal was found to be about; one at most (UNIQUE)."""

    __tablename__ = "withdrawal_matches"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    request_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("withdrawal_requests.id", ondelete="RESTRICT"), unique=True
    )
    order_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("orders.id", ondelete="RESTRICT"), index=True
    )
    # Who among the staff found it; None: the shop did, from what agrees.
    staff_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    matched_at: Mapped[datetime]

    order: Mapped[Order] = relationship()
    staff: Mapped[User | None] = relationship()


class CancellationMatch(Base):
    """The order that a cancellation was found to be about; one at most (UNIQUE)."""

    __tablename__ = "cancellation_matches"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    request_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("cancellation_requests.id", ondelete="RESTRICT"), unique=True
    )
    order_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("orders.id", ondelete="RESTRICT"), index=True
    )
    staff_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    matched_at: Mapped[datetime]

    order: Mapped[Order] = relationship()
    staff: Mapped[User | None] = relationship()


class ReasonDecision(SealedRow, Base):
    """What staff decided of a reason to leave early: once, with an explanation, for ever."""

    __tablename__ = "reason_decisions"
    __append_only__ = True

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    request_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("cancellation_requests.id", ondelete="RESTRICT"), unique=True
    )
    accepted: Mapped[bool]
    explanation: Mapped[str]  # as the customer reads it; may be empty when it was accepted
    staff_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    decided_at: Mapped[datetime]

    staff: Mapped[User] = relationship()
