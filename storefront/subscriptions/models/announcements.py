"""Changes that staff announce to running subscribers, and what each of them was told (R-06)."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storefront.infra.db import Base, enum_type
from storefront.kernel.calendar import paris_date
from storefront.kernel.states import Lifecycle
from storefront.legal.models import TermsVersion
from storefront.notifications.models import Email
from storefront.subscriptions.models.subscriptions import Subscription
from storefront.subscriptions.models.versions import PlanVersion
from storefront.subscriptions.rules import NotTold


class Announcement(Base):
    """One version, of a plan or of the terms, that staff decided to bring to who runs already.

    Its notices are made by the worker, batch after batch, until `completed_at`.
    """

    __tablename__ = "announcements"
    __table_args__ = (
        CheckConstraint("(to_version_id IS NULL) <> (terms_version_id IS NULL)", name="one_thing"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    to_version_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("plan_versions.id"))
    terms_version_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("terms_versions.id"))
    changes: Mapped[list[str]]  # what staff say is different, one sentence each
    announced_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    announced_at: Mapped[datetime]
    # Once nobody is left to be looked at.
    completed_at: Mapped[datetime | None] = mapped_column(index=True)

    to_version: Mapped[PlanVersion | None] = relationship()
    terms_version: Mapped[TermsVersion | None] = relationship()


class NoticeStatus(StrEnum):
    """ANNOUNCED: told, or about to be. REFUSED: its subscriber stops before it. VOID: it will not
    apply; `reason` says why where there is something to say."""

    ANNOUNCED = "announced"
    APPLIED = "applied"
    REFUSED = "refused"
    VOID = "void"


NOTICE_LIFECYCLE = Lifecycle(
    "version_notice",
    {
        NoticeStatus.ANNOUNCED: {
            NoticeStatus.APPLIED,
            NoticeStatus.REFUSED,
            NoticeStatus.VOID,
        },
        # Back: its subscriber thought better of it, until the day itself.
        NoticeStatus.REFUSED: {NoticeStatus.ANNOUNCED, NoticeStatus.VOID},
        # Announced once more, to who could not be told the first time.
        NoticeStatus.VOID: {NoticeStatus.ANNOUNCED, NoticeStatus.VOID},
        NoticeStatus.APPLIED: set(),
    },
)


class VersionNotice(Base):
    """What one subscriber was told of one change; it applies only if the message left in time."""

    __tablename__ = "version_notices"
    __table_args__ = (
        UniqueConstraint("subscription_id", "to_version_id"),
        UniqueConstraint("subscription_id", "terms_version_id"),
        CheckConstraint("(to_version_id IS NULL) <> (terms_version_id IS NULL)", name="one_thing"),
        Index("ix_version_notices_announcement", "announcement_id", "status"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    announcement_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("announcements.id"))
    subscription_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("subscriptions.id"))
    to_version_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("plan_versions.id"))
    terms_version_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("terms_versions.id"))
    status: Mapped[NoticeStatus] = mapped_column(
        enum_type(NoticeStatus), default=NoticeStatus.ANNOUNCED
    )
    reason: Mapped[NotTold | None] = mapped_column(enum_type(NotTold))
    # No dearer and no less of anything: it waits for no delay and opens no way out.
    better: Mapped[bool] = mapped_column(default=False)
    announced_at: Mapped[datetime]
    # The first day on which it holds; later than was told when the message left late.
    applies_on: Mapped[date | None]
    email_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("emails.id"), index=True)
    answered_at: Mapped[datetime | None]
    applied_at: Mapped[datetime | None]
    # The end that was set before its subscriber stopped for this change.
    former_ends_on: Mapped[date | None]

    announcement: Mapped[Announcement] = relationship()
    subscription: Mapped[Subscription] = relationship()
    to_version: Mapped[PlanVersion | None] = relationship()
    terms_version: Mapped[TermsVersion | None] = relationship()
    email: Mapped[Email | None] = relationship()

    @property
    def sent_at(self) -> datetime | None:
        """When the message really left; None while it has not."""
        return self.email.sent_at if self.email else None

    @property
    def told_on(self) -> date | None:
        """The day in Paris on which its subscriber was told."""
        return paris_date(self.sent_at) if self.sent_at else None
