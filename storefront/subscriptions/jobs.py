"""The months that begin, the grace that ends, and who is told of what will change."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from storefront.infra.db import db
from storefront.infra.jobs import Job, in_batches, one_by_one
from storefront.instalments.rules import working_day
from storefront.subscriptions import queries, service
from storefront.subscriptions.models import Announcement


def open_months(now: datetime) -> int:
    """Open every month that has begun, many in one transaction; an outage is caught up."""
    due = queries.to_open(working_day(now))
    return in_batches(due, lambda some: service.open_next_months(some, now=now))


def suspend_unpaid(now: datetime) -> int:
    """Suspend what stayed unpaid through its grace days."""
    return one_by_one(queries.to_suspend(now), lambda one: service.suspend(one, now=now))


def announce_changes(now: datetime) -> int:
    """Tell everybody of what was announced, one transaction each; stopped, it goes on later."""
    done = 0
    for announcement in [one.id for one in queries.to_complete()]:
        found = queries.left_of(db.session.get_one(Announcement, announcement))
        tell = partial(service.tell, announcement, now=now)
        done += one_by_one(found, tell)
        if not found:
            done += one_by_one([announcement], lambda one: service.complete(one, now=now))
    return done


def ask_holders(now: datetime) -> int:
    """Write to the holders of committed contracts ahead of their term (B-09)."""
    due = queries.to_ask(working_day(now))
    return one_by_one(due, lambda one: service.ask(one, now=now))


JOBS: tuple[Job, ...] = (
    Job("subscriptions.open", open_months, queries.next_opening_at),
    # After the months: a term that is over is renewed before its holder is written to.
    Job("subscriptions.renewals", ask_holders, queries.next_ask_at),
    Job("subscriptions.announce", announce_changes, queries.next_announcement_at),
    Job("subscriptions.suspend", suspend_unpaid, queries.next_suspension_at),
)
