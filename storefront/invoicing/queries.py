"""Finding invoices and credit notes, and what they show."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from hmac import compare_digest
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from storefront.documents import queries as documents
from storefront.documents.models import StoredDocument
from storefront.documents.rules import DocumentKind
from storefront.infra.db import db
from storefront.instalments.models import PRICE, Instalment
from storefront.invoicing import rules
from storefront.invoicing.models import (
    ORDER,
    CreditNote,
    CreditNoteLine,
    Invoice,
    period_cause,
)
from storefront.kernel.errors import Refusal
from storefront.orders.models import Order
from storefront.payments import queries as payments
from storefront.payments.models import Payment


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


def of_periods(
    order_id: uuid.UUID, period_ids: Sequence[uuid.UUID]
) -> tuple[Invoice | None, dict[uuid.UUID, Invoice]]:
    """The invoice of an order itself, and those of these periods of its subscriptions, by id."""
    causes = {period_cause(period_id): period_id for period_id in period_ids}
    own, by_period = None, dict[uuid.UUID, Invoice]()
    wanted = Invoice.cause.in_([ORDER, *causes])
    for invoice in db.session.scalars(select(Invoice).where(Invoice.order_id == order_id, wanted)):
        if invoice.is_of_order:
            own = invoice
        else:
            by_period[causes[invoice.cause]] = invoice
    return own, by_period


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


def parties_of(invoice: Invoice | CreditNote) -> tuple[dict[str, Any], dict[str, Any]]:
    """The seller and the buyer as they were on the day of issue."""
    return json.loads(invoice.seller), json.loads(invoice.buyer)


def mentions_of(invoice: Invoice | CreditNote) -> dict[str, str]:
    """The sentences that the law wanted on this invoice, on its day, by `rules.Mention`."""
    sentences: dict[str, str] = json.loads(invoice.mentions)
    # JSON sorts by key; the page has an order of its own.
    return {mention: sentences[mention] for mention in rules.Mention if mention in sentences}


def totals_of(invoice: Invoice | CreditNote) -> tuple[rules.RateTotal, ...]:
    """Net and VAT per rate."""
    return rules.totals_by_rate(
        [
            (line.vat_rate_bp, line.exemption, line.net_minor, line.vat_minor)
            for line in invoice.lines
        ]
    )


def invoice_of(payment: Payment) -> Invoice | None:
    """The invoice that this payment paid; None for money that no invoice asked for.

    That is a second payment of the same instalment, another amount than was asked, or a payment
    of an order that had ended.
    """
    if not payments.settles_its_instalment(payment):
        return None
    part = db.session.get_one(Instalment, payment.instalment_id)
    if part.schedule == PRICE:
        return for_cause(part.order_id)
    return db.session.scalar(select(Invoice).where(Invoice.instalment_id == part.id))


def credit_note(credit_note_id: uuid.UUID) -> CreditNote:
    """One credit note with its lines. Raises NoResultFound for an unknown id."""
    return db.session.get_one(CreditNote, credit_note_id, options=[selectinload(CreditNote.lines)])


def credit_note_for(invoice_id: uuid.UUID, cause: str) -> CreditNote | None:
    """The credit note of this cause, once."""
    return db.session.scalar(
        select(CreditNote).where(CreditNote.invoice_id == invoice_id, CreditNote.cause == cause)
    )


def credit_notes_of_user(user_id: uuid.UUID) -> Sequence[CreditNote]:
    """A customer's credit notes, the last one first."""
    return db.session.scalars(
        select(CreditNote)
        .where(CreditNote.user_id == user_id)
        .options(selectinload(CreditNote.invoice))
        .order_by(CreditNote.issued_at.desc(), CreditNote.number.desc())
    ).all()


def credit_notes_of_order(order_id: uuid.UUID) -> Sequence[CreditNote]:
    """Every credit note about an order, the first first."""
    return db.session.scalars(
        select(CreditNote)
        .where(CreditNote.order_id == order_id)
        .options(selectinload(CreditNote.invoice))
        .order_by(CreditNote.issued_at, CreditNote.number)
    ).all()


def visible_credit_note(
    number: str, *, user_id: uuid.UUID | None, token: str | None
) -> CreditNote | None:
    """The credit note, for who can see its invoice; None for others."""
    note = credit_note_by_number(number)
    if note is None or note.user_id == user_id:
        return note
    order = db.session.get_one(Order, note.order_id)
    return note if token and compare_digest(order.token.encode(), token.encode()) else None


def credit_note_by_number(number: str) -> CreditNote | None:
    """The credit note called `A-2026-000003`."""
    return db.session.scalar(select(CreditNote).where(CreditNote.number == number))


def pdf_of_credit_note(note: CreditNote) -> StoredDocument | None:
    """The stored PDF of a credit note; None for the moment that it takes to make it."""
    return documents.find(DocumentKind.CREDIT_NOTE, note.id)


def credited_by_line(invoice_id: uuid.UUID) -> dict[uuid.UUID, tuple[int, int]]:
    """What was credited of each line of an invoice: (gross, VAT) in minor units."""
    rows = db.session.execute(
        select(
            CreditNoteLine.invoice_line_id,
            func.sum(CreditNoteLine.gross_minor),
            func.sum(CreditNoteLine.vat_minor),
        )
        .join(CreditNote, CreditNote.id == CreditNoteLine.credit_note_id)
        .where(CreditNote.invoice_id == invoice_id)
        .group_by(CreditNoteLine.invoice_line_id)
    )
    return {line_id: (int(gross), int(vat)) for line_id, gross, vat in rows}


def never_asked(invoice_id: uuid.UUID) -> int:
    """What was credited since lines were withdrawn from before it was paid, in minor units."""
    total = db.session.scalar(
        select(func.sum(CreditNote.total_minor)).where(
            CreditNote.invoice_id == invoice_id, CreditNote.cause.startswith("withdrawal:")
        )
    )
    return int(total or 0)


def credited(invoice: Invoice) -> int:
    """What was credited of an invoice in all, in minor units."""
    return sum(gross for gross, _ in credited_by_line(invoice.id).values())
