"""What becomes of a schedule when its order ends, was paused, or a day is moved (R-07, M-05)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import select

from storefront.infra import journal
from storefront.infra.db import db
from storefront.instalments import rules
from storefront.instalments.models import (
    INSTALMENT_LIFECYCLE,
    PRICE,
    Instalment,
    InstalmentStatus,
)
from storefront.instalments.queries import UNSETTLED
from storefront.instalments.service.owing import notice_of
from storefront.instalments.service.schedules import move
from storefront.kernel.calendar import paris_date
from storefront.orders.models import Order


def cancel_rest(order_id: uuid.UUID, *, now: datetime) -> None:
    """The order ends: nothing more of its schedules is due; what was paid stays paid.

    What a provider is being asked for at this moment is decided by its answer.
    """
    for part in _open_parts(order_id):
        if INSTALMENT_LIFECYCLE.can(part.status, InstalmentStatus.CANCELLED):
            move(part, InstalmentStatus.CANCELLED)
            journal.record("instalment.cancelled", part, {"order": order_id}, now=now)


def cancel_schedule(order_id: uuid.UUID, schedule: str, *, now: datetime) -> None:
    """One schedule of an order ends: the months of a subscription that is withdrawn from (W-08)."""
    for part in _open_parts(order_id):
        if part.schedule == schedule:
            cancel(part, now=now)


def reduce_rest(order_id: uuid.UUID, minor: int, *, now: datetime) -> None:
    """Lines of an order are withdrawn from: what is still to come of its price is so much less.

    Every part is smaller in proportion, one of nothing is cancelled, and what changed is announced
    anew. The caller made sure that no provider is being asked for any of it.
    """
    parts = [part for part in _open_parts(order_id) if part.schedule == PRICE]
    owed = sum(part.amount_minor for part in parts)
    if minor >= owed:
        for part in parts:
            cancel(part, now=now)
        return
    left = rules.reduced([part.amount_minor for part in parts], minor)
    for part, amount in zip(parts, left, strict=True):
        if amount == 0:
            cancel(part, now=now)
        elif amount != part.amount_minor:
            facts = {"from": part.amount_minor, "to": amount}
            part.amount_minor, part.announced_at = amount, None
            journal.record("instalment.reduced", part, facts, now=now)


def under_way(order_id: uuid.UUID) -> bool:
    """Whether a provider is being asked for a part of this order at this moment."""
    return any(part.status is InstalmentStatus.CHARGING for part in _open_parts(order_id))


def cancel(instalment: Instalment, *, now: datetime) -> bool:
    """What a locked instalment was to pay is not supplied: it is not due; says whether it was.

    What a provider is being asked for at this moment is decided by its answer.
    """
    wanted = InstalmentStatus.CANCELLED
    if instalment.status is wanted or not INSTALMENT_LIFECYCLE.can(instalment.status, wanted):
        return False
    move(instalment, wanted)
    instalment.held_at = None
    journal.record("instalment.cancelled", instalment, {"order": instalment.order_id}, now=now)
    return True


def hold(instalment: Instalment, *, now: datetime) -> None:
    """Nothing is taken of a locked instalment, or asked for, until `release`."""
    if instalment.held_at is None and instalment.status in UNSETTLED:
        instalment.held_at = now
        journal.record("instalment.held", instalment, {}, now=now)


def release(instalment: Instalment, days: int, *, now: datetime) -> None:
    """A locked instalment waits no longer: every day of it is so many days later (B-08).

    A debit that was to come is announced again.
    """
    if instalment.held_at is None:
        return
    later = timedelta(days=days)
    instalment.held_at = None
    if days and instalment.status in UNSETTLED:
        instalment.moved_to = instalment.owed_on + later
        instalment.next_attempt_on = max(instalment.next_attempt_on, instalment.due_on) + later
        if instalment.status is InstalmentStatus.SCHEDULED:
            instalment.announce_on, instalment.announced_at = paris_date(now), None
    journal.record("instalment.released", instalment, {"days": days}, now=now)


def announce_again(order_id: uuid.UUID, *, now: datetime) -> None:
    """Debits start again after a pause: those that came due in it are announced before (M-03)."""
    order = db.session.get_one(Order, order_id)
    today = paris_date(now)
    first_on = today + notice_of(order)
    for part in _open_parts(order_id):
        if part.status is InstalmentStatus.SCHEDULED and part.next_attempt_on < first_on:
            part.next_attempt_on, part.announce_on = first_on, today
            part.announced_at = None


def _open_parts(order_id: uuid.UUID) -> Sequence[Instalment]:
    """What is neither paid nor cancelled of an order, locked until the transaction ends."""
    return db.session.scalars(
        select(Instalment)
        .where(Instalment.order_id == order_id, Instalment.status.in_(UNSETTLED))
        .order_by(Instalment.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def move_to(instalment: Instalment, day: date, *, now: datetime) -> None:
    """Owe a locked instalment on another day than its plan says, announced and taken anew.

    The caller keeps why, in a row of its own. Nothing is retried before that day.
    """
    if instalment.status is not InstalmentStatus.SCHEDULED:
        move(instalment, InstalmentStatus.SCHEDULED)
    notice = notice_of(instalment.order)
    instalment.moved_to = instalment.next_attempt_on = day
    instalment.announce_on, instalment.announced_at = day - notice, None
    instalment.attempts = 0
    journal.record("instalment.moved", instalment, {"to": day}, now=now)
