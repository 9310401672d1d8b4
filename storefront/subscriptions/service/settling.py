"""What is left of the money when a contract ends: not due, or to go back (B-05, B-08, MRE-03)."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from storefront.catalogue.rules import ProductKind
from storefront.credits import service as credits
from storefront.infra.outbox import publish
from storefront.instalments import service as instalments
from storefront.subscriptions import queries, rules
from storefront.subscriptions.events import PeriodUnused
from storefront.subscriptions.models import Subscription, SubscriptionPeriod, Termination
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
    left = unused_of(period, termination)
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


def unused_of(period: SubscriptionPeriod, termination: Termination) -> int:
    """How much of a period this end leaves unused and gives back, in minor units."""
    first_unused: date = rules.first_unused_day(termination.effective_at)
    if period.starts_on < first_unused and not termination.ground.gives_back:
        return 0
    return rules.unused_minor(period.gross_minor, period.starts_on, period.ends_on, first_unused)
