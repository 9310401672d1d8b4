"""The months that begin, and the grace that ends."""

from __future__ import annotations

from datetime import datetime

from storefront.infra.db import transaction
from storefront.infra.jobs import Job, one_by_one
from storefront.instalments.rules import working_day
from storefront.subscriptions import queries, service
from storefront.subscriptions.emails.outages import tell_credit
from storefront.subscriptions.queries import outages
from storefront.subscriptions.service import Computation


def open_months(now: datetime) -> int:
    """Open every month that has begun, one transaction each; an outage is caught up."""
    due = queries.to_open(working_day(now))
    return one_by_one(due, lambda one: service.open_next_month(one, now=now))


def suspend_unpaid(now: datetime) -> int:
    """Suspend what stayed unpaid through its grace days."""
    return one_by_one(queries.to_suspend(now), lambda one: service.suspend(one, now=now))


def compute_outage_credits(now: datetime) -> int:
    """Compute what outages come to, in batches, each a transaction of its own (B-06).

    Interrupted, it is begun again: what is there already is found to be right.
    """
    done = 0
    for incident_id in outages.to_compute(now):
        left: Computation | None = Computation(incident_id, now)
        while left is not None:
            with transaction():
                left = service.propose_credits(left)
        done += 1
    return done


def hand_over_credits(now: datetime) -> int:
    """Have paid back what was granted to subscriptions that no debit is left for."""
    return one_by_one(outages.to_refund(), lambda one: service.hand_over(one, now=now))


def tell_outage_credits(now: datetime) -> int:
    """Write to each subscriber who was granted something, once an outage."""
    return one_by_one(outages.to_tell(), lambda pair: tell_credit(*pair, now=now))


JOBS: tuple[Job, ...] = (
    Job("subscriptions.open", open_months, queries.next_opening_at),
    Job("subscriptions.suspend", suspend_unpaid, queries.next_suspension_at),
    Job("subscriptions.outages", compute_outage_credits, outages.next_computing_at),
    Job("subscriptions.credits_left", hand_over_credits, outages.next_refund_at),
    Job("subscriptions.credits_told", tell_outage_credits, outages.next_telling_at),
)
