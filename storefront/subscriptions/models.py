"""Monthly contracts and plans: periods counted from the anchor day (B-01)."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storefront.infra.db import Base, enum_type
from storefront.kernel.states import Lifecycle
from storefront.orders.models import Order, OrderLine


class SubscriptionStatus(StrEnum):
    """PAST_DUE: a debit failed, the service is kept for the grace days (B-04)."""

    ACTIVE = "active"
    PAST_DUE = "past_due"
    SUSPENDED = "suspended"
    ENDED = "ended"


SUBSCRIPTION_LIFECYCLE = Lifecycle(
    "subscription",
    {
        SubscriptionStatus.ACTIVE: {SubscriptionStatus.PAST_DUE, SubscriptionStatus.ENDED},
        SubscriptionStatus.PAST_DUE: {
            SubscriptionStatus.ACTIVE,
            SubscriptionStatus.SUSPENDED,
            SubscriptionStatus.ENDED,
        },
        SubscriptionStatus.SUSPENDED: {SubscriptionStatus.ACTIVE, SubscriptionStatus.ENDED},
        SubscriptionStatus.ENDED: set(),
    },
)


class Subscription(Base):
    """One order line that goes on month after month. Amounts in minor units, tax included."""

    __tablename__ = "subscriptions"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), index=True)
    order_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("orders.id"))
    order_line_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("order_lines.id"), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    status: Mapped[SubscriptionStatus] = mapped_column(
        enum_type(SubscriptionStatus), default=SubscriptionStatus.ACTIVE
    )
    anchor_on: Mapped[date]
    currency: Mapped[str] = mapped_column(String(3))
    net_minor: Mapped[int]
    vat_minor: Mapped[int]
    gross_minor: Mapped[int]
    committed_until: Mapped[date | None]
    # The first day without service, once somebody decided the end (B-03).
    ends_on: Mapped[date | None]
    past_due_since: Mapped[datetime | None]
    # When the grace days of the accepted terms are over (B-04); None while nothing is late.
    suspend_at: Mapped[datetime | None] = mapped_column(index=True)
    # When the next month is opened: the first day after the last one; None once it has ended.
    next_period_on: Mapped[date | None] = mapped_column(index=True)
    features: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]

    order: Mapped[Order] = relationship()
    order_line: Mapped[OrderLine] = relationship()
    periods: Mapped[list[SubscriptionPeriod]] = relationship(
        back_populates="subscription", order_by="SubscriptionPeriod.number"
    )


class SubscriptionPeriod(Base):
    """One month, billed once whatever runs twice: UNIQUE(subscription, number)."""

    __tablename__ = "subscription_periods"
    __table_args__ = (
        UniqueConstraint("subscription_id", "number"),
        CheckConstraint("ends_on > starts_on", name="order"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    subscription_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("subscriptions.id"))
    number: Mapped[int]  # from 1, paid with the order
    starts_on: Mapped[date]
    ends_on: Mapped[date]  # exclusive: the next period's first day
    # The first month was paid with the order; a free plan has none to pay.
    instalment_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("instalments.id"), unique=True
    )
    paid_at: Mapped[datetime | None]

    subscription: Mapped[Subscription] = relationship(back_populates="periods")

    @property
    def last_day(self) -> date:
        """The last day of the month, itself included."""
        return self.ends_on - timedelta(days=1)
