"""What subscribers are told when a month is not paid, and when it is again."""

from __future__ import annotations

import uuid
from datetime import datetime

from storefront.infra.db import db
from storefront.notifications.service import queue
from storefront.subscriptions.events import (
    SubscriptionPastDue,
    SubscriptionResumed,
    SubscriptionSuspended,
)
from storefront.subscriptions.models import Subscription


def past_due(event: SubscriptionPastDue, *, now: datetime) -> None:
    """The service goes on until a stated day; here is how to pay (B-04)."""
    _queue("subscription_past_due", "Votre mensualité n’a pas pu être prélevée", event, now)


def suspended(event: SubscriptionSuspended, *, now: datetime) -> None:
    """The service is suspended, nothing is deleted, paying brings it back (B-04)."""
    _queue("subscription_suspended", "Votre service est suspendu", event, now)


def resumed(event: SubscriptionResumed, *, now: datetime) -> None:
    """The service is back."""
    _queue("subscription_resumed", "Votre service a repris", event, now)


def _queue(
    kind: str,
    subject: str,
    event: SubscriptionPastDue | SubscriptionSuspended | SubscriptionResumed,
    now: datetime,
) -> None:
    subscription = _subscription(event.subscription_id)
    months = len(subscription.periods)
    queue(
        kind,
        key=f"{kind}:{subscription.id}:{months}",
        recipient=subscription.order.email,
        user_id=subscription.user_id,
        order_id=subscription.order_id,
        subject=f"{subject} – {subscription.name}",
        context={"subscription": subscription},
        documents=[],
        now=now,
    )


def _subscription(subscription_id: uuid.UUID) -> Subscription:
    return db.session.get_one(Subscription, subscription_id)
