"""What became of an order: its money, its documents, what it opened, its dates (X-03)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from storefront.credits.models import HourLot
from storefront.documents.models import StoredDocument
from storefront.documents.rules import DocumentKind
from storefront.fulfilment.models import Access, Shipment
from storefront.fulfilment.queries import of_order as accesses_of_order
from storefront.fulfilment.queries import shipments_of
from storefront.infra.db import db
from storefront.instalments.models import Instalment, InstalmentStatus
from storefront.instalments.queries import of_order as instalments_of_order
from storefront.invoicing.models import CreditNote, Invoice
from storefront.invoicing.queries import credit_notes_of_order
from storefront.kernel.calendar import add_months, end_of_day, paris_date
from storefront.kernel.money import Money
from storefront.legal.models import Acceptance
from storefront.legal.queries import acceptances_of, accepted_documents
from storefront.orders.models import Order, OrderLine, OrderStatus
from storefront.payments.models import Payment, Refund
from storefront.payments.queries import of_order as payments_of_order
from storefront.payments.queries import refunds_of_order


@dataclass(frozen=True)
class Moment:
    """One date of a contract's clock (X-03); `what` is worded in templates."""

    at: date | datetime
    what: str
    state: str  # past, next, future
    name: str = ""
    amount: Money | None = None


# When, what, of what, how much.
_Dated = tuple[date | datetime, str, str, Money | None]


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
    clock: Sequence[Moment]
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
    # What nobody owes is no part of an order before it was paid.
    known = instalments_of_order(order.id)
    parts = [one for one in known if not one.voluntary or one.status is InstalmentStatus.PAID]
    attempts = payments_of_order(order.id)
    accepted = acceptances_of(order.id)
    lots = db.session.scalars(
        select(HourLot).where(HourLot.order_id == order.id).order_by(HourLot.granted_at)
    ).all()
    accesses, shipments = accesses_of_order(order.id), shipments_of(order.id)
    return OrderView(
        order=order,
        instalments=parts,
        attempt=attempts[-1] if attempts else None,
        received=any(attempt.arrived for attempt in attempts),
        documents=documents_of(order.id),
        accepted=accepted,
        accesses=accesses,
        shipments=shipments,
        lots=lots,
        clock=_clock(order, parts, accesses, lots, now),
        refunds=[one for one in refunds_of_order(order.id) if one.is_told],
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


def _clock(
    order: Order,
    parts: Sequence[Instalment],
    accesses: Sequence[Access],
    lots: Sequence[HourLot],
    now: datetime,
) -> list[Moment]:
    """Every date of the contract, soonest first, the first to come marked as next."""
    dates: list[_Dated] = [(order.placed_at, "placed", "", None)]
    if order.confirmed_at is not None:
        dates.append((order.confirmed_at, "confirmed", "", None))
    if order.ended_at is not None:
        dates.append((order.ended_at, "ended", order.end_reason or "", None))
    if order.status is OrderStatus.AWAITING_PAYMENT and order.held_until is not None:
        last_day = order.kept_on if order.by_hand else None
        dates.append((last_day or order.held_until, "held_until", "", None))
    if order.status is OrderStatus.CONFIRMED:
        dates += [
            (
                part.owed_on,
                "to_pay" if order.by_hand else "debit",
                part.label,
                Money(part.amount_minor, part.currency),
            )
            for part in parts
            if part.status is not InstalmentStatus.PAID
            and part.status is not InstalmentStatus.CANCELLED
        ]
        dates += [
            (part.paid_at, "paid", part.label, Money(part.amount_minor, part.currency))
            for part in parts
            if part.paid_at is not None and part.paid_at != order.confirmed_at
        ]
        dates += [
            (access.opens_at, "opens", access.title, None)
            for access in accesses
            if access.opens_at is not None
        ]
        dates += [(lot.expires_on, "expires", lot.name, None) for lot in lots]
        for line in order.lines:
            dates += _dates_of_line(line, order)
        dates += _withdrawals(order.lines)
    return _marked(sorted(dates, key=lambda entry: _instant(entry[0])), now)


def _dates_of_line(line: OrderLine, order: Order) -> list[_Dated]:
    dates: list[_Dated] = []
    if line.session_starts_at is not None:
        dates.append((line.session_starts_at, "session", line.name, None))
    months = line.features.get("commitment_months")
    if months and order.confirmed_at is not None:
        end = add_months(paris_date(order.confirmed_at), months)
        dates.append((end, "commitment", line.name, None))
    return dates


def _withdrawals(
    lines: Sequence[OrderLine],
) -> list[_Dated]:
    """The ends of withdrawal periods, one for all the lines that share it."""
    names: dict[date, list[str]] = {}
    for line in lines:
        if line.withdrawal_until is not None:
            names.setdefault(line.withdrawal_until, []).append(line.name)
    return [(day, "withdrawal", ", ".join(some), None) for day, some in names.items()]


def _instant(at: date | datetime) -> datetime:
    """When a date is over, or the instant itself."""
    return at if isinstance(at, datetime) else end_of_day(at)


def _marked(dates: Sequence[_Dated], now: datetime) -> list[Moment]:
    moments, next_found = [], False
    for at, what, name, amount in dates:
        if _instant(at) <= now:
            state = "past"
        else:
            state = "future" if next_found else "next"
            next_found = True
        moments.append(Moment(at, what, state, name, amount))
    return moments
