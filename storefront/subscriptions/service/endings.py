"""Ends: decided by the holder for the end of what is paid, or with what was sold (B-02, B-03)."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from storefront.fulfilment.events import SupplyRevoked
from storefront.infra import journal
from storefront.kernel.calendar import paris_date
from storefront.subscriptions import queries, rules
from storefront.subscriptions.models import SubscriptionStatus
from storefront.subscriptions.service.renewals import leave
from storefront.subscriptions.service.states import end, locked


def schedule_end(
    subscription_id: uuid.UUID,
    *,
    notified_on: date,
    wanted_on: date | None,
    cause_id: uuid.UUID,
    now: datetime,
) -> date | None:
    """Its holder ended it on `notified_on`: set the first day without service (B-02, B-03).

    Nothing that was begun is cut short, and an end that is set is never moved back. `cause_id` is
    the declaration. Returns the end; None for a subscription that stopped without one.
    """
    subscription = locked(subscription_id)
    if subscription.next_period_on is None:
        return subscription.ends_on
    facts: dict[str, object] = {"wanted_on": wanted_on, "cause": cause_id}
    if subscription.free_exit_since is not None:
        leave(subscription, notified_on=notified_on, wanted_on=wanted_on, now=now)
        facts["ends_on"] = subscription.ends_on
        journal.record("subscription.end_scheduled", subscription, facts, now=now)
        return subscription.ends_on
    ends_on = rules.ends_on(
        subscription.anchor_on,
        subscription.next_period_on,
        subscription.committed_until,
        notified_on=notified_on,
        wanted_on=wanted_on,
        every=subscription.billing_months,
    )
    if subscription.ends_on is None or ends_on < subscription.ends_on:
        subscription.ends_on = ends_on
        # A month that was opened since the notification is not followed by another.
        subscription.next_period_on = min(subscription.next_period_on, ends_on)
    facts["ends_on"] = subscription.ends_on
    journal.record("subscription.end_scheduled", subscription, facts, now=now)
    return subscription.ends_on


def end_revoked(event: SupplyRevoked, *, now: datetime) -> None:
    """What an order sold was taken back for good: its subscriptions end at once."""
    for known in queries.of_order(event.order_id):
        subscription = locked(known.id)
        if subscription.status is not SubscriptionStatus.ENDED:
            end(subscription, paris_date(now), "revoked", now=now)
