"""What a credit is computed from, read for many subscriptions at once (B-06)."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import contains_eager, joinedload

from storefront.fulfilment.models import Suspension
from storefront.infra.db import db
from storefront.infra.journal import JournalEntry
from storefront.instalments.models import PRICE, Instalment
from storefront.kernel.calendar import start_of_day
from storefront.orders.models import Order, OrderStatus
from storefront.payments.models import Payment, PaymentStatus
from storefront.subscriptions.models import (
    OutageCredit,
    OutageCreditStatus,
    OutageCreditUse,
    Subscription,
    SubscriptionPeriod,
)
from storefront.subscriptions.queries.outages import paid_within, proposed
from storefront.subscriptions.rules.outages import Span, without

KEPT = (OutageCreditStatus.GRANTED, OutageCreditStatus.APPLIED)


@dataclass(frozen=True)
class Covered:
    """A paid period, the time in which its service ran, and what its money still allows."""

    period: SubscriptionPeriod
    ran: tuple[Span, ...]
    credits: Sequence[OutageCredit]
    left_minor: int  # paid for it and not given back in any form


def covered(
    subscription_ids: Collection[uuid.UUID], incident_ids: Collection[uuid.UUID], span: Span | None
) -> list[Covered]:
    """The paid periods of these subscriptions that fall into `span`, and those for which these
    incidents propose something already.

    A contract that was taken back or refused has its own settlement: nothing of it ran.
    """
    wanted: list[ColumnElement[bool]] = [
        SubscriptionPeriod.id.in_(proposed(incident_ids, OutageCredit.period_id))
    ]
    if span is not None:
        wanted.append(and_(*paid_within(span)))
    periods = db.session.scalars(
        select(SubscriptionPeriod)
        .join(SubscriptionPeriod.subscription)
        .join(Subscription.order)
        .options(
            contains_eager(SubscriptionPeriod.subscription)
            .contains_eager(Subscription.order)
            .joinedload(Order.terms_version),
            joinedload(SubscriptionPeriod.version),
        )
        .where(SubscriptionPeriod.subscription_id.in_(subscription_ids), or_(*wanted))
        .order_by(SubscriptionPeriod.subscription_id, SubscriptionPeriod.number)
    ).all()
    stops = _stops({period.subscription for period in periods}, span) if span else {}
    credits = _credits([period.id for period in periods])
    money = _paid(periods)
    return [
        Covered(
            period,
            _ran(period.subscription, stops.get(period.subscription_id, []), span),
            credits[period.id],
            money[period.id] - _given(credits[period.id]),
        )
        for period in periods
    ]


def _ran(subscription: Subscription, stops: Sequence[Span], span: Span | None) -> tuple[Span, ...]:
    """The part of a time in which a service ran: after it began, before it ended, not stopped."""
    if span is None or subscription.order.status is not OrderStatus.CONFIRMED:
        return ()
    ends_on = subscription.ends_on
    end = min(span.end, start_of_day(ends_on)) if ends_on else span.end
    return without([Span(max(span.start, subscription.created_at), end)], stops)


def _stops(subscriptions: Collection[Subscription], span: Span) -> dict[uuid.UUID, list[Span]]:
    """When each was stopped: by itself, as the journal has it, or with its order line."""
    found: dict[uuid.UUID, list[Span]] = defaultdict(list)
    since: dict[uuid.UUID, datetime] = {}
    entries = db.session.execute(
        select(JournalEntry.subject_id, JournalEntry.kind, JournalEntry.at)
        .where(
            JournalEntry.subject_id.in_([one.id for one in subscriptions]),
            JournalEntry.kind.in_(("subscription.suspended", "subscription.resumed")),
        )
        .order_by(JournalEntry.seq)
    )
    for subscription_id, kind, at in entries:
        if kind == "subscription.suspended":
            since.setdefault(subscription_id, at)
        elif subscription_id in since:
            found[subscription_id].append(Span(since.pop(subscription_id), at))
    for subscription_id, at in since.items():
        found[subscription_id].append(Span(at, max(at, span.end)))
    by_line = {one.order_line_id: one.id for one in subscriptions}
    lines = db.session.execute(
        select(Suspension.order_line_id, Suspension.since, Suspension.lifted_at).where(
            Suspension.order_line_id.in_(by_line)
        )
    )
    for line_id, at, lifted_at in lines:
        found[by_line[line_id]].append(Span(at, lifted_at or max(at, span.end)))
    return found


def _credits(period_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[OutageCredit]]:
    found: dict[uuid.UUID, list[OutageCredit]] = defaultdict(list)
    rows = db.session.scalars(
        select(OutageCredit)
        .where(OutageCredit.period_id.in_(period_ids))
        .order_by(OutageCredit.computed_at, OutageCredit.number)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    for credit in rows:
        found[credit.period_id].append(credit)
    return found


def _given(credits: Sequence[OutageCredit]) -> int:
    """What credits of a period gave, or will give, without touching its payment."""
    kept = sum(one.gross_minor for one in credits if one.status in KEPT)
    refunded = OutageCreditStatus.REFUNDED
    return kept + sum(one.used_minor for one in credits if one.status is refunded)


def _paid(periods: Sequence[SubscriptionPeriod]) -> dict[uuid.UUID, int]:
    """What was paid for each period and not given back since, by money or by an earlier credit.

    The first period was paid with its order, among other things perhaps.
    """
    held = (Payment.taken_minor - Payment.refunded_minor - Payment.taken_back_minor).label("held")
    instalments = {one.instalment_id for one in periods if one.instalment_id}
    by_instalment = _sums(
        select(Payment.instalment_id, func.sum(held))
        .where(Payment.instalment_id.in_(instalments), Payment.status == PaymentStatus.SUCCEEDED)
        .group_by(Payment.instalment_id)
    )
    by_order = _sums(
        select(Payment.order_id, func.sum(held))
        .join(Instalment, Instalment.id == Payment.instalment_id)
        .where(
            Payment.order_id.in_({one.subscription.order_id for one in periods}),
            Instalment.schedule == PRICE,
            Payment.status == PaymentStatus.SUCCEEDED,
        )
        .group_by(Payment.order_id)
    )
    by_credit = _sums(
        select(OutageCreditUse.period_id, func.sum(OutageCreditUse.gross_minor))
        .where(OutageCreditUse.period_id.in_([one.id for one in periods]))
        .group_by(OutageCreditUse.period_id)
    )
    return {
        one.id: min(
            one.gross_minor,
            by_credit.get(one.id, 0)
            + (
                by_instalment.get(one.instalment_id, 0)
                if one.instalment_id
                else by_order.get(one.subscription.order_id, 0)
            ),
        )
        for one in periods
    }


def _sums(statement: object) -> Mapping[uuid.UUID, int]:
    rows = db.session.execute(statement)  # type: ignore[call-overload]
    return {key: int(total) for key, total in rows}
