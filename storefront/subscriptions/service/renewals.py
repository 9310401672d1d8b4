"""The end of a committed term: told, answered, then renewed or not (B-09, SUB-02, L215-1)."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta

from storefront.arrears import queries as arrears
from storefront.infra import journal
from storefront.infra.db import db
from storefront.infra.outbox import publish
from storefront.kernel.calendar import paris_date
from storefront.subscriptions import queries, rules
from storefront.subscriptions.events import (
    HolderStops,
    PeriodPaid,
    PeriodUnused,
    RenewalNear,
    TermNotRenewed,
    TermRenewed,
)
from storefront.subscriptions.models import RenewalNotice, Subscription, SubscriptionPeriod
from storefront.subscriptions.service.revisions import DecisionClosed
from storefront.subscriptions.service.states import locked


def ask(subscription_id: uuid.UUID, *, now: datetime) -> bool:
    """Write to a holder about the term that comes, once; says whether it did."""
    subscription = locked(subscription_id)
    due_on, term = subscription.renewal_notice_on, subscription.committed_until
    if due_on is None or due_on > paris_date(now) or term is None:
        return False
    subscription.renewal_notice_on = None
    notice = _notice(subscription, term)
    journal.record("renewal.near", notice, {"subscription": subscription.id, "term": term}, now=now)
    publish(RenewalNear(notice.id), now=now)
    return True


def _notice(subscription: Subscription, term: date) -> RenewalNotice:
    """What is known of this term; made, with the dates of the terms in force, when nothing is."""
    known = queries.notice_of_term(subscription.id, term)
    if known is not None:
        return known
    days = queries.opt_out_days(subscription)
    law = rules.window(term, days)
    notice = RenewalNotice(
        id=uuid.uuid4(),
        subscription_id=subscription.id,
        term_ends_on=term,
        opens_on=law.opens_on,
        closes_on=law.closes_on,
        opt_out_until=rules.answer_until(subscription.renewal, term, days),
    )
    db.session.add(notice)
    return notice


def answer(subscription_id: uuid.UUID, said: rules.Answer, *, today: date, now: datetime) -> None:
    """Its holder says whether the contract goes on after its term, and may change their mind.

    Raises `DecisionClosed` once the last day is over, or when it ends for another reason.
    """
    subscription = locked(subscription_id)
    view = queries.next_term(subscription, today)
    if view is None or not view.open:
        raise DecisionClosed(subscription=subscription.id)
    notice = _notice(subscription, view.term_ends_on)
    if notice.answer is said:
        return
    went_on = view.goes_on
    notice.answer, notice.answered_at = said, now
    stops = said is rules.Answer.NO
    subscription.ends_on = view.term_ends_on if stops else None
    facts = {"answer": said, "term": view.term_ends_on}
    journal.record("renewal.answered", notice, facts, now=now)
    if stops and went_on:
        publish(HolderStops(subscription.id), now=now)


def ends_at_term(subscription: Subscription, starts_on: date, *, now: datetime) -> bool:
    """Whether the term is over on this day and nothing renews it. The subscription is locked.

    A holder whose debts alone keep it from going on is told so (O-07).
    """
    term, decided = subscription.committed_until, _outcome(subscription, starts_on, now)
    if term is not None and decided is rules.Outcome.OVERDUE:
        notice = _notice(subscription, term)
        notice.outcome, notice.decided_at = decided, now
        publish(TermNotRenewed(notice.id), now=now)
    return decided in (rules.Outcome.ENDS, rules.Outcome.OVERDUE)


def renew_due(subscription: Subscription, starts_on: date, *, now: datetime) -> None:
    """At its term, a contract that nobody refused is bound for another one.

    Told too late, or not at all, a consumer may leave it at any time from now on (L215-1).
    """
    term, decided = subscription.committed_until, _outcome(subscription, starts_on, now)
    if term is None or decided is None:
        return
    notice = _notice(subscription, term)
    notice.outcome, notice.decided_at = decided, now
    if decided is rules.Outcome.FREE:
        subscription.free_exit_since = term
    subscription.committed_until, subscription.ends_on = rules.renewed(
        decided,
        subscription.renewal,
        subscription.anchor_on,
        subscription.term_months,
        rules.Bound(term, subscription.ends_on),
    )
    subscription.renewal_notice_on = queries.ask_on(subscription)
    facts = {"outcome": decided, "until": subscription.committed_until}
    journal.record("subscription.renewed", subscription, facts, now=now)
    publish(TermRenewed(notice.id), now=now)


def _outcome(subscription: Subscription, starts_on: date, now: datetime) -> rules.Outcome | None:
    """What becomes of a term that is over on this day; None when none is, or none is renewed."""
    term = subscription.committed_until
    if term is None or starts_on < term or not subscription.term_months:
        return None
    return rules.outcome_on(
        starts_on,
        term,
        subscription.renewal,
        queries.told(subscription, term),
        protected=queries.is_protected(subscription),
        owes=not arrears.standing(subscription.user_id, now).clear,
    )


def leave(
    subscription: Subscription, *, notified_on: date, wanted_on: date | None, now: datetime
) -> None:
    """A holder who was not told in time leaves: from the next day, or later as they wish (L215-1).

    What was paid ahead goes back. The locked subscription has `free_exit_since`.
    """
    on = max(notified_on + timedelta(days=1), wanted_on or notified_on)
    if subscription.ends_on is not None and subscription.ends_on <= on:
        return
    subscription.ends_on = on
    if subscription.next_period_on is not None:
        subscription.next_period_on = min(subscription.next_period_on, on)
    for period, back in queries.to_give_back(subscription):
        _give_back(period, back, now)


def leave_now(subscription_id: uuid.UUID, *, today: date, now: datetime) -> None:
    """Its holder ends it from the account, today. Raises `DecisionClosed` without that right."""
    subscription = locked(subscription_id)
    if subscription.free_exit_since is None or subscription.status not in queries.RUNNING:
        raise DecisionClosed(subscription=subscription.id)
    before = subscription.ends_on
    leave(subscription, notified_on=today, wanted_on=None, now=now)
    if subscription.ends_on != before:
        facts = {"ends_on": subscription.ends_on, "because": "not_told"}
        journal.record("subscription.end_scheduled", subscription, facts, now=now)
        publish(HolderStops(subscription.id), now=now)


def give_back_late(event: PeriodPaid, *, now: datetime) -> None:
    """A period that was paid after its holder had left: what is beyond the end goes back too."""
    paid = db.session.get_one(SubscriptionPeriod, event.period_id)
    for period, back in queries.to_give_back(paid.subscription):
        if period.id == paid.id:
            _give_back(period, back, now)


def _give_back(period: SubscriptionPeriod, minor: int, now: datetime) -> None:
    payment = queries.payment_of(period)
    if payment is None:
        return
    first = period.instalment_id is None
    event = PeriodUnused(
        payment_id=payment.id,
        amount_minor=minor,
        request_id=period.id,
        order_line_id=period.subscription.order_line_id if first else None,
        due_on=paris_date(now) + rules.ADVANCES_WITHIN,
    )
    publish(event, now=now)
