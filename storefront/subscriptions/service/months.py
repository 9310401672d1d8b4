"""The periods: opened and owed on their day, invoiced and granted once paid (B-01, SUB-03)."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from storefront.catalogue.rules import ProductKind
from storefront.credits import service as credits
from storefront.fulfilment import service as fulfilment
from storefront.infra import journal
from storefront.infra.db import db
from storefront.instalments import service as instalments
from storefront.invoicing import service as invoicing
from storefront.invoicing.service import BilledPeriod
from storefront.kernel.calendar import paris_date
from storefront.kernel.money import Money
from storefront.legal.queries import parameters_of
from storefront.subscriptions import queries, rules
from storefront.subscriptions.events import PeriodPaid
from storefront.subscriptions.models import ChangeStatus, Subscription, SubscriptionPeriod
from storefront.subscriptions.service.changes import follow_choice
from storefront.subscriptions.service.states import end, locked


def open_month(subscription: Subscription, number: int, now: datetime) -> SubscriptionPeriod:
    """One row a period: UNIQUE(subscription, number) stops a second one."""
    month = rules.month(
        subscription.anchor_on,
        number,
        first=subscription.anchor_number,
        every=subscription.billing_months,
    )
    period = SubscriptionPeriod(
        id=uuid.uuid4(),
        subscription_id=subscription.id,
        number=number,
        starts_on=month.starts_on,
        ends_on=month.ends_on,
        version_id=subscription.version_id,
        net_minor=subscription.net_minor,
        vat_minor=subscription.vat_minor,
        gross_minor=subscription.gross_minor,
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
    """Open the next period and owe it, or end what has come to its term; says whether it did.

    What was chosen for it comes first. While an upgrade waits for its payment the period waits
    too: it is opened at one price, once that is known (docs/algorithms/plan-changes.md).
    """
    subscription = locked(subscription_id)
    starts_on = subscription.next_period_on
    if starts_on is None or starts_on > paris_date(now):
        return False
    pending = queries.open_change(subscription_id)
    if pending is not None and pending.status is ChangeStatus.AWAITING_PAYMENT:
        return False
    if not rules.goes_on(subscription.ends_on, starts_on):
        end(subscription, subscription.ends_on or starts_on, "term", now=now)
        return True
    follow_choice(subscription, starts_on, now=now)
    number = len(subscription.periods) + 1
    period = open_month(subscription, number, now)
    if period.gross_minor == 0:
        period.paid_at = now
        return True
    instalment = instalments.owe(
        subscription.order,
        rules.schedule_name(subscription.order_line_id),
        number,
        starts_on,
        Money(period.gross_minor, subscription.currency),
        label=f"{subscription.name}, mois {number}",
        now=now,
    )
    period.instalment_id = instalment.id
    return True


def grant_month(event: PeriodPaid, *, now: datetime) -> None:
    """A paid period of a support contract gives its minutes, usable until the period ends.

    A year paid up front gives twelve months' minutes; the limit a month is the lot's own (K-04).
    """
    period = db.session.get_one(SubscriptionPeriod, event.period_id)
    subscription = period.subscription
    minutes = rules.contract_of(period.version.features).included_minutes
    if subscription.kind is not ProductKind.SUPPORT_CONTRACT or not minutes:
        return
    parameters = parameters_of(subscription.order.terms_version)
    credits.grant(
        subscription.order_line,
        subscription.user_id,
        minutes=minutes * subscription.billing_months,
        expires_on=period.ends_on - timedelta(days=1),
        slice_minutes=parameters.hour_slice_minutes,
        reminder_days=(),
        period_number=period.number,
        now=now,
    )
    fulfilment.stop_new_hours(subscription.order_line_id, now=now)


def invoice_month(event: PeriodPaid, *, now: datetime) -> None:
    """A period after the first is invoiced when it is paid; the first is on the order's invoice."""
    period = db.session.get_one(SubscriptionPeriod, event.period_id)
    if period.number == 1:
        return
    subscription = period.subscription
    month = BilledPeriod(
        period_id=period.id,
        instalment_id=period.instalment_id,
        order_line=subscription.order_line,
        name=period.version.name,
        starts_on=period.starts_on,
        ends_on=period.ends_on,
        net_minor=period.net_minor,
        vat_minor=period.vat_minor,
        gross_minor=period.gross_minor,
        paid_on=paris_date(period.paid_at or now),
    )
    invoicing.issue_for_period(month, now=now)
