"""The one place where a subscription changes state."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from storefront.infra import journal
from storefront.infra.db import db
from storefront.subscriptions.models import (
    SUBSCRIPTION_LIFECYCLE,
    Subscription,
    SubscriptionStatus,
)
from storefront.subscriptions.service.lapsing import drop_open


def locked(subscription_id: uuid.UUID) -> Subscription:
    """The subscription as it is now, locked until the end of the transaction."""
    return db.session.get_one(
        Subscription, subscription_id, with_for_update=True, populate_existing=True
    )


def move(subscription: Subscription, status: SubscriptionStatus) -> None:
    """Put a locked subscription in another state. Raises `WrongMove`."""
    SUBSCRIPTION_LIFECYCLE.check(subscription.status, status)
    subscription.status = status


def end(subscription: Subscription, ends_on: date, because: str, *, now: datetime) -> None:
    """Stop a locked subscription: `ends_on` is its first day without service.

    `because` is a code for the journal. Nothing that was used or written is deleted.
    """
    move(subscription, SubscriptionStatus.ENDED)
    subscription.ends_on, subscription.ended_at = ends_on, now
    subscription.next_period_on = subscription.suspend_at = None
    drop_open(subscription, now=now)
    journal.record("subscription.ended", subscription, {"on": ends_on, "because": because}, now=now)
