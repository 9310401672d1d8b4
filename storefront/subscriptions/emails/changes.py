"""What subscribers are told of a change of plan: chosen, taken back, done (B-07)."""

from __future__ import annotations

import uuid
from datetime import datetime

from storefront.infra.db import db
from storefront.invoicing import queries as invoices
from storefront.invoicing.events import InvoiceStored
from storefront.notifications.service import queue
from storefront.subscriptions import rules
from storefront.subscriptions.events import PlanChanged, PlanChangeScheduled, PlanChangeTakenBack
from storefront.subscriptions.models import PlanChange


def change_scheduled(event: PlanChangeScheduled, *, now: datetime) -> None:
    """From when, at which price, what closes, and how to take it back."""
    change = _change(event.change_id)
    _queue("plan_change_scheduled", "Votre changement d’offre est noté", change, [], now)


def change_taken_back(event: PlanChangeTakenBack, *, now: datetime) -> None:
    """Nothing changes: the present plan goes on."""
    change = _change(event.change_id)
    _queue("plan_change_taken_back", "Votre changement d’offre est annulé", change, [], now)


def change_done(event: PlanChanged, *, now: datetime) -> None:
    """The new plan runs; one that was paid for is told with its invoice."""
    change = _change(event.change_id)
    if change.gross_minor == 0:
        _queue("plan_changed", "Votre nouvelle offre est en place", change, [], now)


def change_invoice(event: InvoiceStored, *, now: datetime) -> None:
    """The upgrade is paid: the new plan runs, here is the invoice."""
    invoice = invoices.get(event.invoice_id)
    prefix, _, change_id = invoice.cause.partition(":")
    if prefix != rules.change_schedule("").rstrip(":"):
        return
    pdf = invoices.pdf_of(invoice)
    change = _change(uuid.UUID(change_id))
    documents = [pdf.id] if pdf else []
    _queue("plan_changed", "Votre nouvelle offre est en place", change, documents, now)


def _change(change_id: uuid.UUID) -> PlanChange:
    return db.session.get_one(PlanChange, change_id)


def _queue(
    kind: str, subject: str, change: PlanChange, documents: list[uuid.UUID], now: datetime
) -> None:
    subscription = change.subscription
    old = rules.contract_of(change.from_version.features)
    new = rules.contract_of(change.to_version.features)
    queue(
        kind,
        key=f"{kind}:{change.id}",
        recipient=subscription.order.email,
        user_id=subscription.user_id,
        order_id=subscription.order_id,
        subject=f"{subject} – {change.to_version.name}",
        context={
            "change": change,
            "subscription": subscription,
            "difference": rules.difference(old, new),
        },
        documents=documents,
        now=now,
    )
