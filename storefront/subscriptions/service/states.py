"""The one place where a subscription changes state."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from storefront.infra import journal
from storefront.infra.db import db
from storefront.orders.models import Order
from storefront.subscriptions.models import (
    SUBSCRIPTION_LIFECYCLE,
    Subscription,
    SubscriptionStatus,
)


def locked(subscription_id: uuid.UUID) -> Subscription:
    """The subscription as it is now, locked until the end of the transaction."""
    return db.session.get_one(
        Subscription, subscription_id, with_for_update=True, populate_existing=True
    )


def locked_all(subscription_ids: Sequence[uuid.UUID]) -> Sequence[Subscription]:
    """The same for several in one question, with the orders and the terms that they follow."""
    with_order = joinedload(Subscription.order, innerjoin=True)
    with_terms = joinedload(Subscription.terms_version, innerjoin=True)
    return db.session.scalars(
        select(Subscription)
        .where(Subscription.id.in_(subscription_ids))
        .options(with_order.joinedload(Order.terms_version, innerjoin=True), with_terms)
        .order_by(Subscription.id)
        .with_for_update(of=Subscription)
        .execution_options(populate_existing=True)
    ).all()


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
    journal.record("subscription.ended", subscription, {"on": ends_on, "because": because}, now=now)
