"""Which subscriptions run, and which month comes next."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from storefront.infra.db import db
from storefront.instalments.models import Instalment, InstalmentStatus
from storefront.instalments.rules import morning_of
from storefront.subscriptions.models import (
    ChangeStatus,
    PlanChange,
    Subscription,
    SubscriptionPeriod,
    SubscriptionStatus,
)

RUNNING = (SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE, SubscriptionStatus.SUSPENDED)


def of_user(user_id: uuid.UUID) -> Sequence[Subscription]:
    """A customer's subscriptions, latest first."""
    return db.session.scalars(
        select(Subscription)
        .where(Subscription.user_id == user_id)
        .options(joinedload(Subscription.order))
        .order_by(Subscription.created_at.desc())
    ).all()


def of_holder(subscription_id: uuid.UUID, user_id: uuid.UUID) -> Subscription | None:
    """A subscription with its periods, if it is this customer's."""
    return db.session.scalars(
        select(Subscription)
        .where(Subscription.id == subscription_id, Subscription.user_id == user_id)
        .options(
            joinedload(Subscription.order),
            joinedload(Subscription.version),
            selectinload(Subscription.periods),
        )
    ).one_or_none()


def running_of_user(user_id: uuid.UUID) -> Sequence[Subscription]:
    """A customer's subscriptions that go on, without their months."""
    return db.session.scalars(
        select(Subscription)
        .where(Subscription.user_id == user_id, Subscription.status.in_(RUNNING))
        .options(joinedload(Subscription.choice))
        .order_by(Subscription.created_at)
    ).all()


def of_order(order_id: uuid.UUID) -> Sequence[Subscription]:
    """The subscriptions that an order started."""
    return db.session.scalars(
        select(Subscription)
        .where(Subscription.order_id == order_id)
        .order_by(Subscription.created_at, Subscription.name)
    ).all()


def of_line(order_line_id: uuid.UUID) -> Subscription | None:
    """The subscription that an order line started."""
    return db.session.scalars(
        select(Subscription).where(Subscription.order_line_id == order_line_id)
    ).first()


def running_of_family(user_id: uuid.UUID, family: str) -> Subscription | None:
    """The plan of this family that a customer has now, locked; one at most."""
    return db.session.scalars(
        select(Subscription)
        .where(
            Subscription.user_id == user_id,
            Subscription.family == family,
            Subscription.status.in_(RUNNING),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()


def period_of_instalment(instalment_id: uuid.UUID) -> SubscriptionPeriod | None:
    """The month that an instalment pays."""
    return next(iter(periods_of_instalments([instalment_id])), None)


def periods_of_instalments(
    instalment_ids: Collection[uuid.UUID],
) -> Sequence[SubscriptionPeriod]:
    """The months that these instalments pay, a subscription's own in their order."""
    return db.session.scalars(
        select(SubscriptionPeriod)
        .where(SubscriptionPeriod.instalment_id.in_(instalment_ids))
        .order_by(SubscriptionPeriod.number)
    ).all()


def last_period(subscription_id: uuid.UUID) -> SubscriptionPeriod:
    """The last period that was opened; every subscription has one."""
    return db.session.scalars(
        select(SubscriptionPeriod)
        .where(SubscriptionPeriod.subscription_id == subscription_id)
        .order_by(SubscriptionPeriod.number.desc())
        .limit(1)
    ).one()


def late_months(subscription_id: uuid.UUID) -> int:
    """How many opened months are not paid, those aside that the seller agreed to wait for."""
    waited_for = and_(
        Instalment.status == InstalmentStatus.SCHEDULED, Instalment.moved_to.is_not(None)
    )
    count = db.session.scalar(
        select(func.count())
        .select_from(SubscriptionPeriod)
        .join(Instalment, Instalment.id == SubscriptionPeriod.instalment_id)
        .where(
            SubscriptionPeriod.subscription_id == subscription_id,
            SubscriptionPeriod.paid_at.is_(None),
            ~waited_for,
        )
    )
    return count or 0


def to_open(day: date, limit: int = 500) -> Sequence[uuid.UUID]:
    """Subscriptions whose next month starts by `day`."""
    return db.session.scalars(
        select(Subscription.id)
        .where(*opens(), Subscription.next_period_on <= day)
        .order_by(Subscription.next_period_on)
        .limit(limit)
    ).all()


def next_opening_at() -> datetime | None:
    """When the next month of anybody's subscription starts."""
    day = db.session.scalar(select(func.min(Subscription.next_period_on)).where(*opens()))
    return morning_of(day) if day else None


def opens() -> tuple[ColumnElement[bool], ...]:
    """Running, not paused, and not about to end at an hour of its own.

    What is suspended and binds to nothing opens no month: what is not supplied is not billed.
    While a change waits for its payment, that decides on the price of the next period (B-07).
    """
    paying = select(PlanChange.subscription_id).where(
        PlanChange.status == ChangeStatus.AWAITING_PAYMENT
    )
    return (
        Subscription.id.not_in(paying),
        Subscription.status.in_(RUNNING),
        Subscription.paused_on.is_(None),
        or_(Subscription.status != SubscriptionStatus.SUSPENDED, Subscription.term_months > 0),
        or_(Subscription.ends_at.is_(None), Subscription.next_period_on < Subscription.ends_on),
    )


def graced() -> tuple[ColumnElement[bool], ...]:
    return (
        Subscription.status == SubscriptionStatus.PAST_DUE,
        Subscription.paused_on.is_(None),
    )


def to_suspend(now: datetime, limit: int = 500) -> Sequence[uuid.UUID]:
    """Subscriptions whose grace days are over."""
    return db.session.scalars(
        select(Subscription.id)
        .where(*graced(), Subscription.suspend_at <= now)
        .order_by(Subscription.suspend_at)
        .limit(limit)
    ).all()


def next_suspension_at() -> datetime | None:
    """When the next grace period ends."""
    return db.session.scalar(select(func.min(Subscription.suspend_at)).where(*graced()))
