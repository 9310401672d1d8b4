"""The periods: opened and owed on their day, invoiced and granted once paid (B-01, SUB-03)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy.orm import joinedload

from storefront.arrears.events import RestFellDue
from storefront.catalogue.rules import ProductKind
from storefront.credits import service as credits
from storefront.fulfilment import service as fulfilment
from storefront.infra import journal
from storefront.infra.db import db
from storefront.infra.outbox import publish
from storefront.instalments import service as instalments
from storefront.invoicing import service as invoicing
from storefront.invoicing.service import BilledPeriod, Reduction
from storefront.kernel.calendar import paris_date
from storefront.kernel.money import Money
from storefront.legal.queries import parameters_of
from storefront.orders.models import Order
from storefront.subscriptions import queries, rules
from storefront.subscriptions.events import PeriodPaid
from storefront.subscriptions.models import (
    ChangeStatus,
    OutageCredit,
    PlanChange,
    Subscription,
    SubscriptionPeriod,
    SubscriptionStatus,
    VersionNotice,
)
from storefront.subscriptions.service.changes import follow
from storefront.subscriptions.service.outage_credits import granted_to, use_credits, uses_of
from storefront.subscriptions.service.renewals import ends_at_term, renew_due
from storefront.subscriptions.service.revisions import apply_due
from storefront.subscriptions.service.states import end, locked, locked_all

# What the next period follows: the terms in force, the order and the terms that it accepted.
WITH_TERMS = (
    joinedload(Subscription.terms_version, innerjoin=True),
    joinedload(Subscription.order, innerjoin=True).joinedload(Order.terms_version, innerjoin=True),
)


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
        version_id=subscription.version.id,
        net_minor=subscription.net_minor,
        vat_minor=subscription.vat_minor,
        gross_minor=subscription.gross_minor,
    )
    db.session.add(period)
    subscription.next_period_on = rules.next_start(subscription.ends_on, month.ends_on)
    journal.record(
        "subscription.month_opened",
        period,
        {"subscription": subscription.id, "number": number, "starts_on": month.starts_on},
        now=now,
    )
    return period


def open_next_months(subscription_ids: Sequence[uuid.UUID], *, now: datetime) -> int:
    """Open the next period of each and owe it, or end what has come to its term; how many.

    None is opened during a pause (B-08), nor on the day of an end that comes at its own hour, nor
    while an upgrade waits for its payment: it is opened at one price, once that is known
    (docs/algorithms/plan-changes.md).
    """
    found = locked_all(subscription_ids, *WITH_TERMS)
    changes = queries.open_changes(subscription_ids)
    notices = queries.open_notices_of(subscription_ids)
    credits_left = granted_to(subscription_ids)
    return sum(
        _open_next(one, changes.get(one.id), notices[one.id], credits_left[one.id], now)
        for one in found
    )


def _open_next(
    subscription: Subscription,
    chosen: PlanChange | None,
    told: Sequence[VersionNotice],
    granted: Sequence[OutageCredit],
    now: datetime,
) -> bool:
    starts_on = subscription.next_period_on
    if starts_on is None or starts_on > paris_date(now) or subscription.paused_on is not None:
        return False
    if subscription.status is SubscriptionStatus.SUSPENDED and not subscription.term_months:
        return False
    if chosen is not None and chosen.status is ChangeStatus.AWAITING_PAYMENT:
        return False
    if not rules.goes_on(subscription.ends_on, starts_on):
        if subscription.ends_at is not None:
            return False
        end(subscription, subscription.ends_on or starts_on, "term", now=now)
        return True
    if ends_at_term(subscription, starts_on, now=now):
        end(subscription, starts_on, "not_renewed", now=now)
        return True
    if chosen is not None and chosen.effective_on <= starts_on:
        # By the period's own first day: one that is opened late, after an outage, is the same.
        follow(subscription, chosen, starts_on, now=now)
    apply_due(subscription, told, starts_on, now=now)
    renew_due(subscription, starts_on, now=now)
    number = rules.number_of(
        subscription.anchor_on,
        starts_on,
        first=subscription.anchor_number,
        every=subscription.billing_months,
    )
    period = open_month(subscription, number, now)
    _owe(subscription, period, starts_on, granted, now)
    return True


def _owe(
    subscription: Subscription,
    period: SubscriptionPeriod,
    due_on: date,
    granted: Sequence[OutageCredit],
    now: datetime,
) -> None:
    if period.gross_minor == 0:
        period.paid_at = now
        return
    owed = period.gross_minor - use_credits(granted, period, now=now)
    if owed == 0:
        period.paid_at = now
        publish(PeriodPaid(period.id), now=now)
        return
    period.instalment = instalments.owe(
        subscription.order,
        rules.schedule_name(subscription.order_line_id),
        period.number,
        due_on,
        Money(owed, subscription.currency),
        label=f"{subscription.name}, mois {period.number}",
        now=now,
    )


def open_rest(event: RestFellDue, *, now: datetime) -> None:
    """The months left of a term fall due at once (M-05): each is opened, and owed, now.

    What is opened is never opened again: its own day finds nothing left to open.
    """
    late = queries.period_of_instalment(event.instalment_id)
    if late is None:
        return
    subscription = locked(late.subscription_id)
    last_on = min(filter(None, (subscription.committed_until, subscription.ends_on)), default=None)
    number = len(subscription.periods)
    granted = granted_to([subscription.id])[subscription.id]
    while last_on and subscription.next_period_on and subscription.next_period_on < last_on:
        number += 1
        _owe(subscription, open_month(subscription, number, now), event.owed_on, granted, now)


def grant_month(event: PeriodPaid, *, now: datetime) -> None:
    """A paid period of a support contract gives its minutes, usable until the period ends.

    A year paid up front gives twelve months' minutes; the limit a month is the lot's own (K-04).
    """
    period = db.session.get_one(SubscriptionPeriod, event.period_id)
    subscription = period.subscription
    minutes = rules.contract_of(period.version.features).included_minutes
    if subscription.kind is not ProductKind.SUPPORT_CONTRACT or not minutes:
        return
    parameters = parameters_of(subscription.terms_version)
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


def _reductions(period: SubscriptionPeriod) -> tuple[Reduction, ...]:
    """What credits for outages took off a period, each with the days it is for (B-06)."""
    return tuple(
        Reduction(
            name=f"Réduction pour interruption – {period.subscription.name}",
            starts_on=paris_date(use.credit.down_from),
            last_day=paris_date(use.credit.down_until),
            net_minor=use.net_minor,
            vat_minor=use.vat_minor,
            gross_minor=use.gross_minor,
        )
        for use in uses_of(period.id)
    )


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
        reductions=_reductions(period),
    )
    invoicing.issue_for_period(month, now=now)
