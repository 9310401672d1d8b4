"""The months that begin, the grace that ends, the ends that come, and who is told of what."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from storefront.infra.db import db, transaction
from storefront.infra.jobs import Job, in_batches, one_by_one
from storefront.instalments.rules import working_day
from storefront.subscriptions import queries, service
from storefront.subscriptions.emails.outages import tell_credit
from storefront.subscriptions.models import Announcement
from storefront.subscriptions.queries import outages
from storefront.subscriptions.service import Computation


def open_months(now: datetime) -> int:
    """Open every month that has begun, many in one transaction; an outage is caught up."""
    due = queries.to_open(working_day(now))
    return in_batches(due, lambda some: service.open_next_months(some, now=now))


def lapse_changes(now: datetime) -> int:
    """Give up the upgrades that were not paid in time: what waited for them goes on."""
    return one_by_one(queries.to_lapse(now), lambda one: service.lapse_change(one, now=now))


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


def take_effect(now: datetime) -> int:
    """End what was announced to end, each at its own instant."""
    return one_by_one(queries.to_take_effect(now), lambda one: service.take_effect(one, now=now))


JOBS: tuple[Job, ...] = (
    Job("subscriptions.end", take_effect, queries.next_effect_at),
    Job("subscriptions.lapse", lapse_changes, queries.next_lapse_at),
    Job("subscriptions.open", open_months, queries.next_opening_at),
    # After the months: a term that is over is renewed before its holder is written to.
    Job("subscriptions.renewals", ask_holders, queries.next_ask_at),
    Job("subscriptions.announce", announce_changes, queries.next_announcement_at),
    Job("subscriptions.suspend", suspend_unpaid, queries.next_suspension_at),
    Job("subscriptions.outages", compute_outage_credits, outages.next_computing_at),
    Job("subscriptions.credits_left", hand_over_credits, outages.next_refund_at),
    Job("subscriptions.credits_told", tell_outage_credits, outages.next_telling_at),
)
