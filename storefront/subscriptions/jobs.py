"""The months that begin, and the grace that ends."""

from __future__ import annotations

from datetime import datetime

from storefront.infra.db import transaction
from storefront.infra.jobs import Job
from storefront.instalments.rules import working_day
from storefront.subscriptions import queries, service


def open_months(now: datetime) -> int:
    """Open every month that has begun, one transaction each; an outage is caught up."""
    opened = 0
    for subscription_id in queries.to_open(working_day(now)):
        with transaction():
            opened += service.open_next_month(subscription_id, now=now)
    return opened


def suspend_unpaid(now: datetime) -> int:
    """Suspend what stayed unpaid through its grace days."""
    suspended = 0
    for subscription_id in queries.to_suspend(now):
        with transaction():
            suspended += service.suspend(subscription_id, now=now)
    return suspended


JOBS: tuple[Job, ...] = (
    Job("subscriptions.open", open_months, queries.next_opening_at),
    Job("subscriptions.suspend", suspend_unpaid, queries.next_suspension_at),
)
