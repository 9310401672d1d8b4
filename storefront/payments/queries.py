"""What is known of payments."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Select, func, or_, select

from storefront.infra.db import db
from storefront.payments.models import (
    Arrival,
    Dispute,
    DisputeStatus,
    Payment,
    PaymentStatus,
    Refund,
    RefundStatus,
    SavedMethod,
    WebhookReceipt,
)
from storefront.payments.providers.base import RefundOutcome
from storefront.payments.providers.offline import OFFLINE

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


def page_open_until(order_id: uuid.UUID, now: datetime) -> datetime | None:
    """Until when a provider's page may still take its amount for an order; None without one.

    A page that is about to be opened counts: its amount is fixed.
    """
    return db.session.scalar(
        select(func.max(Payment.expires_at)).where(
            Payment.order_id == order_id,
            Payment.status.in_((PaymentStatus.RESERVED, PaymentStatus.OPEN)),
            Payment.provider.not_in(OFFLINE),
            Payment.expires_at > now,
        )
    )


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


def called(payment_ids: Collection[uuid.UUID]) -> Sequence[Payment]:
    """The payments of these ids."""
    return db.session.scalars(select(Payment).where(Payment.id.in_(payment_ids))).all()


def attempts_at(
    instalment_ids: Collection[uuid.UUID],
) -> Mapping[uuid.UUID, Sequence[Payment]]:
    """Every attempt made at each of these instalments, the first first."""
    found: dict[uuid.UUID, list[Payment]] = defaultdict(list)
    made = select(Payment).where(Payment.instalment_id.in_(instalment_ids))
    for payment in db.session.scalars(made.order_by(Payment.attempt)):
        found[payment.instalment_id].append(payment)
    return found


def undecided_of_instalment(instalment_id: uuid.UUID) -> Payment | None:
    """The attempt whose end is not known yet, if there is one: no other may start."""
    return undecided_among(attempts_at([instalment_id])[instalment_id])


def undecided_among(attempts: Sequence[Payment]) -> Payment | None:
    """The same of the attempts at one instalment, the first first."""
    return next((one for one in reversed(attempts) if one.status in UNDECIDED), None)


def money_arrived(instalment_id: uuid.UUID) -> bool:
    """Whether money came for this instalment, though nobody may have reacted to it yet.

    Money that is not what was asked counts too: nothing more is taken before staff decide.
    """
    return money_among(attempts_at([instalment_id])[instalment_id])


def money_among(attempts: Sequence[Payment]) -> bool:
    """The same of the attempts at one instalment."""
    return any(one.status is PaymentStatus.SUCCEEDED and not one.is_set_up for one in attempts)


def arrivals_of(payment_id: uuid.UUID) -> Sequence[Arrival]:
    """What staff saw arrive for a payment, the first first."""
    return db.session.scalars(
        select(Arrival).where(Arrival.payment_id == payment_id).order_by(Arrival.number)
    ).all()


def arrivals_of_order(order_id: uuid.UUID) -> Sequence[Arrival]:
    """What staff saw arrive for an order, the first first."""
    return db.session.scalars(
        select(Arrival)
        .join(Payment, Payment.id == Arrival.payment_id)
        .where(Payment.order_id == order_id)
        .order_by(Arrival.recorded_at, Arrival.number)
    ).all()


def is_of_an_arrival(refund: Refund) -> bool:
    """Whether it gives back what came above what was asked, or for what had ended."""
    arrival = select(Arrival.id).where(
        Arrival.id == refund.request_id, Arrival.payment_id == refund.payment_id
    )
    return db.session.scalar(arrival) is not None


def to_remind(now: datetime, limit: int = 200) -> Sequence[uuid.UUID]:
    """Payments by hand whose payer is to be reminded now."""
    return db.session.scalars(
        select(Payment.id)
        .where(Payment.remind_at <= now, Payment.status == PaymentStatus.OPEN)
        .order_by(Payment.remind_at)
        .limit(limit)
    ).all()


def next_reminder_at() -> datetime | None:
    """When the next of them is due."""
    return db.session.scalar(
        select(func.min(Payment.remind_at)).where(Payment.status == PaymentStatus.OPEN)
    )


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
    return usable_methods([user_id]).get((user_id, provider))


def usable_methods(
    user_ids: Collection[uuid.UUID],
) -> Mapping[tuple[uuid.UUID, str], SavedMethod]:
    """The same for several people, by person and provider."""
    kept = db.session.scalars(
        select(SavedMethod)
        .where(SavedMethod.user_id.in_(user_ids), SavedMethod.revoked_at.is_(None))
        .order_by(SavedMethod.saved_at)
    )
    return {(method.user_id, method.provider): method for method in kept}


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


def payment_of_charge(provider: str, charge_reference: str) -> Payment | None:
    """The payment that the provider took under this reference."""
    return db.session.scalars(
        select(Payment).where(
            Payment.provider == provider, Payment.charge_reference == charge_reference
        )
    ).one_or_none()


def in_doubt_since(instant: datetime) -> Sequence[Payment]:
    """Attempts begun before this instant whose end their provider has not told, oldest first."""
    return db.session.scalars(
        select(Payment)
        .where(
            Payment.status.in_(UNDECIDED),
            Payment.created_at <= instant,
            Payment.provider.not_in(OFFLINE),
        )
        .order_by(Payment.created_at)
        .limit(50)
    ).all()


def mismatched() -> Sequence[Payment]:
    """Money that arrived but is not what we asked for: staff decide."""
    return db.session.scalars(
        select(Payment).where(Payment.mismatch.is_not(None)).order_by(Payment.updated_at)
    ).all()


def settles_its_instalment(payment: Payment) -> bool:
    """Whether this payment is the one that paid its instalment: the first that came as asked."""
    first = db.session.scalars(
        select(Payment.id)
        .where(
            Payment.instalment_id == payment.instalment_id,
            Payment.status == PaymentStatus.SUCCEEDED,
            Payment.mismatch.is_(None),
            Payment.amount_minor > 0,
        )
        .order_by(Payment.settled_at, Payment.attempt)
    ).first()
    return first == payment.id


def refund_of_request(request_id: uuid.UUID, payment_id: uuid.UUID) -> Refund | None:
    """What a decision gave back of a payment: the same decision again finds it."""
    return db.session.scalars(
        select(Refund).where(Refund.request_id == request_id, Refund.payment_id == payment_id)
    ).one_or_none()


def refund_told(payment_id: uuid.UUID, told: RefundOutcome) -> Refund | None:
    """Our row of a refund that the provider tells of, by our id or by its reference."""
    known = [Refund.provider_reference == told.reference] if told.reference else []
    if told.refund_id is not None:
        known.append(Refund.id == told.refund_id)
    if not known:
        return None
    return db.session.scalars(
        select(Refund).where(Refund.payment_id == payment_id, or_(*known))
    ).first()


def refunds_of_order(order_id: uuid.UUID) -> Sequence[Refund]:
    """Everything that went back or is about to of an order, the first first."""
    return db.session.scalars(
        select(Refund).where(Refund.order_id == order_id).order_by(Refund.asked_at, Refund.id)
    ).all()


def repeats_returned(refund: Refund) -> bool:
    """Whether it gives again what a bank had sent back, whatever was tried in between."""
    earlier = db.session.get(Refund, refund.request_id)
    while earlier is not None:
        if earlier.status is RefundStatus.RETURNED:
            return True
        earlier = db.session.get(Refund, earlier.request_id)
    return False


def refunds_of_user(user_id: uuid.UUID) -> Sequence[Refund]:
    """Everything that went back or is about to for a customer, the first first."""
    return db.session.scalars(
        select(Refund).where(Refund.user_id == user_id).order_by(Refund.asked_at, Refund.id)
    ).all()


def refunds_to_check(now: datetime, limit: int = 200) -> Sequence[uuid.UUID]:
    """Refunds about which the provider must be asked now."""
    return db.session.scalars(
        select(Refund.id).where(Refund.check_at <= now).order_by(Refund.check_at).limit(limit)
    ).all()


def next_refund_check_at() -> datetime | None:
    """When the next question about a refund is due."""
    return db.session.scalar(select(func.min(Refund.check_at)))


def dispute_called(provider: str, reference: str) -> Dispute | None:
    """The dispute that the provider calls so."""
    return db.session.scalars(
        select(Dispute).where(Dispute.provider == provider, Dispute.reference == reference)
    ).one_or_none()


def lost_disputes(payment_id: uuid.UUID) -> Sequence[Dispute]:
    """The disputes of a payment that its payer won."""
    return db.session.scalars(
        select(Dispute).where(
            Dispute.payment_id == payment_id, Dispute.status == DisputeStatus.LOST
        )
    ).all()


def disputes_of_order(order_id: uuid.UUID) -> Sequence[Dispute]:
    """Every dispute about an order's payments, the first first."""
    return db.session.scalars(
        select(Dispute).where(Dispute.order_id == order_id).order_by(Dispute.opened_at)
    ).all()


def disputes_to_check(now: datetime, limit: int = 200) -> Sequence[uuid.UUID]:
    """Open disputes that the provider was not asked about for a day."""
    return db.session.scalars(
        select(Dispute.id).where(Dispute.check_at <= now).order_by(Dispute.check_at).limit(limit)
    ).all()


def next_dispute_check_at() -> datetime | None:
    """When the next question about a dispute is due."""
    return db.session.scalar(select(func.min(Dispute.check_at)))


def open_disputes_of_user(user_id: uuid.UUID) -> Sequence[Dispute]:
    """What a customer contests now; while there is any, services are neither sold nor renewed to
    them (O-07)."""
    return db.session.scalars(
        select(Dispute)
        .where(Dispute.user_id == user_id, Dispute.status == DisputeStatus.OPEN)
        .order_by(Dispute.opened_at)
    ).all()


def orders_in_dispute() -> Select[uuid.UUID]:
    """The ids of the orders of which a payment is contested now, as a subquery."""
    return select(Dispute.order_id).where(Dispute.status == DisputeStatus.OPEN)


def order_in_dispute(order_id: uuid.UUID) -> bool:
    """Whether a payment of this order is contested now: nothing more of it is charged."""
    return order_id in disputed_among([order_id])


def disputed_among(order_ids: Collection[uuid.UUID]) -> Collection[uuid.UUID]:
    """Which of these orders that is so of."""
    return set(db.session.scalars(orders_in_dispute().where(Dispute.order_id.in_(order_ids))))
