"""The subscriptions that staff look for: by words, by state, what fails, what is about to end."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from storefront.infra.db import db
from storefront.instalments.models import Instalment, InstalmentStatus
from storefront.instalments.queries import UNSETTLED
from storefront.orders.models import Order
from storefront.subscriptions.models import (
    PlanVersion,
    Subscription,
    SubscriptionPeriod,
    SubscriptionStatus,
)
from storefront.subscriptions.queries.running import RUNNING
from storefront.subscriptions.rules import Renewal

FAILING = (SubscriptionStatus.PAST_DUE, SubscriptionStatus.SUSPENDED)


def search(
    *,
    text: str = "",
    status: SubscriptionStatus | None = None,
    product_id: uuid.UUID | None = None,
    family: str = "",
    before: uuid.UUID | None = None,
    limit: int = 50,
) -> Sequence[Subscription]:
    """Subscriptions whose order, holder or plan holds `text`, the last one first.

    `before` is the subscription after which to go on: pages by key.
    """
    found = (
        select(Subscription)
        .join(Subscription.order)
        .join(Subscription.version)
        .options(contains_eager(Subscription.order), contains_eager(Subscription.version))
        .order_by(Subscription.created_at.desc(), Subscription.id.desc())
        .limit(limit)
    )
    if status is not None:
        found = found.where(Subscription.status == status)
    if product_id is not None:
        found = found.where(PlanVersion.product_id == product_id)
    if family:
        found = found.where(Subscription.family == family)
    columns = (Order.reference, Order.name, Order.email, Order.company, Subscription.name)
    for word in text.split():
        found = found.where(or_(*(column.icontains(word, autoescape=True) for column in columns)))
    if before is not None:
        key = select(Subscription.created_at).where(Subscription.id == before).scalar_subquery()
        same_instant = and_(Subscription.created_at == key, Subscription.id < before)
        found = found.where(or_(Subscription.created_at < key, same_instant))
    return db.session.scalars(found).all()


def plans() -> list[tuple[uuid.UUID, str]]:
    """The products that were ever subscribed to, by their latest names."""
    rows = db.session.execute(
        select(PlanVersion.product_id, PlanVersion.name).order_by(PlanVersion.number)
    )
    names = {row.product_id: row.name for row in rows}
    return sorted(names.items(), key=lambda plan: plan[1])


def families() -> Sequence[str]:
    """The families that plans were ever sold in."""
    named = select(PlanVersion.family).where(PlanVersion.family.is_not(None)).distinct()
    return [family for family in db.session.scalars(named.order_by(PlanVersion.family)) if family]


@dataclass(frozen=True)
class Failing:
    """A subscription that is not paid: how many periods, how much, and what happens when.

    Minor units. `instalment_id` is the oldest one that is owed.
    """

    subscription: Subscription
    periods: int
    minor: int
    instalment_id: uuid.UUID
    next_attempt_on: date | None


def failing(limit: int = 50) -> list[Failing]:
    """What is past due or suspended for want of payment, the longest first."""
    failed = Instalment.status == InstalmentStatus.FAILED
    owed = (
        select(
            SubscriptionPeriod.subscription_id,
            func.count().label("periods"),
            func.sum(Instalment.amount_minor).label("minor"),
            func.min(case((failed, Instalment.next_attempt_on))).label("next_attempt_on"),
            func.min(SubscriptionPeriod.number).label("number"),
        )
        .join(Instalment, Instalment.id == SubscriptionPeriod.instalment_id)
        .where(Instalment.status.in_(UNSETTLED))
        .group_by(SubscriptionPeriod.subscription_id)
        .subquery()
        .c
    )
    oldest = and_(
        SubscriptionPeriod.subscription_id == Subscription.id,
        SubscriptionPeriod.number == owed.number,
    )
    rows = db.session.execute(
        select(
            Subscription,
            owed.periods,
            owed.minor,
            SubscriptionPeriod.instalment_id,
            owed.next_attempt_on,
        )
        .join(owed.subscription_id.table, owed.subscription_id == Subscription.id)
        .join(SubscriptionPeriod, oldest)
        .where(Subscription.status.in_(FAILING))
        .options(joinedload(Subscription.order))
        .order_by(Subscription.past_due_since, Subscription.created_at)
        .limit(limit)
    )
    return [Failing(one, count, int(minor), part, tried) for one, count, minor, part, tried in rows]


def coming(today: date, days: int = 60, limit: int = 50) -> Sequence[Subscription]:
    """What ends, or comes to the end of its term, in the coming days, the soonest first."""
    until = today + timedelta(days=days)
    turns = func.coalesce(Subscription.ends_on, Subscription.committed_until)
    return db.session.scalars(
        select(Subscription)
        .where(
            Subscription.status.in_(RUNNING),
            turns.between(today, until),
            or_(Subscription.ends_on.is_not(None), Subscription.renewal != Renewal.NONE),
        )
        .options(joinedload(Subscription.order))
        .order_by(turns, Subscription.created_at)
        .limit(limit)
    ).all()


def whole(subscription_id: uuid.UUID) -> Subscription | None:
    """One subscription with all that staff read of it."""
    return db.session.scalars(
        select(Subscription)
        .where(Subscription.id == subscription_id)
        .options(
            joinedload(Subscription.order),
            joinedload(Subscription.version),
            selectinload(Subscription.periods),
        )
    ).one_or_none()
