"""From one plan to another of its family: at once when it is dearer, later when not (B-07)."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storefront.infra.db import Base, enum_type
from storefront.kernel.states import Lifecycle
from storefront.subscriptions.models.subscriptions import Subscription, SubscriptionPeriod
from storefront.subscriptions.models.versions import PlanVersion
from storefront.subscriptions.rules import Direction


class ChangeStatus(StrEnum):
    """AWAITING_PAYMENT: an upgrade whose page is open. SCHEDULED: it waits for the next period.

    LAPSED: not paid in time, or the subscription ended before: nothing changed, nothing is owed.
    """

    AWAITING_PAYMENT = "awaiting_payment"
    SCHEDULED = "scheduled"
    DONE = "done"
    TAKEN_BACK = "taken_back"
    LAPSED = "lapsed"


_ENDS = {ChangeStatus.DONE, ChangeStatus.TAKEN_BACK, ChangeStatus.LAPSED}

CHANGE_LIFECYCLE = Lifecycle(
    "plan_change",
    {
        ChangeStatus.AWAITING_PAYMENT: _ENDS,
        ChangeStatus.SCHEDULED: _ENDS,
        ChangeStatus.DONE: set(),
        # What an upgrade had taken the place of comes back when that upgrade is not paid.
        ChangeStatus.TAKEN_BACK: {ChangeStatus.SCHEDULED},
        ChangeStatus.LAPSED: set(),
    },
)


class PlanChange(Base):
    """One choice of another plan, with the prices that were shown. Amounts in minor units.

    `net`, `vat` and `gross` are paid at once for the rest of the period (0 for a downgrade);
    the `price` is that of every period after, for this subscriber.
    """

    __tablename__ = "plan_changes"
    __table_args__ = (
        CheckConstraint("net_minor + vat_minor = gross_minor", name="adds_up"),
        CheckConstraint("net_minor >= 0 AND vat_minor >= 0", name="no_money_back"),
        CheckConstraint("price_net_minor + price_vat_minor = price_gross_minor", name="price"),
        # One open choice at a time, whoever clicks in two tabs at once.
        Index(
            "ux_plan_changes_open",
            "subscription_id",
            unique=True,
            sqlite_where=text("status IN ('awaiting_payment', 'scheduled')"),
            postgresql_where=text("status IN ('awaiting_payment', 'scheduled')"),
        ),
        Index("ix_plan_changes_expiry", "status", "expires_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    subscription_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("subscriptions.id"), index=True)
    # The period that ran when it was chosen.
    period_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("subscription_periods.id"))
    from_version_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("plan_versions.id"))
    to_version_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("plan_versions.id"))
    direction: Mapped[Direction] = mapped_column(enum_type(Direction))
    status: Mapped[ChangeStatus] = mapped_column(enum_type(ChangeStatus))
    requested_at: Mapped[datetime]
    # The instant from which the rest of the period was counted, as it was shown.
    counted_from: Mapped[datetime]
    net_minor: Mapped[int]
    vat_minor: Mapped[int]
    gross_minor: Mapped[int]
    price_net_minor: Mapped[int]
    price_vat_minor: Mapped[int]
    price_gross_minor: Mapped[int]
    # The first day on the new plan: the next period's, or the day on which it was paid.
    effective_on: Mapped[date]
    # Until when it can be paid; None once nothing is to be paid any more.
    expires_at: Mapped[datetime | None]
    instalment_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("instalments.id"), unique=True
    )
    # The scheduled change that this one took the place of.
    replaces_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("plan_changes.id"))
    done_at: Mapped[datetime | None]
    # When it was taken back, replaced or lapsed.
    dropped_at: Mapped[datetime | None]

    subscription: Mapped[Subscription] = relationship()
    period: Mapped[SubscriptionPeriod] = relationship()
    from_version: Mapped[PlanVersion] = relationship(foreign_keys=[from_version_id])
    to_version: Mapped[PlanVersion] = relationship(foreign_keys=[to_version_id])
