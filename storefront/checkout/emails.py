"""What buyers are told of their orders: the confirmation with everything attached, the end."""

from __future__ import annotations

from datetime import datetime

from storefront.identity import queries as people
from storefront.identity import service as identity
from storefront.identity.models import MarketingChoice
from storefront.infra.db import db
from storefront.instalments import queries as instalments
from storefront.instalments.models import PRICE, InstalmentStatus
from storefront.invoicing import queries as invoices
from storefront.invoicing.events import InvoiceStored
from storefront.invoicing.models import ORDER
from storefront.kernel.money import Money
from storefront.legal.queries import acceptances_of, accepted_documents, parameters_of
from storefront.notifications import service as notifications
from storefront.orders.events import OrderCancelled
from storefront.orders.models import WITHDRAWN, Order, OrderStatus
from storefront.orders.rules import BuyerKind
from storefront.payments import queries as payments
from storefront.payments.models import PaymentStatus


def confirm_order(event: InvoiceStored, *, now: datetime) -> None:
    """Confirm an order as soon as its invoice is drawn (O-04, PRE-05).

    The contract on a durable medium: summary, what was paid and what is to come, every consent
    word for word, the withdrawal form; the invoice and the accepted terms are attached as PDF.
    """
    invoice = invoices.get(event.invoice_id)
    if invoice.cause != ORDER:
        return
    order = db.session.get_one(Order, invoice.order_id)
    accepted = acceptances_of(order.id)
    parts = [part for part in instalments.of_order(order.id) if part.schedule == PRICE]
    paid = sum(part.amount_minor for part in parts if part.status is InstalmentStatus.PAID)
    pdf = invoices.pdf_of(invoice)
    notifications.queue(
        "order_confirmation",
        key=f"order_confirmation:{order.id}",
        recipient=order.email,
        user_id=order.user_id,
        order_id=order.id,
        subject=f"Votre commande {order.reference} est confirmée",
        context={
            "order": order,
            "invoice": invoice,
            "paid": Money(paid, order.currency),
            "to_come": [part for part in parts if part.status is not InstalmentStatus.PAID],
            "accepted": accepted,
            "marketing": _said_with(order),
            "stop_marketing": identity.stop_address(order.user_id),
            "consents": {acceptance.kind.value for acceptance in accepted},
            "terms": parameters_of(order.terms_version),
            "consumer": order.buyer_kind is BuyerKind.CONSUMER,
        },
        documents=[*([pdf.id] if pdf else []), *accepted_documents(order.id)],
        now=now,
    )


def _said_with(order: Order) -> MarketingChoice | None:
    """The yes to offers by e-mail that came with this order."""
    choice = people.marketing_choice(order.user_id)
    return choice if choice and choice.wanted and choice.chosen_at == order.placed_at else None


def order_cancelled(event: OrderCancelled, *, now: datetime) -> None:
    """Say that an order ended, why, and what happens to money that arrived (C-03).

    Who withdrew from all of it is told by the decision, line by line.
    """
    order = db.session.get_one(Order, event.order_id)
    if order.end_reason == WITHDRAWN:
        return
    received = any(
        attempt.status is PaymentStatus.SUCCEEDED and not attempt.is_set_up
        for attempt in payments.of_order(order.id)
    )
    ended = "refusée" if order.status is OrderStatus.REFUSED else "annulée"
    notifications.queue(
        "order_cancelled",
        key=f"order_cancelled:{order.id}",
        recipient=order.email,
        user_id=order.user_id,
        order_id=order.id,
        subject=f"Votre commande {order.reference} est {ended}",
        context={"order": order, "received": received},
        now=now,
    )
