"""What is known of payments."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, or_, select

from storefront.infra.db import db
from storefront.payments.models import Payment, PaymentStatus, SavedMethod, WebhookReceipt

UNDECIDED = (
    PaymentStatus.RESERVED,
    PaymentStatus.OPEN,
    PaymentStatus.CHARGING,
    PaymentStatus.PENDING,
)


def of_order(order_id: uuid.UUID) -> Sequence[Payment]:
    """Every attempt made for an order, oldest first."""
    return db.session.scalars(
        select(Payment).where(Payment.order_id == order_id).order_by(Payment.created_at)
    ).all()


def arrived(order_id: uuid.UUID) -> bool:
    """Whether what was asked at order has arrived, though nobody may have reacted to it yet.

    That is money, or a means of payment kept for what is due later.
    """
    return (
        db.session.scalar(
            select(Payment.id)
            .where(
                Payment.order_id == order_id,
                Payment.status == PaymentStatus.SUCCEEDED,
                Payment.mismatch.is_(None),
            )
            .limit(1)
        )
        is not None
    )


def undecided_of_instalment(instalment_id: uuid.UUID) -> Payment | None:
    """The attempt whose end is not known yet, if there is one: no other may start."""
    return db.session.scalars(
        select(Payment)
        .where(Payment.instalment_id == instalment_id, Payment.status.in_(UNDECIDED))
        .order_by(Payment.attempt.desc())
    ).first()


def money_arrived(instalment_id: uuid.UUID) -> bool:
    """Whether money came for this instalment, though nobody may have reacted to it yet.

    Money that is not what was asked counts too: nothing more is taken before staff decide.
    """
    arrived = select(Payment.id).where(
        Payment.instalment_id == instalment_id,
        Payment.status == PaymentStatus.SUCCEEDED,
        Payment.amount_minor > 0,
    )
    return db.session.scalar(arrived.limit(1)) is not None


def still_wanted(payment: Payment) -> bool:
    """Whether this attempt may still take money: not given up, and no other one succeeded.

    A method that was set up has paid nothing.
    """
    if payment.status not in UNDECIDED:
        return False
    other = select(Payment.id).where(
        Payment.instalment_id == payment.instalment_id,
        Payment.status == PaymentStatus.SUCCEEDED,
        (Payment.amount_minor == 0) == payment.is_set_up,
    )
    return db.session.scalar(other.limit(1)) is None


def usable_method(user_id: uuid.UUID, provider: str) -> SavedMethod | None:
    """The means of payment to debit next: the last one saved with this provider."""
    return db.session.scalars(
        select(SavedMethod)
        .where(
            SavedMethod.user_id == user_id,
            SavedMethod.provider == provider,
            SavedMethod.revoked_at.is_(None),
        )
        .order_by(SavedMethod.saved_at.desc())
    ).first()


def to_check(now: datetime, limit: int = 200) -> Sequence[uuid.UUID]:
    """Payments about which the provider must be asked now."""
    return db.session.scalars(
        select(Payment.id).where(Payment.check_at <= now).order_by(Payment.check_at).limit(limit)
    ).all()


def next_check_at() -> datetime | None:
    """When the next question to a provider is due."""
    return db.session.scalar(select(func.min(Payment.check_at)))


def notices_to_try(now: datetime, limit: int = 200) -> Sequence[uuid.UUID]:
    """Webhook receipts that were not handled yet."""
    return db.session.scalars(
        select(WebhookReceipt.id)
        .where(WebhookReceipt.try_at <= now)
        .order_by(WebhookReceipt.received_at)
        .limit(limit)
    ).all()


def next_notice_at() -> datetime | None:
    """When the next receipt is tried again."""
    return db.session.scalar(select(func.min(WebhookReceipt.try_at)))


def payment_of_notice(receipt: WebhookReceipt) -> Payment | None:
    """The payment that a notice is about, by our reference or by our id."""
    known = [
        Payment.page_reference == receipt.reference,
        Payment.charge_reference == receipt.reference,
    ]
    conditions = known if receipt.reference else []
    if receipt.payment_id:
        conditions.append(Payment.id == receipt.payment_id)
    if not conditions:
        return None
    return db.session.scalars(
        select(Payment).where(Payment.provider == receipt.provider, or_(*conditions))
    ).first()


def in_doubt_since(instant: datetime) -> Sequence[Payment]:
    """Attempts begun before this instant whose end nobody knows yet, oldest first."""
    return db.session.scalars(
        select(Payment)
        .where(Payment.status.in_(UNDECIDED), Payment.created_at <= instant)
        .order_by(Payment.created_at)
        .limit(50)
    ).all()


def mismatched() -> Sequence[Payment]:
    """Money that arrived but is not what we asked for: staff decide."""
    return db.session.scalars(
        select(Payment).where(Payment.mismatch.is_not(None)).order_by(Payment.updated_at)
    ).all()
