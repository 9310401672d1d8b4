"""Money back, the way it came: reserved before anybody is asked, recorded once (M-10)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from storefront.infra import journal
from storefront.infra.db import db
from storefront.infra.outbox import publish
from storefront.kernel.calendar import paris_date
from storefront.kernel.errors import Refusal, WrongMove
from storefront.payments import queries, rules
from storefront.payments.events import RefundRefused, RefundReturned, RefundSucceeded
from storefront.payments.models import (
    REFUND_LIFECYCLE,
    Payment,
    PaymentStatus,
    Refund,
    RefundReason,
    RefundStatus,
)
from storefront.payments.providers.base import RefundOutcome
from storefront.payments.providers.base import RefundStatus as Told
from storefront.payments.providers.offline import TRANSFER
from storefront.payments.service.attempts import locked
from storefront.payments.service.disputes import take_back

BY_HAND = TRANSFER
# Nothing more is asked of the provider; what succeeded can still be sent back by a bank.
OVER = REFUND_LIFECYCLE.final | {RefundStatus.SUCCEEDED}


class RefundTooHigh(Refusal):
    """More than came and is still there. Details: asked, left (Money), order (its reference)."""

    status = 409


@dataclass(frozen=True)
class Cause:
    """Why money goes back: the reason, what staff noted, who asked, until when the law waits.

    `parts` are the order lines that it gives back: (line, amount in minor units); none: all of
    them, pro rata. `request_id` is one per decision: the same one again changes nothing.
    """

    reason: RefundReason
    request_id: uuid.UUID
    due_on: date | None
    words: str = ""
    asked_by: uuid.UUID | None = None
    parts: tuple[tuple[uuid.UUID, int], ...] = field(default=())


def reserve_refund(
    payment_id: uuid.UUID,
    amount_minor: int,
    cause: Cause,
    *,
    proposed: bool = False,
    by_hand: bool = False,
    now: datetime,
) -> Refund:
    """Write down money that goes back before anybody is asked for it.

    It goes the way it came, or `by_hand` once that way is closed, as does all that staff recorded;
    `proposed` waits for staff.
    The same request again returns its refund. Raises `RefundTooHigh`: the counter of the payment
    moves by one conditional UPDATE, so that two people at once never give back more than came.
    """
    known = queries.refund_of_request(cause.request_id, payment_id)
    if known is not None:
        return known
    payment = _claim(payment_id, amount_minor)
    provider = BY_HAND if by_hand or payment.by_hand else payment.provider
    status = RefundStatus.PROPOSED if proposed else RefundStatus.RESERVED
    refund = _row(payment, amount_minor, cause, provider, status, now)
    refund.check_at = None if proposed or provider == BY_HAND else rules.next_check(now, 0)
    db.session.add(refund)
    db.session.flush()
    _record(refund, now)
    return refund


def _row(
    payment: Payment,
    amount_minor: int,
    cause: Cause,
    provider: str,
    status: RefundStatus,
    now: datetime,
) -> Refund:
    return Refund(
        id=uuid.uuid4(),
        request_id=cause.request_id,
        payment_id=payment.id,
        order_id=payment.order_id,
        user_id=payment.user_id,
        provider=provider,
        currency=payment.taken_currency or payment.currency,
        amount_minor=amount_minor,
        status=status,
        reason=cause.reason,
        words=cause.words,
        parts=[{"line": str(line), "minor": minor} for line, minor in cause.parts],
        asked_by=cause.asked_by,
        asked_at=now,
        due_on=cause.due_on,
        updated_at=now,
    )


def _claim(payment_id: uuid.UUID, amount_minor: int) -> Payment:
    """Take it from what is left of the payment, in one statement. Raises `RefundTooHigh`."""
    claimed = db.session.execute(
        update(Payment)
        .where(
            Payment.id == payment_id,
            Payment.status == PaymentStatus.SUCCEEDED,
            Payment.taken_minor - Payment.refunded_minor - Payment.taken_back_minor >= amount_minor,
        )
        .values(refunded_minor=Payment.refunded_minor + amount_minor)
        .returning(Payment.id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    payment = db.session.get_one(Payment, payment_id, populate_existing=True)
    if claimed is None:
        raise RefundTooHigh(
            asked=amount_minor, left=payment.refundable, order=payment.order_reference
        )
    return payment


def _release(refund: Refund) -> None:
    db.session.execute(
        update(Payment)
        .where(Payment.id == refund.payment_id)
        .values(refunded_minor=Payment.refunded_minor - refund.amount_minor)
        .execution_options(synchronize_session=False)
    )
    payment = locked(refund.payment_id)
    # What a lost dispute could not take while this was reserved, it has taken.
    take_back(payment, queries.lost_disputes(payment.id))


def locked_refund(refund_id: uuid.UUID) -> Refund:
    """The refund as it is now, locked until the end of the transaction."""
    return db.session.get_one(Refund, refund_id, with_for_update=True, populate_existing=True)


def approve(
    refund: Refund, *, asked_by: uuid.UUID | None, by_hand: bool = False, now: datetime
) -> None:
    """Staff agree to a proposal: it is asked of the provider from now on, or made `by_hand`.

    Once more: nothing.
    """
    if refund.status is not RefundStatus.PROPOSED:
        return
    _move(refund, RefundStatus.RESERVED, now)
    if by_hand:
        refund.provider = BY_HAND
    refund.asked_by = asked_by
    refund.check_at = None if refund.provider == BY_HAND else rules.next_check(now, 0)
    _record(refund, now)


def dismiss(refund: Refund, *, now: datetime) -> None:
    """Staff keep the money: nothing goes back. Raises `WrongMove` once it was agreed to."""
    if refund.status is RefundStatus.DISMISSED:
        return
    _move(refund, RefundStatus.DISMISSED, now)
    _release(refund)
    _record(refund, now)


def record_transfer(
    refund: Refund, reference: str, *, sent_on: date | None = None, now: datetime
) -> None:
    """Staff sent the money themselves, on a day (today unless said): it is done. Twice: once.

    Raises `WrongMove` for a refund that the provider makes.
    """
    if refund.status is RefundStatus.SUCCEEDED:
        return
    if refund.provider != BY_HAND:
        raise WrongMove(
            lifecycle="refund",
            current=refund.status.value,
            wanted=RefundStatus.SUCCEEDED.value,
        )
    refund.provider_reference = reference or None
    refund.sent_on = sent_on or paris_date(now)
    _succeed(refund, now)


def record_refund(refund: Refund, told: RefundOutcome, *, now: datetime) -> None:
    """Write down what the provider says of a refund, once, whoever tells it first.

    An end is never undone by a later word, but one: a bank can send back what it had been given.
    """
    if told.reference and refund.provider_reference is None:
        refund.provider_reference = told.reference
    if refund.status is RefundStatus.SUCCEEDED and told.status is Told.REFUSED:
        _come_back(refund, told, now)
        return
    if refund.status in OVER:
        refund.check_at = None
        return
    if told.status is Told.SUCCEEDED:
        _succeed(refund, now)
    elif told.status is Told.REFUSED:
        _move(refund, RefundStatus.REFUSED, now)
        refund.refusal_code, refund.check_at = (told.reason or "refused")[:120], None
        _release(refund)
        publish(RefundRefused(refund.id), now=now)
        _record(refund, now)
    elif refund.status is RefundStatus.PENDING:
        record_refund_doubt(refund, now=now)
    else:
        _move(refund, RefundStatus.PENDING, now)
        record_refund_doubt(refund, now=now)
        _record(refund, now)


def record_refund_doubt(refund: Refund, *, now: datetime) -> None:
    """The provider could not be asked, or has not decided: nothing is guessed, ask again later."""
    if refund.status not in OVER:
        refund.check_at = rules.next_check(now, refund.checks)
        refund.checks += 1


def still_waiting(refund: Refund, *, now: datetime) -> None:
    """After the provider was asked: what it did not decide is asked again, less and less often."""
    if refund.status in (RefundStatus.RESERVED, RefundStatus.PENDING) and (
        refund.check_at is None or refund.check_at <= now
    ):
        record_refund_doubt(refund, now=now)


def adopt(payment_id: uuid.UUID, told: Iterable[RefundOutcome], *, now: datetime) -> bool:
    """Record every refund that the provider knows of this payment, ours and others, once.

    A refund made by hand on the provider's dashboard becomes a row of ours. Says whether all of
    them could be: one that has no room waits until our own, in doubt, is known to have failed.
    """
    strangers = []
    for one in told:
        known = queries.refund_told(payment_id, one)
        if known is not None:
            record_refund(locked_refund(known.id), one, now=now)
        elif one.status is not Told.REFUSED:
            strangers.append(one)
    # After ours: one of them that failed has made room.
    adopted = [_adopt_one(payment_id, one, now) for one in strangers]
    return all(adopted)


def _adopt_one(payment_id: uuid.UUID, told: RefundOutcome, now: datetime) -> bool:
    if told.amount is None or told.reference is None:
        return False
    cause = Cause(RefundReason.BY_PROVIDER, uuid.uuid4(), due_on=None)
    try:
        with db.session.begin_nested():
            payment = _claim(payment_id, told.amount.minor)
            refund = _row(
                payment,
                told.amount.minor,
                cause,
                payment.provider,
                RefundStatus.RESERVED,
                now,
            )
            refund.provider_reference = told.reference
            db.session.add(refund)
            db.session.flush()
    except RefundTooHigh:
        return False
    except IntegrityError:
        return True  # somebody else wrote the same one down at this moment
    journal.record("refund.adopted", refund, {"reference": told.reference}, now=now)
    record_refund(refund, told, now=now)
    return True


def _succeed(refund: Refund, now: datetime) -> None:
    _move(refund, RefundStatus.SUCCEEDED, now)
    refund.settled_at, refund.check_at = now, None
    publish(RefundSucceeded(refund.id), now=now)
    _record(refund, now)


def _come_back(refund: Refund, told: RefundOutcome, now: datetime) -> None:
    """The money is ours again, and still owed to its payer: that is decided above (M-10)."""
    _move(refund, RefundStatus.RETURNED, now)
    refund.refusal_code = (told.reason or "returned")[:120]
    _release(refund)
    publish(RefundReturned(refund.id), now=now)
    _record(refund, now)


def _move(refund: Refund, status: RefundStatus, now: datetime) -> None:
    REFUND_LIFECYCLE.check(refund.status, status)
    refund.status, refund.updated_at = status, now


def _record(refund: Refund, now: datetime) -> None:
    journal.record(
        f"refund.{refund.status}",
        refund,
        {
            "order": refund.order_id,
            "payment": refund.payment_id,
            "amount": refund.amount_minor,
            "currency": refund.currency,
            "reason": refund.reason,
            "due_on": refund.due_on,
            "code": refund.refusal_code,
        },
        now=now,
    )
