"""Support: tickets, messages, proposals and interventions."""

from __future__ import annotations

import hashlib
import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storefront.credits.models import HourLot
from storefront.identity.models import User
from storefront.infra.db import Base, enum_type
from storefront.kernel.states import Lifecycle
from storefront.orders.models import Order
from storefront.tickets.rules import InterventionStatus, MessageKind, ProposalStatus, TicketStatus

_WORKING = {
    TicketStatus.OPEN,
    TicketStatus.ANSWERED,
    TicketStatus.PROPOSED,
    TicketStatus.SCHEDULED,
    TicketStatus.CLOSED,
    TicketStatus.REFUSED,
}

TICKET_LIFECYCLE = Lifecycle(
    "ticket",
    {
        TicketStatus.OPEN: _WORKING - {TicketStatus.OPEN},
        TicketStatus.ANSWERED: _WORKING - {TicketStatus.ANSWERED},
        TicketStatus.PROPOSED: _WORKING - {TicketStatus.PROPOSED},
        TicketStatus.SCHEDULED: {
            TicketStatus.IN_PROGRESS,
            TicketStatus.OPEN,
            TicketStatus.CLOSED,
            TicketStatus.REFUSED,
        },
        TicketStatus.IN_PROGRESS: {TicketStatus.REPORTED, TicketStatus.OPEN, TicketStatus.REFUSED},
        TicketStatus.REPORTED: {TicketStatus.CLOSED, TicketStatus.OPEN},
        TicketStatus.CLOSED: {TicketStatus.OPEN},
        TicketStatus.REFUSED: set(),
    },
)


class Ticket(Base):
    """A need, opened on an order in force (I-01), with its deadlines (I-02)."""

    __tablename__ = "tickets"
    __table_args__ = (Index("ix_tickets_queue", "status", "reply_due_at"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    reference: Mapped[str] = mapped_column(String(30), unique=True)  # TK-2026-000045
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), index=True)
    order_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("orders.id"))
    lot_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("hour_lots.id"))
    subject: Mapped[str] = mapped_column(String(160))
    status: Mapped[TicketStatus] = mapped_column(enum_type(TicketStatus), default=TicketStatus.OPEN)
    opened_at: Mapped[datetime]
    promised_at: Mapped[datetime]  # from when the deadlines below count: opened, or reopened
    updated_at: Mapped[datetime]  # every act sets it, so that every act raises the version
    # Somebody waits for an answer of staff, until `reply_due_at`.
    reply_owed: Mapped[bool] = mapped_column(default=True)
    reply_due_at: Mapped[datetime]
    intervention_from: Mapped[datetime]
    intervention_due_at: Mapped[datetime]
    first_replied_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    user: Mapped[User] = relationship()
    order: Mapped[Order] = relationship()
    lot: Mapped[HourLot] = relationship()
    messages: Mapped[list[TicketMessage]] = relationship(
        back_populates="ticket", order_by="TicketMessage.number"
    )
    proposals: Mapped[list[Proposal]] = relationship(
        back_populates="ticket", order_by="Proposal.made_at"
    )
    interventions: Mapped[list[Intervention]] = relationship(
        back_populates="ticket", order_by="Intervention.starts_at"
    )

    __mapper_args__ = {"version_id_col": version}


class TicketMessage(Base):
    """Something written, or that happened, on a ticket.

    The body of an EVENT is a `rules.Happening`, and `facts` what its sentence needs.
    """

    __tablename__ = "ticket_messages"
    __table_args__ = (UniqueConstraint("ticket_id", "number"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    ticket_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tickets.id"))
    number: Mapped[int]  # 1, 2, 3… on the ticket
    author_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"))
    kind: Mapped[MessageKind] = mapped_column(enum_type(MessageKind))
    body: Mapped[str]
    facts: Mapped[dict[str, Any]]
    written_at: Mapped[datetime]

    ticket: Mapped[Ticket] = relationship(back_populates="messages")
    author: Mapped[User | None] = relationship()

    def sealed_content(self) -> dict[str, Any]:
        """What the journal's seal covers: who wrote, when, and the hash of what was written."""
        return {
            "id": self.id,
            "ticket_id": self.ticket_id,
            "number": self.number,
            "author_id": self.author_id,
            "kind": self.kind,
            "body_sha256": hashlib.sha256(self.body.encode()).hexdigest(),
            "facts": self.facts,
            "written_at": self.written_at,
        }

    def sealed_name(self) -> str:
        """How a verification names this message."""
        return f"message {self.number} of {self.ticket.reference}"

    @property
    def appointment_at(self) -> datetime | None:
        """The start of the appointment that this event is about."""
        text = self.facts.get("starts_at")
        return datetime.fromisoformat(text) if text else None


PROPOSAL_LIFECYCLE = Lifecycle(
    "proposal",
    {
        ProposalStatus.PROPOSED: set(ProposalStatus) - {ProposalStatus.PROPOSED},
        **{status: set() for status in ProposalStatus if status is not ProposalStatus.PROPOSED},
    },
)


class Proposal(Base):
    """A date, a time, a duration and what will be done (I-03). Until `expires_at`."""

    __tablename__ = "proposals"
    __table_args__ = (
        CheckConstraint("minutes > 0", name="minutes"),
        Index("ix_proposals_expiry", "status", "expires_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    ticket_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tickets.id"), index=True)
    staff_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    starts_at: Mapped[datetime]
    minutes: Mapped[int]
    description: Mapped[str]
    status: Mapped[ProposalStatus] = mapped_column(
        enum_type(ProposalStatus), default=ProposalStatus.PROPOSED
    )
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    answer: Mapped[str] = mapped_column(default="")

    ticket: Mapped[Ticket] = relationship(back_populates="proposals")
    staff: Mapped[User] = relationship()
    intervention: Mapped[Intervention | None] = relationship(back_populates="proposal")


INTERVENTION_LIFECYCLE = Lifecycle(
    "intervention",
    {
        InterventionStatus.CONFIRMED: {InterventionStatus.RUNNING, InterventionStatus.CANCELLED},
        InterventionStatus.RUNNING: {InterventionStatus.STOPPED},
        InterventionStatus.STOPPED: {
            InterventionStatus.RUNNING,
            InterventionStatus.REPORTED,
            InterventionStatus.CANCELLED,
        },
        InterventionStatus.REPORTED: {InterventionStatus.DONE},
        InterventionStatus.DONE: set(),
        InterventionStatus.CANCELLED: set(),
    },
)


class Intervention(Base):
    """Work agreed with the client: held, done, reported, taken from the hours."""

    __tablename__ = "interventions"
    __table_args__ = (
        CheckConstraint("planned_minutes > 0", name="planned"),
        Index("ix_interventions_agenda", "staff_id", "starts_at"),
        Index("ix_interventions_silence", "status", "confirmed_until"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    proposal_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("proposals.id"), unique=True)
    ticket_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("tickets.id"), index=True)
    staff_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    starts_at: Mapped[datetime]
    planned_minutes: Mapped[int]
    status: Mapped[InterventionStatus] = mapped_column(
        enum_type(InterventionStatus), default=InterventionStatus.CONFIRMED
    )
    # I-04: what the client declared before the appointment.
    declared_at: Mapped[datetime | None]
    declarations: Mapped[list[str]] = mapped_column(default=list)
    report: Mapped[str] = mapped_column(default="")
    worked_minutes: Mapped[int | None]
    correction_reason: Mapped[str] = mapped_column(default="")  # when not what the clock says
    billed_minutes: Mapped[int | None]
    reported_at: Mapped[datetime | None]
    confirmed_until: Mapped[datetime | None]  # the client's window for a reservation (I-07)
    closed_at: Mapped[datetime | None]
    cancel_reason: Mapped[str] = mapped_column(default="")
    version: Mapped[int] = mapped_column(default=1)

    proposal: Mapped[Proposal] = relationship(back_populates="intervention")
    ticket: Mapped[Ticket] = relationship(back_populates="interventions")
    staff: Mapped[User] = relationship()
    spans: Mapped[list[WorkSpan]] = relationship(
        back_populates="intervention", order_by="WorkSpan.started_at"
    )

    __mapper_args__ = {"version_id_col": version}


class WorkSpan(Base):
    """From start to stop; an open one survives any crash."""

    __tablename__ = "work_spans"
    __table_args__ = (CheckConstraint("stopped_at >= started_at", name="order"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    intervention_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("interventions.id"), index=True)
    started_at: Mapped[datetime]
    stopped_at: Mapped[datetime | None]

    intervention: Mapped[Intervention] = relationship(back_populates="spans")


class BusyCell(Base):
    """A quarter of an hour of one technician: the primary key makes double booking impossible."""

    __tablename__ = "busy_cells"

    staff_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    starts_at: Mapped[datetime] = mapped_column(primary_key=True)
    intervention_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("interventions.id"), index=True)
