"""Tickets as pages show them: timelines, the queue, what time is left."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from storefront.catalogue.models import Product
from storefront.catalogue.rules import ProductKind
from storefront.credits import queries as credits
from storefront.credits import rules as credit_rules
from storefront.credits.models import CreditEntry, HourLot
from storefront.infra.db import db
from storefront.kernel.slices import billed_minutes
from storefront.legal.models import Acceptance
from storefront.legal.rules import AcceptanceKind
from storefront.orders.models import OrderLine
from storefront.tickets import rules
from storefront.tickets.models import (
    BusyCell,
    Intervention,
    Proposal,
    Ticket,
    TicketMessage,
)
from storefront.tickets.rules import InterventionStatus, ProposalStatus, TicketStatus

ACTIVE = (InterventionStatus.CONFIRMED, InterventionStatus.RUNNING, InterventionStatus.STOPPED)
ENDED = (TicketStatus.CLOSED, TicketStatus.REFUSED)


@dataclass(frozen=True)
class QueueLine:
    """A ticket in the staff's queue, with what is owed next and how urgent it is."""

    ticket: Ticket
    step: rules.NextStep | None
    intervention: Intervention | None


@dataclass(frozen=True)
class TimeNeeded:
    """What an intervention needs and what there is for it, in minutes billed (K-03, K-05).

    `waiting` are lots whose withdrawal period must end first, with their first day.
    """

    needed: int
    available: int
    limit: str | None
    waiting: tuple[tuple[HourLot, date], ...]

    @property
    def missing(self) -> int:
        """The minutes to buy before this can be agreed on."""
        return max(self.needed - self.available, 0)


def by_reference(reference: str) -> Ticket | None:
    """The ticket of this reference, with everything its page shows."""
    return db.session.scalar(
        select(Ticket)
        .where(Ticket.reference == reference)
        .options(
            joinedload(Ticket.user),
            joinedload(Ticket.order),
            joinedload(Ticket.lot),
            selectinload(Ticket.messages).joinedload(TicketMessage.author),
            selectinload(Ticket.proposals).joinedload(Proposal.staff),
            selectinload(Ticket.interventions).options(
                joinedload(Intervention.staff), selectinload(Intervention.spans)
            ),
        )
    )


def of_user(user_id: uuid.UUID, limit: int = 100) -> Sequence[Ticket]:
    """A customer's tickets, the last touched first."""
    return db.session.scalars(
        select(Ticket)
        .where(Ticket.user_id == user_id)
        .options(joinedload(Ticket.lot))
        .order_by(Ticket.updated_at.desc())
        .limit(limit)
    ).all()


def proposals_to_answer(user_id: uuid.UUID, now: datetime) -> Sequence[Proposal]:
    """What a customer is asked to accept or refuse, the first to fall first."""
    return db.session.scalars(
        select(Proposal)
        .join(Proposal.ticket)
        .where(
            Ticket.user_id == user_id,
            Proposal.status == ProposalStatus.PROPOSED,
            Proposal.expires_at > now,
        )
        .options(contains_eager(Proposal.ticket))
        .order_by(Proposal.expires_at)
    ).all()


def interventions_of(user_id: uuid.UUID) -> Sequence[Intervention]:
    """A customer's interventions agreed, under way, or waiting for their confirmation."""
    return db.session.scalars(
        select(Intervention)
        .join(Intervention.ticket)
        .where(
            Ticket.user_id == user_id,
            Intervention.status.in_((*ACTIVE, InterventionStatus.REPORTED)),
        )
        .options(contains_eager(Intervention.ticket))
        .order_by(Intervention.starts_at)
    ).all()


def queue(now: datetime, limit: int = 200) -> list[QueueLine]:
    """Every ticket that runs, the most urgent first; those that wait for the client last."""
    tickets = db.session.scalars(
        select(Ticket)
        .where(Ticket.status.not_in(ENDED))
        .options(
            joinedload(Ticket.user),
            joinedload(Ticket.lot),
            selectinload(Ticket.proposals),
            selectinload(Ticket.interventions).joinedload(Intervention.staff),
        )
        .order_by(Ticket.reply_due_at)
        .limit(limit)
    ).all()
    lines = [queue_line(ticket, now) for ticket in tickets]
    return sorted(lines, key=lambda line: (line.step is None, line.step and line.step.at))


def queue_line(ticket: Ticket, now: datetime) -> QueueLine:
    """What staff owe on one ticket."""
    active = next((one for one in ticket.interventions if one.status in ACTIVE), None)
    step = rules.next_step(
        status=ticket.status,
        reply_owed=ticket.reply_owed,
        reply_due_at=ticket.reply_due_at,
        intervention_due_at=ticket.intervention_due_at,
        offered_in_time=any(
            proposal.made_at >= ticket.promised_at
            and proposal.starts_at <= ticket.intervention_due_at
            for proposal in ticket.proposals
        ),
        appointment_at=active.starts_at if active else None,
        now=now,
    )
    return QueueLine(ticket, step, active)


def agenda(start: datetime, end: datetime) -> Sequence[Intervention]:
    """The interventions agreed between two instants, in order, with ticket and technician."""
    return db.session.scalars(
        select(Intervention)
        .where(
            Intervention.starts_at >= start,
            Intervention.starts_at < end,
            Intervention.status != InterventionStatus.CANCELLED,
        )
        .options(
            joinedload(Intervention.staff),
            joinedload(Intervention.ticket).joinedload(Ticket.user),
        )
        .order_by(Intervention.starts_at)
    ).all()


def active_intervention(ticket_id: uuid.UUID) -> Intervention | None:
    """The intervention agreed or under way on a ticket."""
    return db.session.scalar(
        select(Intervention).where(
            Intervention.ticket_id == ticket_id, Intervention.status.in_(ACTIVE)
        )
    )


def open_on_lines(order_line_ids: Iterable[uuid.UUID]) -> Sequence[uuid.UUID]:
    """The tickets that are not over on these lines' hours, or whose appointment holds some."""
    lots = select(HourLot.id).where(HourLot.order_line_id.in_(list(order_line_ids)))
    holding = (
        select(Intervention.ticket_id)
        .join(CreditEntry, CreditEntry.cause_id == Intervention.id)
        .where(CreditEntry.lot_id.in_(lots), Intervention.status.in_(ACTIVE))
    )
    return db.session.scalars(
        select(Ticket.id)
        .where(Ticket.status.not_in(ENDED), or_(Ticket.lot_id.in_(lots), Ticket.id.in_(holding)))
        .order_by(Ticket.id)
    ).all()


def earliest_days(lots: Iterable[HourLot], today: date) -> dict[uuid.UUID, date | None]:
    """The first day on which work may be done on each lot, None: at once (WDR-08)."""
    line_of = {lot.id: lot.order_line_id for lot in lots}
    asked = exists().where(
        Acceptance.order_id == OrderLine.order_id, Acceptance.kind == AcceptanceKind.EARLY_START
    )
    rows = db.session.execute(
        select(OrderLine.id, OrderLine.withdrawal_until, asked).where(
            OrderLine.id.in_(set(line_of.values()))
        )
    )
    days = {line: rules.earliest_day(until, early, today) for line, until, early in rows}
    return {lot_id: days[line_id] for lot_id, line_id in line_of.items()}


def earliest_day(lot: HourLot, today: date) -> date | None:
    """The first day on which work may be done on one lot, None: at once (WDR-08)."""
    return earliest_days([lot], today)[lot.id]


def lots_for(ticket: Ticket, on: date, today: date) -> list[HourLot]:
    """The lots that an intervention of this ticket on the day `on` draws from (K-04).

    A one-shot pack serves alone. Otherwise every lot of the client that can be used today and
    whose withdrawal period allows work on that day, the ticket's own in any case.
    """
    if ticket.lot.single_use:
        return [ticket.lot]
    usable = [
        view.lot
        for view in credits.available_lots(ticket.user_id, today)
        if not view.lot.single_use
    ]
    days = earliest_days(usable, today)
    lots = [lot for lot in usable if (day := days[lot.id]) is None or on >= day]
    return lots if lots else [ticket.lot]


def time_needed(ticket: Ticket, minutes: int, on: date, today: date) -> TimeNeeded:
    """Whether there is enough time for an intervention of these minutes on the day `on`."""
    if ticket.lot.single_use:
        return TimeNeeded(0, 0, None, ())
    lots = lots_for(ticket, on, today)
    ledgers = credits.entries_of(lot.id for lot in lots)
    offers = [
        credit_rules.available(lot, ledgers[lot.id], on)
        for lot in lots
        if not credit_rules.is_over(lot.expires_on, today)
        and lot.suspended_at is None
        and lot.revoked_at is None
    ]
    return TimeNeeded(
        needed=billed_minutes(minutes, ticket.lot.slice_minutes),
        available=sum(offer.minutes for offer in offers),
        limit=next((offer.limit for offer in offers if offer.limit), None),
        waiting=_waiting(ticket, on, today),
    )


def _waiting(ticket: Ticket, on: date, today: date) -> tuple[tuple[HourLot, date], ...]:
    views = credits.available_lots(ticket.user_id, today)
    lots = [view.lot for view in views if not view.lot.single_use]
    days = earliest_days(lots, today)
    return tuple((lot, day) for lot in lots if (day := days[lot.id]) is not None and on < day)


def is_busy(staff_id: uuid.UUID, wanted: Sequence[datetime], now: datetime) -> bool:
    """Whether a technician has an appointment, agreed or proposed, in one of these quarters."""
    taken = select(BusyCell.starts_at).where(
        BusyCell.staff_id == staff_id, BusyCell.starts_at.in_(wanted)
    )
    if db.session.scalar(taken.limit(1)) is not None:
        return True
    longest = timedelta(minutes=rules.LONGEST_PROPOSAL_MINUTES)
    open_proposals = db.session.scalars(
        select(Proposal).where(
            Proposal.staff_id == staff_id,
            Proposal.status == ProposalStatus.PROPOSED,
            Proposal.expires_at > now,
            Proposal.starts_at.between(wanted[0] - longest, wanted[-1] + rules.CELL),
        )
    )
    return any(
        set(rules.cells(proposal.starts_at, proposal.minutes)) & set(wanted)
        for proposal in open_proposals
    )


def packs_on_sale() -> list[Product]:
    """The hour packs that can be bought, the smallest first."""
    packs = db.session.scalars(
        select(Product)
        .where(Product.kind == ProductKind.HOUR_PACK, Product.on_sale.is_(True))
        .options(selectinload(Product.variants))
    ).all()
    return sorted(packs, key=_pack_minutes)


def pack_for(missing: int) -> Product | None:
    """The smallest pack that brings the missing minutes, else the largest (K-05)."""
    packs = packs_on_sale()
    enough = [pack for pack in packs if _pack_minutes(pack) >= missing]
    return enough[0] if enough else (packs[-1] if packs else None)


def _pack_minutes(pack: Product) -> int:
    minutes: int = pack.features.get("minutes", 0)
    return minutes


def proposals_to_expire(now: datetime, limit: int = 500) -> Sequence[uuid.UUID]:
    """Proposals that nobody answered in time."""
    return db.session.scalars(
        select(Proposal.id)
        .where(Proposal.status == ProposalStatus.PROPOSED, Proposal.expires_at <= now)
        .limit(limit)
    ).all()


def reports_to_confirm(now: datetime, limit: int = 500) -> Sequence[uuid.UUID]:
    """Reports that nobody contested in time."""
    return db.session.scalars(
        select(Intervention.id)
        .where(
            Intervention.status == InterventionStatus.REPORTED,
            Intervention.confirmed_until <= now,
        )
        .limit(limit)
    ).all()


def next_proposal_expiry() -> datetime | None:
    """When the next proposal falls."""
    return db.session.scalar(
        select(func.min(Proposal.expires_at)).where(Proposal.status == ProposalStatus.PROPOSED)
    )


def next_silence() -> datetime | None:
    """When the next report is confirmed by silence."""
    return db.session.scalar(
        select(func.min(Intervention.confirmed_until)).where(
            Intervention.status == InterventionStatus.REPORTED
        )
    )
