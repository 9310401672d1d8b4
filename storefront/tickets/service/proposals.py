"""A time proposed, answered, accepted: one transaction holds everything an acceptance needs."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.exc import IntegrityError

from storefront.credits import service as credits
from storefront.identity.models import User
from storefront.infra.db import db
from storefront.infra.outbox import publish
from storefront.kernel.calendar import paris_date
from storefront.kernel.slices import billed_minutes
from storefront.tickets import queries, rules
from storefront.tickets.events import InterventionConfirmed, InterventionProposed, ProposalAnswered
from storefront.tickets.models import (
    PROPOSAL_LIFECYCLE,
    BusyCell,
    Intervention,
    Proposal,
    Ticket,
)
from storefront.tickets.rules import (
    Declaration,
    DeclarationsMissing,
    EarlyStartMissing,
    Happening,
    InterventionStatus,
    InThePast,
    ProposalExpired,
    ProposalPending,
    ProposalStatus,
    TechnicianBusy,
    TicketStatus,
    TooFarAhead,
)
from storefront.tickets.service.promises import answered, owed
from storefront.tickets.service.timeline import happened, locked, touch


def propose(
    proposal_id: uuid.UUID,
    ticket_id: uuid.UUID,
    staff: User,
    technician: User,
    starts_at: datetime,
    minutes: int,
    description: str,
    *,
    seen: int,
    now: datetime,
) -> Proposal:
    """Propose a time to the client, open until the appointment would start (I-03).

    The same `proposal_id` again, a doubled click, returns the first one. Raises `StaleWrite`,
    `InThePast`, `TooFarAhead`, `EarlyStartMissing` inside a withdrawal period (WDR-08),
    `ProposalPending` while another proposal is open, `TechnicianBusy`, and `WrongMove` once a
    time is agreed.
    """
    known = db.session.get(Proposal, proposal_id)
    if known is not None and known.ticket_id == ticket_id:
        return known
    ticket = locked(ticket_id, seen=seen)
    if ticket.status is TicketStatus.PROPOSED:
        raise ProposalPending(ticket=ticket)
    if starts_at <= now:
        raise InThePast(starts_at=starts_at)
    if starts_at > now + rules.FURTHEST_AHEAD:
        raise TooFarAhead(starts_at=starts_at)
    _check_lawful(ticket, starts_at, now)
    _check_free(technician, starts_at, minutes, now)
    proposal = Proposal(
        id=proposal_id,
        ticket_id=ticket.id,
        staff_id=technician.id,
        starts_at=starts_at,
        minutes=minutes,
        description=description,
        status=ProposalStatus.PROPOSED,
        made_at=now,
        expires_at=starts_at,
    )
    db.session.add(proposal)
    answered(ticket, now)
    touch(ticket, now, TicketStatus.PROPOSED)
    _tell(ticket, proposal, Happening.PROPOSED, staff, now)
    publish(InterventionProposed(proposal_id=proposal.id), now=now)
    return proposal


def withdraw(proposal_id: uuid.UUID, staff: User, *, now: datetime) -> None:
    """Take a proposal back before it is answered. Raises `WrongMove` after."""
    ticket, proposal = _answerable(proposal_id)
    _end(proposal, ProposalStatus.WITHDRAWN, now)
    touch(ticket, now, TicketStatus.OPEN)
    _tell(ticket, proposal, Happening.PROPOSAL_WITHDRAWN, staff, now)


def withdraw_open(ticket: Ticket, now: datetime) -> None:
    """Take back what is still open on a locked ticket that ends."""
    for proposal in ticket.proposals:
        if proposal.status is ProposalStatus.PROPOSED:
            _end(proposal, ProposalStatus.WITHDRAWN, now)


def refuse_proposal(proposal_id: uuid.UUID, client: User, answer: str, *, now: datetime) -> None:
    """The client does not want this intervention. Raises `WrongMove` once answered."""
    _answer(proposal_id, ProposalStatus.REFUSED, Happening.PROPOSAL_REFUSED, client, answer, now)


def ask_other_time(proposal_id: uuid.UUID, client: User, answer: str, *, now: datetime) -> None:
    """The client prefers another time; `answer` says when. Raises `WrongMove` once answered."""
    _answer(proposal_id, ProposalStatus.OTHER_TIME, Happening.OTHER_TIME, client, answer, now)


def accept(
    proposal_id: uuid.UUID,
    client: User,
    declarations: dict[Declaration, str],
    *,
    now: datetime,
) -> Intervention:
    """Agree on a proposal: the appointment, the client's hours and the technician's time are
    taken together or not at all (I-03).

    `declarations`: the sentence of each box that was ticked (I-04). Accepting an accepted
    proposal, a doubled click, returns its intervention. Raises `DeclarationsMissing`,
    `ProposalExpired`, `EarlyStartMissing`, `TechnicianBusy`, the refusals of
    `credits.service.hold` (K-05), and `WrongMove` once answered otherwise.
    """
    ticket, proposal = _answerable(proposal_id)
    if proposal.status is ProposalStatus.ACCEPTED and proposal.intervention is not None:
        return proposal.intervention
    PROPOSAL_LIFECYCLE.check(proposal.status, ProposalStatus.ACCEPTED)
    if set(declarations) != set(Declaration):
        raise DeclarationsMissing(missing=set(Declaration) - set(declarations))
    if now >= proposal.expires_at:
        raise ProposalExpired(expires_at=proposal.expires_at, ticket=ticket)
    _check_lawful(ticket, proposal.starts_at, now)
    intervention = Intervention(
        id=uuid.uuid4(),
        proposal_id=proposal.id,
        ticket_id=ticket.id,
        staff_id=proposal.staff_id,
        starts_at=proposal.starts_at,
        planned_minutes=proposal.minutes,
        status=InterventionStatus.CONFIRMED,
        declared_at=now,
        declarations=list(declarations.values()),
    )
    db.session.add(intervention)
    db.session.flush()
    day = paris_date(proposal.starts_at)
    credits.hold(
        queries.lots_for(ticket, day, paris_date(now)),
        billed_minutes(proposal.minutes, ticket.lot.slice_minutes),
        intervention.id,
        on=day,
        reason=ticket.reference,
        now=now,
    )
    _take_cells(intervention)
    _end(proposal, ProposalStatus.ACCEPTED, now)
    touch(ticket, now, TicketStatus.SCHEDULED)
    _tell(ticket, proposal, Happening.CONFIRMED, client, now)
    publish(InterventionConfirmed(intervention_id=intervention.id), now=now)
    return intervention


def expire_proposal(proposal_id: uuid.UUID, *, now: datetime) -> bool:
    """A proposal without answer falls when it would start; True when this call was the one."""
    ticket, proposal = _answerable(proposal_id)
    if proposal.status is not ProposalStatus.PROPOSED or now < proposal.expires_at:
        return False
    _end(proposal, ProposalStatus.EXPIRED, now)
    touch(ticket, now, TicketStatus.ANSWERED)
    _tell(ticket, proposal, Happening.PROPOSAL_EXPIRED, None, now)
    return True


def _answer(
    proposal_id: uuid.UUID,
    status: ProposalStatus,
    what: Happening,
    client: User,
    answer: str,
    now: datetime,
) -> None:
    ticket, proposal = _answerable(proposal_id)
    if proposal.status is status:
        return
    _end(proposal, status, now)
    proposal.answer = answer
    owed(ticket, now)
    touch(ticket, now, TicketStatus.OPEN)
    _tell(ticket, proposal, what, client, now, answer=answer)
    publish(ProposalAnswered(proposal_id=proposal.id), now=now)


def _answerable(proposal_id: uuid.UUID) -> tuple[Ticket, Proposal]:
    """The proposal and its ticket as they are now, the ticket locked."""
    ticket = locked(db.session.get_one(Proposal, proposal_id).ticket_id)
    return ticket, db.session.get_one(Proposal, proposal_id, populate_existing=True)


def _end(proposal: Proposal, status: ProposalStatus, now: datetime) -> None:
    PROPOSAL_LIFECYCLE.check(proposal.status, status)
    proposal.status, proposal.answered_at = status, now


def _tell(
    ticket: Ticket,
    proposal: Proposal,
    what: Happening,
    author: User | None,
    now: datetime,
    *,
    answer: str = "",
) -> None:
    facts = {
        "starts_at": proposal.starts_at.isoformat(),
        "minutes": proposal.minutes,
        "answer": answer,
    }
    proof = {"proposal": proposal.id, "at": proposal.starts_at, "minutes": proposal.minutes}
    happened(ticket, what, author, now, facts=facts, proof=proof)


def _check_lawful(ticket: Ticket, starts_at: datetime, now: datetime) -> None:
    earliest = queries.earliest_day(ticket.lot, paris_date(now))
    if rules.too_early(starts_at, earliest):
        raise EarlyStartMissing(earliest=earliest, ticket=ticket)


def _check_free(technician: User, starts_at: datetime, minutes: int, now: datetime) -> None:
    wanted = rules.cells(starts_at, minutes)
    if queries.is_busy(technician.id, wanted, now):
        raise TechnicianBusy(starts_at=starts_at, minutes=minutes, technician=technician)


def _take_cells(intervention: Intervention) -> None:
    """Take the technician's quarters of an hour; the primary key keeps anybody else out."""
    wanted: Sequence[datetime] = rules.cells(intervention.starts_at, intervention.planned_minutes)
    try:
        with db.session.begin_nested():
            db.session.add_all(
                BusyCell(
                    staff_id=intervention.staff_id, starts_at=cell, intervention_id=intervention.id
                )
                for cell in wanted
            )
    except IntegrityError as error:
        raise TechnicianBusy(
            starts_at=intervention.starts_at,
            minutes=intervention.planned_minutes,
            technician=intervention.staff,
        ) from error
