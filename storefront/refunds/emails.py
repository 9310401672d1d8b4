"""What customers read when money went back, and staff when a payment is contested."""

from __future__ import annotations

import uuid
from datetime import datetime

from storefront.infra.db import db
from storefront.infra.seller import seller
from storefront.invoicing import queries as invoices
from storefront.invoicing.events import CreditNoteStored, NothingToCredit
from storefront.invoicing.models import CreditNote
from storefront.notifications import service as notifications
from storefront.orders.models import Order
from storefront.payments.events import DisputeLost, DisputeOpened, DisputeWon, RefundReturned
from storefront.payments.models import Dispute, DisputeStatus, Refund

DISPUTE_SUBJECTS = {
    DisputeStatus.OPEN: "Paiement contesté",
    DisputeStatus.WON: "Contestation gagnée",
    DisputeStatus.LOST: "Contestation perdue",
}


def tell_credit(event: CreditNoteStored, *, now: datetime) -> None:
    """Send a credit note as soon as it is drawn: with the refund that it is for, or alone."""
    note = invoices.credit_note(event.credit_note_id)
    kind, _, subject_id = note.cause.partition(":")
    if kind == "refund":
        _tell_refund(db.session.get_one(Refund, uuid.UUID(subject_id)), note, now)
        return
    order = db.session.get_one(Order, note.order_id)
    pdf = invoices.pdf_of_credit_note(note)
    notifications.queue(
        "credit_note",
        key=f"credit_note:{note.id}",
        recipient=order.email,
        user_id=order.user_id,
        order_id=order.id,
        subject=f"Avoir {note.number} sur votre facture {note.invoice.number}",
        context={"order": order, "note": note, "kind": kind},
        documents=[pdf.id] if pdf else [],
        now=now,
    )


def tell_refund(event: NothingToCredit, *, now: datetime) -> None:
    """Money went back that was never invoiced: its payer is told all the same."""
    _tell_refund(db.session.get_one(Refund, event.refund_id), None, now)


def _tell_refund(refund: Refund, note: CreditNote | None, now: datetime) -> None:
    order = db.session.get_one(Order, refund.order_id)
    pdf = invoices.pdf_of_credit_note(note) if note else None
    notifications.queue(
        "refund_done",
        key=f"refund_done:{refund.id}",
        recipient=order.email,
        user_id=order.user_id,
        order_id=order.id,
        subject=f"Remboursement effectué pour votre commande {order.reference}",
        context={"order": order, "refund": refund, "note": note},
        documents=[pdf.id] if pdf else [],
        now=now,
    )


def tell_returned(event: RefundReturned, *, now: datetime) -> None:
    """Its payer read that the money was on its way: they learn that it is not, and what follows."""
    refund = db.session.get_one(Refund, event.refund_id)
    order = db.session.get_one(Order, refund.order_id)
    notifications.queue(
        "refund_returned",
        key=f"refund_returned:{refund.id}",
        recipient=order.email,
        user_id=order.user_id,
        order_id=order.id,
        subject=f"Votre remboursement n’est pas arrivé : commande {order.reference}",
        context={"order": order, "refund": refund},
        documents=[],
        now=now,
    )


def tell_dispute(event: DisputeOpened | DisputeWon | DisputeLost, *, now: datetime) -> None:
    """Staff learn at once that a payment is contested, until when to answer, and how it ended."""
    dispute = db.session.get_one(Dispute, event.dispute_id)
    order = db.session.get_one(Order, dispute.order_id)
    notifications.queue(
        "dispute_to_staff",
        key=f"dispute_to_staff:{dispute.id}:{dispute.status}",
        recipient=seller().support_email,
        order_id=order.id,
        subject=f"{DISPUTE_SUBJECTS[dispute.status]} : commande {order.reference}",
        context={"order": order, "dispute": dispute},
        now=now,
    )
