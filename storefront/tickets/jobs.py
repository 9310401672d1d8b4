"""What falls due on tickets: proposals without answer, reports that silence confirms."""

from __future__ import annotations

from datetime import datetime

from storefront.infra.db import transaction
from storefront.infra.jobs import Job
from storefront.tickets import queries, service


def expire_proposals(now: datetime) -> int:
    """Let proposals fall whose time for an answer is over (I-03)."""
    done = 0
    for proposal_id in queries.proposals_to_expire(now):
        with transaction():
            done += service.expire_proposal(proposal_id, now=now)
    return done


def confirm_reports(now: datetime) -> int:
    """Confirm the reports that nobody contested within the terms' time (I-05)."""
    done = 0
    for intervention_id in queries.reports_to_confirm(now):
        with transaction():
            done += service.confirm_silence(intervention_id, now=now)
    return done


JOBS: tuple[Job, ...] = (
    Job("tickets.expire_proposals", expire_proposals, queries.next_proposal_expiry),
    Job("tickets.confirm_reports", confirm_reports, queries.next_silence),
)
