"""What a paid order opens, and the log that proves its use (F-01, W-03)."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storefront.fulfilment.rules import AccessKind
from storefront.infra.db import Base, enum_type
from storefront.infra.journal import SealedRow
from storefront.orders.models import FulfilmentStatus, OrderLine


class Access(Base):
    """The right of one buyer to open one file or course, from `opens_at` on (None: not yet)."""

    __tablename__ = "accesses"
    __table_args__ = (UniqueConstraint("order_line_id", "item"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), index=True)
    order_line_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("order_lines.id"))
    kind: Mapped[AccessKind] = mapped_column(enum_type(AccessKind))
    item: Mapped[str] = mapped_column(String(200))  # file name or course slug
    title: Mapped[str] = mapped_column(String(250))
    code: Mapped[str] = mapped_column(String(40), unique=True)  # nominative access code
    opens_at: Mapped[datetime | None] = mapped_column(index=True)
    opened_at: Mapped[datetime | None]  # when it did open and its owner was told

    order_line: Mapped[OrderLine] = relationship()

    @property
    def suspended(self) -> bool:
        """Whether something stops the line that gives it (see `Suspension`)."""
        return self.order_line.fulfilment is FulfilmentStatus.SUSPENDED

    @property
    def revoked(self) -> bool:
        """Whether it was taken back for good."""
        return self.order_line.fulfilment is FulfilmentStatus.REVOKED

    @property
    def usable(self) -> bool:
        """Whether its owner can open it now."""
        return self.opened_at is not None and not self.suspended and not self.revoked

    @property
    def path(self) -> str:
        """The personal link: it works for its owner only, signed in."""
        place = "cours" if self.kind is AccessKind.COURSE else "telechargements"
        return f"/{place}/{self.code}"


class AccessEvent(SealedRow, Base):
    """Each opening: who, what, when, from where."""

    __tablename__ = "access_events"
    __append_only__ = True
    __table_args__ = (Index("ix_access_events_access", "access_id", "at"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    access_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accesses.id", ondelete="RESTRICT"))
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    at: Mapped[datetime]
    ip: Mapped[str] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(500))


class Shipment(Base):
    """Goods on their way; the delivery starts the withdrawal period (F-02, W-01)."""

    __tablename__ = "shipments"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    order_line_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("order_lines.id"), unique=True)
    tracking: Mapped[str] = mapped_column(String(60), default="")
    shipped_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]

    order_line: Mapped[OrderLine] = relationship()


_STILL_OPEN = text("lifted_at IS NULL")


class Suspension(Base):
    """Why a line is stopped, from when to when: rows are added and closed, never rewritten.

    One open row at most for a line and a cause. `before` is what the line was before the first
    of the causes that stop it; `revoked_at` says that it never comes back.
    """

    __tablename__ = "suspensions"
    __table_args__ = (
        Index(
            "uq_suspensions_open",
            "order_line_id",
            "cause",
            unique=True,
            sqlite_where=_STILL_OPEN,
            postgresql_where=_STILL_OPEN,
        ),
        CheckConstraint("lifted_at IS NULL OR revoked_at IS NULL", name="one_end"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    order_line_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("order_lines.id"))
    cause: Mapped[str] = mapped_column(String(80))  # "unpaid", "dispute:<id>"
    before: Mapped[FulfilmentStatus] = mapped_column(enum_type(FulfilmentStatus))
    since: Mapped[datetime]
    lifted_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    order_line: Mapped[OrderLine] = relationship()
