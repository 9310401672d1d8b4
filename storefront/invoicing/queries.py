"""Finding invoices and what they show."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from hmac import compare_digest
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from storefront.documents import queries as documents
from storefront.documents.models import StoredDocument
from storefront.documents.rules import DocumentKind
from storefront.infra.db import db
from storefront.invoicing import rules
from storefront.invoicing.models import ORDER, Invoice
from storefront.kernel.errors import Refusal
from storefront.orders.models import Order


class InvoiceNotReady(Refusal):
    """The invoice is issued, its PDF is being made. Details: number."""

    status = 409


def of_user(user_id: uuid.UUID) -> Sequence[Invoice]:
    """A customer's invoices, the last one first."""
    return db.session.scalars(
        select(Invoice)
        .where(Invoice.user_id == user_id)
        .order_by(Invoice.issued_at.desc(), Invoice.number.desc())
    ).all()


def of_order(order_id: uuid.UUID) -> Sequence[Invoice]:
    """Every invoice of an order, its own first, then those of its months."""
    return db.session.scalars(
        select(Invoice).where(Invoice.order_id == order_id).order_by(Invoice.issued_at)
    ).all()


def for_cause(order_id: uuid.UUID, cause: str = ORDER) -> Invoice | None:
    """The invoice of this cause, once."""
    return db.session.scalar(
        select(Invoice).where(Invoice.order_id == order_id, Invoice.cause == cause)
    )


def by_number(number: str) -> Invoice | None:
    """The invoice called `F-2026-000012`."""
    return db.session.scalar(select(Invoice).where(Invoice.number == number))


def visible(number: str, *, user_id: uuid.UUID | None, token: str | None) -> Invoice | None:
    """The invoice, for the one it was issued to or who has its order's token; None for others."""
    invoice = by_number(number)
    if invoice is None or invoice.user_id == user_id:
        return invoice
    order = db.session.get_one(Order, invoice.order_id)
    return invoice if token and compare_digest(order.token.encode(), token.encode()) else None


def get(invoice_id: uuid.UUID) -> Invoice:
    """One invoice with its lines. Raises NoResultFound for an unknown id."""
    return db.session.get_one(Invoice, invoice_id, options=[selectinload(Invoice.lines)])


def pdf_of(invoice: Invoice) -> StoredDocument | None:
    """The stored PDF of an invoice; None for the moment that it takes to make it."""
    return documents.find(DocumentKind.INVOICE, invoice.id)


@dataclass(frozen=True)
class ScheduledPayment:
    """A part of the price as it stood on the day of issue."""

    rank: int
    due_on: date
    amount_minor: int
    paid_on: date | None


def schedule_of(invoice: Invoice) -> tuple[ScheduledPayment, ...]:
    """When the total is, or was, to be paid."""
    return tuple(
        ScheduledPayment(
            part["rank"],
            date.fromisoformat(part["due_on"]),
            part["amount_minor"],
            date.fromisoformat(part["paid_on"]) if part["paid_on"] else None,
        )
        for part in json.loads(invoice.schedule)
    )


def parties_of(invoice: Invoice) -> tuple[dict[str, Any], dict[str, Any]]:
    """The seller and the buyer as they were on the day of issue."""
    return json.loads(invoice.seller), json.loads(invoice.buyer)


def mentions_of(invoice: Invoice) -> dict[str, str]:
    """The sentences that the law wanted on this invoice, on its day, by `rules.Mention`."""
    sentences: dict[str, str] = json.loads(invoice.mentions)
    # JSON sorts by key; the page has an order of its own.
    return {mention: sentences[mention] for mention in rules.Mention if mention in sentences}


def totals_of(invoice: Invoice) -> tuple[rules.RateTotal, ...]:
    """Net and VAT per rate."""
    return rules.totals_by_rate(
        [
            (line.vat_rate_bp, line.exemption, line.net_minor, line.vat_minor)
            for line in invoice.lines
        ]
    )
