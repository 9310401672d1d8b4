"""What happens on the demo's tickets, through the services that the pages call."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storefront.credits import queries as credits
from storefront.demo.people import Person, technician
from storefront.demo.purchases import last_line
from storefront.infra.db import db, transaction
from storefront.tickets import service as tickets
from storefront.tickets.forms import AcceptForm
from storefront.tickets.models import Intervention, Proposal, Ticket
from storefront.tickets.rules import Declaration, InterventionStatus, RefusalReason

OF_THE_DEMO = uuid.UUID("b7f3a3d4-4d3c-5b0e-9a57-1f6f1f0e8a11")


@dataclass(frozen=True)
class Request:
    """One ticket of a story; its ids follow from its key, so that a step told twice is one."""

    key: str
    client: Person
    given: dict[str, Any]

    def id(self, part: str = "ticket") -> uuid.UUID:
        """The id of this ticket, or of one of its messages and proposals."""
        return uuid.uuid5(OF_THE_DEMO, f"{self.key}/{part}")

    def ticket(self) -> Ticket:
        """The ticket, once it was opened."""
        return db.session.get_one(Ticket, self.id(), populate_existing=True)

    def intervention(self) -> Intervention:
        """The intervention agreed on. Raises LookupError before."""
        proposal = db.session.get_one(Proposal, self.id("proposal"))
        if proposal.intervention is None:
            raise LookupError(f"{self.key}: nothing was agreed on")
        return proposal.intervention


def open_ticket(request: Request, now: datetime) -> None:
    """The client describes the need, on the hours of the last such order that has some."""
    with transaction():
        line = last_line(request.client, request.given["about"])
        lots = sorted(credits.of_order_line(line.id), key=lambda lot: lot.granted_at)
        tickets.open_ticket(
            request.id(),
            request.client.user(),
            lots[-1].id,
            request.given["subject"],
            request.given["body"],
            now=now,
        )


def reply(request: Request, now: datetime) -> None:
    """Staff answer."""
    with transaction():
        staff = technician()
        tickets.reply(request.id("reply"), request.id(), staff, request.given["reply"], now=now)


def propose(request: Request, starts_at: datetime, now: datetime) -> None:
    """Staff propose a time."""
    appointment = request.given["appointment"]
    with transaction():
        staff = technician()
        tickets.propose(
            request.id("proposal"),
            request.id(),
            staff,
            staff,
            starts_at,
            appointment["minutes"],
            appointment["work"],
            seen=request.ticket().version,
            now=now,
        )


def accept(request: Request, now: datetime) -> None:
    """The client ticks the declarations and accepts."""
    declared = {one: getattr(AcceptForm, one.value).args[0] for one in Declaration}
    with transaction():
        tickets.accept(request.id("proposal"), request.client.user(), declared, now=now)


def start(request: Request, now: datetime) -> None:
    """The work begins."""
    with transaction():
        intervention = request.intervention()
        if intervention.status is InterventionStatus.CONFIRMED:
            version = request.ticket().version
            tickets.start(intervention.id, technician(), seen=version, now=now)


def stop(request: Request, now: datetime) -> None:
    """The work ends."""
    with transaction():
        intervention = request.intervention()
        if intervention.status is InterventionStatus.RUNNING:
            tickets.stop(intervention.id, technician(), now=now)


def report(request: Request, now: datetime) -> None:
    """Staff say what was done; the time is taken."""
    with transaction():
        intervention = request.intervention()
        if intervention.status is InterventionStatus.STOPPED:
            tickets.report(
                intervention.id,
                technician(),
                request.given["report"],
                seen=request.ticket().version,
                now=now,
            )


def confirm(request: Request, now: datetime) -> None:
    """The client agrees with the report."""
    with transaction():
        tickets.confirm_report(request.intervention().id, request.client.user(), now=now)


def call_off(request: Request, now: datetime) -> None:
    """The client cancels the appointment in time, and needs nothing more."""
    with transaction():
        client = request.client.user()
        tickets.cancel(request.intervention().id, client, request.given["reason"], now=now)
        tickets.close(request.id(), client, seen=None, now=now)


def refuse(request: Request, now: datetime) -> None:
    """Staff refuse the work, with a reason of the terms."""
    with transaction():
        tickets.refuse(
            request.id(),
            technician(),
            RefusalReason.ILLEGAL_SOFTWARE,
            request.given["reason"],
            seen=request.ticket().version,
            now=now,
        )
