"""How it ends, on a durable medium: the holder's own end, a notice with its reasons, a pause."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from storefront.infra.db import db
from storefront.notifications.service import queue
from storefront.subscriptions import service
from storefront.subscriptions.events import (
    EndScheduled,
    EndTakenBack,
    NoticeClosed,
    NoticeEffective,
    NoticeGiven,
    SubscriptionPaused,
    SubscriptionUnpaused,
)
from storefront.subscriptions.models import Pause, Subscription, Termination


def end_scheduled(event: EndScheduled, *, now: datetime) -> None:
    """Its end date and what it does (L215-1-1, B-03)."""
    _tell_end("subscription_end", "Fin de votre abonnement", event.termination_id, now)


def end_kept(event: EndTakenBack, *, now: datetime) -> None:
    """It goes on, as before."""
    _tell_end("subscription_kept", "Votre abonnement continue", event.termination_id, now)


def notice_given(event: NoticeGiven, *, now: datetime) -> None:
    """The statement of reasons, when it takes effect, what can be done before (B-05, B-08)."""
    _tell_end("subscription_notice", "À lire : la fin de votre contrat", event.termination_id, now)


def notice_closed(event: NoticeClosed, *, now: datetime) -> None:
    """What was announced does not happen."""
    _tell_end("subscription_notice_closed", "Votre contrat continue", event.termination_id, now)


def notice_effective(event: NoticeEffective, *, now: datetime) -> None:
    """It has ended, what goes back, what is kept."""
    _tell_end("subscription_ended", "Votre contrat a pris fin", event.termination_id, now)


def paused(event: SubscriptionPaused, *, now: datetime) -> None:
    """It stands still: why, and that nothing is billed (B-08)."""
    _tell_pause("subscription_paused", "Votre service est interrompu", event.pause_id, now)


def unpaused(event: SubscriptionUnpaused, *, now: datetime) -> None:
    """It is back, and every day that was lost is added."""
    _tell_pause("subscription_unpaused", "Votre service a repris", event.pause_id, now)


def _tell_end(kind: str, subject: str, termination_id: uuid.UUID, now: datetime) -> None:
    termination = db.session.get_one(Termination, termination_id)
    subscription = termination.subscription
    back = sum(service.unused_of(period, termination) for period in subscription.periods)
    facts = {"termination": termination, "notice": termination.notice, "back_minor": back}
    _queue(kind, subject, termination.id, subscription, facts, now)


def _tell_pause(kind: str, subject: str, pause_id: uuid.UUID, now: datetime) -> None:
    pause = db.session.get_one(Pause, pause_id)
    _queue(kind, subject, pause.id, pause.subscription, {"pause": pause}, now)


def _queue(
    kind: str,
    subject: str,
    key: uuid.UUID,
    subscription: Subscription,
    facts: dict[str, Any],
    now: datetime,
) -> None:
    queue(
        kind,
        key=f"{kind}:{key}",
        recipient=subscription.order.email,
        user_id=subscription.user_id,
        order_id=subscription.order_id,
        subject=f"{subject} – {subscription.name}",
        context={"subscription": subscription, **facts},
        documents=[],
        now=now,
    )
