"""What can still go back of an order, what waits for staff, and a customer's account."""

from __future__ import annotations

import heapq
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from storefront.infra.db import db
from storefront.instalments.models import PRICE, Instalment, InstalmentStatus
from storefront.invoicing import queries as invoices
from storefront.kernel.calendar import paris_date, start_of_day
from storefront.kernel.money import Money
from storefront.orders.models import Order, OrderStatus
from storefront.payments import queries as payments
from storefront.payments.models import (
    Dispute,
    DisputeStatus,
    Payment,
    PaymentStatus,
    Refund,
    RefundStatus,
)
from storefront.payments.providers.offline import OFFLINE
from storefront.payments.queries import UNDECIDED

# What nobody has decided for this long is not on its way any more: somebody must look.
LONG_DOUBT = timedelta(days=1)
GOING = (
    RefundStatus.PROPOSED,
    RefundStatus.RESERVED,
    RefundStatus.PENDING,
    RefundStatus.SUCCEEDED,
)


@dataclass(frozen=True)
class Givable:
    """What can still go back of an order: in all, and of each line (minor units)."""

    total: Money
    lines: dict[uuid.UUID, int]


def holding(order_id: uuid.UUID, *, of_price: bool = False) -> list[Payment]:
    """Payments of which something can still go back, the last first; `of_price`: no months."""
    own = (Instalment.order_id == order_id, Instalment.schedule == PRICE)
    price = set(db.session.scalars(select(Instalment.id).where(*own))) if of_price else set()
    return [
        payment
        for payment in reversed(payments.of_order(order_id))
        if payment.status is PaymentStatus.SUCCEEDED
        and payment.refundable.minor > 0
        and (not of_price or payment.instalment_id in price)
    ]


def givable(order: Order) -> Givable:
    """What came for an order and is still here, and what of each line was not given back."""
    left = sum(payment.refundable.minor for payment in holding(order.id))
    given = given_by_line(order)
    return Givable(
        Money(left, order.currency),
        {
            line.id: min(left, max(line.gross_minor - given[line.id], 0))
            for line in order.lines
            if line.gross_minor > 0
        },
    )


def given_by_line(order: Order) -> dict[uuid.UUID, int]:
    """What of each line was credited, or is on its way back by a refund of that line."""
    credited = _credited_by_position(order)
    given = {line.id: credited.get(line.position, 0) for line in order.lines}
    for refund in payments.refunds_of_order(order.id):
        if takes_of_lines(refund):
            for part in refund.parts:
                given[uuid.UUID(part["line"])] += int(part["minor"])
    return given


def takes_of_lines(refund: Refund) -> bool:
    """Whether it will credit lines that are not credited yet; what goes a second time is."""
    coming = refund.status in GOING and refund.status is not RefundStatus.SUCCEEDED
    return coming and not payments.repeats_returned(refund)


def _credited_by_position(order: Order) -> dict[int, int]:
    invoice = invoices.for_cause(order.id)
    if invoice is None:
        return {}
    credited = invoices.credited_by_line(invoice.id)
    positions = {line.id: line.position for line in invoices.get(invoice.id).lines}
    return {positions[line_id]: gross for line_id, (gross, _) in credited.items()}


# The money queue


class Matter(StrEnum):
    """Why money waits for staff; worded in templates/staff/money/matters.html."""

    DISPUTE = "dispute"
    REFUSED = "refused"
    RETURNED = "returned"
    PROPOSED = "proposed"
    TO_GIVE = "to_give"
    UNDERPAID = "underpaid"
    MISMATCHED = "mismatched"
    UNCERTAIN = "uncertain"
    FAILED = "failed"


@dataclass(frozen=True, order=True)
class MoneyItem:
    """One thing to look at; ordered by since when it waits. `deadline` is a day or an instant."""

    since: datetime
    key: str
    matter: Matter = field(compare=False)
    order: Order = field(compare=False)
    amount: Money = field(compare=False)
    provider: str = field(compare=False)
    code: str = field(compare=False, default="")
    deadline: Any = field(compare=False, default=None)


@dataclass(frozen=True)
class Source:
    """Where the items of one kind are read: rows with their order, since when, and their words."""

    rows: Callable[[datetime], Select[Any, Any]]
    row: type[Any]
    since: InstrumentedAttribute[Any]
    item: Callable[[Any, Order], MoneyItem]

    def past(self, since: datetime, key: str) -> ColumnElement[bool]:
        """After this mark: the same instant goes on by id."""
        at: Any = since
        if self.since is Instalment.due_on:
            at = paris_date(since)
            if start_of_day(at) != since:
                return and_(self.since > at)
        return or_(self.since > at, and_(self.since == at, self.row.id > uuid.UUID(key)))


def money_queue(
    now: datetime, *, matter: Matter | None = None, after: str = "", limit: int = 50
) -> list[MoneyItem]:
    """What waits for staff, the oldest first, page by page: `after` is the last item's `mark`."""
    past = _mark_read(after)
    wanted = [one for one in Matter if matter is None or one is matter]
    found = [_items(one, now, past, limit) for one in wanted]
    return list(islice(heapq.merge(*found), limit))


def mark(item: MoneyItem) -> str:
    """After which item a page goes on."""
    return f"{item.since.isoformat()}_{item.key}"


def _mark_read(after: str) -> tuple[datetime, str] | None:
    text, _, key = after.rpartition("_")
    try:
        since, known = datetime.fromisoformat(text), uuid.UUID(key)
    except ValueError:
        return None
    return (since, str(known)) if since.tzinfo else None


def _items(
    matter: Matter, now: datetime, past: tuple[datetime, str] | None, limit: int
) -> list[MoneyItem]:
    """The items of one kind, oldest first, past the mark."""
    source = SOURCES[matter]
    statement = source.rows(now)
    if past is not None:
        statement = statement.where(source.past(*past))
    rows = db.session.execute(statement.order_by(source.since, source.row.id).limit(limit))
    return [source.item(row, order) for row, order in rows]


def _refunds(*conditions: ColumnElement[bool]) -> Select[Any, Any]:
    return select(Refund, Order).join(Order, Order.id == Refund.order_id).where(*conditions)


def _given_up() -> Select[Any, Any]:
    """Refused, the money still here, and nothing else tried since."""
    later = aliased(Refund)
    return (
        _refunds(Refund.status == RefundStatus.REFUSED)
        .join(Payment, Payment.id == Refund.payment_id)
        .where(
            Payment.taken_minor > Payment.refunded_minor + Payment.taken_back_minor,
            ~select(later.id)
            .where(
                later.payment_id == Refund.payment_id,
                later.asked_at >= Refund.updated_at,
                later.id != Refund.id,
                later.status.in_(GOING),
            )
            .exists(),
        )
    )


def _proposed(*, returned: bool) -> Select[Any, Any]:
    """What staff decide on: money to give back again once a bank returned it, and other money."""
    before = aliased(Refund)
    again = (
        select(before.id)
        .where(before.id == Refund.request_id, before.status == RefundStatus.RETURNED)
        .exists()
    )
    return _refunds(Refund.status == RefundStatus.PROPOSED, again if returned else ~again)


def _waiting_refunds(now: datetime) -> Select[Any, Any]:
    """Transfers to make; and what a provider has not answered for a day."""
    return _refunds(
        Refund.status.in_((RefundStatus.RESERVED, RefundStatus.PENDING)),
        or_(Refund.provider == "offline", Refund.asked_at <= now - LONG_DOUBT),
    )


def _disputes() -> Select[Any, Any]:
    return (
        select(Dispute, Order)
        .join(Order, Order.id == Dispute.order_id)
        .where(Dispute.status == DisputeStatus.OPEN)
    )


def _payments(*conditions: ColumnElement[bool]) -> Select[Any, Any]:
    return select(Payment, Order).join(Order, Order.id == Payment.order_id).where(*conditions)


def _unpaid() -> Select[Any, Any]:
    return (
        select(Instalment, Order)
        .join(Order, Order.id == Instalment.order_id)
        .where(
            Order.status == OrderStatus.CONFIRMED,
            Instalment.status.in_((InstalmentStatus.UNPAID, InstalmentStatus.FAILED)),
        )
    )


def _of_refund(matter: Matter) -> Callable[[Refund, Order], MoneyItem]:
    return lambda refund, order: MoneyItem(
        refund.asked_at,
        str(refund.id),
        matter,
        order,
        refund.amount,
        refund.provider,
        refund.refusal_code or refund.reason.value,
        refund.due_on,
    )


def _of_payment(matter: Matter) -> Callable[[Payment, Order], MoneyItem]:
    return lambda payment, order: MoneyItem(
        payment.created_at,
        str(payment.id),
        matter,
        order,
        payment.refundable if payment.mismatch else payment.amount,
        payment.provider,
        payment.mismatch or payment.status.value,
    )


def _of_part(payment: Payment, order: Order) -> MoneyItem:
    return MoneyItem(
        payment.created_at,
        str(payment.id),
        Matter.UNDERPAID,
        order,
        payment.missing,
        payment.provider,
        payment.page_reference or "",
        order.kept_on,
    )


def _of_instalment(part: Instalment, order: Order) -> MoneyItem:
    return MoneyItem(
        start_of_day(part.due_on),
        str(part.id),
        Matter.FAILED,
        order,
        Money(part.amount_minor, part.currency),
        order.payment_provider,
        part.status.value,
        part.next_attempt_on if part.status is InstalmentStatus.FAILED else None,
    )


def _of_dispute(dispute: Dispute, order: Order) -> MoneyItem:
    return MoneyItem(
        dispute.opened_at,
        str(dispute.id),
        Matter.DISPUTE,
        order,
        Money(dispute.amount_minor, dispute.currency),
        dispute.provider,
        dispute.reason,
        dispute.evidence_due_at,
    )


SOURCES: dict[Matter, Source] = {
    Matter.DISPUTE: Source(lambda now: _disputes(), Dispute, Dispute.opened_at, _of_dispute),
    Matter.REFUSED: Source(
        lambda now: _given_up(), Refund, Refund.asked_at, _of_refund(Matter.REFUSED)
    ),
    Matter.RETURNED: Source(
        lambda now: _proposed(returned=True), Refund, Refund.asked_at, _of_refund(Matter.RETURNED)
    ),
    Matter.PROPOSED: Source(
        lambda now: _proposed(returned=False),
        Refund,
        Refund.asked_at,
        _of_refund(Matter.PROPOSED),
    ),
    Matter.TO_GIVE: Source(_waiting_refunds, Refund, Refund.asked_at, _of_refund(Matter.TO_GIVE)),
    Matter.UNDERPAID: Source(
        lambda now: _payments(Payment.status == PaymentStatus.OPEN, Payment.taken_minor > 0),
        Payment,
        Payment.created_at,
        _of_part,
    ),
    Matter.MISMATCHED: Source(
        lambda now: _payments(
            Payment.mismatch.is_not(None),
            or_(
                Payment.taken_minor > Payment.refunded_minor + Payment.taken_back_minor,
                Payment.taken_minor == 0,
            ),
        ),
        Payment,
        Payment.created_at,
        _of_payment(Matter.MISMATCHED),
    ),
    Matter.UNCERTAIN: Source(
        lambda now: _payments(
            Payment.status.in_(UNDECIDED),
            Payment.created_at <= now - LONG_DOUBT,
            Payment.provider.not_in(OFFLINE),
        ),
        Payment,
        Payment.created_at,
        _of_payment(Matter.UNCERTAIN),
    ),
    Matter.FAILED: Source(lambda now: _unpaid(), Instalment, Instalment.due_on, _of_instalment),
}


# The account of a customer


@dataclass(frozen=True)
class LedgerEntry:
    """One movement: `owed_minor` is positive when the customer owes more, negative when less.

    `kind` ("invoice", "credit_note", "payment", "refund", "refund_returned", "taken_back") is
    worded in templates.
    """

    at: datetime
    kind: str
    label: str
    order_reference: str
    owed_minor: int
    currency: str
    detail: str = ""
    balance_minor: int = 0


def ledger(user_id: uuid.UUID) -> list[LedgerEntry]:
    """Every invoice, payment, refund and credit note of a customer in order of time.

    The balance after each is what the customer owes (negative: what the shop owes them). What was
    never invoiced and came all the same shows as owed by the shop until it went back.
    """
    references = dict(
        db.session.execute(select(Order.id, Order.reference).where(Order.user_id == user_id)).all()
    )
    entries = sorted(
        (*_documents(user_id, references), *_money(user_id, references)),
        key=lambda entry: (entry.at, entry.kind != "invoice", entry.label),
    )
    balances: dict[str, int] = {}
    return list(accumulate_balances(entries, balances))


def accumulate_balances(
    entries: Sequence[LedgerEntry], balances: dict[str, int]
) -> Iterator[LedgerEntry]:
    """The same entries, each with the balance of its currency after it."""
    for entry in entries:
        balances[entry.currency] = balances.get(entry.currency, 0) + entry.owed_minor
        yield LedgerEntry(**{**vars(entry), "balance_minor": balances[entry.currency]})


def _documents(user_id: uuid.UUID, references: dict[uuid.UUID, str]) -> Iterator[LedgerEntry]:
    for invoice in invoices.of_user(user_id):
        yield LedgerEntry(
            invoice.issued_at,
            "invoice",
            invoice.number,
            references[invoice.order_id],
            invoice.total_minor,
            invoice.currency,
        )
    for note in invoices.credit_notes_of_user(user_id):
        yield LedgerEntry(
            note.issued_at,
            "credit_note",
            note.number,
            references[note.order_id],
            -note.total_minor,
            note.currency,
            note.invoice.number,
        )


def _money(user_id: uuid.UUID, references: dict[uuid.UUID, str]) -> Iterator[LedgerEntry]:
    taken = select(Payment).where(Payment.user_id == user_id, Payment.taken_minor > 0)
    for payment in db.session.scalars(taken):
        yield LedgerEntry(
            payment.settled_at or payment.updated_at,
            "payment",
            payment.charge_reference or payment.page_reference or "",
            references[payment.order_id],
            -payment.taken_minor,
            payment.taken_currency or payment.currency,
            payment.provider,
        )
    for refund in payments.refunds_of_user(user_id):
        went = LedgerEntry(
            refund.settled_at or refund.updated_at,
            "refund",
            refund.provider_reference or "",
            references[refund.order_id],
            refund.amount_minor,
            refund.currency,
            refund.provider,
        )
        if refund.status in (RefundStatus.SUCCEEDED, RefundStatus.RETURNED):
            yield went
        if refund.status is RefundStatus.RETURNED:
            back = -refund.amount_minor
            yield replace(went, at=refund.updated_at, kind="refund_returned", owed_minor=back)
    lost = select(Dispute).where(Dispute.user_id == user_id, Dispute.taken_back_minor > 0)
    for dispute in db.session.scalars(lost):
        yield LedgerEntry(
            dispute.closed_at or dispute.opened_at,
            "taken_back",
            dispute.reference,
            references[dispute.order_id],
            dispute.taken_back_minor,
            dispute.currency,
            dispute.provider,
        )
