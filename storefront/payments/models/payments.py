"""What was asked of the providers and of payers, what came, what providers said."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storefront.infra.db import Base, enum_type
from storefront.infra.journal import SealedRow
from storefront.kernel.money import Money
from storefront.kernel.states import Lifecycle
from storefront.payments.providers.offline import OFFLINE


class PaymentUsage(StrEnum):
    """Why the payer agreed to later debits; providers and banks want to know."""

    INSTALMENT = "instalment"
    SUBSCRIPTION = "subscription"


class PaymentStatus(StrEnum):
    """RESERVED: our row only. OPEN: the buyer is on the hosted page. CHARGING: an off-session
    charge is under way or in doubt. PENDING: the provider has not decided."""

    RESERVED = "reserved"
    OPEN = "open"
    CHARGING = "charging"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    DECLINED = "declined"
    NEEDS_CUSTOMER = "needs_customer"
    CANCELLED = "cancelled"


# A late cancellation never undoes a success; money can arrive for what was given up.
PAYMENT_LIFECYCLE = Lifecycle(
    "payment",
    {
        # A notice can reach us before we wrote down the page that it is about.
        PaymentStatus.RESERVED: set(PaymentStatus) - {PaymentStatus.RESERVED},
        PaymentStatus.OPEN: {
            PaymentStatus.PENDING,
            PaymentStatus.SUCCEEDED,
            PaymentStatus.DECLINED,
            PaymentStatus.CANCELLED,
        },
        PaymentStatus.CHARGING: {
            PaymentStatus.PENDING,
            PaymentStatus.SUCCEEDED,
            PaymentStatus.DECLINED,
            PaymentStatus.NEEDS_CUSTOMER,
        },
        PaymentStatus.PENDING: {
            PaymentStatus.SUCCEEDED,
            PaymentStatus.DECLINED,
            PaymentStatus.CANCELLED,
        },
        PaymentStatus.SUCCEEDED: set(),
        PaymentStatus.DECLINED: {PaymentStatus.SUCCEEDED},
        PaymentStatus.NEEDS_CUSTOMER: {PaymentStatus.SUCCEEDED, PaymentStatus.CANCELLED},
        PaymentStatus.CANCELLED: {PaymentStatus.SUCCEEDED},
    },
)


class SavedMethod(Base):
    """A means of payment that the provider keeps for later debits (M-03). Never a card number."""

    __tablename__ = "saved_methods"
    __table_args__ = (UniqueConstraint("provider", "method_reference"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), index=True)
    provider: Mapped[str] = mapped_column(String(20))
    customer_reference: Mapped[str] = mapped_column(String(120))
    method_reference: Mapped[str] = mapped_column(String(120))
    label: Mapped[str] = mapped_column(String(60))
    saved_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class Payment(SealedRow, Base):
    """One attempt to be paid one instalment: part of a price, or a month of a subscription.

    An amount of zero is a set-up: the means of payment is kept for an instalment that is due
    later, and nothing is taken.
    """

    __tablename__ = "payments"
    __sealed__ = (
        *("id", "order_id", "user_id", "instalment_id", "attempt", "provider"),
        *("currency", "amount_minor", "taken_minor", "taken_currency", "settled_at"),
    )
    __table_args__ = (
        CheckConstraint("amount_minor > 0 OR amount_minor = 0 AND save_method", name="amount"),
        # Never more back than came, whoever clicks at once (M-10).
        CheckConstraint(
            "refunded_minor >= 0 AND taken_back_minor >= 0"
            " AND refunded_minor + taken_back_minor <= taken_minor",
            name="given_back",
        ),
        UniqueConstraint("instalment_id", "attempt"),
        UniqueConstraint("provider", "page_reference"),
        UniqueConstraint("provider", "charge_reference"),
        Index("ix_payments_check", "check_at"),
        Index("ix_payments_created", "created_at"),
        Index("ix_payments_provider", "provider", "status", "created_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    order_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("orders.id"), index=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), index=True)
    instalment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("instalments.id"))
    usage: Mapped[PaymentUsage] = mapped_column(
        enum_type(PaymentUsage), default=PaymentUsage.INSTALMENT
    )
    attempt: Mapped[int]
    order_reference: Mapped[str] = mapped_column(String(30))
    description: Mapped[str] = mapped_column(String(250))  # what the payer reads at the provider
    provider: Mapped[str] = mapped_column(String(20))
    currency: Mapped[str] = mapped_column(String(3))
    amount_minor: Mapped[int]
    status: Mapped[PaymentStatus] = mapped_column(
        enum_type(PaymentStatus), default=PaymentStatus.RESERVED
    )
    save_method: Mapped[bool] = mapped_column(default=False)
    saved_method_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("saved_methods.id"))
    page_reference: Mapped[str | None] = mapped_column(String(120))
    page_url: Mapped[str | None]
    charge_reference: Mapped[str | None] = mapped_column(String(120))
    decline_code: Mapped[str | None] = mapped_column(String(80))
    decline_final: Mapped[bool] = mapped_column(default=False)
    # The provider took another amount or currency than ours: money is visible, nothing is granted.
    mismatch: Mapped[str | None] = mapped_column(String(200))
    # What really came, in its own currency (minor units), and what of it went or is going back:
    # by refunds that are not refused, and to the payer by a lost dispute.
    taken_minor: Mapped[int] = mapped_column(default=0)
    taken_currency: Mapped[str | None] = mapped_column(String(3))
    refunded_minor: Mapped[int] = mapped_column(default=0)
    taken_back_minor: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    # When the provider is asked again, while we do not know; None: nothing is open.
    check_at: Mapped[datetime | None]
    checks: Mapped[int] = mapped_column(default=0)
    settled_at: Mapped[datetime | None]
    # When a buyer who pays by their own means is reminded; None: they were, or need not be.
    remind_at: Mapped[datetime | None] = mapped_column(index=True)

    saved_method: Mapped[SavedMethod | None] = relationship(viewonly=True)

    @property
    def missing(self) -> Money:
        """What has not arrived of what was asked."""
        return Money(max(self.amount_minor - self.taken_minor, 0), self.currency)

    @property
    def by_hand(self) -> bool:
        """Whether staff record it, rather than a provider tell of it."""
        return self.provider in OFFLINE

    @property
    def amount(self) -> Money:
        """What this attempt asks for."""
        return Money(self.amount_minor, self.currency)

    @property
    def arrived(self) -> bool:
        """Whether what was asked is there: the money, or the means of payment for later."""
        return self.status is PaymentStatus.SUCCEEDED and self.mismatch is None

    @property
    def is_set_up(self) -> bool:
        """Whether it only keeps a means of payment for later."""
        return self.amount_minor == 0

    @property
    def refundable(self) -> Money:
        """What came and neither went back nor is about to."""
        left = self.taken_minor - self.refunded_minor - self.taken_back_minor
        return Money(left, self.taken_currency or self.currency)


class ArrivalWay(StrEnum):
    """How money came that no provider took."""

    TRANSFER = "transfer"
    CHEQUE = "cheque"
    OTHER = "other"


class Arrival(SealedRow, Base):
    """Money that staff saw arrive, word for word (M-09). UNIQUE: one row a sum, whoever clicks."""

    __tablename__ = "arrivals"
    __append_only__ = True
    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount"),
        UniqueConstraint("payment_id", "number"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    payment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("payments.id"))
    number: Mapped[int]  # from 1
    way: Mapped[ArrivalWay] = mapped_column(enum_type(ArrivalWay))
    amount_minor: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    arrived_on: Mapped[date]
    bank_label: Mapped[str] = mapped_column(String(140))  # as the bank writes it
    recorded_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    recorded_at: Mapped[datetime]

    @property
    def amount(self) -> Money:
        """What came."""
        return Money(self.amount_minor, self.currency)


class WebhookReceipt(Base):
    """What a provider sent us, stored before it is acted on; the same event counts once."""

    __tablename__ = "webhook_receipts"
    __table_args__ = (UniqueConstraint("provider", "event_id"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    provider: Mapped[str] = mapped_column(String(20))
    event_id: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(120))
    reference: Mapped[str | None] = mapped_column(String(120))
    payment_id: Mapped[uuid.UUID | None]  # as the provider kept it; not a foreign key: unproven
    dispute: Mapped[str | None] = mapped_column(String(120))  # what `fetch_dispute` takes
    refunded: Mapped[bool] = mapped_column(default=False)  # it is about refunds of the charge
    received_at: Mapped[datetime]
    # When it is tried again; None: it was handled.
    try_at: Mapped[datetime | None] = mapped_column(index=True)
    tries: Mapped[int] = mapped_column(default=0)
