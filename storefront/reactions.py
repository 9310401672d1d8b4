"""Which event makes whom react: the one table of consequences. Reactions are idempotent."""

from __future__ import annotations

from functools import partial

from flask import Flask

from storefront.credits import emails as credits
from storefront.credits.events import HoursExpired, HoursExpiring
from storefront.infra import outbox
from storefront.tickets import emails as tickets
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


def register(app: Flask) -> None:
    """Subscribe every reaction."""
    on = partial(outbox.subscribe, app)

    on(HoursExpiring, credits.remind)
    on(HoursExpired, credits.tell_expired)

    on(TicketOpened, tickets.acknowledge)
    on(TicketAnswered, tickets.tell_answer)
    on(TicketRefused, tickets.tell_refusal)
    on(InterventionProposed, tickets.propose)
    on(ProposalAnswered, tickets.tell_proposal_answer)
    on(InterventionConfirmed, tickets.confirm)
    on(InterventionReported, tickets.report)
    on(InterventionCancelled, tickets.tell_cancellation)
