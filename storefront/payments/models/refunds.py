"""Money on its way back, and what payers contest."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storefront.infra.db import Base, enum_type
from storefront.infra.journal import SealedRow
from storefront.kernel.money import Money
from storefront.kernel.states import Lifecycle
from storefront.payments.models.payments import Payment


class RefundStatus(StrEnum):
    """PROPOSED: money that is not ours, staff decide. RESERVED: our row only; the provider was not
    asked, or has not answered. PENDING: it has not decided. REFUSED: it never will give it back.
    RETURNED: it was done, and days later the payer's bank sent it back. DISMISSED: staff keep the
    money for what it was meant to pay."""

    PROPOSED = "proposed"
    RESERVED = "reserved"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    REFUSED = "refused"
    RETURNED = "returned"
    DISMISSED = "dismissed"


REFUND_LIFECYCLE = Lifecycle(
    "refund",
    {
        RefundStatus.PROPOSED: {RefundStatus.RESERVED, RefundStatus.DISMISSED},
        RefundStatus.RESERVED: {
            RefundStatus.PENDING,
            RefundStatus.SUCCEEDED,
            RefundStatus.REFUSED,
        },
        RefundStatus.PENDING: {RefundStatus.SUCCEEDED, RefundStatus.REFUSED},
        RefundStatus.SUCCEEDED: {RefundStatus.RETURNED},
        RefundStatus.REFUSED: set(),
        RefundStatus.RETURNED: set(),
        RefundStatus.DISMISSED: set(),
    },
)


class RefundReason(StrEnum):
    """Why money goes back; the French stands in templates/payments/reasons.html."""

    WITHDRAWAL = "withdrawal"  # W-04, L221-24
    ORDER_REFUSED = "order_refused"
    NOT_DUE = "not_due"  # paid twice, too much, or for an order that had ended
    NOT_SUPPLIED = "not_supplied"  # L216-6, L216-7
    FAULTY = "faulty"  # F-05
    GOODWILL = "goodwill"
    DISPUTE_LOST = "dispute_lost"  # M-10: of the same order, paid and not contested
    BY_PROVIDER = "by_provider"  # made by hand on the provider's dashboard


class Refund(SealedRow, Base):
    """Money on its way back, the way it came (M-10)."""

    __tablename__ = "refunds"
    __sealed__ = (
        *("id", "payment_id", "order_id", "user_id", "currency", "amount_minor"),
        *("reason", "status", "settled_at"),
    )
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount"),
        UniqueConstraint("provider", "provider_reference"),
        # A form sent twice asks once.
        UniqueConstraint("request_id", "payment_id"),
        Index("ix_refunds_check", "check_at"),
        Index("ix_refunds_status", "status", "asked_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    request_id: Mapped[uuid.UUID]
    payment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("payments.id"), index=True)
    order_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("orders.id"), index=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), index=True)
    # How it goes back: the payment's provider, or "offline" once that one refused.
    provider: Mapped[str] = mapped_column(String(20))
    currency: Mapped[str] = mapped_column(String(3))
    amount_minor: Mapped[int]
    status: Mapped[RefundStatus] = mapped_column(
        enum_type(RefundStatus), default=RefundStatus.RESERVED
    )
    reason: Mapped[RefundReason] = mapped_column(enum_type(RefundReason))
    words: Mapped[str] = mapped_column(String(500), default="")  # of staff, for staff
    # Which order lines it gives back: [{"line": id, "minor": amount}]; empty: all, pro rata.
    parts: Mapped[list[Any]] = mapped_column(default=list)
    asked_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    asked_at: Mapped[datetime]
    due_on: Mapped[date | None]  # the last day that the law leaves, in Paris
    provider_reference: Mapped[str | None] = mapped_column(String(120))
    refusal_code: Mapped[str | None] = mapped_column(String(120))
    sent_on: Mapped[date | None]  # when staff sent it, for what goes back by hand
    updated_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    # When the provider is asked again, while we do not know; None: nothing is open.
    check_at: Mapped[datetime | None]
    checks: Mapped[int] = mapped_column(default=0)

    payment: Mapped[Payment] = relationship()

    @property
    def amount(self) -> Money:
        """What goes back."""
        return Money(self.amount_minor, self.currency)

    @property
    def is_told(self) -> bool:
        """Whether its payer sees it: a proposal or a refusal is ours to settle first."""
        return self.status in (
            RefundStatus.RESERVED,
            RefundStatus.PENDING,
            RefundStatus.SUCCEEDED,
            RefundStatus.RETURNED,
        )


class DisputeStatus(StrEnum):
    """OPEN: the provider has not decided. WON: the money stays. LOST: it went back."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


DISPUTE_LIFECYCLE = Lifecycle(
    "dispute",
    {
        DisputeStatus.OPEN: {DisputeStatus.WON, DisputeStatus.LOST},
        DisputeStatus.WON: set(),
        DisputeStatus.LOST: set(),
    },
)


class Dispute(SealedRow, Base):
    """A payment that its payer contests at the provider or the bank (M-10)."""

    __tablename__ = "disputes"
    __sealed__ = (
        *("id", "payment_id", "provider", "reference", "currency", "amount_minor"),
        *("opened_at", "status", "closed_at"),
    )
    __table_args__ = (
        UniqueConstraint("provider", "reference"),
        Index("ix_disputes_order", "order_id", "status"),
        Index("ix_disputes_user", "user_id", "status"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    payment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("payments.id"), index=True)
    order_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("orders.id"))
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    provider: Mapped[str] = mapped_column(String(20))
    reference: Mapped[str] = mapped_column(String(120))
    asked_by_reference: Mapped[str] = mapped_column(String(120))  # what `fetch_dispute` takes
    currency: Mapped[str] = mapped_column(String(3))
    amount_minor: Mapped[int]
    status: Mapped[DisputeStatus] = mapped_column(
        enum_type(DisputeStatus), default=DisputeStatus.OPEN
    )
    reason: Mapped[str] = mapped_column(String(120))  # the provider's code
    evidence_due_at: Mapped[datetime | None]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    # What the provider gave back to the payer out of our account when it was lost.
    taken_back_minor: Mapped[int] = mapped_column(default=0)
    # When the provider is asked again; None: it is over.
    check_at: Mapped[datetime | None] = mapped_column(index=True)

    payment: Mapped[Payment] = relationship()
