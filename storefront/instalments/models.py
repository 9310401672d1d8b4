"""What is owed and when: every order has a schedule, of one instalment or several (M-02)."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storefront.infra.db import Base, enum_type
from storefront.kernel.states import Lifecycle
from storefront.orders.models import Order

PRICE = "price"


class InstalmentStatus(StrEnum):
    """SCHEDULED: not taken yet. CHARGING: an attempt is under way or in doubt. FAILED: a retry
    is planned on `next_attempt_on`. UNPAID: no attempt is left, the customer must act."""

    SCHEDULED = "scheduled"
    CHARGING = "charging"
    PAID = "paid"
    FAILED = "failed"
    UNPAID = "unpaid"
    CANCELLED = "cancelled"


INSTALMENT_LIFECYCLE = Lifecycle(
    "instalment",
    {
        InstalmentStatus.SCHEDULED: {
            InstalmentStatus.CHARGING,
            InstalmentStatus.PAID,
            InstalmentStatus.UNPAID,
            InstalmentStatus.CANCELLED,
        },
        InstalmentStatus.CHARGING: {
            InstalmentStatus.PAID,
            InstalmentStatus.FAILED,
            InstalmentStatus.UNPAID,
        },
        # Back to SCHEDULED: a deferral was granted, it is taken on another day.
        InstalmentStatus.FAILED: {
            InstalmentStatus.SCHEDULED,
            InstalmentStatus.CHARGING,
            InstalmentStatus.PAID,
            InstalmentStatus.UNPAID,
            InstalmentStatus.CANCELLED,
        },
        InstalmentStatus.UNPAID: {
            InstalmentStatus.SCHEDULED,
            InstalmentStatus.CHARGING,
            InstalmentStatus.PAID,
            InstalmentStatus.CANCELLED,
        },
        InstalmentStatus.PAID: set(),
        InstalmentStatus.CANCELLED: {InstalmentStatus.PAID},
    },
)


class Instalment(Base):
    """One amount owed on a civil date (Paris), in minor units.

    The price of an order is the schedule `price`, ranks 1 to n; the months of a subscription
    after the first are a schedule of their own (`subscriptions.rules.schedule_name`): one
    billing run takes them all.
    """

    __tablename__ = "instalments"
    __table_args__ = (
        UniqueConstraint("order_id", "schedule", "rank"),
        CheckConstraint("amount_minor >= 0 AND received_minor >= 0", name="amount"),
        Index("ix_instalments_due", "status", "next_attempt_on"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    order_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("orders.id"))
    schedule: Mapped[str] = mapped_column(String(60), default=PRICE)
    rank: Mapped[int]  # from 1; the first of the price is paid with the order
    label: Mapped[str] = mapped_column(String(200), default="")
    due_on: Mapped[date]
    currency: Mapped[str] = mapped_column(String(3))
    amount_minor: Mapped[int]
    status: Mapped[InstalmentStatus] = mapped_column(
        enum_type(InstalmentStatus), default=InstalmentStatus.SCHEDULED
    )
    # The day of the next attempt: due_on at first, later by the retry schedule of the terms.
    next_attempt_on: Mapped[date]
    attempts: Mapped[int] = mapped_column(default=0)
    # The day on which the customer is told of the debit: due_on less the notice of the terms.
    announce_on: Mapped[date]
    announced_at: Mapped[datetime | None]
    # The day that stands for due_on since: a deferral, or the rest that fell due at once. Why is
    # written in a row of its own (room arrears); the plan keeps its date (M-02). A month that is
    # paid by hand has one from the start: the time to be told of it and to send the money.
    moved_to: Mapped[date | None]
    # What came of it so far without settling it (minor units).
    received_minor: Mapped[int] = mapped_column(default=0)
    paid_at: Mapped[datetime | None]
    # Since when it waits: what it pays for cannot be supplied (B-08). Nothing is taken, announced
    # or asked for; who wants to pay still can.
    held_at: Mapped[datetime | None]
    # Paid by its customer on a page, or dropped: nobody owes it, so that it is never debited,
    # announced nor chased (a change of plan, B-07).
    voluntary: Mapped[bool] = mapped_column(default=False)

    order: Mapped[Order] = relationship()

    @property
    def owed_on(self) -> date:
        """The last day on which it can be paid in time."""
        return self.moved_to or self.due_on

    @property
    def missing_minor(self) -> int:
        """What is still to come of it (minor units)."""
        return max(self.amount_minor - self.received_minor, 0)
