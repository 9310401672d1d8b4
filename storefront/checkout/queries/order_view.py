"""What became of an order: its money, its documents, what it opened, its dates (X-03)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from storefront.credits.models import HourLot
from storefront.documents.models import StoredDocument
from storefront.documents.rules import DocumentKind
from storefront.fulfilment.models import Access, Shipment
from storefront.infra.db import db
from storefront.instalments.models import Instalment, InstalmentStatus
from storefront.invoicing.models import CreditNote, Invoice
from storefront.invoicing.queries import credit_notes_of_order
from storefront.legal.models import Acceptance
from storefront.legal.queries import acceptances_of, accepted_documents
from storefront.orders.models import Order, OrderStatus
from storefront.payments.models import Payment, Refund
from storefront.payments.queries import of_order as payments_of_order
from storefront.timeline import queries as timelines
from storefront.timeline.queries import Timeline


@dataclass(frozen=True)
class OrderView:
    """An order with its money, its documents, what it opened and its dates."""

    order: Order
    instalments: Sequence[Instalment]
    attempt: Payment | None
    received: bool
    documents: Sequence[StoredDocument]
    accepted: Sequence[Acceptance]
    accesses: Sequence[Access]
    shipments: Sequence[Shipment]
    lots: Sequence[HourLot]
    timeline: Timeline
    refunds: Sequence[Refund]
    credit_notes: Sequence[CreditNote]

    @property
    def waiting(self) -> bool:
        """Whether it still waits for its first payment, of which nothing has arrived."""
        return self.order.status is OrderStatus.AWAITING_PAYMENT and not self.received

    @property
    def titles(self) -> dict[uuid.UUID, str]:
        """What the accepted texts are called, by document."""
        versions = [acceptance.version for acceptance in self.accepted]
        return {one.pdf_id: f"{one.title}, version {one.number}" for one in versions}

    @property
    def paid_minor(self) -> int:
        """What was received of the price."""
        paid = [part for part in self.instalments if part.status is InstalmentStatus.PAID]
        return sum(part.amount_minor for part in paid)


def order_view(order: Order, now: datetime) -> OrderView:
    """Everything that the page of one order shows."""
    timeline = timelines.of_order(order.id, now)
    (rows,) = timeline.contracts
    attempts = payments_of_order(order.id)
    return OrderView(
        order=order,
        instalments=rows.parts,
        attempt=attempts[-1] if attempts else None,
        received=any(attempt.arrived for attempt in attempts),
        documents=documents_of(order.id),
        accepted=acceptances_of(order.id),
        accesses=rows.accesses,
        shipments=rows.shipments,
        lots=rows.lots,
        timeline=timeline,
        refunds=[one for one in rows.refunds if one.is_told],
        credit_notes=credit_notes_of_order(order.id),
    )


def documents_of(order_id: uuid.UUID) -> Sequence[StoredDocument]:
    """The order's invoices, then the terms that it accepted."""
    invoices = select(Invoice.id).where(Invoice.order_id == order_id)
    found = db.session.scalars(
        select(StoredDocument)
        .where(
            (
                (StoredDocument.kind == DocumentKind.INVOICE)
                & StoredDocument.subject_id.in_(invoices)
            )
            | StoredDocument.id.in_(accepted_documents(order_id))
        )
        .order_by(StoredDocument.kind, StoredDocument.created_at)
    )
    return found.all()
