"""Changes announced to subscribers: whom they reach, from when, and how far telling them is."""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import joinedload

from storefront.catalogue.models import Product
from storefront.catalogue.queries import seller_vat
from storefront.catalogue.rules import LineAmounts, VatRate, home_rate, price_of
from storefront.infra.db import db
from storefront.legal.models import TermsVersion
from storefront.legal.queries import parameters_of
from storefront.notifications.models import Email
from storefront.notifications.rules import EmailStatus
from storefront.subscriptions import rules
from storefront.subscriptions.models import (
    Announcement,
    NoticeStatus,
    PlanVersion,
    Subscription,
    VersionNotice,
)
from storefront.subscriptions.queries.running import RUNNING

OPEN = (NoticeStatus.ANNOUNCED, NoticeStatus.REFUSED)
Target = PlanVersion | TermsVersion


class Outlook(NamedTuple):
    """What an announcement made today means for one subscriber: from when, or why not."""

    applies_on: date | None
    reason: rules.NotTold | None
    better: bool


def course_of(subscription: Subscription) -> rules.Course:
    """Where a subscription that goes on stands."""
    return rules.Course(
        anchor_on=subscription.anchor_on,
        every=subscription.billing_months,
        next_period_on=subscription.next_period_on or subscription.anchor_on,
        committed_until=subscription.committed_until,
        term_months=subscription.term_months,
        renewal=subscription.renewal,
        ends_on=subscription.ends_on,
    )


def notice_days(subscription: Subscription) -> int:
    """How long before it holds a change is told, by the terms in force for this subscriber."""
    return parameters_of(subscription.terms_version).price_notice_days


def amounts_of(subscription: Subscription, version: PlanVersion) -> LineAmounts:
    """What a period of this version costs this subscriber, with the tax of their order."""
    line = subscription.order_line
    return price_of(
        version.price_minor,
        1,
        version.price_basis,
        home_bp=home_rate(line.vat_class, seller_vat()).rate_bp,
        rate=VatRate(line.vat_rate_bp, line.vat_exemption),
    )


def outlook(subscription: Subscription, target: Target, today: date) -> Outlook:
    """Whether and from when a change announced today would reach this subscriber."""
    course, better, why = course_of(subscription), False, None
    if isinstance(target, PlanVersion):
        old, new = subscription.version, rules.contract_of(target.features)
        better = rules.is_better(
            old.price_minor, rules.contract_of(old.features), target.price_minor, new
        )
        why = rules.can_follow(
            course,
            gross_minor=subscription.gross_minor,
            to_price=target.price_minor,
            to=new,
            newer=target.number > old.number,
        )
    elif target.number <= subscription.terms_version.number:
        why = rules.NotTold.NEWER
    if why is not None:
        return Outlook(None, why, better)
    on = rules.applies_on(course, today, notice_days(subscription), better=better)
    why = rules.not_told(course, on)
    return Outlook(None if why else on, why, better)


def _concerned(target: Target, until: datetime) -> Select[Subscription]:
    """Who runs with another version and had subscribed by then."""
    found = select(Subscription).where(
        Subscription.status.in_(RUNNING), Subscription.created_at <= until
    )
    if isinstance(target, TermsVersion):
        return found.where(Subscription.terms_version_id != target.id)
    return found.join(PlanVersion, Subscription.version_id == PlanVersion.id).where(
        PlanVersion.product_id == target.product_id, PlanVersion.id != target.id
    )


def _same(target: Target) -> ColumnElement[bool]:
    if isinstance(target, TermsVersion):
        return VersionNotice.terms_version_id == target.id
    return VersionNotice.to_version_id == target.id


def target_of(announcement: Announcement) -> Target:
    """The version that is announced."""
    target = announcement.to_version or announcement.terms_version
    if target is None:
        raise ValueError(f"announcement {announcement.id} announces nothing")
    return target


def _left(target: Target, until: datetime, announcement_id: uuid.UUID | None) -> Select[Any]:
    """Who is still to be looked at; who was told, or looked at for this announcement, is not."""
    settled = VersionNotice.status != NoticeStatus.VOID
    if announcement_id is not None:
        settled = or_(settled, VersionNotice.announcement_id == announcement_id)
    done = select(VersionNotice.id).where(
        VersionNotice.subscription_id == Subscription.id, _same(target), settled
    )
    return _concerned(target, until).where(~done.exists())


def left_of(announcement: Announcement, limit: int = 500) -> Sequence[uuid.UUID]:
    """Subscribers whom the worker has not looked at yet for this announcement."""
    found = _left(target_of(announcement), announcement.announced_at, announcement.id)
    return db.session.scalars(
        found.with_only_columns(Subscription.id).order_by(Subscription.id).limit(limit)
    ).all()


@dataclass
class Preview:
    """Whom an announcement made today would reach."""

    told: int = 0
    better: int = 0
    first_on: date | None = None
    last_on: date | None = None
    reasons: Counter[rules.NotTold] = field(default_factory=Counter)


def preview(target: Target, now: datetime, today: date) -> Preview:
    """How many would be told and from when it would hold; how many cannot be, and why."""
    seen = Preview()
    found = _left(target, now, None).options(
        joinedload(Subscription.version), joinedload(Subscription.terms_version)
    )
    for subscription in db.session.scalars(found):
        outcome = outlook(subscription, target, today)
        if outcome.reason is not None:
            seen.reasons[outcome.reason] += 1
        elif outcome.applies_on is not None:
            seen.told += 1
            seen.better += outcome.better
            seen.first_on = min(seen.first_on or outcome.applies_on, outcome.applies_on)
            seen.last_on = max(seen.last_on or outcome.applies_on, outcome.applies_on)
    return seen


@dataclass(frozen=True)
class Progress:
    """How far an announcement is, counted from its rows."""

    left: int  # not looked at yet
    statuses: Counter[NoticeStatus]
    reasons: Counter[rules.NotTold]
    sent: int
    failed: int  # messages that were given up: these subscribers keep the old price

    @property
    def told(self) -> int:
        """How many are to be told, told already or not."""
        return self.statuses.total() - self.reasons.total()


def progress(announcement: Announcement) -> Progress:
    """Sent n of m, whatever stopped and started in between."""
    mine = VersionNotice.announcement_id == announcement.id
    rows = db.session.execute(
        select(VersionNotice.status, VersionNotice.reason, Email.status, func.count())
        .outerjoin(Email, VersionNotice.email_id == Email.id)
        .where(mine)
        .group_by(VersionNotice.status, VersionNotice.reason, Email.status)
    )
    statuses: Counter[NoticeStatus] = Counter()
    reasons: Counter[rules.NotTold] = Counter()
    mails: Counter[EmailStatus | None] = Counter()
    for status, reason, mail, count in rows:
        statuses[status] += count
        mails[mail] += count
        if reason is not None:
            reasons[reason] += count
    waiting = _left(target_of(announcement), announcement.announced_at, announcement.id)
    left = db.session.scalar(select(func.count()).select_from(waiting.subquery())) or 0
    return Progress(
        0 if announcement.completed_at else left,
        statuses,
        reasons,
        mails[EmailStatus.SENT],
        mails[EmailStatus.FAILED],
    )


def to_complete() -> Sequence[Announcement]:
    """Announcements that may not have reached everybody yet, the oldest first."""
    return db.session.scalars(
        select(Announcement)
        .where(Announcement.completed_at.is_(None))
        .order_by(Announcement.announced_at)
    ).all()


def next_announcement_at() -> datetime | None:
    """Since when an announcement waits to be made."""
    return db.session.scalar(
        select(func.min(Announcement.announced_at)).where(Announcement.completed_at.is_(None))
    )


def announcements(limit: int = 100) -> Sequence[Announcement]:
    """What was announced, the last one first."""
    return db.session.scalars(
        select(Announcement)
        .options(joinedload(Announcement.to_version), joinedload(Announcement.terms_version))
        .order_by(Announcement.announced_at.desc())
        .limit(limit)
    ).all()


def notice_about(subscription_id: uuid.UUID, target: Target) -> VersionNotice | None:
    """What this subscriber was told of this version, locked."""
    return db.session.scalars(
        select(VersionNotice)
        .where(VersionNotice.subscription_id == subscription_id, _same(target))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()


def open_notices(subscription_id: uuid.UUID) -> Sequence[VersionNotice]:
    """Changes that may still come to a subscriber, in the order in which they were announced."""
    return open_notices_of([subscription_id])[subscription_id]


def open_notices_of(
    subscription_ids: Collection[uuid.UUID],
) -> Mapping[uuid.UUID, Sequence[VersionNotice]]:
    """The same for several, by subscription; empty for who awaits none."""
    found: dict[uuid.UUID, list[VersionNotice]] = defaultdict(list)
    wanted = _open().where(VersionNotice.subscription_id.in_(subscription_ids))
    for notice in db.session.scalars(wanted):
        found[notice.subscription_id].append(notice)
    return found


def _open() -> Select[VersionNotice]:
    return (
        select(VersionNotice)
        .where(VersionNotice.status.in_(OPEN))
        .options(
            joinedload(VersionNotice.email),
            joinedload(VersionNotice.to_version),
            joinedload(VersionNotice.announcement),
        )
        .order_by(VersionNotice.announced_at, VersionNotice.id)
    )


class Ahead(NamedTuple):
    """A change that its subscriber was told of; `last_day`: until when to stop before it."""

    notice: VersionNotice
    applies_on: date
    gross_minor: int | None  # a period's new price for this subscriber; None: the terms change
    last_day: date
    can_stop: bool


def ahead(subscription: Subscription, today: date) -> list[Ahead]:
    """What will change for a subscriber, as they were told: what did not leave is not shown."""
    return [
        Ahead(
            notice,
            notice.applies_on,
            amounts_of(subscription, notice.to_version).gross if notice.to_version else None,
            rules.last_day_to_stop(notice.applies_on),
            not notice.better and today < notice.applies_on,
        )
        for notice in open_notices(subscription.id)
        if notice.sent_at is not None
        and notice.applies_on is not None
        and (notice.to_version is None or subscription.coming is None)
    ]


def changes_of_user(user_id: uuid.UUID) -> Iterator[VersionNotice]:
    """The changes that a customer was told of and that have not come yet."""
    found = _open().join(Subscription, VersionNotice.subscription_id == Subscription.id)
    mine = found.where(Subscription.user_id == user_id, Subscription.status.in_(RUNNING))
    for notice in db.session.scalars(mine):
        if notice.sent_at is not None and notice.status is NoticeStatus.ANNOUNCED:
            yield notice


def next_gross(subscription: Subscription, on: date) -> int:
    """What a period that starts on this day will cost, as its subscriber was told so far."""
    return gross_on(subscription, on, open_notices(subscription.id))


def gross_on(subscription: Subscription, on: date, notices: Iterable[VersionNotice]) -> int:
    """The same, when what is announced was read already."""
    known = [
        notice.to_version
        for notice in notices
        if notice.to_version and notice.sent_at and notice.applies_on and notice.applies_on <= on
    ]
    coming = subscription.coming
    if coming is not None:  # its holder chose another plan, of which nothing was announced yet
        return coming.price_gross_minor
    if not known:
        return subscription.gross_minor
    latest = max(known, key=lambda version: version.number)
    return amounts_of(subscription, latest).gross


class Plan(NamedTuple):
    """A product that goes on period after period, with its versions and who follows them."""

    product: Product
    versions: Sequence[PlanVersion]
    followers: dict[uuid.UUID, int]


def plan(product: Product) -> Plan:
    """The versions of a product, the last one first, and how many subscribers each has."""
    versions = db.session.scalars(
        select(PlanVersion)
        .where(PlanVersion.product_id == product.id)
        .order_by(PlanVersion.number.desc())
    ).all()
    rows = db.session.execute(
        select(Subscription.version_id, func.count())
        .join(PlanVersion, Subscription.version_id == PlanVersion.id)
        .where(PlanVersion.product_id == product.id, Subscription.status.in_(RUNNING))
        .group_by(Subscription.version_id)
    )
    return Plan(product, versions, {row[0]: row[1] for row in rows})


def version_numbered(product_id: uuid.UUID, number: int) -> PlanVersion | None:
    """One version of a product."""
    return db.session.scalars(
        select(PlanVersion).where(
            PlanVersion.product_id == product_id, PlanVersion.number == number
        )
    ).first()
