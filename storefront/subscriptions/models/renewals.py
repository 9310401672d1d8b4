"""What a holder was told, and said, of the term that follows (B-09, L215-1)."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storefront.infra.db import Base, enum_type
from storefront.kernel.calendar import paris_date
from storefront.notifications.models import Email
from storefront.subscriptions.models.subscriptions import Subscription
from storefront.subscriptions.rules import Answer, Outcome


class RenewalNotice(Base):
    """One end of a term: UNIQUE(subscription, term_ends_on), whoever runs twice."""

    __tablename__ = "renewal_notices"
    __table_args__ = (UniqueConstraint("subscription_id", "term_ends_on"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    subscription_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("subscriptions.id"))
    term_ends_on: Mapped[date]  # the first day after the term
    # The window and the last day to answer, as the terms in force for this subscription had them.
    opens_on: Mapped[date]
    closes_on: Mapped[date]
    opt_out_until: Mapped[date]
    email_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("emails.id"), index=True)
    answer: Mapped[Answer | None] = mapped_column(enum_type(Answer))
    answered_at: Mapped[datetime | None]
    outcome: Mapped[Outcome | None] = mapped_column(enum_type(Outcome))
    decided_at: Mapped[datetime | None]  # when the term came

    subscription: Mapped[Subscription] = relationship()
    email: Mapped[Email | None] = relationship()

    @property
    def sent_on(self) -> date | None:
        """The day in Paris on which the message really left."""
        return paris_date(self.email.sent_at) if self.email and self.email.sent_at else None
