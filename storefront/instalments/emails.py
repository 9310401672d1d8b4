"""What customers are told of their debits: before, after, and when one failed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from storefront.infra.db import db
from storefront.instalments.events import InstalmentFailed, InstalmentPaid
from storefront.instalments.models import PRICE, Instalment, InstalmentStatus
from storefront.notifications.service import queue
from storefront.payments.queries import usable_method


def announce(instalment: Instalment, *, now: datetime) -> None:
    """The debit to come: date, amount, means of payment, how to change it."""
    _queue(
        "instalment_announced", _day_key(instalment), "Votre prochain prélèvement", instalment, now
    )


def receipt(event: InstalmentPaid, *, now: datetime) -> None:
    """The debit taken, and what remains; a subscription's month comes with its invoice."""
    instalment = db.session.get_one(Instalment, event.instalment_id)
    if instalment.schedule != PRICE:
        return
    _queue("instalment_paid", f"{instalment.id}", "Votre paiement est reçu", instalment, now)


def failure(event: InstalmentFailed, *, now: datetime) -> None:
    """What failed, when it is tried again, and how to pay now (M-03)."""
    instalment = db.session.get_one(Instalment, event.instalment_id)
    if instalment.status is InstalmentStatus.PAID:
        return
    key = f"{_day_key(instalment)}:{instalment.attempts}:{instalment.status}"
    _queue("instalment_failed", key, "Un paiement n’a pas abouti", instalment, now)


def _day_key(instalment: Instalment) -> str:
    """What is owed on another day is announced, and can fail, anew."""
    return f"{instalment.id}:{instalment.moved_to}" if instalment.moved_to else f"{instalment.id}"


def _queue(kind: str, key: str, subject: str, instalment: Instalment, now: datetime) -> None:
    order = instalment.order
    method = usable_method(order.user_id, order.payment_provider)
    context: dict[str, Any] = {
        "instalment": instalment,
        "order": order,
        "method": method.label if method else None,
        "left_to_customer": instalment.status is InstalmentStatus.UNPAID,
    }
    queue(
        kind,
        key=f"{kind}:{key}",
        recipient=order.email,
        user_id=order.user_id,
        order_id=order.id,
        subject=f"{subject} – commande {order.reference}",
        context=context,
        documents=[],
        now=now,
    )
