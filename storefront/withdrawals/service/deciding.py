"""The decision on a withdrawal, in one act: what goes back, and what ends with it (W-08).

Decided under the order's lock on figures that are computed again, and refused when they are not
those that the page showed. Money leaves by the room of refunds, whose rows outlive any crash.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import IntegrityError

from storefront.catalogue.rules import is_subscription
from storefront.fulfilment import service as fulfilment
from storefront.identity.models import User
from storefront.infra import journal
from storefront.infra.db import db
from storefront.infra.outbox import publish
from storefront.instalments import service as instalments
from storefront.invoicing import service as invoicing
from storefront.kernel.errors import Refusal
from storefront.orders import service as orders
from storefront.orders.models import WITHDRAWN, Order, OrderLine, OrderStatus
from storefront.payments import queries as payment_queries
from storefront.payments import service as payments
from storefront.payments.models import Refund, RefundReason
from storefront.refunds import service as refunds
from storefront.refunds.service import Decision
from storefront.subscriptions.rules import schedule_name
from storefront.tickets import service as tickets
from storefront.withdrawals import queries
from storefront.withdrawals.events import WithdrawalDecided
from storefront.withdrawals.models import DecidedLine, WithdrawalDecision, WithdrawalRequest
from storefront.withdrawals.queries import Proposal, Row


class LineDecided(Refusal):
    """Somebody decided on one of these lines before. Details: reference, names."""

    status = 409


class AmountsMoved(Refusal):
    """What is due, or what is left to give back, is not what the page showed any more. Details:
    reference."""

    status = 409


class DebitUnderWay(Refusal):
    """A part of the price is being debited, or a page for it is open: its answer comes first.

    Details: reference, until (when the page closes; None for a debit).
    """

    status = 409


class NothingChosen(Refusal):
    """No line and no reason for deciding on none. Details: reference."""


@dataclass(frozen=True)
class Choice:
    """A line that staff decide on: what the page showed as due of it, what they give back."""

    order_line_id: uuid.UUID
    shown_minor: int
    due_minor: int
    reason: str = ""


@dataclass(frozen=True)
class Act:
    """One press of the button: `id` is one per form, so that a second click changes nothing.

    `words` say why nothing is decided on any line.
    """

    id: uuid.UUID
    choices: tuple[Choice, ...]
    words: str = ""


def decide(
    request_id: uuid.UUID, act: Act, *, staff_id: uuid.UUID, now: datetime
) -> tuple[WithdrawalDecision, list[Refund]]:
    """Decide on lines of a matched withdrawal: refund, and end what they sold.

    Sent again, the same act finds what it made. Returns the refunds to be asked of the providers.
    Raises `LineDecided`, `AmountsMoved`, `DebitUnderWay`, `NothingChosen`, `RefundTooHigh`, and
    LookupError for a declaration without an order.
    """
    request = db.session.get_one(WithdrawalRequest, request_id)
    match = queries.withdrawal_match(request.id)
    if match is None:
        raise LookupError(f"{request.reference} is about no order yet")
    order = orders.locked(match.order_id)
    known = db.session.get(WithdrawalDecision, act.id)
    if known is not None:
        _check_same(known, request, act)
        return known, refunds.refunds_of_request(order.id, known.id)
    fulfilment.lines_of(order.id)
    seen = queries.proposal(request, order)
    chosen = _chosen(request, act, seen)
    decision = _write(request, act, chosen, seen, staff_id, now)
    ended = [row.line for row, choice in chosen if _ends(row, choice)]
    if ended:
        _end(order, ended, decision, db.session.get_one(User, staff_id), now)
    goes_on = decision.final and order.status is OrderStatus.CONFIRMED
    if goes_on and not queries.others_open(order.id, request.id):
        resume_debits(order, now=now)
    made = _refund(order, decision, chosen, now)
    publish(WithdrawalDecided(decision.id), now=now)
    return decision, made


def _check_same(known: WithdrawalDecision, request: WithdrawalRequest, act: Act) -> None:
    """Raise `LineDecided` when the form that was sent before said something else."""
    if known.request_id != request.id or not known.is_about(
        choice.order_line_id for choice in act.choices
    ):
        names = [line.order_line.name for line in known.lines]
        raise LineDecided(reference=request.reference, names=names)


def resume_debits(order: Order, *, now: datetime) -> None:
    """The contract goes on: what was stopped is taken again, and announced before (M-03)."""
    orders.resume_debits(order, now=now)
    instalments.announce_again(order.id, now=now)


def _chosen(request: WithdrawalRequest, act: Act, seen: Proposal) -> list[tuple[Row, Choice]]:
    """The rows that were chosen, as the page showed them, or a refusal."""
    if not act.choices and not act.words:
        raise NothingChosen(reference=request.reference)
    rows = {row.line.id: row for row in seen.rows}
    still = {row.line.id for row in seen.open_rows}
    chosen = [(rows[choice.order_line_id], choice) for choice in act.choices]
    gone = [row.line.name for row, _ in chosen if row.line.id not in still]
    if gone:
        raise LineDecided(reference=request.reference, names=gone)
    if any(
        row.result.due_minor != choice.shown_minor or choice.due_minor > row.left_minor
        for row, choice in chosen
    ):
        raise AmountsMoved(reference=request.reference)
    return chosen


def _ends(row: Row, choice: Choice) -> bool:
    """Whether the contract of a line ends: by its right, or since staff give money back for it."""
    return row.result.ends_contract or choice.due_minor > 0


def _write(
    request: WithdrawalRequest,
    act: Act,
    chosen: Sequence[tuple[Row, Choice]],
    seen: Proposal,
    staff_id: uuid.UUID,
    now: datetime,
) -> WithdrawalDecision:
    now_decided = {row.line.id for row, _ in chosen}
    # What was declared waits for its answer, goods or not; "sans suite" closes what is left of it.
    pending = [row for row in seen.open_rows if row.declared and row.line.id not in now_decided]
    decision = WithdrawalDecision(
        id=act.id,
        request_id=request.id,
        order_id=seen.order.id,
        staff_id=staff_id,
        decided_at=now,
        refund_by=max((row.refund_by for row, _ in chosen), default=seen.rows[0].refund_by),
        currency=seen.order.currency,
        due_minor=sum(choice.due_minor for _, choice in chosen),
        final=not pending or not chosen,
        words=act.words,
        lines=[
            DecidedLine(
                id=uuid.uuid4(),
                request_id=request.id,
                order_line_id=row.line.id,
                position=row.line.position,
                basis=row.result.basis,
                facts=row.facts,
                paid_minor=row.left_minor,
                computed_minor=row.result.due_minor,
                due_minor=choice.due_minor,
                reason=choice.reason,
                ends_contract=_ends(row, choice),
            )
            for row, choice in chosen
        ],
    )
    session = db.session()
    try:
        with session.begin_nested():
            session.add(decision)
    except IntegrityError as error:
        names = [row.line.name for row, _ in chosen]
        raise LineDecided(reference=request.reference, names=names) from error
    facts = {
        "withdrawal": request.id,
        "order": seen.order.id,
        "staff": staff_id,
        "due": decision.due_minor,
        "currency": decision.currency,
        "lines": [
            {
                "line": line.order_line_id,
                "basis": line.basis,
                "computed": line.computed_minor,
                "due": line.due_minor,
                "ends": line.ends_contract,
            }
            for line in decision.lines
        ],
    }
    journal.record("withdrawal.decided", decision, facts, now=now)
    return decision


def _refund(
    order: Order,
    decision: WithdrawalDecision,
    chosen: Sequence[tuple[Row, Choice]],
    now: datetime,
) -> list[Refund]:
    """Give it back the way it was paid. The months of a subscription are the last payments: what
    is due of it comes first, so that their own invoices are corrected."""
    if not decision.due_minor:
        return []
    parts = sorted(
        ((row.line, choice.due_minor) for row, choice in chosen if choice.due_minor),
        key=lambda part: (not is_subscription(part[0].kind), part[0].position),
    )
    return refunds.refund_order(
        order.id,
        Decision(
            amount_minor=decision.due_minor,
            reason=RefundReason.WITHDRAWAL,
            request_id=decision.id,
            due_on=decision.refund_by,
            parts=tuple((line.id, minor) for line, minor in parts),
            # What goes back of an article is never taken from the months of what goes on.
            of_price=not any(is_subscription(line.kind) for line, _ in parts),
        ),
        asked_by=decision.staff_id,
        now=now,
    )


def _end(
    order: Order,
    ended: Sequence[OrderLine],
    decision: WithdrawalDecision,
    staff: User,
    now: datetime,
) -> None:
    """Everything that these lines set going stops (W-08, WDR-13)."""
    until = payment_queries.page_open_until(order.id, now)
    if until is not None or instalments.under_way(order.id):
        raise DebitUnderWay(reference=order.reference, until=until)
    line_ids = [line.id for line in ended]
    tickets.end_withdrawn(line_ids, staff, now=now)
    fulfilment.revoke(order.id, f"withdrawal:{decision.id}", only=line_ids, now=now)
    for line in ended:
        if is_subscription(line.kind):
            instalments.cancel_schedule(order.id, schedule_name(line.id), now=now)
    over = queries.ended_lines(order.id) | set(line_ids)
    if all(line.id in over for line in order.lines if line.kind is not None):
        instalments.cancel_rest(order.id, now=now)
        orders.cancel(order, WITHDRAWN, now=now)
        return
    unpaid = sum(_unpaid(decision, line_ids).values())
    if unpaid:
        payments.stop_waiting(order.id, now=now)
        instalments.reduce_rest(order.id, unpaid, now=now)


def _unpaid(
    decision: WithdrawalDecision, line_ids: Collection[uuid.UUID]
) -> Mapping[uuid.UUID, int]:
    """What was still to come of the price of each line that ends, in minor units."""
    return {
        line.order_line_id: max(line.facts["price"] - line.facts["of_price"], 0)
        for line in decision.lines
        if line.order_line_id in line_ids
    }


def credit_unpaid(event: WithdrawalDecided, *, now: datetime) -> None:
    """The invoice asked for parts that will not be paid, of lines that end: they are credited.

    Of an order that ended whole, its end credits them.
    """
    decision = db.session.get_one(WithdrawalDecision, event.decision_id)
    ended = [line.order_line_id for line in decision.lines if line.ends_contract]
    unpaid = {line: minor for line, minor in _unpaid(decision, ended).items() if minor}
    if unpaid and decision.order.status is OrderStatus.CONFIRMED:
        invoicing.credit_lines(decision.order_id, f"withdrawal:{decision.id}", unpaid, now=now)
