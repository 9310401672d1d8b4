"""The one place where a subscription changes state."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.sql.base import ExecutableOption

from storefront.fulfilment import service as fulfilment
from storefront.infra import journal
from storefront.infra.db import db
from storefront.instalments import service as instalments
from storefront.kernel.calendar import paris_date, start_of_day
from storefront.subscriptions import queries
from storefront.subscriptions.models import (
    SUBSCRIPTION_LIFECYCLE,
    TERMINATION_LIFECYCLE,
    Pause,
    Subscription,
    SubscriptionStatus,
    Termination,
    TerminationStatus,
)
from storefront.subscriptions.service.lapsing import drop_open

# The codes under which the line of the order is stopped (fulfilment.service.suspend).
UNPAID_MONTHS = "unpaid_months"
FORCE_MAJEURE = "force_majeure"


def locked(subscription_id: uuid.UUID) -> Subscription:
    """The subscription as it is now, locked until the end of the transaction."""
    return db.session.get_one(
        Subscription, subscription_id, with_for_update=True, populate_existing=True
    )


def locked_all(
    subscription_ids: Collection[uuid.UUID], *options: ExecutableOption
) -> Sequence[Subscription]:
    """The same for several in one question, with what the options name."""
    return db.session.scalars(
        select(Subscription)
        .where(Subscription.id.in_(subscription_ids))
        .options(*options)
        .order_by(Subscription.id)
        .with_for_update(of=Subscription)
        .execution_options(populate_existing=True)
    ).all()


def move(subscription: Subscription, status: SubscriptionStatus) -> None:
    """Put a locked subscription in another state. Raises `WrongMove`."""
    SUBSCRIPTION_LIFECYCLE.check(subscription.status, status)
    subscription.status = status
    if status is not SubscriptionStatus.SUSPENDED:
        subscription.suspended_because = None


def close(
    termination: Termination,
    status: TerminationStatus,
    *,
    by: uuid.UUID | None = None,
    now: datetime,
) -> None:
    """An announced end of a locked subscription stands no longer. Raises `WrongMove`."""
    TERMINATION_LIFECYCLE.check(termination.status, status)
    termination.status, termination.closed_at, termination.closed_by = status, now, by
    facts = {"subscription": termination.subscription_id, "by": by}
    journal.record(f"termination.{status.value}", termination, facts, now=now)


def end(subscription: Subscription, ends_on: date, because: str, *, now: datetime) -> None:
    """Stop a locked subscription: `ends_on` is its first day without service.

    `because` is a code for the journal. Nothing that was used or written is deleted. Every end
    that was announced is over too: the due ones took effect, the others have nothing left to end.
    """
    move(subscription, SubscriptionStatus.ENDED)
    subscription.ends_on, subscription.ended_at = ends_on, now
    subscription.next_period_on = subscription.suspend_at = None
    drop_open(subscription, now=now)
    for termination in queries.announced(subscription.id):
        due = termination.effective_at <= now
        close(
            termination, TerminationStatus.EFFECTIVE if due else TerminationStatus.LAPSED, now=now
        )
    if (pause := queries.open_pause(subscription.id)) is not None:
        lift(pause, subscription, 0, by=None, now=now)
    fulfilment.finish(subscription.order_line_id, now=now)
    journal.record("subscription.ended", subscription, {"on": ends_on, "because": because}, now=now)


def follow(subscription: Subscription, base: date | None) -> None:
    """Set the end of a locked subscription: the first of those announced and of its own, `base`.

    The next period begins where the last one ends, unless the end comes first.
    """
    ends = [one.effective_at for one in queries.announced(subscription.id)]
    if base is not None:
        ends.append(start_of_day(base))
    first = min(ends, default=None)
    opened_until = subscription.periods[-1].ends_on
    if first is None:
        subscription.ends_on = subscription.ends_at = None
        subscription.next_period_on = opened_until
        return
    day = paris_date(first)
    subscription.ends_on = day
    subscription.ends_at = None if first == start_of_day(day) else first
    subscription.next_period_on = min(opened_until, day)


def lift(
    pause: Pause, subscription: Subscription, days: int, *, by: uuid.UUID | None, now: datetime
) -> None:
    """A pause is over: what waited is owed `days` later, what was stopped is open again."""
    pause.resumed_on = max(pause.starts_on, paris_date(now))
    pause.resumed_at, pause.resumed_by = now, by
    subscription.paused_on = None
    for period in subscription.periods:
        if period.instalment_id is not None:
            instalments.release(instalments.locked(period.instalment_id), days, now=now)
    fulfilment.resume(
        subscription.order_id, FORCE_MAJEURE, only=subscription.order_line_id, now=now
    )


def note_use(subscription_ids: Collection[uuid.UUID], *, now: datetime) -> None:
    """Something that these plans let their holder use was used; only the first time counts
    (MRE-07)."""
    for subscription_id in sorted(subscription_ids, key=str):
        subscription = locked(subscription_id)
        if subscription.first_used_at is None:
            subscription.first_used_at = now
            journal.record("subscription.first_used", subscription, {}, now=now)
