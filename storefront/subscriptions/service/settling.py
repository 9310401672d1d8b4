"""What is left of the money when a contract ends: not due, or to go back (B-05, B-08, MRE-03)."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from storefront.catalogue.rules import ProductKind
from storefront.credits import service as credits
from storefront.infra.outbox import publish
from storefront.instalments import service as instalments
from storefront.kernel.calendar import paris_date
from storefront.subscriptions import queries, rules
from storefront.subscriptions.events import PeriodUnused
from storefront.subscriptions.models import (
    PlanChange,
    Subscription,
    SubscriptionPeriod,
    Termination,
)
from storefront.subscriptions.rules import Ground


def settle(subscription: Subscription, termination: Termination, *, now: datetime) -> None:
    """A contract has just ended by an announced end: its periods, and the hours they gave.

    A period that began after the end is not due, and goes back when it was paid. Of one that was
    cut short the days left go back, unless the customer is at fault or wanted it so.
    """
    for period in subscription.periods:
        settle_period(period, termination, now=now)
    if termination.ground is not Ground.WISH and subscription.kind is ProductKind.SUPPORT_CONTRACT:
        credits.revoke(
            subscription.order_line_id, termination.id, reason=subscription.name, now=now
        )


def settle_period(period: SubscriptionPeriod, termination: Termination, *, now: datetime) -> None:
    """One period of a contract that this end has ended: cancelled, given back, or left alone."""
    first_unused = rules.first_unused_day(termination.effective_at)
    whole = period.starts_on >= first_unused
    if period.paid_at is None:
        if whole and period.instalment_id is not None:
            instalments.cancel(instalments.locked(period.instalment_id), now=now)
        return
    left = _unused_of_period(period, termination)
    payment = queries.payment_of(period)
    amount = min(left, payment.refundable.minor) if payment else 0
    if payment is not None and amount:
        first = period.instalment_id is None
        publish(
            PeriodUnused(
                payment_id=payment.id,
                amount_minor=amount,
                request_id=uuid.uuid5(termination.id, str(period.number)),
                order_line_id=period.subscription.order_line_id if first else None,
            ),
            now=now,
        )
    for change in queries.paid_within(period.id):
        _settle_change(change, termination, now)


def _settle_change(change: PlanChange, termination: Termination, now: datetime) -> None:
    """What an upgrade cost for days that are not supplied goes back like the period itself."""
    payment = queries.payment_of_change(change)
    left = _unused_of_change(change, termination)
    amount = min(left, payment.refundable.minor) if payment else 0
    if payment is not None and amount:
        request_id = uuid.uuid5(termination.id, str(change.id))
        publish(PeriodUnused(payment.id, amount, request_id, order_line_id=None), now=now)


def unused_of(period: SubscriptionPeriod, termination: Termination) -> int:
    """How much of a period and of its upgrades this end leaves unused and gives back, in minor
    units."""
    upgrades = queries.paid_within(period.id)
    return _unused_of_period(period, termination) + sum(
        _unused_of_change(one, termination) for one in upgrades
    )


def _unused_of_change(change: PlanChange, termination: Termination) -> int:
    if not termination.ground.gives_back:
        return 0
    return rules.unused_minor(
        change.gross_minor,
        paris_date(change.counted_from),
        change.period.ends_on,
        rules.first_unused_day(termination.effective_at),
    )


def _unused_of_period(period: SubscriptionPeriod, termination: Termination) -> int:
    first_unused: date = rules.first_unused_day(termination.effective_at)
    if period.starts_on < first_unused and not termination.ground.gives_back:
        return 0
    return rules.unused_minor(period.gross_minor, period.starts_on, period.ends_on, first_unused)
