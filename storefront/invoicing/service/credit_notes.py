"""Credit notes: what an invoice asked for and is not due any more (M-10, V-01, INV-02)."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import current_app
from sqlalchemy import select

from storefront.documents import service as documents
from storefront.documents.rules import DocumentKind, filename_of
from storefront.infra import journal
from storefront.infra.db import db
from storefront.infra.outbox import publish
from storefront.infra.templating import country_fr, date_fr, money_fr
from storefront.invoicing import queries, rules
from storefront.invoicing.events import CreditNoteIssued, CreditNoteStored, NothingToCredit
from storefront.invoicing.models import CreditNote, CreditNoteLine, Invoice
from storefront.invoicing.service.invoices import number, printed_rate, seller_facts
from storefront.kernel.calendar import paris_date
from storefront.orders.events import OrderCancelled
from storefront.orders.models import Order
from storefront.payments import queries as payments
from storefront.payments.events import RefundSucceeded
from storefront.payments.models import Dispute, Payment, Refund

REST = "rest"


class InvoiceAwaited(Exception):
    """The order is confirmed and its invoice is being made: this is done again in a moment."""


def credit_refund(event: RefundSucceeded, *, now: datetime) -> None:
    """Credit what went back of invoiced money, once a refund; or say that nothing is to credit.

    The chosen lines are credited, or all of them pro rata. What a bank had sent back and goes a
    second time is credited already: its credit note stays. What came above what was asked was never
    invoiced.
    """
    refund = db.session.get_one(Refund, event.refund_id)
    if payments.repeats_returned(refund) or payments.is_of_an_arrival(refund):
        publish(NothingToCredit(refund.id), now=now)
        return
    wanted = {uuid.UUID(part["line"]): int(part["minor"]) for part in refund.parts}
    note = _credit_payment(
        refund.payment, f"refund:{refund.id}", refund.amount_minor, wanted, now=now
    )
    if note is None:
        publish(NothingToCredit(refund.id), now=now)


def credit_dispute(dispute: Dispute, *, now: datetime) -> CreditNote | None:
    """Credit what a lost dispute took back of invoiced money."""
    cause = f"dispute:{dispute.id}"
    return _credit_payment(dispute.payment, cause, dispute.taken_back_minor, {}, now=now)


def credit_rest(event: OrderCancelled, *, now: datetime) -> None:
    """Credit what an order that ran and ended will not be paid any more, once."""
    order = db.session.get_one(Order, event.order_id)
    if order.confirmed_at is None:
        return
    invoice = queries.for_cause(order.id)
    if invoice is None:
        raise InvoiceAwaited(order.reference)
    paid = sum(
        min(payment.taken_minor, payment.amount_minor)
        for payment in payments.of_order(order.id)
        if payments.settles_its_instalment(payment) and queries.invoice_of(payment) == invoice
    )
    rest = invoice.total_minor - paid - queries.never_asked(invoice.id)
    _issue(invoice, REST, rest, {}, now=now)


def credit_lines(
    order_id: uuid.UUID, cause: str, amounts: dict[uuid.UUID, int], *, now: datetime
) -> CreditNote | None:
    """Credit what will not be paid of lines of an order that goes on (minor units), once a cause.

    Raises `InvoiceAwaited`.
    """
    invoice = queries.for_cause(order_id)
    if invoice is None:
        raise InvoiceAwaited(str(order_id))
    return _issue(invoice, cause, sum(amounts.values()), amounts, now=now)


def _credit_payment(
    payment: Payment,
    cause: str,
    amount_minor: int,
    wanted: dict[uuid.UUID, int],
    *,
    now: datetime,
) -> CreditNote | None:
    invoice = queries.invoice_of(payment)
    if invoice is None:
        order = db.session.get_one(Order, payment.order_id)
        if order.confirmed_at is not None and payments.settles_its_instalment(payment):
            raise InvoiceAwaited(order.reference)
        return None
    return _issue(invoice, cause, amount_minor, wanted, now=now)


def _issue(
    invoice: Invoice, cause: str, amount_minor: int, wanted: dict[uuid.UUID, int], *, now: datetime
) -> CreditNote | None:
    """The credit note of one cause, never above what the invoice has left; None for nothing."""
    # One at a time for an invoice, so that two never credit the same.
    db.session.execute(select(Order.id).where(Order.id == invoice.order_id).with_for_update())
    known = queries.credit_note_for(invoice.id, cause)
    if known is not None:
        return known
    lines = _lines(queries.get(invoice.id), amount_minor, wanted)
    total = sum(line.gross_minor for line in lines)
    if total <= 0:
        return None
    note = CreditNote(
        id=uuid.uuid4(),
        invoice_id=invoice.id,
        order_id=invoice.order_id,
        user_id=invoice.user_id,
        cause=cause,
        issued_at=now,
        currency=invoice.currency,
        net_minor=sum(line.net_minor for line in lines),
        vat_minor=sum(line.vat_minor for line in lines),
        total_minor=total,
        seller=journal.canonical(seller_facts()),
        buyer=invoice.buyer,
        mentions=journal.canonical(_mentions(invoice)),
        lines=lines,
    )
    number(note, rules.series_of(paris_date(now), rules.CREDIT_SERIES), now)
    db.session.add(note)
    db.session.flush()
    facts = {
        "number": note.number,
        "invoice": invoice.number,
        "order": invoice.order_id,
        "cause": cause,
        "net": note.net_minor,
        "vat": note.vat_minor,
        "total": total,
        "currency": note.currency,
    }
    journal.record("credit_note.issued", note, facts, now=now)
    publish(CreditNoteIssued(note.id), now=now)
    return note


def _lines(
    invoice: Invoice, amount_minor: int, wanted: dict[uuid.UUID, int]
) -> list[CreditNoteLine]:
    """Order lines and the lines of the order's invoice stand at the same positions."""
    before = queries.credited_by_line(invoice.id)
    order = db.session.get_one(Order, invoice.order_id)
    at_position = {line.position: wanted.get(line.id, 0) for line in order.lines}
    own = invoice.is_of_order
    parts = rules.credit(
        rules.folded(
            [
                rules.InvoicedLine(line.gross_minor, line.vat_minor, *before.get(line.id, (0, 0)))
                for line in invoice.lines
            ]
        ),
        amount_minor,
        [at_position.get(line.position, 0) if own else 0 for line in invoice.lines],
    )
    credited = [(line, *part) for line, part in zip(invoice.lines, parts, strict=True) if part[0]]
    return [
        CreditNoteLine(
            invoice_line_id=line.id,
            position=position,
            name=line.name,
            vat_rate_bp=line.vat_rate_bp,
            exemption=line.exemption,
            net_minor=gross - vat,
            vat_minor=vat,
            gross_minor=gross,
        )
        for position, (line, gross, vat) in enumerate(credited, start=1)
    ]


def _mentions(invoice: Invoice) -> dict[str, str]:
    """The invoice's own sentences: what was exempt that day is credited as exempt (INV-05)."""
    sentences: dict[str, str] = json.loads(invoice.mentions)
    return {key: text for key, text in sentences.items() if key not in rules.NOT_CREDITED}


def store_credit_note_pdf(event: CreditNoteIssued, *, now: datetime) -> None:
    """Draw the credit note's PDF from its own row, once and for ever, and tell who sends it."""
    note = queries.credit_note(event.credit_note_id)
    if queries.pdf_of_credit_note(note) is not None:
        return
    title = f"Avoir {note.number}"
    documents.store(
        DocumentKind.CREDIT_NOTE,
        note.id,
        filename_of(DocumentKind.CREDIT_NOTE, note.number),
        "application/pdf",
        documents.render_pdf("credit_note", _page_of(note), title=title, now=note.issued_at),
        now=now,
    )
    publish(CreditNoteStored(note.id), now=now)


def _page_of(note: CreditNote) -> dict[str, Any]:
    """What templates/documents/credit_note.typ draws: texts only, all from rows that stay."""
    shop, buyer = queries.parties_of(note)
    kind = note.cause.partition(":")[0]

    def money(minor: int) -> str:
        return money_fr(minor, note.currency)

    return {
        "number": note.number,
        "issued_on": date_fr(note.issued_on),
        "invoice": {
            "number": note.invoice.number,
            "issued_on": date_fr(note.invoice.issued_on),
            "total": money(note.invoice.total_minor),
        },
        "kind": kind,
        "shop": {**shop, "capital": money_fr(shop["capital_minor"])},
        "buyer": {**buyer, "country_name": country_fr(buyer["country"])},
        "lines": [
            {
                "name": line.name,
                "rate": printed_rate(line.vat_rate_bp, line.exemption),
                "exemption": line.exemption,
                "net": money(line.net_minor),
                "vat": money(line.vat_minor),
                "gross": money(line.gross_minor),
            }
            for line in note.lines
        ],
        "taxes": _taxes(queries.totals_of(note), note.currency),
        "net": money(note.net_minor),
        "vat": money(note.vat_minor),
        "total": money(note.total_minor),
        "mentions": queries.mentions_of(note),
        "simulation": current_app.config["SETTINGS"].env != "production",
    }


def _taxes(totals: Sequence[rules.RateTotal], currency: str) -> list[dict[str, Any]]:
    return [
        {
            "rate": printed_rate(part.vat_rate_bp, part.exemption),
            "exemption": part.exemption,
            "net": money_fr(part.net_minor, currency),
            "vat": money_fr(part.vat_minor, currency),
        }
        for part in totals
    ]
