"""What was supplied: downloads and courses, parcels, hours, support."""

from __future__ import annotations

import uuid

from sqlalchemy import select

from storefront.credits.models import CreditEntry, HourLot
from storefront.evidence.queries.items import Exhibit, items
from storefront.fulfilment.models import Access, AccessEvent, Shipment, Suspension
from storefront.infra.templating import datetime_fr, minutes_fr
from storefront.orders.models import OrderLine
from storefront.tickets.models import (
    Intervention,
    Proposal,
    Ticket,
    TicketMessage,
    WorkSpan,
)
from storefront.tickets.rules import MessageKind


def accesses(order_id: uuid.UUID) -> Exhibit:
    """Rights to files and courses, each opening of them from where, parcels, stops."""
    lines = select(OrderLine.id).where(OrderLine.order_id == order_id)
    rights = select(Access).where(Access.order_line_id.in_(lines))
    log = (
        select(AccessEvent)
        .join(Access, Access.id == AccessEvent.access_id)
        .where(Access.order_line_id.in_(lines))
        .order_by(AccessEvent.at, AccessEvent.id)
    )
    sent = select(Shipment).where(Shipment.order_line_id.in_(lines))
    stops = select(Suspension).where(Suspension.order_line_id.in_(lines))
    return Exhibit(
        "fourniture",
        [
            *items(rights.order_by(Access.title, Access.id), lambda row: row.title),
            *items(log, lambda row: row.ip),
            *items(sent.order_by(Shipment.id), lambda row: row.tracking),
            *items(stops.order_by(Suspension.since, Suspension.id)),
        ],
    )


def hours(order_id: uuid.UUID) -> Exhibit:
    """The lots of hours and every movement of them, in the order of the ledger."""
    lots = select(HourLot).where(HourLot.order_id == order_id)
    entries = (
        select(CreditEntry)
        .join(CreditEntry.lot)
        .where(HourLot.order_id == order_id)
        .order_by(HourLot.granted_at, HourLot.id, CreditEntry.number)
    )
    return Exhibit(
        "heures",
        [
            *items(lots.order_by(HourLot.granted_at, HourLot.id), lambda row: row.name),
            *items(entries, lambda row: f"{minutes_fr(row.minutes)}, {row.reason}"),
        ],
    )


def support(order_id: uuid.UUID) -> Exhibit:
    """Requests with what was written, proposals, interventions with their reports and clocks.

    Notes among staff are no part of it: nobody else read them.
    """
    asked = select(Ticket).where(Ticket.order_id == order_id)
    tickets = asked.with_only_columns(Ticket.id)
    written = select(TicketMessage).where(
        TicketMessage.ticket_id.in_(tickets), TicketMessage.kind != MessageKind.NOTE
    )
    proposed = select(Proposal).where(Proposal.ticket_id.in_(tickets))
    done = select(Intervention).where(Intervention.ticket_id.in_(tickets))
    worked = select(WorkSpan).where(
        WorkSpan.intervention_id.in_(done.with_only_columns(Intervention.id))
    )
    return Exhibit(
        "assistance",
        [
            *items(asked.order_by(Ticket.opened_at, Ticket.id), lambda row: row.reference),
            *items(
                written.join(TicketMessage.ticket).order_by(
                    Ticket.opened_at, Ticket.id, TicketMessage.number
                ),
                lambda row: row.ticket.reference,
            ),
            *items(
                proposed.order_by(Proposal.made_at, Proposal.id),
                lambda row: datetime_fr(row.starts_at),
            ),
            *items(
                done.order_by(Intervention.starts_at, Intervention.id),
                lambda row: datetime_fr(row.starts_at),
            ),
            *items(worked.order_by(WorkSpan.started_at, WorkSpan.id)),
        ],
    )
