"""What subscribers are told ahead: a price, terms, the end of a term (R-06, B-09, L215-1)."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from storefront.infra.db import db
from storefront.kernel.calendar import paris_date
from storefront.notifications.models import Email
from storefront.notifications.service import queue
from storefront.subscriptions import queries, rules
from storefront.subscriptions.events import (
    ChangeAnnounced,
    HolderStops,
    RenewalNear,
    TermNotRenewed,
    TermRenewed,
)
from storefront.subscriptions.models import (
    NoticeStatus,
    RenewalNotice,
    Subscription,
    VersionNotice,
)


def change(event: ChangeAnnounced, *, now: datetime) -> None:
    """A dated notice: what changes, from when, and until when to stop at no cost (R-06)."""
    notice = db.session.get_one(VersionNotice, event.notice_id)
    subscription, on = notice.subscription, notice.applies_on
    if notice.status is not NoticeStatus.ANNOUNCED or on is None:
        return
    facts: dict[str, Any] = {
        "notice": notice,
        "applies_on": on,
        "last_day": rules.last_day_to_stop(on),
        "changes": notice.announcement.changes,
    }
    documents = []
    if notice.to_version is not None:
        kind, what = "plan_change", "Votre offre change"
        facts["gross_minor"] = queries.amounts_of(subscription, notice.to_version).gross
        facts["same_price"] = facts["gross_minor"] == subscription.gross_minor
    else:
        kind, what = "terms_change", "Nos conditions changent"
        facts["terms"] = notice.terms_version
        documents = [notice.terms_version.pdf_id] if notice.terms_version else []
    email = _queue(
        kind,
        f"{kind}:{notice.id}:{notice.announcement_id}",
        what,
        subscription,
        facts,
        now,
        documents,
    )
    notice.email_id = email.id


def renewal(event: RenewalNear, *, now: datetime) -> None:
    """Only about the next term, its deadline in a box (L215-1); or whether there is to be one."""
    notice = db.session.get_one(RenewalNotice, event.notice_id)
    subscription = notice.subscription
    view = queries.next_term(subscription, paris_date(now))
    if view is None or view.term_ends_on != notice.term_ends_on:
        return
    tacit = subscription.renewal is rules.Renewal.TACIT
    kind = "renewal_tacit" if tacit else "renewal_express"
    subject = "Votre contrat sera reconduit" if tacit else "Voulez-vous reconduire votre contrat ?"
    facts = {
        "term": view,
        "late": tacit and paris_date(now) > notice.closes_on,
        "protected": queries.is_protected(subscription),
    }
    email = _queue(kind, f"{kind}:{notice.id}", subject, subscription, facts, now)
    notice.email_id = email.id


def renewed(event: TermRenewed, *, now: datetime) -> None:
    """The contract goes on: until when it binds, or that it does not bind any more."""
    notice = db.session.get_one(RenewalNotice, event.notice_id)
    subscription = notice.subscription
    facts = {
        "term_ends_on": notice.term_ends_on,
        "free": notice.outcome is rules.Outcome.FREE,
        "until": rules.next_term(
            subscription.anchor_on, notice.term_ends_on, subscription.term_months
        ),
    }
    key = f"subscription_renewed:{notice.id}"
    _queue("subscription_renewed", key, "Votre contrat est reconduit", subscription, facts, now)


def not_renewed(event: TermNotRenewed, *, now: datetime) -> None:
    """The contract is over, why, and how to settle what is owed (O-07)."""
    notice = db.session.get_one(RenewalNotice, event.notice_id)
    facts = {"term_ends_on": notice.term_ends_on}
    key = f"subscription_not_renewed:{notice.id}"
    subject = "Votre contrat n’est pas reconduit"
    _queue("subscription_not_renewed", key, subject, notice.subscription, facts, now)


def left(event: HolderStops, *, now: datetime) -> None:
    """Its end is set, as its holder asked: the day, on a durable medium, and what goes back."""
    subscription = db.session.get_one(Subscription, event.subscription_id)
    if subscription.ends_on is None:
        return
    back = sum(minor for _, minor in queries.to_give_back(subscription))
    facts = {
        "last_day": subscription.ends_on - timedelta(days=1),
        "back_minor": back,
        "back_by": paris_date(now) + rules.ADVANCES_WITHIN,
    }
    key = f"subscription_left:{subscription.id}:{subscription.ends_on}"
    _queue("subscription_left", key, "La fin de votre contrat est notée", subscription, facts, now)


def _queue(
    kind: str,
    key: str,
    subject: str,
    subscription: Subscription,
    facts: dict[str, Any],
    now: datetime,
    documents: list[uuid.UUID] | None = None,
) -> Email:
    return queue(
        kind,
        key=key,
        recipient=subscription.order.email,
        user_id=subscription.user_id,
        order_id=subscription.order_id,
        subject=f"{subject} – {subscription.name}",
        context={"subscription": subscription, **facts},
        documents=documents or [],
        now=now,
    )
