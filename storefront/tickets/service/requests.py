"""Opening a ticket, writing on it, ending it (I-01, I-02, I-06)."""

from __future__ import annotations

import uuid
from datetime import datetime

from storefront.credits import queries as credits
from storefront.credits.models import HourLot
from storefront.identity.models import User
from storefront.infra.db import db
from storefront.infra.numbering import next_number
from storefront.infra.outbox import publish
from storefront.kernel.calendar import paris_date
from storefront.kernel.errors import WrongMove
from storefront.orders.models import Order, OrderStatus
from storefront.tickets import queries
from storefront.tickets.events import TicketAnswered, TicketOpened, TicketRefused
from storefront.tickets.models import Ticket, TicketMessage
from storefront.tickets.rules import (
    Happening,
    InterventionStatus,
    MessageKind,
    OrderNotUsable,
    RefusalReason,
    TicketStatus,
)
from storefront.tickets.service import interventions, proposals
from storefront.tickets.service.promises import answered, owed, promised
from storefront.tickets.service.timeline import happened, locked, touch, write


def open_ticket(
    ticket_id: uuid.UUID,
    user: User,
    lot_id: uuid.UUID,
    subject: str,
    description: str,
    *,
    now: datetime,
) -> Ticket:
    """Open a ticket on hours in force, with the deadlines that the accepted terms promise.

    The same `ticket_id` again, a doubled click, returns the first ticket. Raises
    `OrderNotUsable` for hours that are somebody else's, expired, used up or suspended, and for
    an order that has ended (I-01).
    """
    known = db.session.get(Ticket, ticket_id)
    if known is not None and known.user_id == user.id:
        return known
    lot = _lot_in_force(user, lot_id, now)
    order = db.session.get_one(Order, lot.order_id)
    deadlines = promised(lot, order, now)
    ticket = Ticket(
        id=ticket_id if known is None else uuid.uuid4(),
        reference=f"TK-{paris_date(now).year}-{next_number('ticket'):06d}",
        user_id=user.id,
        order_id=order.id,
        lot_id=lot.id,
        subject=subject,
        status=TicketStatus.OPEN,
        opened_at=now,
        promised_at=now,
        updated_at=now,
        reply_owed=True,
        reply_due_at=deadlines.reply_due_at,
        intervention_from=deadlines.intervention_from,
        intervention_due_at=deadlines.intervention_due_at,
    )
    db.session.add(ticket)
    db.session.flush()
    happened(
        ticket,
        Happening.OPENED,
        user,
        now,
        proof={"order": order.id, "lot": lot.id, "reply_due_at": ticket.reply_due_at},
    )
    write(ticket, user, MessageKind.REPLY, description, now)
    publish(TicketOpened(ticket_id=ticket.id), now=now)
    return ticket


def reply(
    message_id: uuid.UUID, ticket_id: uuid.UUID, author: User, body: str, *, now: datetime
) -> TicketMessage:
    """Write to the other side; the same `message_id` again writes nothing more.

    A client's message is owed an answer in the time of the terms, and opens a closed ticket
    again; on a reported intervention it is a reservation, and silence confirms no more (I-07).
    Raises `WrongMove` on a refused ticket.
    """
    ticket = locked(ticket_id)
    known = db.session.get(TicketMessage, message_id)
    if known is not None:
        return known
    if ticket.status is TicketStatus.REFUSED:
        raise WrongMove(lifecycle="ticket", current=ticket.status, wanted="reply")
    if author.id == ticket.user_id:
        _client_wrote(ticket, author, now)
    else:
        answered(ticket, now)
        waiting = ticket.status is TicketStatus.OPEN
        touch(ticket, now, TicketStatus.ANSWERED if waiting else None)
    message = write(ticket, author, MessageKind.REPLY, body, now, message_id=message_id)
    publish(TicketAnswered(message_id=message.id), now=now)
    return message


def note(
    message_id: uuid.UUID, ticket_id: uuid.UUID, author: User, body: str, *, now: datetime
) -> TicketMessage:
    """Write for staff only; the same `message_id` again writes nothing more."""
    ticket = locked(ticket_id)
    known = db.session.get(TicketMessage, message_id)
    if known is not None:
        return known
    return write(ticket, author, MessageKind.NOTE, body, now, message_id=message_id)


def close(ticket_id: uuid.UUID, author: User, *, seen: int | None, now: datetime) -> None:
    """End a ticket; closing a closed one changes nothing.

    A proposal still open is withdrawn, a report still waiting is confirmed. Raises `WrongMove`
    while an intervention is agreed or under way: it is cancelled or reported first.
    """
    ticket = locked(ticket_id)
    if ticket.status is TicketStatus.CLOSED:
        return
    ticket = locked(ticket_id, seen=seen)
    if queries.active_intervention(ticket.id) is not None:
        raise WrongMove(lifecycle="ticket", current=ticket.status, wanted=TicketStatus.CLOSED)
    proposals.withdraw_open(ticket, now)
    for intervention in ticket.interventions:
        if intervention.status is InterventionStatus.REPORTED:
            interventions.finish(intervention, now)
    touch(ticket, now, TicketStatus.CLOSED)
    ticket.closed_at, ticket.reply_owed = now, False
    happened(ticket, Happening.CLOSED, author, now)


def refuse(
    ticket_id: uuid.UUID,
    staff: User,
    reason: RefusalReason,
    explanation: str,
    *,
    seen: int,
    now: datetime,
) -> None:
    """Refuse the work, or stop it, for a reason of the terms; time held is free again (I-06)."""
    ticket = locked(ticket_id, seen=seen)
    proposals.withdraw_open(ticket, now)
    interventions.drop_active(ticket, reason.value, now)
    touch(ticket, now, TicketStatus.REFUSED)
    ticket.closed_at, ticket.reply_owed = now, False
    happened(
        ticket,
        Happening.REFUSED,
        staff,
        now,
        facts={"reason": reason.value, "explanation": explanation},
        proof={"reason": reason.value},
    )
    publish(
        TicketRefused(ticket_id=ticket.id, reason=reason.value, explanation=explanation), now=now
    )


def _client_wrote(ticket: Ticket, client: User, now: datetime) -> None:
    owed(ticket, now)
    for intervention in ticket.interventions:
        if intervention.status is InterventionStatus.REPORTED:
            intervention.confirmed_until = None
    if ticket.status is TicketStatus.CLOSED:
        deadlines = promised(ticket.lot, ticket.order, now)
        ticket.promised_at, ticket.closed_at = now, None
        ticket.intervention_from = deadlines.intervention_from
        ticket.intervention_due_at = deadlines.intervention_due_at
        happened(ticket, Happening.REOPENED, client, now)
    reopens = (TicketStatus.ANSWERED, TicketStatus.REPORTED, TicketStatus.CLOSED)
    touch(ticket, now, TicketStatus.OPEN if ticket.status in reopens else None)


def _lot_in_force(user: User, lot_id: uuid.UUID, now: datetime) -> HourLot:
    lot = credits.get(lot_id)
    if lot is None or lot.user_id != user.id:
        raise OrderNotUsable(reason="foreign")
    if db.session.get_one(Order, lot.order_id).status is not OrderStatus.CONFIRMED:
        raise OrderNotUsable(reason="ended", lot=lot)
    state = credits.view_of(lot, paris_date(now)).state
    if state != "usable":
        raise OrderNotUsable(reason=state, lot=lot)
    return lot
