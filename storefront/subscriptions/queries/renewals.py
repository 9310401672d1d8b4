"""Terms that come to their end: who is written to, and what their holders said (B-09)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select

from storefront.infra.db import db
from storefront.instalments.rules import morning_of
from storefront.legal.queries import parameters_of
from storefront.orders.rules import BuyerKind
from storefront.subscriptions import rules
from storefront.subscriptions.models import (
    NoticeStatus,
    RenewalNotice,
    Subscription,
    SubscriptionPeriod,
)
from storefront.subscriptions.queries.revisions import next_gross, open_notices
from storefront.subscriptions.queries.running import RUNNING


def opt_out_days(subscription: Subscription) -> int:
    """Until how long before the term its holder can say no, by the terms in force for them."""
    return parameters_of(subscription.terms_version).renewal_opt_out_days


def ask_on(subscription: Subscription) -> date | None:
    """When the holder is to be written to about the term that runs; None: it is not renewed."""
    term = subscription.committed_until
    if term is None or subscription.renewal is rules.Renewal.NONE:
        return None  # nobody asks what the terms say
    days = opt_out_days(subscription)
    return rules.asked_on(subscription.renewal, term, subscription.term_months, days)


def is_protected(subscription: Subscription) -> bool:
    """Whether the law of tacit renewals protects its holder (L215-1, L215-3)."""
    return subscription.order.buyer_kind is not BuyerKind.PROFESSIONAL


def notice_of_term(subscription_id: uuid.UUID, term_ends_on: date) -> RenewalNotice | None:
    """What was told and said of one term."""
    return db.session.scalars(
        select(RenewalNotice).where(
            RenewalNotice.subscription_id == subscription_id,
            RenewalNotice.term_ends_on == term_ends_on,
        )
    ).one_or_none()


def told(subscription: Subscription, term: date) -> rules.Told:
    """What the holder was told and said of a term, by the window that was in force then."""
    known = notice_of_term(subscription.id, term)
    if known is None:
        return rules.Told(rules.window(term, opt_out_days(subscription)))
    return told_by(known)


def told_by(notice: RenewalNotice) -> rules.Told:
    """The same, of a notice that was read already."""
    law = rules.Window(notice.opens_on, notice.closes_on, notice.opt_out_until)
    return rules.Told(law, notice.sent_on, notice.answer)


def is_to_ask() -> ColumnElement[bool]:
    """What has an end is not renewed, unless only its holder's word is missing."""
    return and_(
        Subscription.status.in_(RUNNING),
        or_(
            Subscription.ends_on.is_(None),
            Subscription.ends_on > Subscription.committed_until,
            Subscription.renewal == rules.Renewal.EXPRESS,
        ),
    )


def to_ask(day: date, limit: int = 500) -> Sequence[uuid.UUID]:
    """Subscriptions whose holders are to be written to about their next term."""
    return db.session.scalars(
        select(Subscription.id)
        .where(is_to_ask(), Subscription.renewal_notice_on <= day)
        .order_by(Subscription.renewal_notice_on)
        .limit(limit)
    ).all()


def next_ask_at() -> datetime | None:
    """When the next holder is to be written to."""
    day = db.session.scalar(select(func.min(Subscription.renewal_notice_on)).where(is_to_ask()))
    return morning_of(day) if day else None


@dataclass(frozen=True)
class NextTerm:
    """The end of a running term as its holder sees it, with what can be answered and until when.

    `gross_minor` is what a period of the next term costs, as far as its holder was told;
    `until` the last day to answer.
    """

    subscription: Subscription
    term_ends_on: date
    ends_next_on: date
    until: date
    answer: rules.Answer | None
    gross_minor: int
    open: bool

    @property
    def goes_on(self) -> bool:
        """Whether the contract is renewed as things stand."""
        if self.subscription.renewal is rules.Renewal.EXPRESS:
            return self.answer is rules.Answer.YES
        return self.answer is not rules.Answer.NO


def next_term(subscription: Subscription, today: date) -> NextTerm | None:
    """What comes at the end of the running term; None when it is not renewed or ends otherwise."""
    term = subscription.committed_until
    if subscription.status not in RUNNING or term is None or ask_on(subscription) is None:
        return None
    known = notice_of_term(subscription.id, term)
    answer = known.answer if known else None
    end = subscription.ends_on
    own = end == term and (
        subscription.renewal is rules.Renewal.EXPRESS or answer is rules.Answer.NO
    )
    if end is not None and (not own or _stops_before_a_change(subscription)):
        return None
    until = known.opt_out_until if known else _until(subscription, term)
    return NextTerm(
        subscription,
        term,
        rules.next_term(subscription.anchor_on, term, subscription.term_months),
        until,
        answer,
        next_gross(subscription, term),
        today <= until,
    )


def _stops_before_a_change(subscription: Subscription) -> bool:
    """Whether its end is a refusal of what was announced, which is taken back there."""
    found = open_notices(subscription.id)
    return any(one.status is NoticeStatus.REFUSED for one in found)


def _until(subscription: Subscription, term: date) -> date:
    return rules.answer_until(subscription.renewal, term, opt_out_days(subscription))


def to_give_back(subscription: Subscription) -> list[tuple[SubscriptionPeriod, int]]:
    """What was paid ahead beyond an end that came early for want of a notice, minor units."""
    return _beyond(subscription, subscription.ends_on)


def would_go_back(subscription: Subscription, today: date) -> int:
    """What would go back if its holder left today, minor units; 0 without that right."""
    return sum(back for _, back in _beyond(subscription, today + timedelta(days=1)))


def _beyond(
    subscription: Subscription, left_on: date | None
) -> list[tuple[SubscriptionPeriod, int]]:
    since = subscription.free_exit_since
    if since is None or left_on is None:
        return []
    paid = (one for one in subscription.periods if one.paid_at and one.starts_on >= since)
    unused = (
        (one, rules.unused_minor(one.gross_minor, one.starts_on, one.ends_on, left_on))
        for one in paid
    )
    return [(one, back) for one, back in unused if back]


@dataclass(frozen=True)
class TermAhead:
    """A day of a term that its holder should see coming; `kind` words it."""

    kind: str
    on: date
    subscription: Subscription


def terms_ahead(running: Iterable[Subscription], today: date) -> Iterator[TermAhead]:
    """Ends of terms that are renewed or asked about, and until when to answer (B-09)."""
    for subscription in running:
        view = next_term(subscription, today)
        if view is None:
            continue
        if view.goes_on:
            yield TermAhead("renewal", view.term_ends_on, subscription)
        if view.open:
            asked = subscription.renewal is rules.Renewal.EXPRESS
            kind = "renewal_offer" if asked else "renewal_deadline"
            yield TermAhead(kind, view.until, subscription)
