"""The ticket's lock and its timeline: every act goes through both (I-09)."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm.attributes import flag_modified

from storefront.identity.models import User
from storefront.infra import journal
from storefront.infra.db import db
from storefront.kernel.errors import StaleWrite
from storefront.tickets.models import (
    INTERVENTION_LIFECYCLE,
    TICKET_LIFECYCLE,
    BusyCell,
    Intervention,
    Ticket,
    TicketMessage,
)
from storefront.tickets.rules import Happening, InterventionStatus, MessageKind, TicketStatus


def locked(ticket_id: uuid.UUID, *, seen: int | None = None) -> Ticket:
    """The ticket as it is now, locked until the end of the transaction.

    Raises `StaleWrite` when `seen`, the version that the page showed, is no longer the current.
    """
    ticket = db.session.get_one(Ticket, ticket_id, with_for_update=True, populate_existing=True)
    if seen is not None and seen != ticket.version:
        raise StaleWrite(subject=ticket.reference)
    return ticket


def touch(ticket: Ticket, now: datetime, status: TicketStatus | None = None) -> None:
    """Move the ticket, where it does not stand there already; its version rises in any case."""
    if status is not None and status is not ticket.status:
        TICKET_LIFECYCLE.check(ticket.status, status)
        ticket.status = status
    ticket.updated_at = now
    flag_modified(ticket, "updated_at")


def move(intervention: Intervention, status: InterventionStatus) -> None:
    """Move the intervention. Raises `WrongMove`."""
    INTERVENTION_LIFECYCLE.check(intervention.status, status)
    intervention.status = status


def write(
    ticket: Ticket,
    author: User | None,
    kind: MessageKind,
    body: str,
    now: datetime,
    *,
    message_id: uuid.UUID | None = None,
    facts: dict[str, Any] | None = None,
    proof: dict[str, Any] | None = None,
) -> TicketMessage:
    """Add something to the timeline of a locked ticket; the journal seals it."""
    last = db.session.scalar(
        select(func.max(TicketMessage.number)).where(TicketMessage.ticket_id == ticket.id)
    )
    message = TicketMessage(
        id=message_id or uuid.uuid4(),
        ticket_id=ticket.id,
        number=(last or 0) + 1,
        author_id=author.id if author else None,
        kind=kind,
        body=body,
        facts=facts or {},
        written_at=now,
    )
    db.session.add(message)
    db.session.flush()
    journal.record(
        f"ticket.{body if kind is MessageKind.EVENT else kind.value}",
        message,
        {"ticket": ticket.id, **(proof or {})},
        now=now,
    )
    return message


def happened(
    ticket: Ticket,
    what: Happening,
    author: User | None,
    now: datetime,
    *,
    facts: dict[str, Any] | None = None,
    proof: dict[str, Any] | None = None,
) -> None:
    """Tell a change of state on the timeline (`facts`, for its sentence) and in the journal
    (`proof`: ids, minutes, instants; never what people wrote)."""
    write(ticket, author, MessageKind.EVENT, what.value, now, facts=facts, proof=proof)


def free_cells(intervention: Intervention, now: datetime) -> None:
    """The technician's time from now on is free again."""
    for cell in db.session.scalars(
        select(BusyCell).where(
            BusyCell.intervention_id == intervention.id, BusyCell.starts_at >= now
        )
    ):
        db.session.delete(cell)
