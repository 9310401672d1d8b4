"""The months that begin, and the grace that ends."""

from __future__ import annotations

from datetime import datetime

from storefront.infra.jobs import Job, one_by_one
from storefront.instalments.rules import working_day
from storefront.subscriptions import queries, service


def open_months(now: datetime) -> int:
    """Open every month that has begun, one transaction each; an outage is caught up."""
    due = queries.to_open(working_day(now))
    return one_by_one(due, lambda one: service.open_next_month(one, now=now))


def lapse_changes(now: datetime) -> int:
    """Give up the upgrades that were not paid in time: what waited for them goes on."""
    return one_by_one(queries.to_lapse(now), lambda one: service.lapse_change(one, now=now))


def suspend_unpaid(now: datetime) -> int:
    """Suspend what stayed unpaid through its grace days."""
    return one_by_one(queries.to_suspend(now), lambda one: service.suspend(one, now=now))


JOBS: tuple[Job, ...] = (
    Job("subscriptions.lapse", lapse_changes, queries.next_lapse_at),
    Job("subscriptions.open", open_months, queries.next_opening_at),
    Job("subscriptions.suspend", suspend_unpaid, queries.next_suspension_at),
)
