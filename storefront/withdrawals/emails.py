"""What who declared receives on a durable medium: content, date and time, and what follows."""

from __future__ import annotations

from datetime import datetime

from storefront.infra.db import db
from storefront.kernel.calendar import PARIS
from storefront.legal.queries import accepted_documents
from storefront.notifications.service import queue
from storefront.withdrawals import queries, rules
from storefront.withdrawals.events import (
    CancellationMatched,
    CancellationNotified,
    ReasonDecided,
    WithdrawalDecided,
    WithdrawalDeclared,
)
from storefront.withdrawals.models import (
    CancellationRequest,
    ReasonDecision,
    WithdrawalDecision,
    WithdrawalRequest,
)


def acknowledge_withdrawal(event: WithdrawalDeclared, *, now: datetime) -> None:
    """The declaration's content with the date and time at which it was sent (L221-21, WDR-05).

    What is known of the order is told only when the e-mail is that order's, or its owner's.
    """
    request = db.session.get_one(WithdrawalRequest, event.withdrawal_id)
    if not request.email:
        return  # it came by post and names no address: staff write back on paper
    match = queries.withdrawal_match(request.id)
    order = match.order if match else None
    days = queries.delays(request.declared_at, order).refund
    queue(
        "withdrawal_received",
        key=queries.acknowledgement_key(request),
        recipient=request.email,
        user_id=order.user_id if order else request.user_id,
        order_id=order.id if order else None,
        subject=f"Accusé de réception de votre rétractation – {request.reference}",
        context={
            "received": request,
            "sent_at": request.declared_at.astimezone(PARIS),
            "order": order,
            "refund_days": days,
            "refund_by": rules.refund_by(request.received_at, days),
        },
        documents=accepted_documents(order.id) if order else [],
        now=now,
    )


def tell_decision(event: WithdrawalDecided, *, now: datetime) -> None:
    """What goes back of each line and why, by when, and what has ended (W-06, W-07).

    Told to the order's own address: anybody can name another one in a declaration. Nothing when
    no line was decided on.
    """
    decision = db.session.get_one(WithdrawalDecision, event.decision_id)
    if not decision.lines:
        return
    request, order = db.session.get_one(WithdrawalRequest, decision.request_id), decision.order
    queue(
        "withdrawal_decided",
        key=f"withdrawal_decided:{decision.id}",
        recipient=order.email,
        user_id=order.user_id,
        order_id=order.id,
        subject=f"Décision sur votre rétractation – {request.reference}",
        context={
            "decision": decision,
            "received": request,
            "order": order,
            "waits": queries.proposal(request, order).waits,
        },
        documents=[],
        now=now,
    )


def confirm_cancellation(event: CancellationNotified, *, now: datetime) -> None:
    """The notification was received; when the contract ends, once that is known (L215-1-1).

    Nothing for who gave a postal address only: staff write to them on paper.
    """
    request = db.session.get_one(CancellationRequest, event.cancellation_id)
    if request.email:
        subject = f"Nous avons bien reçu votre résiliation – {request.reference}"
        _write(request, queries.acknowledgement_key(request), subject, now)


def tell_end(event: CancellationMatched, *, now: datetime) -> None:
    """Staff found the contract: when it ends and what that means (L215-1-1).

    Nothing when it holds no subscription: there is no end to tell, staff write themselves.
    """
    request = db.session.get_one(CancellationRequest, event.cancellation_id)
    match = queries.cancellation_match(request.id)
    if request.email and match and queries.ends_of_order(match.order_id):
        subject = f"Date de fin de votre contrat – {request.reference}"
        _write(request, f"cancellation_end:{request.id}", subject, now)


def tell_reason(event: ReasonDecided, *, now: datetime) -> None:
    """Whether the reason to leave early was found good, why, and when the contract ends (SUB-04).

    Nothing for who gave a postal address only: staff write to them on paper.
    """
    decision = db.session.get_one(ReasonDecision, event.decision_id)
    request = db.session.get_one(CancellationRequest, decision.request_id)
    match = queries.cancellation_match(request.id)
    if not request.email or match is None:
        return
    queue(
        "cancellation_decided",
        key=f"cancellation_decided:{decision.id}",
        recipient=request.email,
        user_id=match.order.user_id,
        order_id=match.order_id,
        subject=f"Votre motif de résiliation anticipée – {request.reference}",
        context={
            "received": request,
            "decision": decision,
            "ends": queries.ends_of_order(match.order_id),
        },
        now=now,
    )


def _write(request: CancellationRequest, key: str, subject: str, now: datetime) -> None:
    match = queries.cancellation_match(request.id)
    order = match.order if match else None
    queue(
        "cancellation_received",
        key=key,
        recipient=request.email,
        user_id=order.user_id if order else request.user_id,
        order_id=order.id if order else None,
        subject=subject,
        context={
            "received": request,
            "sent_at": request.declared_at.astimezone(PARIS),
            "ends": queries.ends_of_order(order.id) if order else [],
        },
        documents=accepted_documents(order.id) if order else [],
        now=now,
    )
