"""What customers are told of their debits: before, after, and when one failed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from storefront.infra.db import db
from storefront.instalments.events import InstalmentFailed, InstalmentPaid, PartReceived
from storefront.instalments.models import PRICE, Instalment, InstalmentStatus
from storefront.notifications.service import queue
from storefront.orders.models import OrderStatus
from storefront.payments.events import PaymentAwaited
from storefront.payments.models import Arrival, Payment, PaymentStatus
from storefront.payments.queries import undecided_of_instalment, usable_method


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
    by_hand = instalment.order.by_hand or instalment.received_minor > 0
    subject = "Votre paiement n’est pas arrivé" if by_hand else "Un paiement n’a pas abouti"
    kind = "instalment_late" if by_hand else "instalment_failed"
    _queue(kind, key, subject, instalment, now)


def how_to_pay(event: PaymentAwaited, *, now: datetime) -> None:
    """How to pay by one's own means, what to quote, and until when; not once it has come (M-09)."""
    payment = db.session.get_one(Payment, event.payment_id)
    if payment.status is PaymentStatus.OPEN:
        _tell("payment_awaited", "", "Comment payer", payment, now)


def remind(payment: Payment, *, now: datetime) -> None:
    """The same once more, before what was ordered is given back."""
    _tell("payment_reminder", "", "Votre paiement n’est pas encore arrivé", payment, now)


def part_received(event: PartReceived, *, now: datetime) -> None:
    """A part came: how much is missing, and until when it is waited for."""
    payment = db.session.get_one(Payment, event.payment_id)
    if payment.status is PaymentStatus.OPEN:
        arrival = db.session.get_one(Arrival, event.arrival_id)
        subject = "Il manque une partie de votre paiement"
        _tell("payment_short", f":{arrival.id}", subject, payment, now, arrival=arrival)


def _tell(kind: str, key: str, subject: str, payment: Payment, now: datetime, **more: Any) -> None:
    instalment = db.session.get_one(Instalment, payment.instalment_id)
    order = instalment.order
    first = order.status is OrderStatus.AWAITING_PAYMENT
    until = order.kept_on if first else instalment.owed_on
    queue(
        kind,
        key=f"{kind}:{payment.id}:{until}{key}",
        recipient=order.email,
        user_id=order.user_id,
        order_id=order.id,
        subject=f"{subject} – commande {order.reference}",
        context={
            "order": order,
            "instalment": instalment,
            "payment": payment,
            "until": until,
            "first": first,
            **more,
        },
        documents=[],
        now=now,
    )


def _day_key(instalment: Instalment) -> str:
    """What is owed on another day is announced, and can fail, anew."""
    return f"{instalment.id}:{instalment.moved_to}" if instalment.moved_to else f"{instalment.id}"


def _queue(kind: str, key: str, subject: str, instalment: Instalment, now: datetime) -> None:
    order = instalment.order
    method = usable_method(order.user_id, order.payment_provider)
    undecided = undecided_of_instalment(instalment.id)
    waiting = undecided if undecided is not None and undecided.by_hand else None
    context: dict[str, Any] = {
        "waiting": waiting,
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
