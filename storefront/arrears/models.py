"""One case an unpaid sum and a day it was owed on; what was done about it; deferrals."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storefront.arrears.rules import DunningStep, Outcome
from storefront.infra.db import Base, enum_type
from storefront.infra.journal import SealedRow
from storefront.instalments.models import Instalment

_STILL_OPEN = text("closed_at IS NULL")


class ArrearsCase(Base):
    """An instalment that was not paid on `owed_on`, until it is paid, deferred or cancelled.

    A deferral ends the case; if the sum is not paid on the new day either, another case begins
    (`round`). `next_step` and `next_on` are what the rules say of the terms that the order
    accepted and of what was done: a cache for the job that looks for what is due.
    """

    __tablename__ = "arrears_cases"
    __table_args__ = (
        UniqueConstraint("instalment_id", "round"),
        Index(
            "uq_arrears_cases_open",
            "instalment_id",
            unique=True,
            sqlite_where=_STILL_OPEN,
            postgresql_where=_STILL_OPEN,
        ),
        CheckConstraint("(closed_at IS NULL) = (outcome IS NULL)", name="closed"),
        CheckConstraint("(next_on IS NULL) = (next_step IS NULL)", name="next"),
        Index("ix_arrears_cases_due", "closed_at", "next_on"),
        Index("ix_arrears_cases_order", "order_id", "closed_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    instalment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("instalments.id"))
    order_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("orders.id"))
    round: Mapped[int]
    owed_on: Mapped[date]
    opened_at: Mapped[datetime]
    next_step: Mapped[DunningStep | None] = mapped_column(enum_type(DunningStep))
    next_on: Mapped[date | None]
    # Days that stood still since the last step: what it pays for could not be supplied (B-08).
    waited_days: Mapped[int] = mapped_column(default=0)
    closed_at: Mapped[datetime | None]
    outcome: Mapped[Outcome | None] = mapped_column(enum_type(Outcome))

    instalment: Mapped[Instalment] = relationship()
    acts: Mapped[list[DunningAct]] = relationship(
        back_populates="case", order_by="DunningAct.number"
    )

    def act(self, step: DunningStep) -> DunningAct | None:
        """What was done at this step; None when it was not."""
        return next((one for one in self.acts if one.step is step), None)


class DunningAct(SealedRow, Base):
    """A step that was made, once: UNIQUE(case, step)."""

    __tablename__ = "dunning_acts"
    __append_only__ = True
    __table_args__ = (UniqueConstraint("case_id", "step"), UniqueConstraint("case_id", "number"))

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    case_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("arrears_cases.id", ondelete="RESTRICT"))
    number: Mapped[int]  # from 1, in the order in which they were made
    step: Mapped[DunningStep] = mapped_column(enum_type(DunningStep))
    made_on: Mapped[date]
    at: Mapped[datetime]
    # The last day to pay before what follows, as the customer was told.
    answer_by: Mapped[date | None]
    document_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("documents.id", ondelete="RESTRICT")
    )

    case: Mapped[ArrearsCase] = relationship(back_populates="acts")


class Deferral(SealedRow, Base):
    """The seller agreed to wait for a sum until another day: why, and who agreed (M-05).

    The plan keeps its own date (M-02); the instalment says which day stands for it now.
    """

    __tablename__ = "deferrals"
    __append_only__ = True
    __table_args__ = (
        UniqueConstraint("instalment_id", "number"),
        CheckConstraint("until_on > owed_on", name="later"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    instalment_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("instalments.id"))
    number: Mapped[int]
    owed_on: Mapped[date]  # the day that it replaces
    until_on: Mapped[date]
    reason: Mapped[str] = mapped_column(String(500))
    granted_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    granted_at: Mapped[datetime]

    instalment: Mapped[Instalment] = relationship()
