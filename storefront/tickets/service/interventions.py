"""The work itself: started, stopped, reported, confirmed, or cancelled before (I-05, I-06)."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from storefront.credits import queries as credit_queries
from storefront.credits import rules as credit_rules
from storefront.credits import service as credits
from storefront.identity.models import User
from storefront.infra.db import db
from storefront.infra.outbox import publish
from storefront.kernel.calendar import paris_date
from storefront.kernel.slices import billed_minutes
from storefront.legal.queries import parameters_of
from storefront.tickets import queries, rules
from storefront.tickets.events import InterventionCancelled, InterventionReported
from storefront.tickets.models import Intervention, Ticket, WorkSpan
from storefront.tickets.rules import Happening, InterventionStatus, ReasonMissing, TicketStatus
from storefront.tickets.service.timeline import free_cells, happened, locked, move, touch


def start(intervention_id: uuid.UUID, staff: User, *, seen: int, now: datetime) -> None:
    """Begin the work. Raises `StaleWrite` and `WrongMove`."""
    ticket, intervention = _locked(intervention_id, seen)
    move(intervention, InterventionStatus.RUNNING)
    _open_span(intervention, now)
    touch(ticket, now, TicketStatus.IN_PROGRESS)
    _tell(ticket, intervention, Happening.STARTED, staff, now)


def stop(intervention_id: uuid.UUID, who: User, *, seen: int | None = None, now: datetime) -> None:
    """Interrupt the work; the client can at any time (I-05). Raises `StaleWrite`, `WrongMove`."""
    ticket, intervention = _locked(intervention_id, seen)
    move(intervention, InterventionStatus.STOPPED)
    close_span(intervention, now)
    touch(ticket, now)
    by_client = who.id == ticket.user_id
    what = Happening.INTERRUPTED if by_client else Happening.STOPPED
    _tell(ticket, intervention, what, who, now)


def resume(intervention_id: uuid.UUID, staff: User, *, seen: int, now: datetime) -> None:
    """Go on with interrupted work. Raises `StaleWrite` and `WrongMove`."""
    ticket, intervention = _locked(intervention_id, seen)
    move(intervention, InterventionStatus.RUNNING)
    _open_span(intervention, now)
    touch(ticket, now)
    _tell(ticket, intervention, Happening.RESUMED, staff, now)


def report(
    intervention_id: uuid.UUID,
    staff: User,
    text: str,
    *,
    corrected_minutes: int | None = None,
    correction_reason: str = "",
    seen: int,
    now: datetime,
) -> Intervention:
    """Say what was done, and take the time from the hours: every slice begun (I-05, K-03).

    The minutes worked are those between start and stop unless corrected, which needs a reason.
    The hold is released and the billed minutes used in this transaction. Raises `StaleWrite`,
    `WrongMove`, `ReasonMissing`, and `InsufficientCredit` when the work went beyond what was
    held and nothing is left for it: the client buys more, or staff correct the time (K-05).
    """
    ticket, intervention = _locked(intervention_id, seen)
    move(intervention, InterventionStatus.REPORTED)
    clocked = clocked_minutes(intervention, now)
    worked = clocked if corrected_minutes is None else corrected_minutes
    if worked != clocked and not correction_reason:
        raise ReasonMissing(clocked=clocked, corrected=worked)
    billed = 0 if ticket.lot.single_use else billed_minutes(worked, ticket.lot.slice_minutes)
    day = paris_date(intervention.starts_at)
    credits.use(
        queries.lots_for(ticket, day, paris_date(now)),
        billed,
        intervention.id,
        on=day,
        reason=ticket.reference,
        now=now,
    )
    window = timedelta(hours=parameters_of(ticket.order.terms_version).complaint_hours)
    intervention.report = text
    intervention.worked_minutes, intervention.billed_minutes = worked, billed
    intervention.correction_reason = correction_reason if worked != clocked else ""
    intervention.reported_at, intervention.confirmed_until = now, now + window
    touch(ticket, now, TicketStatus.REPORTED)
    _tell(ticket, intervention, Happening.REPORTED, staff, now)
    publish(InterventionReported(intervention_id=intervention.id), now=now)
    return intervention


def confirm_report(intervention_id: uuid.UUID, client: User, *, now: datetime) -> None:
    """The client agrees with the report; agreeing again changes nothing (I-05)."""
    ticket, intervention = _locked(intervention_id, None)
    if intervention.status is InterventionStatus.DONE:
        return
    finish(intervention, now)
    _tell(ticket, intervention, Happening.REPORT_CONFIRMED, client, now)
    _close(ticket, now)


def confirm_silence(intervention_id: uuid.UUID, *, now: datetime) -> bool:
    """No remark within the terms' time confirms the report; True when this call was the one."""
    ticket, intervention = _locked(intervention_id, None)
    until = intervention.confirmed_until
    if intervention.status is not InterventionStatus.REPORTED or until is None or now < until:
        return False
    finish(intervention, now)
    _tell(ticket, intervention, Happening.SILENCE_CONFIRMED, None, now)
    _close(ticket, now)
    return True


def cancel(
    intervention_id: uuid.UUID,
    who: User,
    reason: str,
    *,
    seen: int | None = None,
    now: datetime,
) -> None:
    """Cancel an appointment before it starts, or work that came to nothing.

    The held time is free again. A client who cancels later than the terms allow is deducted
    what they say (K-07); staff say why, and hours that expired meanwhile stay usable for the
    time lost. Raises `StaleWrite`, `WrongMove` and, for staff, `ReasonMissing`.
    """
    ticket, intervention = _locked(intervention_id, seen)
    if intervention.status is InterventionStatus.CANCELLED:
        return
    by_client = who.id == ticket.user_id
    if not by_client and not reason:
        raise ReasonMissing(intervention=intervention)
    give_up(intervention, ticket, reason, by_client=by_client, now=now)
    touch(ticket, now, TicketStatus.OPEN)
    what = Happening.CANCELLED_BY_CLIENT if by_client else Happening.CANCELLED_BY_STAFF
    _tell(ticket, intervention, what, who, now)
    publish(InterventionCancelled(intervention_id=intervention.id), now=now)


def give_up(
    intervention: Intervention, ticket: Ticket, reason: str, *, by_client: bool, now: datetime
) -> None:
    """Cancel the intervention of a locked ticket and free what it took."""
    move(intervention, InterventionStatus.CANCELLED)
    intervention.cancel_reason, intervention.closed_at = reason, now
    free_cells(intervention, now)
    today = paris_date(now)
    until = rules.usable_until(ticket.lot.expires_on, paris_date(ticket.opened_at), today)
    credits.release(
        intervention.id,
        reason=ticket.reference,
        now=now,
        usable_until=None if by_client else until,
    )
    if by_client:
        _deduct_late(intervention, ticket, now)


def drop_active(ticket: Ticket, reason: str, now: datetime) -> Intervention | None:
    """Cancel what is agreed or under way on a locked ticket, at no cost; None for nothing."""
    intervention = queries.active_intervention(ticket.id)
    if intervention is None:
        return None
    if intervention.status is InterventionStatus.RUNNING:
        close_span(intervention, now)
        move(intervention, InterventionStatus.STOPPED)
    give_up(intervention, ticket, reason, by_client=False, now=now)
    return intervention


def finish(intervention: Intervention, now: datetime) -> None:
    """A report that nobody contests is final."""
    move(intervention, InterventionStatus.DONE)
    intervention.closed_at = now


def clocked_minutes(intervention: Intervention, now: datetime) -> int:
    """The minutes between starts and stops; a start without stop counts until `now`."""
    return rules.worked_minutes(
        (span.started_at, span.stopped_at or now) for span in intervention.spans
    )


def close_span(intervention: Intervention, now: datetime) -> None:
    """End the open stretch of work."""
    for span in intervention.spans:
        if span.stopped_at is None:
            span.stopped_at = max(now, span.started_at)


def _open_span(intervention: Intervention, now: datetime) -> None:
    db.session.add(WorkSpan(intervention_id=intervention.id, started_at=now))


def _locked(intervention_id: uuid.UUID, seen: int | None) -> tuple[Ticket, Intervention]:
    """The intervention and its ticket as they are now, the ticket locked."""
    ticket = locked(db.session.get_one(Intervention, intervention_id).ticket_id, seen=seen)
    intervention = db.session.get_one(Intervention, intervention_id, populate_existing=True)
    return ticket, intervention


def _close(ticket: Ticket, now: datetime) -> None:
    touch(ticket, now, TicketStatus.CLOSED)
    ticket.closed_at, ticket.reply_owed = now, False


def _deduct_late(intervention: Intervention, ticket: Ticket, now: datetime) -> None:
    """What a late cancellation costs by the accepted terms, within what is left (K-07)."""
    terms = parameters_of(ticket.order.terms_version)
    if not rules.is_late_cancellation(intervention.starts_at, now, terms.late_cancellation_hours):
        return
    for lot in credit_queries.holding(intervention.id):
        left = credit_rules.balance(credit_queries.entries_of([lot.id])[lot.id])
        cost = min(terms.late_cancellation_minutes, left)
        if cost > 0:
            credits.deduct(lot, cost, intervention.id, reason=ticket.reference, now=now)
            return


def _tell(
    ticket: Ticket, intervention: Intervention, what: Happening, who: User | None, now: datetime
) -> None:
    facts = {
        "starts_at": intervention.starts_at.isoformat(),
        "minutes": intervention.planned_minutes,
        "worked": intervention.worked_minutes,
        "billed": intervention.billed_minutes,
        "reason": intervention.cancel_reason,
    }
    proof = {
        "intervention": intervention.id,
        "worked": intervention.worked_minutes,
        "billed": intervention.billed_minutes,
    }
    happened(ticket, what, who, now, facts=facts, proof=proof)
