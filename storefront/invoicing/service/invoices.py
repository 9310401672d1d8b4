"""Issuing invoices: numbered without gaps, frozen, sealed, stored once (V-01, INV-01, INV-02)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from flask import current_app, render_template
from sqlalchemy import select

from storefront.catalogue.rules import ProductKind
from storefront.documents import service as documents
from storefront.documents.rules import DocumentKind, filename_of
from storefront.infra import journal
from storefront.infra.db import db
from storefront.infra.numbering import next_number
from storefront.infra.outbox import publish
from storefront.infra.seller import seller
from storefront.infra.templating import (
    country_fr,
    date_fr,
    date_short_fr,
    money_fr,
    percent_fr,
)
from storefront.instalments import queries as instalments
from storefront.instalments.models import PRICE
from storefront.invoicing import queries, rules
from storefront.invoicing.events import InvoiceIssued, InvoiceStored
from storefront.invoicing.models import ORDER, CreditNote, Invoice, InvoiceLine, period_cause
from storefront.invoicing.queries import ScheduledPayment
from storefront.kernel.calendar import paris_date
from storefront.legal.queries import parameters_of
from storefront.orders.events import OrderConfirmed
from storefront.orders.models import Order, OrderLine
from storefront.orders.rules import BuyerKind


@dataclass(frozen=True)
class Reduction:
    """What is taken off a month, positive and in minor units; both days included.

    It is no credit note: the price of the month that is invoiced is reduced, as its invoice must
    say (CGI ann. II art. 242 nonies A, 11°).
    """

    name: str
    starts_on: date
    last_day: date
    net_minor: int
    vat_minor: int
    gross_minor: int


@dataclass(frozen=True)
class BilledPeriod:
    """A month of a subscription that was paid, or the rest of one on a dearer plan.

    Amounts in minor units; `ends_on` excluded. `cause` names what is invoiced once; empty: the
    month itself.
    """

    period_id: uuid.UUID
    order_line: OrderLine
    name: str
    starts_on: date
    ends_on: date
    net_minor: int
    vat_minor: int
    gross_minor: int
    paid_on: date
    instalment_id: uuid.UUID | None = None
    reductions: tuple[Reduction, ...] = ()
    cause: str = ""


@dataclass(frozen=True)
class _Item:
    """A line to be, and what its mentions depend on."""

    line: InvoiceLine
    kind: ProductKind | None


def issue_for_order(event: OrderConfirmed, *, now: datetime) -> None:
    """Invoice what an order sold, the day its first payment came; once, whoever asks again."""
    order = db.session.get_one(Order, event.order_id)
    if queries.for_cause(order.id) is not None:
        return
    parts = [
        ScheduledPayment(
            part.rank,
            part.due_on,
            part.amount_minor,
            paris_date(part.paid_at) if part.paid_at else None,
        )
        for part in instalments.of_order(order.id)
        if part.schedule == PRICE
    ]
    items = [_Item(_copied(line), line.kind) for line in order.lines]
    supplied_on = paris_date(order.confirmed_at or now)
    _issue(order, ORDER, items, parts, supplied_on, now=now)


def issue_for_period(period: BilledPeriod, *, now: datetime) -> Invoice:
    """Invoice a month of a subscription (B-01), or what a change of plan costs within one (B-07);
    the same again gives the same invoice.

    Each reduction is a line of its own, negative and at the rate of the month, after it. Nothing
    is left to pay of a month that they cover wholly.
    """
    line = period.order_line
    order = line.order
    cause = period.cause or period_cause(period.period_id)
    if (known := queries.for_cause(order.id, cause)) is not None:
        return known
    invoiced = InvoiceLine(
        position=1,
        name=period.name,
        supplied_from=period.starts_on,
        supplied_to=date.fromordinal(period.ends_on.toordinal() - 1),
        quantity=1,
        unit_net_minor=period.net_minor,
        vat_rate_bp=line.vat_rate_bp,
        exemption=line.vat_exemption,
        net_minor=period.net_minor,
        vat_minor=period.vat_minor,
        gross_minor=period.gross_minor,
    )
    reduced = [_reduced(one, line, at) for at, one in enumerate(period.reductions, start=2)]
    items = [_Item(one, line.kind) for one in (invoiced, *reduced)]
    total = sum(item.line.gross_minor for item in items)
    paid = [ScheduledPayment(1, period.starts_on, total, period.paid_on)] if total else []
    instalment_id = period.instalment_id
    return _issue(order, cause, items, paid, period.starts_on, instalment_id=instalment_id, now=now)


def _reduced(reduction: Reduction, line: OrderLine, position: int) -> InvoiceLine:
    return InvoiceLine(
        position=position,
        name=reduction.name[:250],
        supplied_from=reduction.starts_on,
        supplied_to=reduction.last_day,
        quantity=1,
        unit_net_minor=-reduction.net_minor,
        vat_rate_bp=line.vat_rate_bp,
        exemption=line.vat_exemption,
        net_minor=-reduction.net_minor,
        vat_minor=-reduction.vat_minor,
        gross_minor=-reduction.gross_minor,
    )


def store_pdf(event: InvoiceIssued, *, now: datetime) -> None:
    """Draw the invoice's PDF from its own row, once and for ever, and tell who sends it."""
    invoice = queries.get(event.invoice_id)
    if queries.pdf_of(invoice) is not None:
        return
    title = f"Facture {invoice.number}"
    documents.store(
        DocumentKind.INVOICE,
        invoice.id,
        filename_of(DocumentKind.INVOICE, invoice.number),
        "application/pdf",
        documents.render_pdf("invoice", page_of(invoice), title=title, now=invoice.issued_at),
        now=now,
    )
    publish(InvoiceStored(invoice.id), now=now)


def _copied(line: OrderLine) -> InvoiceLine:
    """An order line as the invoice states it: the unit price is before tax (INV-01)."""
    starts, ends = line.session_starts_at, line.session_ends_at
    return InvoiceLine(
        position=line.position,
        name=line.name,
        supplied_from=paris_date(starts) if starts else None,
        supplied_to=paris_date(ends or starts) if starts else None,
        quantity=line.quantity,
        unit_net_minor=rules.unit_net(line.net_minor, line.quantity),
        vat_rate_bp=line.vat_rate_bp,
        exemption=line.vat_exemption,
        net_minor=line.net_minor,
        vat_minor=line.vat_minor,
        gross_minor=line.gross_minor,
    )


def _issue(
    order: Order,
    cause: str,
    items: Sequence[_Item],
    schedule: Sequence[ScheduledPayment],
    supplied_on: date,
    *,
    instalment_id: uuid.UUID | None = None,
    now: datetime,
) -> Invoice:
    lines = [item.line for item in items]
    total = sum(line.gross_minor for line in lines)
    if total != sum(part.amount_minor for part in schedule):
        raise ValueError(f"{order.reference}: {total} is invoiced, another sum is scheduled")
    rules.check_tax_currency(order.currency, sum(line.vat_minor for line in lines))
    invoice = Invoice(
        id=uuid.uuid4(),
        order_id=order.id,
        user_id=order.user_id,
        cause=cause,
        instalment_id=instalment_id,
        issued_at=now,
        supplied_on=supplied_on,
        currency=order.currency,
        net_minor=sum(line.net_minor for line in lines),
        vat_minor=sum(line.vat_minor for line in lines),
        total_minor=total,
        seller=journal.canonical(seller_facts()),
        buyer=journal.canonical(_buyer(order)),
        mentions=journal.canonical(_mentions(order, items)),
        schedule=journal.canonical([asdict(part) for part in schedule]),
        lines=lines,
    )
    # Last: the series stays locked until the end of the transaction.
    number(invoice, rules.series_of(paris_date(now)), now)
    db.session.add(invoice)
    db.session.flush()
    facts = {
        "number": invoice.number,
        "order": order.id,
        "cause": cause,
        "net": invoice.net_minor,
        "vat": invoice.vat_minor,
        "total": total,
        "currency": order.currency,
    }
    journal.record("invoice.issued", invoice, facts, now=now)
    publish(InvoiceIssued(invoice.id), now=now)
    return invoice


def number(document: Invoice | CreditNote, series: str, now: datetime) -> None:
    """Draw the next number of a series for an invoice or a credit note.

    Numbers and dates rise together: two transactions around midnight cannot cross (INV-02).
    """
    kind = type(document)
    document.series = series
    document.sequence = next_number(series)
    document.number = rules.number_of(series, document.sequence)
    before = db.session.scalar(
        select(kind.issued_on).where(kind.series == series, kind.sequence == document.sequence - 1)
    )
    document.issued_on = max(paris_date(now), before or date.min)


def seller_facts() -> dict[str, Any]:
    """Who sells, as today's documents say it."""
    shop = seller()
    names = (
        "name legal_form capital_minor siren siret rcs vat_number email phone website address vat"
    ).split()
    return {name: shop.facts[name] for name in names if name in shop.facts}


def _buyer(order: Order) -> dict[str, str]:
    names = (
        "reference buyer_kind name company siren ice vat_number street street_2 postcode city"
        " country email payment_provider"
    ).split()
    return {name: str(getattr(order, name) or "") for name in names}


def _mentions(order: Order, items: Sequence[_Item]) -> dict[str, str]:
    wanted = rules.mentions(
        exemptions=[item.line.exemption for item in items],
        kinds=[item.kind for item in items],
        professional=order.buyer_kind is BuyerKind.PROFESSIONAL,
        on_debits=bool(seller().facts["vat"].get("on_debits")),
        simulation=current_app.config["SETTINGS"].env != "production",
    )
    terms = parameters_of(order.terms_version)
    return {
        mention: render_template(f"invoicing/mentions/{mention}.txt", terms=terms).strip()
        for mention in wanted
    }


def page_of(invoice: Invoice) -> dict[str, Any]:
    """What templates/documents/invoice.typ draws: texts only, all from the invoice's own row."""
    shop, buyer = queries.parties_of(invoice)

    def money(minor: int) -> str:
        return money_fr(minor, invoice.currency)

    return {
        "number": invoice.number,
        "issued_on": date_fr(invoice.issued_on),
        "supplied_on": date_fr(invoice.supplied_on),
        "shop": {**shop, "capital": money_fr(shop["capital_minor"])},
        "buyer": {**buyer, "country_name": country_fr(buyer["country"])},
        "lines": [
            {
                "name": line.name,
                "from": date_short_fr(line.supplied_from) if line.supplied_from else None,
                "to": date_short_fr(line.supplied_to) if line.supplied_to else None,
                "quantity": str(line.quantity),
                "unit": money(line.unit_net_minor),
                "rate": printed_rate(line.vat_rate_bp, line.exemption),
                "exemption": line.exemption,
                "net": money(line.net_minor),
                "gross": money(line.gross_minor),
            }
            for line in invoice.lines
        ],
        "rounded": any(
            line.unit_net_minor * line.quantity != line.net_minor for line in invoice.lines
        ),
        "taxes": [
            {
                "rate": printed_rate(part.vat_rate_bp, part.exemption),
                "exemption": part.exemption,
                "net": money(part.net_minor),
                "vat": money(part.vat_minor),
            }
            for part in queries.totals_of(invoice)
        ],
        "net": money(invoice.net_minor),
        "vat": money(invoice.vat_minor),
        "total": money(invoice.total_minor),
        "schedule": [
            {
                "due_on": date_fr(part.due_on),
                "amount": money(part.amount_minor),
                "paid_on": date_fr(part.paid_on) if part.paid_on else None,
            }
            for part in queries.schedule_of(invoice)
        ],
        "mentions": queries.mentions_of(invoice),
    }


def printed_rate(rate_bp: int, exemption: str) -> str | None:
    """The rate as it is printed; None for a line that an article exempts."""
    return None if exemption else percent_fr(rate_bp)
