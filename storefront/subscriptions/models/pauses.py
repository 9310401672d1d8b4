"""What nobody can supply for a while, through nobody's fault (B-08, C. civ. 1218)."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storefront.infra.db import Base
from storefront.subscriptions.models.subscriptions import Subscription

_OPEN = text("resumed_at IS NULL")


class Pause(Base):
    """Days without service and without billing: from `starts_on` until `resumed_on`, the first day
    on which it is there again. Open while `resumed_at` is None; one at a time."""

    __tablename__ = "subscription_pauses"
    __table_args__ = (
        CheckConstraint("(resumed_at IS NULL) = (resumed_on IS NULL)", name="resumed"),
        CheckConstraint("resumed_on >= starts_on", name="order"),
        Index(
            "ux_subscription_pauses_open",
            "subscription_id",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    subscription_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("subscriptions.id"))
    starts_on: Mapped[date]
    reason: Mapped[str]  # as the customer reads it
    recorded_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    recorded_at: Mapped[datetime]
    resumed_on: Mapped[date | None]
    resumed_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    resumed_at: Mapped[datetime | None]

    subscription: Mapped[Subscription] = relationship()

    @property
    def days(self) -> int:
        """How many days it lasted; 0 while it goes on."""
        return (self.resumed_on - self.starts_on).days if self.resumed_on else 0
