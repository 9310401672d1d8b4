"""Force majeure: nothing supplied, nothing billed, and every deadline later by the days lost."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from storefront.arrears import service as arrears
from storefront.credits import service as credits
from storefront.fulfilment import service as fulfilment
from storefront.infra import journal
from storefront.infra.db import db
from storefront.infra.outbox import publish
from storefront.instalments import service as instalments
from storefront.kernel.calendar import paris_date, start_of_day
from storefront.kernel.errors import Refusal
from storefront.subscriptions import queries, rules
from storefront.subscriptions.events import SubscriptionPaused, SubscriptionUnpaused
from storefront.subscriptions.models import Pause, Subscription, SubscriptionStatus
from storefront.subscriptions.rules import Ground, RunningDays
from storefront.subscriptions.service.endings import SubscriptionOver
from storefront.subscriptions.service.states import FORCE_MAJEURE, follow, lift, locked

# What stopped longer ago was billed meanwhile: that is for a refund, not for a pause.
RECORDED_WITHIN = timedelta(days=31)


class AlreadyPaused(Refusal):
    """It is paused. Details: name, since (a civil date)."""

    status = 409


class NotPaused(Refusal):
    """Nothing is to be resumed. Details: name."""

    status = 409


class BadPauseDate(Refusal):
    """A pause begins today, or up to a month ago. Details: name, first, last (civil dates)."""


def pause(
    subscription_id: uuid.UUID, starts_on: date, reason: str, *, by: uuid.UUID, now: datetime
) -> Pause:
    """It cannot be supplied from this day on, through nobody's fault (B-08, C. civ. 1218).

    Until `resume` no period is opened, nothing is taken and no deadline runs. Nothing is granted
    either. Raises `SubscriptionOver`, `AlreadyPaused` and `BadPauseDate`.
    """
    subscription = locked(subscription_id)
    if subscription.status is SubscriptionStatus.ENDED:
        raise SubscriptionOver(name=subscription.name, ends_on=subscription.ends_on)
    if subscription.paused_on is not None:
        raise AlreadyPaused(name=subscription.name, since=subscription.paused_on)
    first, last = queries.pause_bounds(subscription, paris_date(now), RECORDED_WITHIN)
    if not first <= starts_on <= last:
        raise BadPauseDate(name=subscription.name, first=first, last=last)
    row = Pause(
        id=uuid.uuid4(),
        subscription_id=subscription.id,
        starts_on=starts_on,
        reason=reason,
        recorded_by=by,
        recorded_at=now,
    )
    db.session.add(row)
    subscription.paused_on = starts_on
    for period in subscription.periods:
        if period.instalment_id is not None and period.paid_at is None:
            instalments.hold(instalments.locked(period.instalment_id), now=now)
    fulfilment.suspend(
        subscription.order_id, FORCE_MAJEURE, only=subscription.order_line_id, now=now
    )
    facts = {"subscription": subscription.id, "from": starts_on, "by": by}
    journal.record("subscription.paused", row, facts, now=now)
    publish(SubscriptionPaused(row.id), now=now)
    return row


def resume(subscription_id: uuid.UUID, *, by: uuid.UUID, now: datetime) -> Pause:
    """It is supplied again from today on; what was to come is later by the days lost (B-08).

    Raises `NotPaused`.
    """
    subscription = locked(subscription_id)
    row = queries.open_pause(subscription.id)
    if row is None:
        raise NotPaused(name=subscription.name)
    today = paris_date(now)
    days = max((today - row.starts_on).days, 0)
    lift(row, subscription, days, by=by, now=now)
    if days:
        _move_days(subscription, row, today, now)
        _move_money(subscription, row, days, now)
    facts = {"subscription": subscription.id, "days": days, "by": by}
    journal.record("subscription.unpaused", row, facts, now=now)
    publish(SubscriptionUnpaused(row.id), now=now)
    return row


def _move_days(subscription: Subscription, row: Pause, today: date, now: datetime) -> None:
    announced = queries.announced(subscription.id)
    base = announced[0].replaces_on if announced else subscription.ends_on
    opened_until = subscription.periods[-1].ends_on

    def moved(ends_on: date | None) -> RunningDays:
        course = RunningDays(opened_until, subscription.committed_until, ends_on)
        return rules.after_pause(course, row.starts_on, today)

    new = moved(base)
    for one in announced:
        if one.ground is Ground.WISH:
            day = moved(paris_date(one.effective_at)).ends_on
            one.effective_at = start_of_day(day) if day else one.effective_at
        else:
            one.effective_at = rules.later_by(one.effective_at, row.days)
        one.cure_until = one.cure_until + timedelta(days=row.days) if one.cure_until else None
        one.replaces_on = new.ends_on
    _move_periods(subscription, row)
    subscription.committed_until = new.committed_until
    subscription.anchor_on = new.next_period_on
    subscription.anchor_number = len(subscription.periods) + 1
    if subscription.suspend_at is not None:
        subscription.suspend_at = rules.later_by(subscription.suspend_at, row.days)
    db.session.flush()
    follow(subscription, new.ends_on)


def _move_periods(subscription: Subscription, row: Pause) -> None:
    """The period under way when it was recorded is longer, those opened ahead come later."""
    days, known_on = timedelta(days=row.days), paris_date(row.recorded_at)
    running = max(one.number for one in subscription.periods if one.starts_on <= known_on)
    for period in subscription.periods:
        if period.number > running:
            period.starts_on += days
        if period.number >= running:
            period.ends_on += days


def _move_money(subscription: Subscription, row: Pause, days: int, now: datetime) -> None:
    for period in subscription.periods:
        if period.instalment_id is not None and period.paid_at is None:
            arrears.wait(period.instalment_id, days, now=now)
    credits.prolong(
        subscription.order_line_id,
        days,
        row.id,
        since=row.starts_on,
        reason=subscription.name,
        now=now,
    )


def pause_all(
    product_id: uuid.UUID, starts_on: date, reason: str, *, by: uuid.UUID, now: datetime
) -> Sequence[Pause]:
    """Pause every running subscription to a product that is not paused yet.

    One that began after `starts_on` is paused from its own first day. Raises `BadPauseDate`.
    """
    paused = []
    for subscription_id in queries.running_of_product(product_id, paused=False):
        first, last = queries.pause_bounds(
            locked(subscription_id), paris_date(now), RECORDED_WITHIN
        )
        day = starts_on if first > last or starts_on > last else max(first, starts_on)
        paused.append(pause(subscription_id, day, reason, by=by, now=now))
    return paused


def resume_all(product_id: uuid.UUID, *, by: uuid.UUID, now: datetime) -> Sequence[Pause]:
    """Resume every paused subscription to a product."""
    return [
        resume(subscription_id, by=by, now=now)
        for subscription_id in queries.running_of_product(product_id, paused=True)
    ]
