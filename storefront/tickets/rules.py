"""What is decided about support: statuses, deadlines, when a time may be proposed. Pure functions.

See docs/algorithms/hour-consumption.md for what is billed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Protocol

from storefront.kernel.calendar import OpeningHours, business_deadline, paris_date, start_of_day
from storefront.kernel.errors import Refusal

CELL = timedelta(minutes=15)
# How long ahead of a deadline staff are warned: an answer takes a moment, an appointment a slot.
ANSWER_AT_RISK = timedelta(hours=4)
APPOINTMENT_AT_RISK = timedelta(hours=24)
LONGEST_PROPOSAL_MINUTES = 8 * 60
FURTHEST_AHEAD = timedelta(days=366)


class TicketStatus(StrEnum):
    """Who must act: OPEN and SCHEDULED wait for staff, ANSWERED and PROPOSED for the client."""

    OPEN = "open"
    ANSWERED = "answered"
    PROPOSED = "proposed"
    SCHEDULED = "scheduled"
    IN_PROGRESS = "in_progress"
    REPORTED = "reported"
    CLOSED = "closed"
    REFUSED = "refused"


class MessageKind(StrEnum):
    """NOTE is for staff only; EVENT is a change of state on the shared timeline (I-09)."""

    REPLY = "reply"
    NOTE = "note"
    EVENT = "event"


class Happening(StrEnum):
    """The changes of state that the timeline tells; their French is in templates/tickets."""

    OPENED = "opened"
    PROPOSED = "proposed"
    PROPOSAL_WITHDRAWN = "proposal_withdrawn"
    PROPOSAL_REFUSED = "proposal_refused"
    OTHER_TIME = "other_time"
    PROPOSAL_EXPIRED = "proposal_expired"
    CONFIRMED = "confirmed"
    STARTED = "started"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    RESUMED = "resumed"
    REPORTED = "reported"
    REPORT_CONFIRMED = "report_confirmed"
    SILENCE_CONFIRMED = "silence_confirmed"
    CANCELLED_BY_CLIENT = "cancelled_by_client"
    CANCELLED_BY_STAFF = "cancelled_by_staff"
    REFUSED = "refused"
    CLOSED = "closed"
    REOPENED = "reopened"


class ProposalStatus(StrEnum):
    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    OTHER_TIME = "other_time"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class InterventionStatus(StrEnum):
    """REPORTED waits for the client's confirmation; silence confirms (I-05, I-07)."""

    CONFIRMED = "confirmed"
    RUNNING = "running"
    STOPPED = "stopped"
    REPORTED = "reported"
    DONE = "done"
    CANCELLED = "cancelled"


class Declaration(StrEnum):
    """What the client declares before an appointment (I-04); each is one box."""

    OWN_EQUIPMENT = "own_equipment"
    LEGAL_LICENCES = "legal_licences"
    BACKUP_MADE = "backup_made"
    GUARANTEES_CHECKED = "guarantees_checked"


class RefusalReason(StrEnum):
    """Why the seller may refuse or stop an intervention: the terms' own list (I-06)."""

    NOT_AS_PLANNED = "not_as_planned"
    ILLEGAL_SOFTWARE = "illegal_software"
    AGAINST_THE_LAW = "against_the_law"


class OrderNotUsable(Refusal):
    """No ticket can be opened on these hours (I-01).

    Details: reason ("foreign", "expired", "suspended", "empty", "ended").
    """


class EarlyStartMissing(Refusal):
    """The withdrawal period still runs and nobody asked to start before its end (WDR-08).

    Details: earliest (the first possible day), until (the last day of the period).
    """


class InThePast(Refusal):
    """The appointment would start before now. Details: starts_at."""


class TooFarAhead(Refusal):
    """The appointment would be more than a year away. Details: starts_at."""


class TechnicianBusy(Refusal):
    """The technician has another appointment at that time (I-03). Details: starts_at, minutes."""

    status = 409


class ProposalPending(Refusal):
    """Another proposal waits for the client's answer; it must be withdrawn first."""

    status = 409


class ProposalExpired(Refusal):
    """The proposal's time for an answer is over. Details: expires_at."""

    status = 409


class DeclarationsMissing(Refusal):
    """Not everything that must be declared before an appointment was (I-04)."""


class ReasonMissing(Refusal):
    """Worked minutes were corrected, or an intervention cancelled, without saying why."""


class Terms(Protocol):
    """The parameters of the accepted terms that support runs by (R-01)."""

    @property
    def reply_business_days(self) -> int: ...
    @property
    def intervention_min_hours(self) -> int: ...
    @property
    def intervention_max_hours(self) -> int: ...


@dataclass(frozen=True)
class Deadlines:
    """What is promised when a ticket is opened (I-02). Instants, UTC."""

    reply_due_at: datetime
    intervention_from: datetime
    intervention_due_at: datetime


def deadlines(
    opened_at: datetime, terms: Terms, hours: OpeningHours, lawful_from: date | None
) -> Deadlines:
    """The deadlines of a ticket opened at this instant (I-02).

    The answer is counted in opening hours, the intervention in hours of the clock. Where the law
    forbids work before `lawful_from` (see `earliest_day`), the window starts there instead and
    keeps its width.
    """
    starts = opened_at + timedelta(hours=terms.intervention_min_hours)
    width = timedelta(hours=terms.intervention_max_hours - terms.intervention_min_hours)
    if lawful_from is not None:
        starts = max(starts, start_of_day(lawful_from))
    reply = business_deadline(opened_at, terms.reply_business_days, hours)
    return Deadlines(reply, starts, starts + width)


def earliest_day(
    withdrawal_until: date | None, early_start_asked: bool, today: date
) -> date | None:
    """The first day on which work may be done, None when there is nothing to wait for (WDR-08).

    Within the withdrawal period, whose last day is `withdrawal_until`, a service is only begun
    at the consumer's recorded request.
    """
    if withdrawal_until is None or early_start_asked or today > withdrawal_until:
        return None
    return withdrawal_until + timedelta(days=1)


def too_early(starts_at: datetime, earliest: date | None) -> bool:
    """Whether an appointment at this instant is before the first day that the law allows."""
    return earliest is not None and paris_date(starts_at) < earliest


def cells(starts_at: datetime, minutes: int) -> list[datetime]:
    """The quarters of an hour that an appointment touches, in order, UTC."""
    first = starts_at.replace(minute=starts_at.minute - starts_at.minute % 15, second=0)
    first = first.replace(microsecond=0)
    end = starts_at + timedelta(minutes=minutes)
    count = -((first - end) // CELL)
    return [first + CELL * index for index in range(count)]


def within_window(starts_at: datetime, start: datetime, end: datetime) -> bool:
    """Whether an appointment starts in the promised window, its two ends included (I-02)."""
    return start <= starts_at <= end


def worked_minutes(spans: Iterable[tuple[datetime, datetime]]) -> int:
    """The minutes between all starts and stops together; a minute begun counts as one."""
    total = sum((stop - start for start, stop in spans), timedelta(0))
    return -(-total // timedelta(minutes=1))


def is_late_cancellation(starts_at: datetime, now: datetime, free_hours: int) -> bool:
    """Whether it is too late to cancel free of charge: less than `free_hours` before (K-07)."""
    return now > starts_at - timedelta(hours=free_hours)


def usable_until(expires_on: date, opened_on: date, today: date) -> date:
    """Until when hours stay usable that the seller kept from being used (terms, 7.2).

    The time lost is given back: as many days as passed since the ticket was opened.
    """
    return max(expires_on, today + (today - opened_on))


class Urgency(StrEnum):
    """How a deadline stands: OVERDUE is passed, AT_RISK close, ON_TIME further away."""

    OVERDUE = "overdue"
    AT_RISK = "at_risk"
    ON_TIME = "on_time"


class Due(StrEnum):
    """What staff owe next on a ticket."""

    ANSWER = "answer"
    APPOINTMENT = "appointment"  # an intervention is to be proposed or agreed
    INTERVENTION = "intervention"  # one is agreed and about to start
    REPORT = "report"  # one is under way, or stopped and not reported


@dataclass(frozen=True)
class NextStep:
    """What staff must do next, by when."""

    due: Due
    at: datetime
    urgency: Urgency


def next_step(
    *,
    status: TicketStatus,
    reply_owed: bool,
    reply_due_at: datetime,
    intervention_due_at: datetime,
    offered_in_time: bool,
    appointment_at: datetime | None,
    now: datetime,
) -> NextStep | None:
    """What staff owe on a ticket and how urgent it is, None when nothing is (I-02).

    `offered_in_time`: a time inside the window was proposed, so that the promise is kept whatever
    the client prefers. `appointment_at`: the start of the intervention agreed on.
    """
    if status in (TicketStatus.CLOSED, TicketStatus.REFUSED):
        return None
    steps = []
    if reply_owed:
        steps.append((reply_due_at, Due.ANSWER, ANSWER_AT_RISK))
    if appointment_at is not None and status is TicketStatus.SCHEDULED:
        steps.append((appointment_at, Due.INTERVENTION, ANSWER_AT_RISK))
    if appointment_at is not None and status is TicketStatus.IN_PROGRESS:
        steps.append((appointment_at + timedelta(days=1), Due.REPORT, ANSWER_AT_RISK))
    waiting = (TicketStatus.OPEN, TicketStatus.ANSWERED, TicketStatus.PROPOSED)
    if appointment_at is None and status in waiting and not offered_in_time:
        steps.append((intervention_due_at, Due.APPOINTMENT, APPOINTMENT_AT_RISK))
    if not steps:
        return None
    at, due, margin = min(steps)
    return NextStep(due, at, urgency(at, margin, now))


def urgency(due_at: datetime, margin: timedelta, now: datetime) -> Urgency:
    """How a deadline stands at `now`."""
    if now > due_at:
        return Urgency.OVERDUE
    return Urgency.AT_RISK if now > due_at - margin else Urgency.ON_TIME


class Happens(StrEnum):
    """What happens to a ticket by the calendar: the answers that silence gives, what staff owe."""

    PROPOSAL_EXPIRY = "proposal_expiry"
    SILENCE = "report_silence"
    APPOINTMENT = "appointment"
    TO_ANSWER = "to_answer"
    TO_PROPOSE = "to_propose"
    TO_REPORT = "to_report"


# What staff owe next, as a moment; an intervention that is agreed on has one of its own.
OWED = {
    Due.ANSWER: Happens.TO_ANSWER,
    Due.APPOINTMENT: Happens.TO_PROPOSE,
    Due.REPORT: Happens.TO_REPORT,
}
