"""What a ticket promises its client, from the terms that the order accepted (I-02, R-01)."""

from __future__ import annotations

from datetime import datetime

from storefront.credits.models import HourLot
from storefront.infra.seller import seller
from storefront.kernel.calendar import paris_date
from storefront.legal.queries import parameters_of
from storefront.orders.models import Order
from storefront.tickets import queries, rules
from storefront.tickets.models import Ticket


def promised(lot: HourLot, order: Order, now: datetime) -> rules.Deadlines:
    """The deadlines that count from `now`."""
    lawful_from = queries.earliest_day(lot, paris_date(now))
    terms = parameters_of(order.terms_version)
    return rules.deadlines(now, terms, seller().opening_hours, lawful_from)


def answered(ticket: Ticket, now: datetime) -> None:
    """Staff did what the client waited for."""
    ticket.reply_owed = False
    ticket.first_replied_at = ticket.first_replied_at or now


def owed(ticket: Ticket, now: datetime) -> None:
    """The client waits for an answer, from now on; an older wait goes on."""
    if not ticket.reply_owed:
        ticket.reply_owed = True
        ticket.reply_due_at = promised(ticket.lot, ticket.order, now).reply_due_at
