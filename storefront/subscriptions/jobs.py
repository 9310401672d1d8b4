"""The months that begin, and the grace that ends."""

from __future__ import annotations

from datetime import datetime

from storefront.infra.jobs import Job, in_batches, one_by_one
from storefront.instalments.rules import working_day
from storefront.subscriptions import queries, service


def open_months(now: datetime) -> int:
    """Open every month that has begun, many in one transaction; an outage is caught up."""
    due = queries.to_open(working_day(now))
    return in_batches(due, lambda some: service.open_next_months(some, now=now))


def suspend_unpaid(now: datetime) -> int:
    """Suspend what stayed unpaid through its grace days."""
    return one_by_one(queries.to_suspend(now), lambda one: service.suspend(one, now=now))


JOBS: tuple[Job, ...] = (
    Job("subscriptions.open", open_months, queries.next_opening_at),
    Job("subscriptions.suspend", suspend_unpaid, queries.next_suspension_at),
)
