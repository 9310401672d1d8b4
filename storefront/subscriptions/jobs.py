"""The months that begin, the grace that ends, and the ends that come."""

from __future__ import annotations

from datetime import datetime

from storefront.infra.jobs import Job, one_by_one
from storefront.instalments.rules import working_day
from storefront.subscriptions import queries, service


def open_months(now: datetime) -> int:
    """Open every month that has begun, one transaction each; an outage is caught up."""
    due = queries.to_open(working_day(now))
    return one_by_one(due, lambda one: service.open_next_month(one, now=now))


def suspend_unpaid(now: datetime) -> int:
    """Suspend what stayed unpaid through its grace days."""
    return one_by_one(queries.to_suspend(now), lambda one: service.suspend(one, now=now))


def take_effect(now: datetime) -> int:
    """End what was announced to end, each at its own instant."""
    return one_by_one(queries.to_take_effect(now), lambda one: service.take_effect(one, now=now))


JOBS: tuple[Job, ...] = (
    Job("subscriptions.end", take_effect, queries.next_effect_at),
    Job("subscriptions.open", open_months, queries.next_opening_at),
    Job("subscriptions.suspend", suspend_unpaid, queries.next_suspension_at),
)
