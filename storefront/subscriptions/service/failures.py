"""A period that is not paid: kept for the grace days, suspended, back by itself (B-04)."""

from __future__ import annotations

import uuid
from datetime import datetime

from storefront.infra import journal
from storefront.infra.db import db
from storefront.infra.outbox import publish
from storefront.instalments.events import InstalmentFailed, InstalmentPaid
from storefront.legal.queries import parameters_of
from storefront.subscriptions import queries, rules
from storefront.subscriptions.events import (
    PeriodPaid,
    SubscriptionPastDue,
    SubscriptionResumed,
    SubscriptionSuspended,
)
from storefront.subscriptions.models import SubscriptionStatus
from storefront.subscriptions.service.states import locked, move


def note_paid(event: InstalmentPaid, *, now: datetime) -> None:
    """A period was paid; when it was the last one missing, the service is as before (B-04)."""
    period = queries.period_of_instalment(event.instalment_id)
    if period is None or period.paid_at is not None:
        return
    period.paid_at = now
    subscription = locked(period.subscription_id)
    db.session.flush()
    late = (SubscriptionStatus.PAST_DUE, SubscriptionStatus.SUSPENDED)
    if subscription.status in late and queries.unpaid_months(subscription.id) == 0:
        was_suspended = subscription.status is SubscriptionStatus.SUSPENDED
        move(subscription, SubscriptionStatus.ACTIVE)
        subscription.past_due_since = subscription.suspend_at = None
        journal.record("subscription.resumed", subscription, {"month": period.number}, now=now)
        if was_suspended:
            publish(SubscriptionResumed(subscription.id), now=now)
    publish(PeriodPaid(period.id), now=now)


def note_failed(event: InstalmentFailed, *, now: datetime) -> None:
    """A period's debit failed: the service is kept for the grace days of the accepted terms."""
    period = queries.period_of_instalment(event.instalment_id)
    if period is None or period.paid_at is not None:
        return
    subscription = locked(period.subscription_id)
    if subscription.status is not SubscriptionStatus.ACTIVE:
        return
    move(subscription, SubscriptionStatus.PAST_DUE)
    grace_days = parameters_of(subscription.terms_version).subscription_grace_days
    subscription.past_due_since = now
    subscription.suspend_at = rules.suspends_at(now, grace_days)
    journal.record("subscription.past_due", subscription, {"month": period.number}, now=now)
    publish(SubscriptionPastDue(subscription.id), now=now)


def suspend(subscription_id: uuid.UUID, *, now: datetime) -> bool:
    """The grace days are over: the service stops, nothing is deleted; says whether it did."""
    subscription = locked(subscription_id)
    ends_at = subscription.suspend_at
    past_due = subscription.status is SubscriptionStatus.PAST_DUE
    if not past_due or ends_at is None or ends_at > now:
        return False
    move(subscription, SubscriptionStatus.SUSPENDED)
    journal.record("subscription.suspended", subscription, {"because": "unpaid"}, now=now)
    publish(SubscriptionSuspended(subscription.id), now=now)
    return True
