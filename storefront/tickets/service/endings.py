"""Hours are withdrawn from: what was agreed on them will not take place (W-08)."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime

from storefront.identity.models import User
from storefront.infra.outbox import publish
from storefront.tickets import queries
from storefront.tickets.events import InterventionCancelled
from storefront.tickets.models import Ticket
from storefront.tickets.rules import Happening, TicketStatus
from storefront.tickets.service import interventions, proposals
from storefront.tickets.service.timeline import happened, locked, touch

# In place of a sentence of staff; worded in templates/tickets/parts.html.
WITHDRAWN = "withdrawn"


def end_withdrawn(order_line_ids: Collection[uuid.UUID], staff: User, *, now: datetime) -> None:
    """Cancel what is agreed or proposed on these lines' hours, at no cost, and close their tickets.

    Held time is released and the technician's is free again. Work that was reported stays, and an
    intervention that takes from other hours too is cancelled whole: its own ticket stays open.
    """
    for ticket_id in queries.open_on_lines(order_line_ids):
        ticket = locked(ticket_id)
        own = ticket.lot.order_line_id in order_line_ids
        proposals.withdraw_open(ticket, now)
        dropped = interventions.drop_active(ticket, WITHDRAWN, now)
        if dropped is not None:
            happened(
                ticket,
                Happening.CANCELLED_BY_STAFF,
                staff,
                now,
                facts={"starts_at": dropped.starts_at.isoformat(), "reason": WITHDRAWN},
                proof={"intervention": dropped.id},
            )
            publish(InterventionCancelled(intervention_id=dropped.id), now=now)
        if ticket.status is not TicketStatus.REPORTED:
            touch(ticket, now, TicketStatus.OPEN)
            if own:
                _close(ticket, staff, now)


def _close(ticket: Ticket, staff: User, now: datetime) -> None:
    touch(ticket, now, TicketStatus.CLOSED)
    ticket.closed_at, ticket.reply_owed = now, False
    happened(ticket, Happening.CLOSED, staff, now)
