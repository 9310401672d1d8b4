"""What subscribers are told: each month's invoice, a month that is not paid, and is again."""

from __future__ import annotations

import uuid
from datetime import datetime

from storefront.infra.db import db
from storefront.invoicing import queries as invoices
from storefront.invoicing.events import InvoiceStored
from storefront.notifications.service import queue
from storefront.orders.models import Order
from storefront.subscriptions.events import (
    SubscriptionPastDue,
    SubscriptionResumed,
    SubscriptionSuspended,
)
from storefront.subscriptions.models import Subscription


def month_invoice(event: InvoiceStored, *, now: datetime) -> None:
    """A month after the first was paid: its receipt and its invoice in one message (B-01)."""
    invoice = invoices.get(event.invoice_id)
    if not invoice.cause.startswith("period:"):
        return
    order, pdf = db.session.get_one(Order, invoice.order_id), invoices.pdf_of(invoice)
    queue(
        "subscription_month",
        key=f"subscription_month:{invoice.id}",
        recipient=order.email,
        user_id=order.user_id,
        order_id=order.id,
        subject=f"Votre facture {invoice.number} – {invoice.lines[0].name}",
        context={"invoice": invoice, "line": invoice.lines[0]},
        documents=[pdf.id] if pdf else [],
        now=now,
    )


def past_due(event: SubscriptionPastDue, *, now: datetime) -> None:
    """The service goes on until a stated day; here is how to pay (B-04)."""
    by_hand = _subscription(event.subscription_id).order.by_hand
    missing = "n’est pas encore payée" if by_hand else "n’a pas pu être prélevée"
    _queue("subscription_past_due", f"Votre mensualité {missing}", event, now)


def suspended(event: SubscriptionSuspended, *, now: datetime) -> None:
    """The service is suspended, nothing is deleted, paying brings it back (B-04)."""
    _queue("subscription_suspended", "Votre service est suspendu", event, now)


def resumed(event: SubscriptionResumed, *, now: datetime) -> None:
    """The service is back."""
    _queue("subscription_resumed", "Votre service a repris", event, now)


def _queue(
    kind: str,
    subject: str,
    event: SubscriptionPastDue | SubscriptionSuspended | SubscriptionResumed,
    now: datetime,
) -> None:
    subscription = _subscription(event.subscription_id)
    months = len(subscription.periods)
    queue(
        kind,
        key=f"{kind}:{subscription.id}:{months}",
        recipient=subscription.order.email,
        user_id=subscription.user_id,
        order_id=subscription.order_id,
        subject=f"{subject} – {subscription.name}",
        context={"subscription": subscription},
        documents=[],
        now=now,
    )


def _subscription(subscription_id: uuid.UUID) -> Subscription:
    return db.session.get_one(Subscription, subscription_id)
