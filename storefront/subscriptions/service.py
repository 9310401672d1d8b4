"""Monthly contracts: each month is opened once, owed once, and keeps the service going (B-01).

A month after the first is an instalment like another: the one billing run takes it, its failures
are retried by the same terms, and what happens to it comes back here as an event.
"""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta

from storefront.catalogue.rules import KIND_FACTS, ProductKind
from storefront.credits import service as credits
from storefront.fulfilment import service as fulfilment
from storefront.fulfilment.events import SupplyRevoked
from storefront.infra import journal
from storefront.infra.db import db
from storefront.infra.outbox import publish
from storefront.instalments import service as instalments
from storefront.instalments.events import InstalmentFailed, InstalmentPaid
from storefront.invoicing import service as invoicing
from storefront.invoicing.service import BilledPeriod
from storefront.kernel.calendar import paris_date
from storefront.kernel.money import Money
from storefront.legal.queries import parameters_of
from storefront.orders.events import OrderConfirmed
from storefront.orders.models import Order, OrderLine
from storefront.subscriptions import queries, rules
from storefront.subscriptions.events import (
    PeriodPaid,
    SubscriptionPastDue,
    SubscriptionResumed,
    SubscriptionSuspended,
)
from storefront.subscriptions.models import (
    SUBSCRIPTION_LIFECYCLE,
    Subscription,
    SubscriptionPeriod,
    SubscriptionStatus,
)


def start_for_order(event: OrderConfirmed, *, now: datetime) -> None:
    """Start what goes on month after month; its first month was paid with the order."""
    order = db.session.get_one(Order, event.order_id)
    for line in order.lines:
        monthly = line.kind is not None and KIND_FACTS[line.kind].is_subscription
        if monthly and queries.of_line(line.id) is None:
            _start(order, line, now)


def _start(order: Order, line: OrderLine, now: datetime) -> None:
    anchor = paris_date(order.confirmed_at or now)
    committed = rules.committed_until(anchor, line.features.get("commitment_months", 0))
    subscription = Subscription(
        id=uuid.uuid4(),
        user_id=order.user_id,
        order_id=order.id,
        order_line_id=line.id,
        name=line.name,
        status=SubscriptionStatus.ACTIVE,
        anchor_on=anchor,
        currency=order.currency,
        net_minor=line.net_minor,
        vat_minor=line.vat_minor,
        gross_minor=line.gross_minor,
        committed_until=committed,
        # Without tacit renewal a committed contract stops at its term (SUB-02).
        ends_on=committed if line.features.get("renewal") == "none" else None,
        features=line.features,
        created_at=now,
    )
    db.session.add(subscription)
    first = _open_month(subscription, 1, now)
    first.paid_at = now
    journal.record(
        "subscription.started",
        subscription,
        {"order": order.id, "anchor": anchor, "committed_until": committed},
        now=now,
    )
    publish(PeriodPaid(first.id), now=now)


def _open_month(subscription: Subscription, number: int, now: datetime) -> SubscriptionPeriod:
    """One row a month: UNIQUE(subscription, number) stops a second one."""
    month = rules.month(subscription.anchor_on, number)
    period = SubscriptionPeriod(
        id=uuid.uuid4(),
        subscription_id=subscription.id,
        number=number,
        starts_on=month.starts_on,
        ends_on=month.ends_on,
    )
    db.session.add(period)
    goes_on = rules.goes_on(subscription.ends_on, month.ends_on)
    subscription.next_period_on = month.ends_on if goes_on else subscription.ends_on
    journal.record(
        "subscription.month_opened",
        period,
        {"subscription": subscription.id, "number": number, "starts_on": month.starts_on},
        now=now,
    )
    return period


def open_next_month(subscription_id: uuid.UUID, *, now: datetime) -> bool:
    """Open the next month and owe it, or end what has come to its term; says whether it did."""
    subscription = db.session.get_one(
        Subscription, subscription_id, with_for_update=True, populate_existing=True
    )
    starts_on = subscription.next_period_on
    if starts_on is None or starts_on > paris_date(now):
        return False
    if not rules.goes_on(subscription.ends_on, starts_on):
        _end(subscription, now)
        return True
    number = len(subscription.periods) + 1
    period = _open_month(subscription, number, now)
    if subscription.gross_minor == 0:
        period.paid_at = now
        return True
    instalment = instalments.owe(
        subscription.order,
        rules.schedule_name(subscription.order_line_id),
        number,
        starts_on,
        Money(subscription.gross_minor, subscription.currency),
        label=f"{subscription.name}, mois {number}",
        now=now,
    )
    period.instalment_id = instalment.id
    return True


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
    subscription = db.session.get_one(
        Subscription, subscription_id, with_for_update=True, populate_existing=True
    )
    if subscription.next_period_on is None:
        return subscription.ends_on
    end = rules.ends_on(
        subscription.anchor_on,
        subscription.next_period_on,
        subscription.committed_until,
        notified_on=notified_on,
        wanted_on=wanted_on,
    )
    if subscription.ends_on is None or end < subscription.ends_on:
        subscription.ends_on = end
        # A month that was opened since the notification is not followed by another.
        subscription.next_period_on = min(subscription.next_period_on, end)
    facts = {"ends_on": subscription.ends_on, "wanted_on": wanted_on, "cause": cause_id}
    journal.record("subscription.end_scheduled", subscription, facts, now=now)
    return subscription.ends_on


def _end(subscription: Subscription, now: datetime) -> None:
    _move(subscription, SubscriptionStatus.ENDED)
    subscription.next_period_on = None
    journal.record("subscription.ended", subscription, {"on": subscription.ends_on}, now=now)


def end_revoked(event: SupplyRevoked, *, now: datetime) -> None:
    """What an order sold was taken back for good: its subscriptions end at once."""
    for known in queries.of_order(event.order_id):
        subscription = db.session.get_one(
            Subscription, known.id, with_for_update=True, populate_existing=True
        )
        if subscription.status is not SubscriptionStatus.ENDED:
            subscription.ends_on, subscription.suspend_at = paris_date(now), None
            _end(subscription, now)


def note_paid(event: InstalmentPaid, *, now: datetime) -> None:
    """A month was paid; when it was the last one missing, the service is as before (B-04)."""
    period = queries.period_of_instalment(event.instalment_id)
    if period is None or period.paid_at is not None:
        return
    period.paid_at = now
    subscription = db.session.get_one(Subscription, period.subscription_id, with_for_update=True)
    db.session.flush()
    late = (SubscriptionStatus.PAST_DUE, SubscriptionStatus.SUSPENDED)
    if subscription.status in late and queries.unpaid_months(subscription.id) == 0:
        was_suspended = subscription.status is SubscriptionStatus.SUSPENDED
        _move(subscription, SubscriptionStatus.ACTIVE)
        subscription.past_due_since = subscription.suspend_at = None
        journal.record("subscription.resumed", subscription, {"month": period.number}, now=now)
        if was_suspended:
            publish(SubscriptionResumed(subscription.id), now=now)
    publish(PeriodPaid(period.id), now=now)


def note_failed(event: InstalmentFailed, *, now: datetime) -> None:
    """A month's debit failed: the service is kept for the grace days of the accepted terms."""
    period = queries.period_of_instalment(event.instalment_id)
    if period is None or period.paid_at is not None:
        return
    subscription = db.session.get_one(Subscription, period.subscription_id, with_for_update=True)
    if subscription.status is not SubscriptionStatus.ACTIVE:
        return
    _move(subscription, SubscriptionStatus.PAST_DUE)
    grace_days = parameters_of(subscription.order.terms_version).subscription_grace_days
    subscription.past_due_since = now
    subscription.suspend_at = rules.suspends_at(now, grace_days)
    journal.record("subscription.past_due", subscription, {"month": period.number}, now=now)
    publish(SubscriptionPastDue(subscription.id), now=now)


def suspend(subscription_id: uuid.UUID, *, now: datetime) -> bool:
    """The grace days are over: the service stops, nothing is deleted; says whether it did."""
    subscription = db.session.get_one(
        Subscription, subscription_id, with_for_update=True, populate_existing=True
    )
    ends_at = subscription.suspend_at
    past_due = subscription.status is SubscriptionStatus.PAST_DUE
    if not past_due or ends_at is None or ends_at > now:
        return False
    _move(subscription, SubscriptionStatus.SUSPENDED)
    journal.record("subscription.suspended", subscription, {"because": "unpaid"}, now=now)
    publish(SubscriptionSuspended(subscription.id), now=now)
    return True


def grant_month(event: PeriodPaid, *, now: datetime) -> None:
    """A paid month of a support contract gives its minutes, usable until the month ends."""
    period = db.session.get_one(SubscriptionPeriod, event.period_id)
    subscription = period.subscription
    minutes = subscription.features.get("included_minutes", 0)
    if subscription.order_line.kind is not ProductKind.SUPPORT_CONTRACT or not minutes:
        return
    parameters = parameters_of(subscription.order.terms_version)
    credits.grant(
        subscription.order_line,
        subscription.user_id,
        minutes=minutes,
        expires_on=period.ends_on - timedelta(days=1),
        slice_minutes=parameters.hour_slice_minutes,
        reminder_days=(),
        period_number=period.number,
        now=now,
    )
    fulfilment.stop_new_hours(subscription.order_line_id, now=now)


def invoice_month(event: PeriodPaid, *, now: datetime) -> None:
    """A month after the first is invoiced when it is paid; the first is on the order's invoice."""
    period = db.session.get_one(SubscriptionPeriod, event.period_id)
    if period.number == 1:
        return
    subscription = period.subscription
    month = BilledPeriod(
        period_id=period.id,
        instalment_id=period.instalment_id,
        order_line=subscription.order_line,
        name=subscription.name,
        starts_on=period.starts_on,
        ends_on=period.ends_on,
        net_minor=subscription.net_minor,
        vat_minor=subscription.vat_minor,
        gross_minor=subscription.gross_minor,
        paid_on=paris_date(period.paid_at or now),
    )
    invoicing.issue_for_period(month, now=now)


def _move(subscription: Subscription, status: SubscriptionStatus) -> None:
    SUBSCRIPTION_LIFECYCLE.check(subscription.status, status)
    subscription.status = status
