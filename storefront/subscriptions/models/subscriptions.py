"""Monthly contracts and plans: periods counted from the anchor day (B-01)."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storefront.catalogue.rules import ProductKind
from storefront.infra.db import Base, enum_type
from storefront.instalments.models import Instalment
from storefront.kernel.states import Lifecycle
from storefront.legal.models import TermsVersion
from storefront.orders.models import Order, OrderLine
from storefront.subscriptions.models.versions import PlanVersion
from storefront.subscriptions.rules import Renewal

if TYPE_CHECKING:
    from storefront.subscriptions.models.changes import PlanChange


class SubscriptionStatus(StrEnum):
    """PAST_DUE: a debit failed, the service is kept for the grace days (B-04), or until the steps
    of the terms come to it for a contract that binds (SUB-06)."""

    ACTIVE = "active"
    PAST_DUE = "past_due"
    SUSPENDED = "suspended"
    ENDED = "ended"


class SuspensionCause(StrEnum):
    """GRACE: a month stayed unpaid through its grace days (B-04). ARREARS: the steps of the terms
    came to it, reminder and formal notice before (SUB-06)."""

    GRACE = "grace"
    ARREARS = "arrears"


SUBSCRIPTION_LIFECYCLE = Lifecycle(
    "subscription",
    {
        # At once suspended: another month of it was, while this one was paid late.
        SubscriptionStatus.ACTIVE: {
            SubscriptionStatus.PAST_DUE,
            SubscriptionStatus.SUSPENDED,
            SubscriptionStatus.ENDED,
        },
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
    """One order line that goes on period after period. Amounts in minor units of a period.

    A period is a month, or the whole term for a contract paid up front (`billing_months`).
    """

    __tablename__ = "subscriptions"
    __table_args__ = (
        CheckConstraint("billing_months >= 1", name="billing"),
        CheckConstraint("suspended_because IS NULL OR status = 'suspended'", name="suspended"),
        CheckConstraint("net_minor + vat_minor = gross_minor", name="adds_up"),
        # One plan of a family at a time, whoever pays twice at once.
        Index(
            "ux_subscriptions_family",
            "user_id",
            "family",
            unique=True,
            sqlite_where=text("status <> 'ended' AND family IS NOT NULL"),
            postgresql_where=text("status <> 'ended' AND family IS NOT NULL"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), index=True)
    order_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("orders.id"))
    order_line_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("order_lines.id"), unique=True)
    version_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("plan_versions.id"), index=True)
    kind: Mapped[ProductKind] = mapped_column(enum_type(ProductKind))
    family: Mapped[str | None] = mapped_column(String(60))
    name: Mapped[str] = mapped_column(String(250))
    status: Mapped[SubscriptionStatus] = mapped_column(
        enum_type(SubscriptionStatus), default=SubscriptionStatus.ACTIVE
    )
    # The day from which periods are counted, and the number of the one that starts on it.
    anchor_on: Mapped[date]
    anchor_number: Mapped[int] = mapped_column(default=1)
    billing_months: Mapped[int] = mapped_column(default=1)
    currency: Mapped[str] = mapped_column(String(3))
    # What the next period costs this subscriber.
    net_minor: Mapped[int]
    vat_minor: Mapped[int]
    gross_minor: Mapped[int]
    term_months: Mapped[int] = mapped_column(default=0)  # of commitment; 0: none
    renewal: Mapped[Renewal] = mapped_column(enum_type(Renewal), default=Renewal.NONE)
    # The end of the running term: the first day on which it may be ended; None: any time.
    committed_until: Mapped[date | None]
    # The first day without service, once an end is known (B-03).
    ends_on: Mapped[date | None]
    # The terms in force for this subscription: the order's, until others were announced.
    terms_version_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("terms_versions.id", ondelete="RESTRICT"), index=True
    )
    # When its holder is written to about the next term (B-09); None: no term is renewed, or done.
    renewal_notice_on: Mapped[date | None] = mapped_column(index=True)
    # Renewed without a word in time: from then on it is ended at any time, at no cost (L215-1).
    free_exit_since: Mapped[date | None]
    # The instant of an end that is not the start of `ends_on`: no period begins on that day.
    ends_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    # When something that the plan lets its holder use was used first (MRE-07).
    first_used_at: Mapped[datetime | None]
    past_due_since: Mapped[datetime | None]
    # When the grace days of the accepted terms are over (B-04); None while nothing is late, and
    # for a contract that binds.
    suspend_at: Mapped[datetime | None] = mapped_column(index=True)
    # Why it is suspended: what lifts it is the end of that cause, nothing else.
    suspended_because: Mapped[SuspensionCause | None] = mapped_column(enum_type(SuspensionCause))
    # Since when nobody can supply it (B-08, model Pause): no period, no debit, no deadline.
    paused_on: Mapped[date | None]
    # When the next period is opened: the first day after the last one; None once it has ended.
    next_period_on: Mapped[date | None] = mapped_column(index=True)
    created_at: Mapped[datetime]

    order: Mapped[Order] = relationship()
    order_line: Mapped[OrderLine] = relationship()
    version: Mapped[PlanVersion] = relationship()
    terms_version: Mapped[TermsVersion] = relationship()
    periods: Mapped[list[SubscriptionPeriod]] = relationship(
        back_populates="subscription", order_by="SubscriptionPeriod.number"
    )
    # The other plan that was chosen and waits, for its payment or for the next period (B-07).
    choice: Mapped[PlanChange | None] = relationship(
        primaryjoin="and_(Subscription.id == PlanChange.subscription_id,"
        " PlanChange.status.in_(('awaiting_payment', 'scheduled')))",
        viewonly=True,
        uselist=False,
    )

    @property
    def coming(self) -> PlanChange | None:
        """The plan that it goes on with from the next period, once that is decided."""
        chosen = self.choice
        return chosen if chosen is not None and chosen.status.value == "scheduled" else None


class SubscriptionPeriod(Base):
    """One period, billed once whatever runs twice: UNIQUE(subscription, number).

    What it costs and gives was frozen when it was opened. Amounts in minor units.
    """

    __tablename__ = "subscription_periods"
    __table_args__ = (
        UniqueConstraint("subscription_id", "number"),
        CheckConstraint("ends_on > starts_on", name="order"),
        CheckConstraint("net_minor + vat_minor = gross_minor", name="adds_up"),
        Index("ix_subscription_periods_starts_on", "starts_on"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    subscription_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("subscriptions.id"))
    number: Mapped[int]  # from 1, paid with the order
    starts_on: Mapped[date]
    ends_on: Mapped[date]  # exclusive: the next period's first day
    version_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("plan_versions.id"))
    net_minor: Mapped[int]
    vat_minor: Mapped[int]
    gross_minor: Mapped[int]
    # The first month was paid with the order; a free plan has none to pay.
    instalment_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("instalments.id"), unique=True
    )
    paid_at: Mapped[datetime | None]

    subscription: Mapped[Subscription] = relationship(back_populates="periods")
    version: Mapped[PlanVersion] = relationship()
    instalment: Mapped[Instalment | None] = relationship()

    @property
    def last_day(self) -> date:
        """The last day of the period, itself included."""
        return self.ends_on - timedelta(days=1)
