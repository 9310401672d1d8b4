"""What a payer contests: learnt from the provider, written down once (M-10)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.exc import IntegrityError

from storefront.infra import journal
from storefront.infra.db import db
from storefront.infra.outbox import publish
from storefront.payments import queries, rules
from storefront.payments.events import DisputeLost, DisputeOpened, DisputeWon
from storefront.payments.models import (
    DISPUTE_LIFECYCLE,
    Dispute,
    DisputeStatus,
    Payment,
)
from storefront.payments.providers.base import DisputeOutcome
from storefront.payments.service.attempts import locked


def record_dispute(
    payment: Payment, told: DisputeOutcome, asked_by_reference: str, *, now: datetime
) -> Dispute:
    """Write down how a dispute stands, whatever was told before and in whichever order.

    A dispute that has ended stays so. Of a lost one, what is left of the payment is recorded as
    taken back: it cannot be refunded any more.
    """
    payment = locked(payment.id)
    dispute = queries.dispute_called(payment.provider, told.reference)
    fresh = dispute is None
    if dispute is None:
        dispute = _open(payment, told, asked_by_reference, now)
    if dispute.status is not DisputeStatus.OPEN:
        return dispute
    dispute.evidence_due_at, dispute.asked_by_reference = told.evidence_due_at, asked_by_reference
    dispute.check_at = now + rules.DISPUTE_PAUSE
    status = DisputeStatus(told.status.value)
    if status is not DisputeStatus.OPEN:
        _close(dispute, payment, status, now)
    elif fresh:
        publish(DisputeOpened(dispute.id), now=now)
    return dispute


def _open(payment: Payment, told: DisputeOutcome, reference: str, now: datetime) -> Dispute:
    dispute = Dispute(
        id=uuid.uuid4(),
        payment_id=payment.id,
        order_id=payment.order_id,
        user_id=payment.user_id,
        provider=payment.provider,
        reference=told.reference,
        asked_by_reference=reference,
        currency=told.amount.currency,
        amount_minor=told.amount.minor,
        status=DisputeStatus.OPEN,
        reason=told.reason[:120],
        opened_at=now,
    )
    try:
        with db.session.begin_nested():
            db.session.add(dispute)
    except IntegrityError:
        # Told twice at this moment: the other one's row is the dispute.
        known = queries.dispute_called(payment.provider, told.reference)
        if known is None:
            raise
        return known
    _record(dispute, now)
    return dispute


def _close(dispute: Dispute, payment: Payment, status: DisputeStatus, now: datetime) -> None:
    DISPUTE_LIFECYCLE.check(dispute.status, status)
    dispute.status, dispute.closed_at, dispute.check_at = status, now, None
    if status is DisputeStatus.LOST:
        take_back(payment, [dispute])
        publish(DisputeLost(dispute.id), now=now)
    else:
        publish(DisputeWon(dispute.id), now=now)
    _record(dispute, now)


def take_back(payment: Payment, lost: Iterable[Dispute]) -> None:
    """What lost disputes take of a payment, never more than is left of it.

    What is reserved for a refund at that moment is taken once the provider has refused it.
    """
    for dispute in lost:
        more = min(dispute.amount_minor - dispute.taken_back_minor, payment.refundable.minor)
        dispute.taken_back_minor += more
        payment.taken_back_minor += more


def postpone_dispute(dispute: Dispute, *, now: datetime) -> None:
    """The provider could not be asked: it is asked again another day."""
    dispute.check_at = now + rules.DISPUTE_PAUSE


def _record(dispute: Dispute, now: datetime) -> None:
    journal.record(
        f"dispute.{dispute.status}",
        dispute,
        {
            "order": dispute.order_id,
            "payment": dispute.payment_id,
            "reference": dispute.reference,
            "amount": dispute.amount_minor,
            "taken_back": dispute.taken_back_minor,
            "currency": dispute.currency,
            "reason": dispute.reason,
            "evidence_due_at": dispute.evidence_due_at,
        },
        now=now,
    )
