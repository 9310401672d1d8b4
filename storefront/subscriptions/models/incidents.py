"""Incidents that staff declare, and what subscribers are credited for them (B-06, MRE-04)."""

from __future__ import annotations

import uuid
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storefront.infra.db import Base, enum_type
from storefront.infra.journal import SealedRow
from storefront.kernel.states import Lifecycle
from storefront.subscriptions.models.subscriptions import Subscription, SubscriptionPeriod
from storefront.subscriptions.rules.outages import Price, Severity, Span


class Incident(Base):
    """What did not work, from when to when, for which plans; open while it has no end."""

    __tablename__ = "incidents"
    __table_args__ = (
        CheckConstraint("ended_at IS NULL OR ended_at > started_at", name="order"),
        Index("ix_incidents_started", "started_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    title: Mapped[str] = mapped_column(String(160))
    severity: Mapped[Severity] = mapped_column(enum_type(Severity))
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    # What is concerned: "family:<name>" or "product:<id>"; none: every plan.
    concerns: Mapped[list[str]]
    declared_at: Mapped[datetime]
    declared_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    # Declared by mistake: it counts nowhere and nobody is shown it.
    withdrawn_at: Mapped[datetime | None]
    # From 1, and one more with each change: a page that showed an older one is stale.
    revision: Mapped[int] = mapped_column(default=1)
    # When its credits are to be computed, again or for the first time; None: they are.
    compute_at: Mapped[datetime | None] = mapped_column(index=True)

    updates: Mapped[list[IncidentUpdate]] = relationship(order_by="IncidentUpdate.at")

    @property
    def span(self) -> Span | None:
        """The time that counts: of an outage that is over; None for anything else."""
        counts = self.severity is Severity.OUTAGE and self.withdrawn_at is None
        return Span(self.started_at, self.ended_at) if counts and self.ended_at else None

    def is_about(self, family: str | None, product_id: uuid.UUID) -> bool:
        """Whether a plan is concerned."""
        names = {f"family:{family}", f"product:{product_id}"}
        return not self.concerns or not names.isdisjoint(self.concerns)


class IncidentUpdate(SealedRow, Base):
    """What everybody is told while it lasts, and after."""

    __tablename__ = "incident_updates"
    __append_only__ = True

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    incident_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("incidents.id", ondelete="RESTRICT"), index=True
    )
    at: Mapped[datetime]
    words: Mapped[str]
    written_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))


class OutageCreditStatus(StrEnum):
    """PROPOSED: computed, staff decide. GRANTED: it reduces the next debit. APPLIED: it did,
    wholly. REFUNDED: there is no next debit, the rest was handed over to be paid back."""

    PROPOSED = "proposed"
    GRANTED = "granted"
    DECLINED = "declined"
    APPLIED = "applied"
    REFUNDED = "refunded"


OUTAGE_CREDIT_LIFECYCLE = Lifecycle(
    "outage_credit",
    {
        OutageCreditStatus.PROPOSED: {OutageCreditStatus.GRANTED, OutageCreditStatus.DECLINED},
        OutageCreditStatus.GRANTED: {OutageCreditStatus.APPLIED, OutageCreditStatus.REFUNDED},
        OutageCreditStatus.DECLINED: set(),
        OutageCreditStatus.APPLIED: set(),
        OutageCreditStatus.REFUNDED: set(),
    },
)

_PROPOSED = text("status = 'proposed'")


class OutageCredit(Base):
    """What one incident takes off one period of a subscription, with how it was computed.

    Computed anew while it is proposed, never after: what a correction adds to a decided one is a
    row of its own, with the next `number`. Amounts in minor units of the subscription's currency.
    """

    __tablename__ = "outage_credits"
    __table_args__ = (
        UniqueConstraint("incident_id", "period_id", "number"),
        CheckConstraint("net_minor + vat_minor = gross_minor", name="adds_up"),
        CheckConstraint("gross_minor > 0 AND gross_minor <= price_minor", name="amount"),
        CheckConstraint("used_minor >= 0 AND used_minor <= gross_minor", name="used"),
        CheckConstraint("down_seconds > 0 AND down_seconds <= period_seconds", name="down"),
        Index(
            "ux_outage_credits_proposed",
            "incident_id",
            "period_id",
            unique=True,
            sqlite_where=_PROPOSED,
            postgresql_where=_PROPOSED,
        ),
        Index("ix_outage_credits_subscription", "subscription_id", "status"),
        Index("ix_outage_credits_status", "status", "decided_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    incident_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("incidents.id"))
    subscription_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("subscriptions.id"))
    period_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("subscription_periods.id"), index=True)
    number: Mapped[int] = mapped_column(default=1)
    # The first and the last instant of the time without service that falls into the period.
    down_from: Mapped[datetime]
    down_until: Mapped[datetime]
    down_seconds: Mapped[int]
    period_seconds: Mapped[int]
    price_minor: Mapped[int]  # of the period, tax included
    net_minor: Mapped[int]
    vat_minor: Mapped[int]
    gross_minor: Mapped[int]
    status: Mapped[OutageCreditStatus] = mapped_column(
        enum_type(OutageCreditStatus), default=OutageCreditStatus.PROPOSED
    )
    computed_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    reason: Mapped[str] = mapped_column(String(500), default="")  # of a refusal
    told_at: Mapped[datetime | None]
    # What reduced debits so far, tax included: the sum of its uses.
    used_minor: Mapped[int] = mapped_column(default=0)

    incident: Mapped[Incident] = relationship()
    subscription: Mapped[Subscription] = relationship()
    period: Mapped[SubscriptionPeriod] = relationship()
    uses: Mapped[list[OutageCreditUse]] = relationship(
        back_populates="credit", order_by="OutageCreditUse.at"
    )

    @property
    def amount(self) -> Price:
        """What it amounts to."""
        return Price(self.net_minor, self.vat_minor, self.gross_minor)

    @property
    def left_minor(self) -> int:
        """What has not reduced any debit yet, tax included."""
        return self.gross_minor - self.used_minor


class OutageCreditUse(SealedRow, Base):
    """What a credit took off the debit of one period: once a period, never changed."""

    __tablename__ = "outage_credit_uses"
    __append_only__ = True
    __table_args__ = (
        UniqueConstraint("credit_id", "period_id"),
        CheckConstraint("net_minor + vat_minor = gross_minor", name="adds_up"),
        CheckConstraint("gross_minor > 0", name="amount"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    credit_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("outage_credits.id", ondelete="RESTRICT")
    )
    period_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("subscription_periods.id", ondelete="RESTRICT"), index=True
    )
    at: Mapped[datetime]
    net_minor: Mapped[int]
    vat_minor: Mapped[int]
    gross_minor: Mapped[int]

    credit: Mapped[OutageCredit] = relationship(back_populates="uses")
    period: Mapped[SubscriptionPeriod] = relationship()
