"""What client and staff are told of a ticket; a confirmed time comes as a calendar file (I-03)."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from icalendar import (
    Calendar,
    Event,
    Timezone,
    TimezoneDaylight,
    TimezoneStandard,
    vCalAddress,
)

from storefront.credits import queries as credits
from storefront.documents import service as documents
from storefront.documents.models import StoredDocument
from storefront.documents.rules import DocumentKind, filename_of
from storefront.infra.db import db
from storefront.infra.seller import seller
from storefront.infra.templating import datetime_fr, time_fr
from storefront.kernel.calendar import PARIS, paris_date
from storefront.legal.queries import accepted_documents, parameters_of
from storefront.notifications.service import queue
from storefront.tickets import queries
from storefront.tickets.events import (
    InterventionCancelled,
    InterventionConfirmed,
    InterventionProposed,
    InterventionReported,
    ProposalAnswered,
    TicketAnswered,
    TicketOpened,
    TicketRefused,
)
from storefront.tickets.models import Intervention, Proposal, Ticket, TicketMessage
from storefront.tickets.rules import ProposalStatus


def acknowledge(event: TicketOpened, *, now: datetime) -> None:
    """The ticket is received: its deadlines to the client, its place in the queue to staff."""
    ticket = db.session.get_one(Ticket, event.ticket_id)
    _to_client(
        "ticket_opened", ticket.id, f"Votre demande {ticket.reference} est reçue", ticket, {}, now
    )
    facts = {"text": ticket.messages[-1].body, "what": "opened"}
    _to_staff(ticket.id, f"Nouvelle demande {ticket.reference}", ticket, facts, now)


def tell_answer(event: TicketAnswered, *, now: datetime) -> None:
    """Somebody wrote: the other side reads it by e-mail too."""
    message = db.session.get_one(TicketMessage, event.message_id)
    ticket = message.ticket
    if message.author_id == ticket.user_id:
        facts = {"text": message.body, "what": "answered"}
        _to_staff(message.id, f"Message du client sur {ticket.reference}", ticket, facts, now)
        return
    subject = f"Réponse à votre demande {ticket.reference}"
    _to_client("ticket_answered", message.id, subject, ticket, {"text": message.body}, now)


def tell_refusal(event: TicketRefused, *, now: datetime) -> None:
    """The reason, and that nothing stays held (I-06)."""
    ticket = db.session.get_one(Ticket, event.ticket_id)
    facts = {"reason": event.reason, "explanation": event.explanation}
    subject = f"Nous ne pouvons pas traiter votre demande {ticket.reference}"
    _to_client("ticket_refused", ticket.id, subject, ticket, facts, now)


def propose(event: InterventionProposed, *, now: datetime) -> None:
    """A time to accept, refuse or change, and until when."""
    proposal = db.session.get_one(Proposal, event.proposal_id)
    if proposal.status is not ProposalStatus.PROPOSED:
        return
    ticket = proposal.ticket
    day = paris_date(proposal.starts_at)
    facts = {
        "proposal": proposal,
        "time": queries.time_needed(ticket, proposal.minutes, day, paris_date(now)),
    }
    subject = f"Un rendez-vous vous est proposé – {ticket.reference}"
    _to_client("intervention_proposed", proposal.id, subject, ticket, facts, now)


def tell_proposal_answer(event: ProposalAnswered, *, now: datetime) -> None:
    """Staff learn that another time, or none, is wanted."""
    proposal = db.session.get_one(Proposal, event.proposal_id)
    ticket = proposal.ticket
    facts = {"text": proposal.answer, "what": proposal.status.value, "proposal": proposal}
    _to_staff(proposal.id, f"Proposition non retenue sur {ticket.reference}", ticket, facts, now)


def confirm(event: InterventionConfirmed, *, now: datetime) -> None:
    """The appointment to both, with the calendar file and the accepted terms (I-03, R-05)."""
    intervention = db.session.get_one(Intervention, event.intervention_id)
    ticket = intervention.ticket
    invitation = _calendar(intervention, cancelled=False, now=now)
    attached = [invitation.id, *accepted_documents(ticket.order_id)]
    terms = parameters_of(ticket.order.terms_version)
    facts = {
        "intervention": intervention,
        "movements": credits.movements_of(intervention.id),
        "free_until": intervention.starts_at - timedelta(hours=terms.late_cancellation_hours),
        "late_minutes": terms.late_cancellation_minutes,
    }
    subject = f"Rendez-vous confirmé, {datetime_fr(intervention.starts_at)}"
    _to_client("intervention_confirmed", intervention.id, subject, ticket, facts, now, attached)
    facts = {"text": intervention.proposal.description, "what": "confirmed", **facts}
    _to_staff(
        intervention.id,
        f"Rendez-vous accepté sur {ticket.reference}",
        ticket,
        facts,
        now,
        attached,
        recipient=intervention.staff.email,
    )


def report(event: InterventionReported, *, now: datetime) -> None:
    """What was done, the time taken, and what is left of the hours (I-05)."""
    intervention = db.session.get_one(Intervention, event.intervention_id)
    ticket = intervention.ticket
    today = paris_date(now)
    facts = {
        "intervention": intervention,
        "movements": credits.movements_of(intervention.id),
        "lots": credits.available_lots(ticket.user_id, today),
    }
    subject = f"Compte rendu de votre intervention – {ticket.reference}"
    _to_client("intervention_reported", intervention.id, subject, ticket, facts, now)


def tell_cancellation(event: InterventionCancelled, *, now: datetime) -> None:
    """The appointment is off: both are told, and the calendar file takes it out."""
    intervention = db.session.get_one(Intervention, event.intervention_id)
    ticket = intervention.ticket
    attached = [_calendar(intervention, cancelled=True, now=now).id]
    facts = {"intervention": intervention, "movements": credits.movements_of(intervention.id)}
    subject = f"Rendez-vous annulé – {ticket.reference}"
    _to_client("intervention_cancelled", intervention.id, subject, ticket, facts, now, attached)
    facts = {"text": intervention.cancel_reason, "what": "cancelled", **facts}
    key = uuid.uuid5(intervention.id, "cancelled")
    _to_staff(key, subject, ticket, facts, now, attached, recipient=intervention.staff.email)


def _to_client(
    kind: str,
    subject_id: uuid.UUID,
    subject: str,
    ticket: Ticket,
    facts: dict[str, Any],
    now: datetime,
    attached: list[uuid.UUID] | None = None,
) -> None:
    queue(
        kind,
        key=f"{kind}:{subject_id}",
        recipient=ticket.user.email,
        user_id=ticket.user_id,
        order_id=ticket.order_id,
        subject=subject,
        context={"ticket": ticket, **facts},
        documents=attached or [],
        now=now,
    )


def _to_staff(
    subject_id: uuid.UUID,
    subject: str,
    ticket: Ticket,
    facts: dict[str, Any],
    now: datetime,
    attached: list[uuid.UUID] | None = None,
    *,
    recipient: str | None = None,
) -> None:
    queue(
        "ticket_to_staff",
        key=f"ticket_to_staff:{subject_id}",
        recipient=recipient or seller().support_email,
        user_id=None,
        order_id=ticket.order_id,
        subject=subject,
        context={"ticket": ticket, **facts},
        documents=attached or [],
        now=now,
    )


def _calendar(intervention: Intervention, *, cancelled: bool, now: datetime) -> StoredDocument:
    """The appointment as iCalendar (RFC 5545, 5546): one UID for its whole life, a higher
    SEQUENCE for its cancellation, times of Paris with their rules."""
    ticket, shop = intervention.ticket, seller()
    settings = current_app.config["SETTINGS"]
    sequence = 1 if cancelled else 0
    page = f"{settings.base_url}/assistance/{ticket.reference}"
    starts_at = intervention.starts_at.astimezone(PARIS)

    event = Event()
    event.add("uid", f"{intervention.id}@{shop.website}")
    event.add("sequence", sequence)
    event.add("dtstamp", now)
    event.add("dtstart", starts_at)
    # From the instant, not the wall clock: an hour stays an hour on the night of a change.
    ends_at = intervention.starts_at + timedelta(minutes=intervention.planned_minutes)
    event.add("dtend", ends_at.astimezone(PARIS))
    event.add("summary", f"Assistance à distance – {shop.name}")
    event.add("description", f"{intervention.proposal.description}\n\n{page}")
    event.add("location", f"À distance, à {time_fr(starts_at)} (heure de Paris)")
    event.add("url", page)
    event.add("status", "CANCELLED" if cancelled else "CONFIRMED")
    organizer = vCalAddress(f"mailto:{shop.support_email}")
    organizer.params["CN"] = shop.name
    event.add("organizer", organizer)

    calendar = Calendar()
    calendar.add("prodid", f"-//{shop.website}//assistance//FR")
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if cancelled else "PUBLISH")
    calendar.add_component(_clock_of_paris())
    calendar.add_component(event)
    return documents.store(
        DocumentKind.CALENDAR,
        intervention.id,
        filename_of(DocumentKind.CALENDAR, f"rendez-vous-{ticket.reference}"),
        "text/calendar",
        calendar.to_ical(),
        now=now,
        revision=sequence,
    )


def _clock_of_paris() -> Timezone:
    """The rules of the clock in Paris since 1996, for readers that do not know the name."""
    zone = Timezone()
    zone.add("tzid", PARIS.key)
    for part, name, month, hour, before, after in (
        (TimezoneDaylight(), "CEST", 3, 2, 1, 2),
        (TimezoneStandard(), "CET", 10, 3, 2, 1),
    ):
        part.add("tzname", name)
        part.add("dtstart", datetime(1996, month, 31 if month == 3 else 27, hour))  # noqa: DTZ001
        part.add("rrule", {"freq": "yearly", "bymonth": month, "byday": "-1SU"})
        part.add("tzoffsetfrom", timedelta(hours=before))
        part.add("tzoffsetto", timedelta(hours=after))
        zone.add_component(part)
    return zone
