"""Choosing another plan of the family, and taking the choice back (B-07)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from storefront.infra import journal
from storefront.infra.db import db
from storefront.infra.outbox import publish
from storefront.instalments import service as instalments
from storefront.instalments.service import PaymentUnderWay
from storefront.kernel.calendar import paris_date
from storefront.kernel.errors import Refusal
from storefront.kernel.money import Money
from storefront.legal import service as legal
from storefront.legal.rules import AcceptanceKind
from storefront.legal.service import AcceptedBox
from storefront.payments import queries as payments
from storefront.payments import service as payment_service
from storefront.payments.models import PaymentStatus
from storefront.subscriptions import queries, rules
from storefront.subscriptions.events import PlanChangeScheduled, PlanChangeTakenBack
from storefront.subscriptions.models import ChangeStatus, PlanChange, Subscription
from storefront.subscriptions.queries import Quote
from storefront.subscriptions.rules import Direction, Hindrance
from storefront.subscriptions.service.changes import follow
from storefront.subscriptions.service.lapsing import drop, move_change
from storefront.subscriptions.service.months import open_next_months
from storefront.subscriptions.service.states import locked
from storefront.subscriptions.service.versions import publish_version


class ChangeRefused(Refusal):
    """This plan cannot be changed now. Details: reason (`Hindrance`), subscription (its row)."""

    status = 409


class ChangeRecomputed(Refusal):
    """What was shown is not what would be paid any more: it is shown again. Details: none."""

    status = 409


@dataclass(frozen=True)
class Choice:
    """What its holder saw and clicked: a plan by its address, counted from an instant.

    `seen` is the quote's own; `sentence` stood above the button (PRE-03).
    """

    slug: str
    counted_from: datetime
    seen: str
    sentence: str
    ip: str
    user_agent: str


def choose(
    subscription_id: uuid.UUID, choice: Choice, *, expires_at: datetime, now: datetime
) -> PlanChange:
    """Change to another plan: at once when it is dearer, from the next period when not (B-07).

    An upgrade that costs something waits for its payment until `expires_at`: its instalment is to
    be paid on a page. The same choice again finds the first one. Raises `ChangeRefused` and
    `ChangeRecomputed`.
    """
    subscription = locked(subscription_id)
    _catch_up(subscription, now)
    offer = queries.offer(subscription, choice.slug)
    if offer is None or offer.purchase:
        raise ChangeRefused(reason=Hindrance.GONE, subscription=subscription)
    pending = queries.open_change(subscription.id)
    if pending is not None and pending.to_version.product_id == offer.product.id:
        return _still_payable(pending, now)
    reason = queries.hindrance(subscription, offer.direction, now)
    if reason is not None:
        raise ChangeRefused(reason=reason, subscription=subscription)
    quote = queries.quote(subscription, offer, choice.counted_from)
    fresh = timedelta(0) <= now - choice.counted_from < rules.QUOTE_LIFETIME
    if quote is None or not fresh or quote.seen != choice.seen:
        raise ChangeRecomputed
    return _write_down(subscription, quote, choice, pending, expires_at, now)


def awaiting(subscription_id: uuid.UUID, *, now: datetime) -> PlanChange | None:
    """The upgrade that can still be paid on its page; None when none waits any more.

    Raises `ChangeRefused` once its time is over: it lapses as soon as its last attempt is decided.
    """
    locked(subscription_id)
    change = queries.open_change(subscription_id)
    waits = change is not None and change.status is ChangeStatus.AWAITING_PAYMENT
    return _still_payable(change, now) if change is not None and waits else None


def _still_payable(change: PlanChange, now: datetime) -> PlanChange:
    if change.expires_at is not None and change.expires_at <= now:
        raise ChangeRefused(reason=Hindrance.AWAITING, subscription=change.subscription)
    return change


def _catch_up(subscription: Subscription, now: datetime) -> None:
    """Periods that began on days before this one are opened as they were: nobody goes back."""
    while subscription.next_period_on and subscription.next_period_on < paris_date(now):
        if not open_next_months([subscription.id], now=now):
            return
        db.session.flush()
        db.session.refresh(subscription)


def _write_down(
    subscription: Subscription,
    quote: Quote,
    choice: Choice,
    replaced: PlanChange | None,
    expires_at: datetime,
    now: datetime,
) -> PlanChange:
    if replaced is not None:
        move_change(replaced, ChangeStatus.TAKEN_BACK)
        replaced.dropped_at = now
        facts = {"subscription": subscription.id, "because": "replaced"}
        journal.record("plan_change.taken_back", replaced, facts, now=now)
        db.session.flush()
    offer, version = quote.offer, publish_version(quote.offer.product, now=now)
    up = offer.direction is Direction.UP
    change = PlanChange(
        id=uuid.uuid4(),
        subscription_id=subscription.id,
        subscription=subscription,
        period_id=quote.period.id,
        from_version_id=subscription.version_id,
        to_version_id=version.id,
        to_version=version,
        direction=offer.direction,
        status=ChangeStatus.AWAITING_PAYMENT if up else ChangeStatus.SCHEDULED,
        requested_at=now,
        counted_from=quote.counted_from,
        net_minor=quote.due.net,
        vat_minor=quote.due.vat,
        gross_minor=quote.due.gross,
        price_net_minor=offer.amounts.net,
        price_vat_minor=offer.amounts.vat,
        price_gross_minor=offer.amounts.gross,
        effective_on=quote.effective_on,
        expires_at=expires_at if up else None,
        replaces_id=replaced.id if replaced is not None and up else None,
    )
    db.session.add(change)
    db.session.flush()
    _accept(subscription, change, choice, now)
    facts = {
        "subscription": subscription.id,
        "from": change.from_version_id,
        "to": change.to_version_id,
        "direction": change.direction,
        "due": change.gross_minor,
        "price": change.price_gross_minor,
        "on": change.effective_on,
    }
    journal.record("plan_change.chosen", change, facts, now=now)
    if not up:
        publish(PlanChangeScheduled(change.id), now=now)
    elif quote.due.gross == 0:
        follow(subscription, change, paris_date(now), now=now)
    else:
        _owe(subscription, change, now)
    return change


def _accept(subscription: Subscription, change: PlanChange, choice: Choice, now: datetime) -> None:
    """What was read above the button is kept like every consent (R-03)."""
    order = subscription.order
    box = AcceptedBox(
        AcceptanceKind.PLAN_CHANGE,
        subscription.terms_version,
        choice.sentence,
        about=rules.change_schedule(change.id),
    )
    legal.record_acceptances(order.id, order.user_id, [box], choice.ip, choice.user_agent, now=now)


def _owe(subscription: Subscription, change: PlanChange, now: datetime) -> None:
    instalment = instalments.owe(
        subscription.order,
        rules.change_schedule(change.id),
        1,
        paris_date(now),
        Money(change.gross_minor, subscription.currency),
        label=f"Passage à {change.to_version.name}",
        voluntary=True,
        now=now,
    )
    db.session.flush()
    change.instalment_id = instalment.id


def keep_plan(subscription_id: uuid.UUID, *, now: datetime) -> PlanChange | None:
    """Its holder takes the open choice back; None when there is none any more.

    Raises `PaymentUnderWay` when an upgrade may just have been paid.
    """
    subscription = locked(subscription_id)
    change = queries.open_change(subscription.id)
    if change is None:
        return None
    if change.instalment_id is not None:
        _give_up(change.instalment_id, now)
    scheduled = change.status is ChangeStatus.SCHEDULED
    drop(change, ChangeStatus.TAKEN_BACK, "holder", now=now)
    if scheduled:
        publish(PlanChangeTakenBack(change.id), now=now)
    return change


def _give_up(instalment_id: uuid.UUID, now: datetime) -> None:
    """No page may lead to money any more. Raises `PaymentUnderWay`."""
    attempt = payments.undecided_of_instalment(instalment_id)
    if attempt is not None and attempt.status is PaymentStatus.RESERVED:
        payment_service.give_up_unopened(payment_service.locked(attempt.id), now=now)
        attempt = None
    if attempt is not None or payments.money_arrived(instalment_id):
        raise PaymentUnderWay(
            provider=attempt.provider if attempt else None,
            until=attempt.expires_at if attempt else None,
            instalment=instalment_id,
        )
