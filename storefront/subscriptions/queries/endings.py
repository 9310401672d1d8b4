"""Ends that were announced, pauses, and the payment behind a period."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import contains_eager, joinedload

from storefront.infra.db import db
from storefront.instalments.models import PRICE, Instalment
from storefront.payments import queries as payments
from storefront.payments.models import Payment, PaymentStatus
from storefront.subscriptions import rules
from storefront.subscriptions.models import (
    Pause,
    PlanVersion,
    Subscription,
    SubscriptionPeriod,
    SubscriptionStatus,
    Termination,
    TerminationNotice,
    TerminationStatus,
)
from storefront.subscriptions.rules import Ground


def announced(subscription_id: uuid.UUID) -> Sequence[Termination]:
    """The ends that stand, the first to come first."""
    return db.session.scalars(
        select(Termination)
        .where(
            Termination.subscription_id == subscription_id,
            Termination.status == TerminationStatus.ANNOUNCED,
        )
        .options(joinedload(Termination.notice))
        .order_by(Termination.effective_at)
    ).all()


def announced_on(subscription_id: uuid.UUID, ground: Ground) -> Termination | None:
    """The end that stands on this ground."""
    return next((one for one in announced(subscription_id) if one.ground is ground), None)


def effective_end(subscription_id: uuid.UUID) -> Termination | None:
    """The announced end that ended a contract; None while it runs, or when it ended otherwise."""
    return effective_ends([subscription_id]).get(subscription_id)


def effective_ends(
    subscription_ids: Collection[uuid.UUID],
) -> Mapping[uuid.UUID, Termination]:
    """The same for several, by subscription, without those that no announced end ended."""
    found = db.session.scalars(
        select(Termination)
        .where(
            Termination.subscription_id.in_(subscription_ids),
            Termination.status == TerminationStatus.EFFECTIVE,
        )
        .order_by(Termination.effective_at.desc())
    )
    return {one.subscription_id: one for one in found}


def terminations_of(subscription_id: uuid.UUID) -> Sequence[Termination]:
    """Every end that was announced, the last one first."""
    return db.session.scalars(
        select(Termination)
        .join(Termination.notice)
        .where(Termination.subscription_id == subscription_id)
        .options(contains_eager(Termination.notice))
        .order_by(TerminationNotice.recorded_at.desc())
    ).all()


def due_ends() -> tuple[ColumnElement[bool], ...]:
    """Announced, and of a contract whose clock runs."""
    return (
        Termination.status == TerminationStatus.ANNOUNCED,
        Termination.subscription_id == Subscription.id,
        or_(Subscription.paused_on.is_(None), Termination.ground == Ground.SERIOUS_FAULT),
    )


def to_take_effect(now: datetime, limit: int = 500) -> Sequence[uuid.UUID]:
    """Ends that have come."""
    return db.session.scalars(
        select(Termination.id)
        .where(*due_ends(), Termination.effective_at <= now)
        .order_by(Termination.effective_at)
        .limit(limit)
    ).all()


def next_effect_at() -> datetime | None:
    """When the next announced end comes."""
    return db.session.scalar(select(func.min(Termination.effective_at)).where(*due_ends()))


def end_if_notified(
    subscription: Subscription, notified_on: date, wanted_on: date | None = None
) -> date:
    """The first day without service if its holder ends it on this day (B-02, B-03).

    During a pause the day stands still.
    """
    return rules.ends_on(
        subscription.anchor_on,
        _opened_until(subscription),
        subscription.committed_until,
        notified_on=min(notified_on, subscription.paused_on or notified_on),
        wanted_on=wanted_on,
        every=subscription.billing_months,
    )


def _opened_until(subscription: Subscription) -> date:
    last = select(func.max(SubscriptionPeriod.ends_on)).where(
        SubscriptionPeriod.subscription_id == subscription.id
    )
    return db.session.scalar(last) or subscription.anchor_on


@dataclass(frozen=True)
class Ending:
    """How a subscription stands with its end, as its page shows it.

    `ends_on` is the first day without service if its holder ends it today, `bound` whether that is
    the end of the commitment rather than of the period under way.
    """

    wish: Termination | None
    notices: Sequence[Termination]
    ended_by: Termination | None
    pause: Pause | None
    ends_on: date
    bound: bool

    @property
    def last_day(self) -> date:
        """The last day with service if its holder ends it today."""
        return self.ends_on - timedelta(days=1)


def ending_of(subscription: Subscription, today: date) -> Ending:
    """What stands, what has ended it, and what ending it today would do (B-02, B-03)."""
    over = subscription.status is SubscriptionStatus.ENDED
    standing = [] if over else announced(subscription.id)
    ends_on = end_if_notified(subscription, today)
    return Ending(
        wish=next((one for one in standing if one.ground.chosen), None),
        notices=[one for one in standing if not one.ground.chosen],
        ended_by=effective_end(subscription.id) if over else None,
        pause=open_pause(subscription.id) if subscription.paused_on else None,
        ends_on=ends_on,
        bound=subscription.committed_until is not None and subscription.committed_until > today,
    )


def payment_of(period: SubscriptionPeriod) -> Payment | None:
    """The payment that a period was paid with; the first one's is the order's.

    None while it is unpaid, and for a later one that credits paid whole: nothing was owed of it.
    """
    if period.instalment_id is None and period.number > 1:
        return None
    subscription = period.subscription
    instalment_id = period.instalment_id or db.session.scalar(
        select(Instalment.id).where(
            Instalment.order_id == subscription.order_id,
            Instalment.schedule == PRICE,
            Instalment.rank == 1,
        )
    )
    return next(
        (
            payment
            for payment in payments.of_order(subscription.order_id)
            if payment.instalment_id == instalment_id
            and payment.status is PaymentStatus.SUCCEEDED
            and payments.settles_its_instalment(payment)
        ),
        None,
    )


def open_pause(subscription_id: uuid.UUID) -> Pause | None:
    """The pause that goes on."""
    return db.session.scalars(
        select(Pause).where(Pause.subscription_id == subscription_id, Pause.resumed_at.is_(None))
    ).one_or_none()


def pauses_of(subscription_id: uuid.UUID) -> Sequence[Pause]:
    """Every pause of a subscription, the last one first."""
    return db.session.scalars(
        select(Pause)
        .where(Pause.subscription_id == subscription_id)
        .order_by(Pause.recorded_at.desc())
    ).all()


def pause_bounds(subscription: Subscription, today: date, within: timedelta) -> tuple[date, date]:
    """The first and the last day that a pause can begin on: never before the one before ended."""
    known = [one.resumed_on for one in pauses_of(subscription.id) if one.resumed_on]
    began = subscription.periods[0].starts_on
    return max(today - within, began, *known), today


def running_of_product(product_id: uuid.UUID, *, paused: bool) -> Sequence[uuid.UUID]:
    """The subscriptions to any version of a product that go on, paused or not."""
    since = Subscription.paused_on
    return db.session.scalars(
        select(Subscription.id)
        .join(PlanVersion, PlanVersion.id == Subscription.version_id)
        .where(
            PlanVersion.product_id == product_id,
            Subscription.status != SubscriptionStatus.ENDED,
            since.is_not(None) if paused else since.is_(None),
        )
        .order_by(Subscription.id)
    ).all()


def to_follow() -> Sequence[Subscription]:
    """Subscriptions that are about to end or stand still, the first to end first (staff)."""
    standing = select(Termination.subscription_id).where(
        Termination.status == TerminationStatus.ANNOUNCED
    )
    return db.session.scalars(
        select(Subscription)
        .where(
            Subscription.status != SubscriptionStatus.ENDED,
            or_(Subscription.id.in_(standing), Subscription.paused_on.is_not(None)),
        )
        .options(joinedload(Subscription.order))
        .order_by(Subscription.ends_on, Subscription.name, Subscription.id)
        .limit(200)
    ).all()


def running_products() -> Sequence[tuple[uuid.UUID, str, int, int]]:
    """What runs, by product: id, a name, how many go on, how many of them stand still (staff)."""
    rows = db.session.execute(
        select(
            PlanVersion.product_id,
            func.max(PlanVersion.name),
            func.count(),
            func.count(Subscription.paused_on),
        )
        .join(Subscription, Subscription.version_id == PlanVersion.id)
        .where(Subscription.status != SubscriptionStatus.ENDED)
        .group_by(PlanVersion.product_id)
        .order_by(func.max(PlanVersion.name))
    )
    return [(product_id, name, int(count), int(still)) for product_id, name, count, still in rows]
