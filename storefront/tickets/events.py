"""What happens on tickets."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from storefront.kernel.events import Event


@dataclass(frozen=True)
class TicketOpened(Event):
    ticket_id: uuid.UUID


@dataclass(frozen=True)
class TicketAnswered(Event):
    """Somebody replied; the other side is told."""

    message_id: uuid.UUID


@dataclass(frozen=True)
class TicketRefused(Event):
    """Staff refused the ticket, with a reason of the terms (I-06)."""

    ticket_id: uuid.UUID
    reason: str
    explanation: str


@dataclass(frozen=True)
class InterventionProposed(Event):
    proposal_id: uuid.UUID


@dataclass(frozen=True)
class ProposalAnswered(Event):
    """The client refused or asked for another time."""

    proposal_id: uuid.UUID


@dataclass(frozen=True)
class InterventionConfirmed(Event):
    """The client accepted: the time is held and both get the calendar file (I-03)."""

    intervention_id: uuid.UUID


@dataclass(frozen=True)
class InterventionReported(Event):
    """The work is reported and the time taken from the credit (I-05)."""

    intervention_id: uuid.UUID


@dataclass(frozen=True)
class InterventionCancelled(Event):
    """An agreed intervention will not take place; what it held is free again."""

    intervention_id: uuid.UUID
