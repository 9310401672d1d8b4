"""New prices and new terms for running subscribers: told ahead, then applied (R-06, MRE-05)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import select

from storefront.infra import journal
from storefront.infra.db import db
from storefront.infra.outbox import publish
from storefront.kernel.calendar import paris_date
from storefront.kernel.errors import Refusal
from storefront.notifications.events import EmailSent
from storefront.subscriptions import queries, rules
from storefront.subscriptions.events import ChangeAnnounced, HolderStops
from storefront.subscriptions.models import (
    NOTICE_LIFECYCLE,
    Announcement,
    NoticeStatus,
    PlanVersion,
    Subscription,
    VersionNotice,
)
from storefront.subscriptions.queries import Target
from storefront.subscriptions.service.states import locked


class DecisionClosed(Refusal):
    """The day until which this could be decided is over. Details: subscription (its id)."""

    status = 409


def announce(
    target: Target, changes: Sequence[str], *, announced_by: uuid.UUID, now: datetime
) -> Announcement:
    """Decide to bring a version to who runs already; the worker tells each of them, once (R-06).

    An announcement of the same version that is still being made is returned instead.
    """
    for known in queries.to_complete():
        if queries.target_of(known).id == target.id:
            return known
    announcement = Announcement(
        id=uuid.uuid4(),
        changes=list(changes),
        announced_by=announced_by,
        announced_at=now,
    )
    if isinstance(target, PlanVersion):
        announcement.to_version, announcement.to_version_id = target, target.id
    else:
        announcement.terms_version, announcement.terms_version_id = target, target.id
    db.session.add(announcement)
    journal.record("announcement.made", announcement, {"version": target.id}, now=now)
    return announcement


def complete(announcement_id: uuid.UUID, *, now: datetime) -> bool:
    """Note that an announcement has reached everybody; False while somebody is left."""
    announcement = db.session.get_one(
        Announcement, announcement_id, with_for_update=True, populate_existing=True
    )
    if announcement.completed_at is not None or queries.left_of(announcement, limit=1):
        return False
    announcement.completed_at = now
    journal.record("announcement.completed", announcement, {}, now=now)
    return True


def tell(announcement_id: uuid.UUID, subscription_id: uuid.UUID, *, now: datetime) -> bool:
    """Write to one subscriber about an announcement, or note why not; says whether it did.

    One row a subscriber and version: who could not be told before is looked at again.
    """
    subscription = locked(subscription_id)
    announcement = db.session.get_one(Announcement, announcement_id)
    target = queries.target_of(announcement)
    notice = queries.notice_about(subscription.id, target)
    if subscription.status not in queries.RUNNING:
        return False
    if notice is not None and (
        notice.status is not NoticeStatus.VOID or notice.announcement_id == announcement.id
    ):
        return False
    seen = queries.outlook(subscription, target, paris_date(now))
    if notice is None:
        notice = VersionNotice(
            id=uuid.uuid4(),
            subscription_id=subscription.id,
            to_version_id=announcement.to_version_id,
            terms_version_id=announcement.terms_version_id,
        )
    notice.status = NoticeStatus.VOID if seen.reason else NoticeStatus.ANNOUNCED
    notice.announcement_id, notice.announced_at = announcement.id, now
    notice.reason, notice.better, notice.applies_on = seen.reason, seen.better, seen.applies_on
    notice.email_id = None
    db.session.add(notice)
    facts = {"subscription": subscription.id, "version": target.id, "from": seen.applies_on}
    journal.record("notice.void" if seen.reason else "notice.announced", notice, facts, now=now)
    if seen.reason is None:
        publish(ChangeAnnounced(notice.id), now=now)
    return True


def note_told(event: EmailSent, *, now: datetime) -> None:
    """The message left: when that was later than meant, the change holds later too (MRE-05)."""
    notice = db.session.scalars(
        select(VersionNotice).where(VersionNotice.email_id == event.email_id).with_for_update()
    ).first()
    if notice is None or notice.told_on is None or notice.applies_on is None:
        return
    subscription = locked(notice.subscription_id)
    if notice.status not in queries.OPEN or subscription.next_period_on is None:
        return
    on = rules.applies_on(
        queries.course_of(subscription),
        notice.told_on,
        queries.notice_days(subscription),
        better=notice.better,
    )
    if on > notice.applies_on:
        notice.applies_on = on
        journal.record("notice.moved", notice, {"from": on}, now=now)


def stop_before(notice_id: uuid.UUID, *, today: date, now: datetime) -> None:
    """Its holder does not want the change: the contract ends the day before, at no cost (R-06).

    Whatever the commitment and the day until which a renewal can be refused. Raises
    `DecisionClosed` once the change holds, and for one that takes nothing away.
    """
    notice, subscription = _decidable(notice_id, today)
    if notice.status is NoticeStatus.REFUSED:
        return
    on = notice.applies_on
    others = _other_refusals(notice)
    _move(notice, NoticeStatus.REFUSED)
    notice.answered_at = now
    notice.former_ends_on = others[0].former_ends_on if others else subscription.ends_on
    if on is not None and (subscription.ends_on is None or on < subscription.ends_on):
        subscription.ends_on = on
        if subscription.next_period_on is not None:
            subscription.next_period_on = min(subscription.next_period_on, on)
    journal.record("notice.refused", notice, {"ends_on": subscription.ends_on}, now=now)
    publish(HolderStops(subscription.id), now=now)


def go_on_with(notice_id: uuid.UUID, *, today: date, now: datetime) -> None:
    """Its holder goes on after all, and the change holds as announced. Raises `DecisionClosed`."""
    notice, subscription = _decidable(notice_id, today)
    if notice.status is NoticeStatus.ANNOUNCED:
        return
    _take_back(notice, subscription)
    journal.record("notice.taken_back", notice, {"ends_on": subscription.ends_on}, now=now)


def _take_back(notice: VersionNotice, subscription: Subscription) -> None:
    _move(notice, NoticeStatus.ANNOUNCED)
    if subscription.ends_on == notice.applies_on:
        ends = [one.applies_on for one in _other_refusals(notice)]
        known = [end for end in (*ends, notice.former_ends_on) if end is not None]
        subscription.ends_on = min(known, default=None)


def _other_refusals(notice: VersionNotice) -> list[VersionNotice]:
    """Further changes that the same subscriber stops before."""
    return [
        one
        for one in queries.open_notices(notice.subscription_id)
        if one.id != notice.id and one.status is NoticeStatus.REFUSED
    ]


def _decidable(notice_id: uuid.UUID, today: date) -> tuple[VersionNotice, Subscription]:
    notice = db.session.get_one(
        VersionNotice, notice_id, with_for_update=True, populate_existing=True
    )
    subscription = locked(notice.subscription_id)
    on = notice.applies_on
    running = subscription.status in queries.RUNNING and notice.status in queries.OPEN
    if not running or notice.better or notice.sent_at is None or on is None or today >= on:
        raise DecisionClosed(subscription=subscription.id)
    return notice, subscription


def apply_due(
    subscription: Subscription, told: Sequence[VersionNotice], starts_on: date, *, now: datetime
) -> None:
    """Before the period of this day is opened: what its subscriber was `told` in time holds.

    The locked subscription goes on. Who was not told, or not in time, keeps what they have.
    """
    for notice in told:
        if notice.status is NoticeStatus.VOID:  # superseded a moment ago
            continue
        due = rules.may_apply(
            starts_on,
            notice.told_on,
            queries.notice_days(subscription),
            committed_until=subscription.committed_until,
            better=notice.better,
        )
        if due:
            _apply(subscription, notice, now)


def _apply(subscription: Subscription, notice: VersionNotice, now: datetime) -> None:
    if notice.status is NoticeStatus.REFUSED:  # it was to stop, and goes on all the same
        _move(notice, NoticeStatus.ANNOUNCED)
    if notice.to_version is not None:
        known = subscription.version
        if notice.to_version.product_id != known.product_id:
            _void(notice, now)
            return
        if notice.to_version.number <= known.number:
            _void(notice, now)
            return
        _follow(subscription, notice.to_version)
    elif notice.terms_version is not None:
        if notice.terms_version.number <= subscription.terms_version.number:
            _void(notice, now)
            return
        subscription.terms_version = notice.terms_version
        if subscription.renewal_notice_on is not None:
            subscription.renewal_notice_on = queries.ask_on(subscription)
    _move(notice, NoticeStatus.APPLIED)
    notice.applied_at = now
    facts = {
        "version": notice.to_version_id or notice.terms_version_id,
        "gross": subscription.gross_minor,
    }
    journal.record("subscription.version_applied", subscription, facts, now=now)


def _follow(subscription: Subscription, version: PlanVersion) -> None:
    amounts = queries.amounts_of(subscription, version)
    subscription.version = version
    subscription.net_minor = amounts.net
    subscription.vat_minor = amounts.vat
    subscription.gross_minor = amounts.gross


def _void(notice: VersionNotice, now: datetime) -> None:
    """A later version came first, or its subscriber changed plans."""
    _move(notice, NoticeStatus.VOID)
    journal.record("notice.void", notice, {"because": "superseded"}, now=now)


def void_left(subscription: Subscription, *, now: datetime) -> None:
    """A locked subscription follows another plan: what was announced of the one before is void.

    Who had stopped before such a change still ends.
    """
    for notice in queries.open_notices(subscription.id):
        product_id = notice.to_version.product_id if notice.to_version else None
        left = product_id is not None and product_id != subscription.version.product_id
        if left and notice.status is NoticeStatus.ANNOUNCED:
            _void(notice, now)


def _move(notice: VersionNotice, status: NoticeStatus) -> None:
    NOTICE_LIFECYCLE.check(notice.status, status)
    notice.status = status
