"""A period that is not paid: suspended after its grace days, or by the steps of the terms; back by
itself (B-04, M-05, SUB-06)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime

from storefront.arrears import queries as arrears
from storefront.arrears.events import DeferralGranted, PlanResumed, PlanSuspended
from storefront.arrears.models import Deferral
from storefront.fulfilment import service as fulfilment
from storefront.infra import journal
from storefront.infra.db import db
from storefront.infra.outbox import publish
from storefront.instalments.events import InstalmentFailed, InstalmentPaid
from storefront.kernel.calendar import paris_date
from storefront.legal.queries import parameters_of
from storefront.subscriptions import queries, rules
from storefront.subscriptions.events import (
    PeriodPaid,
    SubscriptionPastDue,
    SubscriptionResumed,
    SubscriptionSuspended,
)
from storefront.subscriptions.models import Subscription, SubscriptionStatus, SuspensionCause
from storefront.subscriptions.service.settling import settle_period
from storefront.subscriptions.service.states import UNPAID_MONTHS, locked, locked_all, move

LATE = (SubscriptionStatus.PAST_DUE, SubscriptionStatus.SUSPENDED)


def note_paid(events: Sequence[InstalmentPaid], *, now: datetime) -> None:
    """A period was paid; when it was the last one missing, the service is as before (B-04)."""
    periods = queries.periods_of_instalments([event.instalment_id for event in events])
    paid = [period for period in periods if period.paid_at is None]
    of_paid = [period.subscription_id for period in paid]
    subscriptions = {one.id: one for one in locked_all(of_paid)}
    ends = queries.effective_ends(of_paid)
    for period in paid:
        period.paid_at = now
    for period in paid:
        _lift(subscriptions[period.subscription_id], now)
        publish(PeriodPaid(period.id), now=now)
        if (ended := ends.get(period.subscription_id)) is not None:
            settle_period(period, ended, now=now)


def note_failed(event: InstalmentFailed, *, now: datetime) -> None:
    """A period's debit failed: the service is kept for the grace days of the accepted terms, or,
    for a contract that binds, until the steps of its arrears come to it (SUB-06)."""
    period = queries.period_of_instalment(event.instalment_id)
    if period is None or period.paid_at is not None:
        return
    subscription = locked(period.subscription_id)
    if subscription.status is not SubscriptionStatus.ACTIVE:
        return
    move(subscription, SubscriptionStatus.PAST_DUE)
    subscription.past_due_since = now
    if not subscription.term_months:
        grace_days = parameters_of(subscription.terms_version).subscription_grace_days
        subscription.suspend_at = rules.suspends_at(now, grace_days)
    journal.record("subscription.past_due", subscription, {"month": period.number}, now=now)
    publish(SubscriptionPastDue(subscription.id), now=now)


def note_deferred(event: DeferralGranted, *, now: datetime) -> None:
    """The seller waits for a month until another day: every clock of it stops, grace included."""
    deferral = db.session.get_one(Deferral, event.deferral_id)
    period = queries.period_of_instalment(deferral.instalment_id)
    if period is not None:
        _lift(locked(period.subscription_id), now)


def follow_arrears(event: PlanSuspended | PlanResumed, *, now: datetime) -> None:
    """Suspend what binds once the steps of its arrears came to it, or open it again (M-05).

    Whichever of the two events is heard last, the present decides.
    """
    for known in queries.of_order(event.order_id):
        subscription = locked(known.id)
        if subscription.status is SubscriptionStatus.ENDED:
            continue
        schedule = rules.schedule_name(subscription.order_line_id)
        if not arrears.stops(event.order_id, schedule):
            _lift(subscription, now)
        elif subscription.status is not SubscriptionStatus.SUSPENDED:
            _suspend(subscription, SuspensionCause.ARREARS, now)


def suspend(subscription_id: uuid.UUID, *, now: datetime) -> bool:
    """The grace days are over: the service stops, nothing is deleted; says whether it did."""
    subscription = locked(subscription_id)
    ends_at = subscription.suspend_at
    past_due = subscription.status is SubscriptionStatus.PAST_DUE
    if not past_due or ends_at is None or ends_at > now or subscription.paused_on is not None:
        return False
    _suspend(subscription, SuspensionCause.GRACE, now)
    publish(SubscriptionSuspended(subscription.id), now=now)
    return True


def _suspend(subscription: Subscription, because: SuspensionCause, now: datetime) -> None:
    move(subscription, SubscriptionStatus.SUSPENDED)
    subscription.suspended_because = because
    fulfilment.suspend(
        subscription.order_id, UNPAID_MONTHS, only=subscription.order_line_id, now=now
    )
    journal.record("subscription.suspended", subscription, {"because": because}, now=now)


def _lift(subscription: Subscription, now: datetime) -> None:
    """Open a locked subscription again once no month of it is late; what stopped it for another
    reason goes on."""
    if subscription.status not in LATE or queries.late_months(subscription.id):
        return
    because = subscription.suspended_because
    if because is SuspensionCause.GRACE and subscription.suspend_at is not None:
        _make_up(subscription, paris_date(subscription.suspend_at), paris_date(now))
    move(subscription, SubscriptionStatus.ACTIVE)
    subscription.past_due_since = subscription.suspend_at = None
    fulfilment.resume(
        subscription.order_id, UNPAID_MONTHS, only=subscription.order_line_id, now=now
    )
    journal.record("subscription.resumed", subscription, {"was": because}, now=now)
    # After the steps of the arrears, the end of those says that it is open again.
    if because is SuspensionCause.GRACE:
        publish(SubscriptionResumed(subscription.id), now=now)


def _make_up(subscription: Subscription, suspended_on: date, today: date) -> None:
    """A month that is paid once it is over is supplied all the same: the days that its suspension
    took follow from today, and the months after it are counted from their end (B-04)."""
    last = queries.last_period(subscription.id)
    if last.ends_on > today:
        return
    last.ends_on = rules.made_up_until(last.ends_on, suspended_on, today)
    subscription.next_period_on = rules.next_start(subscription.ends_on, last.ends_on)
    subscription.anchor_on, subscription.anchor_number = last.ends_on, last.number + 1
