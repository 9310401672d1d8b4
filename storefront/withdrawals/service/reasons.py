"""Reasons to leave a commitment early: staff read the proof, decide once, and say why (SUB-04)."""

from __future__ import annotations

import uuid
from datetime import datetime

from storefront.infra import journal
from storefront.infra.db import db
from storefront.infra.outbox import publish
from storefront.kernel.calendar import paris_date
from storefront.kernel.errors import Refusal
from storefront.subscriptions import queries as subscription_queries
from storefront.subscriptions import service as subscriptions
from storefront.withdrawals import queries
from storefront.withdrawals.events import ReasonDecided
from storefront.withdrawals.models import CancellationRequest, ReasonDecision


class ReasonAlreadyDecided(Refusal):
    """Somebody decided of this reason before. Details: reference, accepted."""

    status = 409


def decide_reason(
    request_id: uuid.UUID, *, accepted: bool, explanation: str, staff_id: uuid.UUID, now: datetime
) -> None:
    """Staff read the proof of a reason to leave early: found good, the contract ends from the day
    of the declaration; else it ends at its term, and the customer is told why (SUB-04, B-02).

    Raises `ReasonAlreadyDecided`, and LookupError without a reason or a contract.
    """
    request = db.session.get_one(CancellationRequest, request_id, with_for_update=True)
    match = queries.cancellation_match(request.id)
    if not request.reason or match is None:
        raise LookupError(f"{request.reference} has nothing to decide")
    if (known := queries.decision_on(request.id)) is not None:
        raise ReasonAlreadyDecided(reference=request.reference, accepted=known.accepted)
    decision = ReasonDecision(
        id=uuid.uuid4(),
        request_id=request.id,
        accepted=accepted,
        explanation=explanation,
        staff_id=staff_id,
        decided_at=now,
    )
    db.session.add(decision)
    db.session.flush()
    facts = {"cancellation": request.id, "accepted": accepted, "staff": staff_id}
    journal.record("cancellation.reason_decided", decision, facts, now=now)
    if accepted:
        for subscription in subscription_queries.of_order(match.order_id):
            subscriptions.end_early(
                subscription.id,
                notified_on=paris_date(request.declared_at),
                wanted_on=request.wanted_on,
                reason=request.reason,
                cause_id=request.id,
                recorded_by=staff_id,
                now=now,
            )
    publish(ReasonDecided(decision.id), now=now)
