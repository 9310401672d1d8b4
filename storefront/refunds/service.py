"""What goes back and what that does to the order: refunds, refusals, disputes (M-10, R-07)."""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime

from storefront.fulfilment import service as fulfilment
from storefront.infra import journal
from storefront.infra.db import db
from storefront.instalments import service as instalments
from storefront.instalments.events import MoneyNotDue
from storefront.invoicing import service as invoicing
from storefront.kernel.calendar import paris_date
from storefront.kernel.money import Money
from storefront.orders import service as orders
from storefront.orders.models import Order, OrderStatus
from storefront.payments import queries as payment_queries
from storefront.payments import service as payments
from storefront.payments.events import (
    DisputeLost,
    DisputeOpened,
    DisputeWon,
    MoreArrived,
    RefundReturned,
)
from storefront.payments.models import (
    Dispute,
    DisputeStatus,
    PaymentStatus,
    Refund,
    RefundReason,
    RefundStatus,
)
from storefront.payments.service import Cause, RefundTooHigh
from storefront.refunds import rules
from storefront.refunds.queries import holding
from storefront.subscriptions.events import OutageCreditLeft, PeriodUnused
from storefront.subscriptions.models import OutageCredit

REFUSED = "refused"
DISPUTE_LOST = "dispute_lost"


@dataclass(frozen=True)
class Decision:
    """What staff decided to give back, in minor units.

    `parts` are amounts of chosen order lines; none: the whole amount, pro rata. `request_id` is
    one per form, so that a second click changes nothing. `by_hand`: by a transfer of our own,
    once the way the money came is closed and the customer agreed (L221-24). `of_price`: from what
    paid the price, never from the months of what goes on.
    """

    amount_minor: int
    reason: RefundReason
    request_id: uuid.UUID
    due_on: date | None
    words: str = ""
    parts: tuple[tuple[uuid.UUID, int], ...] = field(default=())
    by_hand: bool = False
    of_price: bool = False


def refund_order(
    order_id: uuid.UUID, decision: Decision, *, asked_by: uuid.UUID | None, now: datetime
) -> list[Refund]:
    """Write down what goes back of an order: one refund a payment, the last payment first.

    Sent again, the same decision finds what it made. Raises `RefundTooHigh`.
    """
    order = orders.locked(order_id)
    known = refunds_of_request(order.id, decision.request_id)
    if known:
        return known
    held = holding(order.id, of_price=decision.of_price)
    left = sum(payment.refundable.minor for payment in held)
    if not 0 < decision.amount_minor <= left:
        raise RefundTooHigh(
            asked=decision.amount_minor, left=Money(left, order.currency), order=order.reference
        )
    taken = rules.spread(
        decision.amount_minor, [(payment.id, payment.refundable.minor) for payment in held]
    )
    shares = rules.portions(decision.parts, [minor for _, minor in taken])
    return [
        payments.reserve_refund(
            payment_id,
            minor,
            Cause(
                reason=decision.reason,
                request_id=decision.request_id,
                due_on=decision.due_on,
                words=decision.words,
                asked_by=asked_by,
                parts=share,
            ),
            by_hand=decision.by_hand,
            now=now,
        )
        for (payment_id, minor), share in zip(taken, shares, strict=True)
    ]


def refunds_of_request(order_id: uuid.UUID, request_id: uuid.UUID) -> list[Refund]:
    """What a decision made, when it was sent before."""
    return [
        refund
        for refund in payment_queries.refunds_of_order(order_id)
        if refund.request_id == request_id
    ]


def by_transfer(refused: Refund, *, asked_by: uuid.UUID | None, now: datetime) -> Refund | None:
    """What a provider refused goes back by a transfer of ours, once (L221-24: the customer agreed).

    A proposal is agreed to so. None for a refund that is neither. Raises `RefundTooHigh`.
    """
    if refused.status is RefundStatus.PROPOSED:
        payments.approve(refused, asked_by=asked_by, by_hand=True, now=now)
        return refused
    if refused.status is not RefundStatus.REFUSED:
        return None
    return payments.reserve_refund(
        refused.payment_id,
        refused.amount_minor,
        _again(refused, asked_by, refused.due_on),
        by_hand=True,
        now=now,
    )


def _again(refund: Refund, asked_by: uuid.UUID | None, due_on: date | None) -> Cause:
    """The same decision, once more: its request is the refund that did not arrive."""
    return Cause(
        reason=refund.reason,
        request_id=refund.id,
        due_on=due_on,
        words=refund.words,
        asked_by=asked_by,
        parts=tuple((uuid.UUID(part["line"]), int(part["minor"])) for part in refund.parts),
    )


def propose_again(event: RefundReturned, *, now: datetime) -> None:
    """What a bank sent back is still owed: staff choose the way, once; its credit note stays.

    Nothing is proposed of what was given back otherwise meanwhile.
    """
    refund = db.session.get_one(Refund, event.refund_id)
    again = _again(refund, None, rules.due_on(paris_date(now)))
    with suppress(RefundTooHigh):
        payments.reserve_refund(
            refund.payment_id, refund.amount_minor, again, proposed=True, now=now
        )


def refuse_order(
    order_id: uuid.UUID, reason: str, *, asked_by: uuid.UUID | None, now: datetime
) -> list[Refund]:
    """The seller refuses an order, paid or not: everything is given back (R-07).

    Its payments are refunded whole, what is left of its plan is cancelled, seats, stock and
    accesses are taken back, and its customer reads `reason`. Refusing again changes nothing.
    Raises `WrongMove` for an order that had ended otherwise.
    """
    order = orders.locked(order_id)
    if order.status is not OrderStatus.REFUSED:
        _end(order, REFUSED, now)
        orders.refuse(order, reason, now=now)
    cause = Cause(
        reason=RefundReason.ORDER_REFUSED,
        request_id=order.id,
        due_on=rules.due_on(paris_date(now)),
        words=reason[:500],
        asked_by=asked_by,
    )
    return [
        payments.reserve_refund(payment.id, payment.refundable.minor, cause, now=now)
        for payment in holding(order.id)
    ]


def _end(order: Order, cause: str, now: datetime) -> None:
    if order.status is OrderStatus.CONFIRMED:
        fulfilment.revoke(order.id, cause, now=now)
    instalments.cancel_rest(order.id, now=now)


def propose(event: MoneyNotDue, *, now: datetime) -> None:
    """Money came that nothing was owed for: its refund is proposed to staff, once (scenario 9)."""
    payment = payments.locked(event.payment_id)
    if payment_queries.refund_of_request(payment.id, payment.id) or not payment.refundable.minor:
        return
    cause = Cause(
        reason=RefundReason.NOT_DUE,
        request_id=payment.id,
        due_on=rules.due_on(paris_date(payment.settled_at or now)),
    )
    payments.reserve_refund(payment.id, payment.refundable.minor, cause, proposed=True, now=now)


def propose_extra(event: MoreArrived, *, now: datetime) -> None:
    """More came than was asked, or a part of what will not be supplied: its refund is proposed,
    once, as far as it was not given back meanwhile (M-09)."""
    payment = payments.locked(event.payment_id)
    amount = min(event.amount_minor, payment.refundable.minor)
    known = payment_queries.refund_of_request(event.cause_id, payment.id)
    if known or not amount or payment.status is not PaymentStatus.SUCCEEDED:
        return
    cause = Cause(
        reason=RefundReason.NOT_DUE,
        request_id=event.cause_id,
        due_on=rules.due_on(paris_date(now)),
    )
    payments.reserve_refund(payment.id, amount, cause, proposed=True, now=now)


def propose_unused(event: PeriodUnused, *, now: datetime) -> None:
    """Part of what was paid for a period was never supplied: proposed to staff, once (B-05, B-08).

    Never more than is left of the payment.
    """
    payment = payments.locked(event.payment_id)
    amount = min(event.amount_minor, payment.refundable.minor)
    if payment_queries.refund_of_request(event.request_id, payment.id) or not amount:
        return
    line = event.order_line_id
    cause = Cause(
        reason=RefundReason.NOT_SUPPLIED,
        request_id=event.request_id,
        due_on=event.due_on or rules.due_on(paris_date(now)),
        parts=((line, amount),) if line else (),
    )
    payments.reserve_refund(payment.id, amount, cause, proposed=True, now=now)


def propose_credit(event: OutageCreditLeft, *, now: datetime) -> None:
    """What a credit for an outage could take off no debit is proposed to staff for refund, once.

    From the payment of the period it is for first, whose invoice is then corrected (B-06).
    """
    credit = db.session.get_one(OutageCredit, event.credit_id)
    subscription = credit.subscription
    orders.locked(subscription.order_id)
    held = sorted(
        holding(subscription.order_id),
        key=lambda payment: payment.instalment_id != credit.period.instalment_id,
    )
    left = [(payment.id, payment.refundable.minor) for payment in held]
    amount = min(credit.left_minor, sum(minor for _, minor in left))
    for payment_id, minor in rules.spread(amount, left):
        cause = Cause(
            reason=RefundReason.NOT_SUPPLIED,
            request_id=credit.id,
            due_on=rules.due_on(paris_date(now)),
            words=credit.incident.title,
            parts=((subscription.order_line_id, minor),),
        )
        payments.reserve_refund(payment_id, minor, cause, proposed=True, now=now)


# Disputes


def cause_of(dispute: Dispute) -> str:
    """The code under which a dispute stops what was sold."""
    return f"dispute:{dispute.id}"


def freeze(event: DisputeOpened, *, now: datetime) -> None:
    """A payment is contested: what it bought stops until the dispute is over (M-10)."""
    dispute = db.session.get_one(Dispute, event.dispute_id)
    if dispute.status is DisputeStatus.OPEN:
        fulfilment.suspend(dispute.order_id, cause_of(dispute), now=now)


def thaw(event: DisputeWon, *, now: datetime) -> None:
    """The money stays: exactly what this dispute had stopped comes back."""
    dispute = db.session.get_one(Dispute, event.dispute_id)
    fulfilment.resume(dispute.order_id, cause_of(dispute), now=now)
    instalments.announce_again(dispute.order_id, now=now)


def end(event: DisputeLost, *, now: datetime) -> None:
    """The payer has the money again: the contract ends, and its invoice is corrected.

    No other part is debited. What else was paid is proposed to staff, who know what was supplied.
    """
    dispute = db.session.get_one(Dispute, event.dispute_id)
    order = orders.locked(dispute.order_id)
    if order.status in (OrderStatus.CONFIRMED, OrderStatus.AWAITING_PAYMENT):
        _end(order, cause_of(dispute), now)
        orders.cancel(order, DISPUTE_LOST, now=now)
    invoicing.credit_dispute(dispute, now=now)
    if rules.rest_is_decided(line.kind for line in order.lines):
        cause = Cause(reason=RefundReason.DISPUTE_LOST, request_id=dispute.id, due_on=None)
        for payment in holding(order.id):
            minor = payment.refundable.minor
            payments.reserve_refund(payment.id, minor, cause, proposed=True, now=now)
    journal.record("order.dispute_lost", order, {"dispute": dispute.id}, now=now)
