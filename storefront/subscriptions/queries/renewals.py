"""Terms that come to their end: who is written to, and what their holders said (B-09)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, func, or_, select

from storefront.infra.db import db
from storefront.instalments.rules import morning_of
from storefront.legal.queries import parameters_of
from storefront.orders.rules import BuyerKind
from storefront.subscriptions import rules
from storefront.subscriptions.models import RenewalNotice, Subscription, SubscriptionPeriod
from storefront.subscriptions.queries.changes import next_gross
from storefront.subscriptions.queries.running import RUNNING


def opt_out_days(subscription: Subscription) -> int:
    """Until how long before the term its holder can say no, by the terms in force for them."""
    return parameters_of(subscription.terms_version).renewal_opt_out_days


def ask_on(subscription: Subscription) -> date | None:
    """When the holder is to be written to about the term that runs; None: it is not renewed."""
    term = subscription.committed_until
    if term is None or subscription.renewal is rules.Renewal.NONE or not subscription.term_months:
        return None
    return rules.ask_on(subscription.renewal, term, opt_out_days(subscription))


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


def _goes_on() -> ColumnElement[bool]:
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
        .where(_goes_on(), Subscription.renewal_notice_on <= day)
        .order_by(Subscription.renewal_notice_on)
        .limit(limit)
    ).all()


def next_ask_at() -> datetime | None:
    """When the next holder is to be written to."""
    day = db.session.scalar(select(func.min(Subscription.renewal_notice_on)).where(_goes_on()))
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
    if end is not None and not own:
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


def _until(subscription: Subscription, term: date) -> date:
    return rules.answer_until(subscription.renewal, term, opt_out_days(subscription))


def to_give_back(subscription: Subscription) -> list[tuple[SubscriptionPeriod, int]]:
    """What was paid ahead beyond an end that came early for want of a notice, minor units."""
    left_on = subscription.ends_on
    if subscription.free_exit_since is None or left_on is None:
        return []
    return [
        (period, back)
        for period in subscription.periods
        if period.paid_at is not None
        and period.starts_on >= subscription.free_exit_since
        and (back := rules.unused(period.gross_minor, period.starts_on, period.ends_on, left_on))
    ]
