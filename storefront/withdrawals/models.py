"""Declarations as they were made, for ever, and apart from them what they were found to be about.

Personal data stands in these rows only; the journal keeps a hash of each (law.md DAT-03).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storefront.identity.models import User
from storefront.infra.db import Base, enum_type
from storefront.infra.journal import SealedRow
from storefront.kernel.money import Money
from storefront.orders.models import Order, OrderLine
from storefront.withdrawals.rules import Basis


class Channel(StrEnum):
    """How a declaration came: by the shop's own page, or written down by staff."""

    ONLINE = "online"
    EMAIL = "email"
    POST = "post"


class WithdrawalRequest(SealedRow, Base):
    """Somebody withdraws from a contract, in their words (L221-21, WDR-05).

    In time is what was sent in time (`declared_at`); the time to refund runs from `received_at`,
    when the seller was told (L221-24). Online they are one instant.
    """

    __tablename__ = "withdrawal_requests"
    __append_only__ = True
    __table_args__ = (
        CheckConstraint("received_at >= declared_at", name="order"),
        CheckConstraint("email <> '' OR channel = 'post'", name="reachable"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    # One act, one row: `rules.submission_key`. It also names the page that shows what was sent.
    key: Mapped[str] = mapped_column(String(64), unique=True)
    reference: Mapped[str] = mapped_column(String(30), unique=True)  # RET-2026-000001
    # Who was signed in, if anybody was: nobody has to be.
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    name: Mapped[str] = mapped_column(String(120))
    email: Mapped[str] = mapped_column(String(254))
    contract: Mapped[str] = mapped_column(String(300))
    remark: Mapped[str]
    # What of the order they withdraw from: [{"line": id, "name": name}]; empty: they do not say.
    lines: Mapped[list[Any]] = mapped_column(default=list)
    declared_at: Mapped[datetime] = mapped_column(index=True)
    received_at: Mapped[datetime]
    channel: Mapped[Channel] = mapped_column(enum_type(Channel), default=Channel.ONLINE)
    # Who among the staff wrote down what came by e-mail or post.
    recorded_by: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))

    recorder: Mapped[User | None] = relationship(foreign_keys=[recorded_by])

    @property
    def names(self) -> list[str]:
        """The names of the lines that they chose, as they read them."""
        return [one["name"] for one in self.lines]

    def covers(self, order_line_id: uuid.UUID) -> bool:
        """Whether they withdraw from this line, as far as they say."""
        return not self.lines or str(order_line_id) in {one["line"] for one in self.lines}

    def sealed_name(self) -> str:
        """How a verification names this declaration."""
        return f"withdrawal {self.reference}"


class CancellationRequest(SealedRow, Base):
    """Somebody ends a contract that goes on, in their words (L215-1-1, D215-2, SUB-01)."""

    __tablename__ = "cancellation_requests"
    __append_only__ = True
    __table_args__ = (CheckConstraint("email <> '' OR postal_address <> ''", name="reachable"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    reference: Mapped[str] = mapped_column(String(30), unique=True)  # RES-2026-000001
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    name: Mapped[str] = mapped_column(String(120))
    email: Mapped[str] = mapped_column(String(254))
    postal_address: Mapped[str] = mapped_column(String(400))
    contract: Mapped[str] = mapped_column(String(300))
    # None: as soon as possible.
    wanted_on: Mapped[date | None]
    # Why before the commitment ends, in the words of the terms or the customer's; empty: no reason.
    reason: Mapped[str]
    declared_at: Mapped[datetime] = mapped_column(index=True)

    def sealed_name(self) -> str:
        """How a verification names this declaration."""
        return f"cancellation {self.reference}"


class WithdrawalMatch(Base):
    """The order that a withdrawal was found to be about; one at most (UNIQUE)."""

    __tablename__ = "withdrawal_matches"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    request_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("withdrawal_requests.id", ondelete="RESTRICT"), unique=True
    )
    order_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("orders.id", ondelete="RESTRICT"), index=True
    )
    # Who among the staff found it; None: the shop did, from what agrees.
    staff_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    matched_at: Mapped[datetime]

    order: Mapped[Order] = relationship()
    staff: Mapped[User | None] = relationship()


class CancellationMatch(Base):
    """The order that a cancellation was found to be about; one at most (UNIQUE)."""

    __tablename__ = "cancellation_matches"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    request_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("cancellation_requests.id", ondelete="RESTRICT"), unique=True
    )
    order_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("orders.id", ondelete="RESTRICT"), index=True
    )
    staff_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    matched_at: Mapped[datetime]

    order: Mapped[Order] = relationship()
    staff: Mapped[User | None] = relationship()


class ReasonDecision(SealedRow, Base):
    """What staff decided of a reason to leave early: once, with an explanation, for ever."""

    __tablename__ = "reason_decisions"
    __append_only__ = True

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    request_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("cancellation_requests.id", ondelete="RESTRICT"), unique=True
    )
    accepted: Mapped[bool]
    explanation: Mapped[str]  # as the customer reads it; may be empty when it was accepted
    staff_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    decided_at: Mapped[datetime]

    staff: Mapped[User] = relationship()


class Proof(StrEnum):
    """What ends the wait for goods: their return, or the proof that they were sent (L221-24)."""

    RETURNED = "returned"
    DISPATCHED = "dispatched"


class GoodsProof(SealedRow, Base):
    """Staff saw the goods of a withdrawal come back, or the proof that they were sent."""

    __tablename__ = "goods_proofs"
    __append_only__ = True
    __table_args__ = (UniqueConstraint("request_id", "proof"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    request_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("withdrawal_requests.id", ondelete="RESTRICT")
    )
    proof: Mapped[Proof] = mapped_column(enum_type(Proof))
    seen_on: Mapped[date]
    staff_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    recorded_at: Mapped[datetime]


class WithdrawalDecision(Base):
    """What staff decided on a withdrawal, in one act: which lines, what goes back of each.

    Its id names the form that was sent, so that a second click finds it; it is the request of the
    refunds too. `final`: nothing of what was declared waits for an answer or for its goods.
    """

    __tablename__ = "withdrawal_decisions"
    __append_only__ = True

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    request_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("withdrawal_requests.id", ondelete="RESTRICT"), index=True
    )
    order_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("orders.id", ondelete="RESTRICT"), index=True
    )
    staff_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    decided_at: Mapped[datetime]
    refund_by: Mapped[date]
    currency: Mapped[str] = mapped_column(String(3))
    due_minor: Mapped[int]
    final: Mapped[bool]
    # Why nothing is decided on any line; empty otherwise.
    words: Mapped[str] = mapped_column(String(500), default="")

    order: Mapped[Order] = relationship()
    staff: Mapped[User] = relationship()
    lines: Mapped[list[DecidedLine]] = relationship(order_by="DecidedLine.position")

    def is_about(self, line_ids: Iterable[uuid.UUID]) -> bool:
        """Whether it decided on exactly these lines."""
        return {line.order_line_id for line in self.lines} == set(line_ids)

    @property
    def due(self) -> Money:
        """What goes back in all."""
        return Money(self.due_minor, self.currency)

    def sealed_content(self) -> dict[str, Any]:
        """What the journal's seal covers: the act and each of its lines."""
        own = {column.key: getattr(self, column.key) for column in self.__table__.columns}
        lines = [
            {column.key: getattr(line, column.key) for column in line.__table__.columns}
            for line in sorted(self.lines, key=lambda line: line.position)
        ]
        return own | {"lines": lines}

    def sealed_name(self) -> str:
        """How a verification names this decision."""
        return f"withdrawal decision {self.id}"


class DecidedLine(Base):
    """One line of a decision: what the rules gave, what staff decided, and why if otherwise.

    `facts` are the figures of the sentence that its customer reads. What was ended is ended once,
    whatever is declared twice (the partial index).
    """

    __tablename__ = "withdrawal_decided_lines"
    __append_only__ = True
    __table_args__ = (
        UniqueConstraint("request_id", "order_line_id"),
        CheckConstraint("due_minor BETWEEN 0 AND paid_minor", name="within_what_was_paid"),
        CheckConstraint("due_minor = computed_minor OR reason <> ''", name="adjusted_with_reason"),
        Index(
            "ux_withdrawal_decided_lines_ended",
            "order_line_id",
            unique=True,
            sqlite_where=text("ends_contract"),
            postgresql_where=text("ends_contract"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    decision_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("withdrawal_decisions.id", ondelete="RESTRICT"), index=True
    )
    request_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("withdrawal_requests.id", ondelete="RESTRICT")
    )
    order_line_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("order_lines.id", ondelete="RESTRICT")
    )
    position: Mapped[int]
    basis: Mapped[Basis] = mapped_column(enum_type(Basis))
    facts: Mapped[dict[str, Any]]
    paid_minor: Mapped[int]  # and not given back before
    computed_minor: Mapped[int]
    due_minor: Mapped[int]
    reason: Mapped[str] = mapped_column(String(300), default="")
    ends_contract: Mapped[bool]

    order_line: Mapped[OrderLine] = relationship()
