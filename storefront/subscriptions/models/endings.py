"""How subscriptions end: what was declared, never changed, and what became of it (B-03 to B-08)."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storefront.infra.db import Base, enum_type
from storefront.infra.journal import SealedRow
from storefront.kernel.states import Lifecycle
from storefront.subscriptions.models.subscriptions import Subscription
from storefront.subscriptions.rules import STATEMENT_AT_LEAST, Ground, Party

_ANNOUNCED = text("status = 'announced'")


class TerminationStatus(StrEnum):
    """ANNOUNCED: the contract runs until it takes effect. TAKEN_BACK: by whoever announced it.
    CURED: what was complained of was put right in time. LAPSED: the contract ended otherwise."""

    ANNOUNCED = "announced"
    EFFECTIVE = "effective"
    TAKEN_BACK = "taken_back"
    CURED = "cured"
    LAPSED = "lapsed"


TERMINATION_LIFECYCLE = Lifecycle(
    "termination",
    {
        TerminationStatus.ANNOUNCED: {
            TerminationStatus.EFFECTIVE,
            TerminationStatus.TAKEN_BACK,
            TerminationStatus.CURED,
            TerminationStatus.LAPSED,
        },
        TerminationStatus.EFFECTIVE: set(),
        TerminationStatus.TAKEN_BACK: set(),
        TerminationStatus.CURED: set(),
        TerminationStatus.LAPSED: set(),
    },
)


class TerminationNotice(SealedRow, Base):
    """What was declared, by whom, when, and what it promised on that day: proof, never changed.

    `recorded_by`: staff who wrote it down; None: its holder, on their own page. `cause_id`: the
    declaration that it came by, when it was one (L215-1-1).
    """

    __tablename__ = "termination_notices"
    __append_only__ = True
    __table_args__ = (
        CheckConstraint(
            f"ground IN ({', '.join(repr(one.value) for one in Ground if one.chosen)})"
            f" OR length(statement) >= {STATEMENT_AT_LEAST}",
            name="statement",
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    subscription_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("subscriptions.id", ondelete="RESTRICT"), index=True
    )
    ground: Mapped[Ground] = mapped_column(enum_type(Ground))
    statement: Mapped[str]  # the reasons, as the other side reads them
    notified_at: Mapped[datetime]
    cure_until: Mapped[date | None]  # the last day to put it right
    effective_at: Mapped[datetime]
    recorded_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    recorded_at: Mapped[datetime]
    cause_id: Mapped[uuid.UUID | None]


class Termination(Base):
    """An end that was announced, until it takes effect or does not.

    One of each ground can stand at a time: the first to come ends the contract. `effective_at` and
    `cure_until` are the notice's, moved by the days of a pause (B-08); `replaces_on` is the end
    that the contract had without any of them.
    """

    __tablename__ = "terminations"
    __table_args__ = (
        UniqueConstraint("notice_id"),
        CheckConstraint("(status = 'announced') = (closed_at IS NULL)", name="closed"),
        Index(
            "ux_terminations_announced",
            "subscription_id",
            "ground",
            unique=True,
            sqlite_where=_ANNOUNCED,
            postgresql_where=_ANNOUNCED,
        ),
        Index("ix_terminations_due", "status", "effective_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    subscription_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("subscriptions.id"))
    notice_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("termination_notices.id"))
    ground: Mapped[Ground] = mapped_column(enum_type(Ground))
    status: Mapped[TerminationStatus] = mapped_column(
        enum_type(TerminationStatus), default=TerminationStatus.ANNOUNCED
    )
    effective_at: Mapped[datetime]
    cure_until: Mapped[date | None]
    replaces_on: Mapped[date | None]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))

    subscription: Mapped[Subscription] = relationship()
    notice: Mapped[TerminationNotice] = relationship()

    @property
    def by(self) -> Party:
        """Whose end it is."""
        return self.ground.party
