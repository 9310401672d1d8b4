"""The withdrawals that are still to be answered or refunded, the most urgent first (W-04, X-03)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import aliased

from storefront.infra.db import db
from storefront.kernel.money import Money
from storefront.legal.rules.interest import RateNotPublished
from storefront.orders.models import Order
from storefront.orders.queries import ENDED
from storefront.payments.models import Refund, RefundStatus
from storefront.withdrawals import rules
from storefront.withdrawals.models import WithdrawalDecision, WithdrawalMatch, WithdrawalRequest
from storefront.withdrawals.queries.declarations import delays
from storefront.withdrawals.queries.proposals import proposal
from storefront.withdrawals.rules import LateRefund

UNFINISHED = (RefundStatus.PROPOSED, RefundStatus.RESERVED, RefundStatus.PENDING)


@dataclass(frozen=True)
class Awaited:
    """A withdrawal of which something is still to be done, and until when.

    `amount` is what is still to be given back, None while no order is known. `late` is what the
    law adds once the day has passed; `rate_missing`: it cannot be computed, the legal rate of this
    half-year is not known yet. `waits`: only the goods are awaited, no time runs.
    """

    request: WithdrawalRequest
    order: Order | None
    amount: Money | None
    refund_by: date
    decided: bool
    waits: bool
    late: LateRefund | None
    rate_missing: bool = False


def awaited(today: date, *, only: uuid.UUID | None = None, limit: int = 50) -> list[Awaited]:
    """What is still to be decided or to be given back, the earliest day first.

    `only` names one declaration.
    """
    final = select(WithdrawalDecision.request_id).where(WithdrawalDecision.final)
    going = _going().with_only_columns(WithdrawalDecision.request_id)
    named = () if only is None else (WithdrawalRequest.id == only,)
    rows = db.session.execute(
        select(WithdrawalRequest, Order)
        .outerjoin(WithdrawalMatch, WithdrawalMatch.request_id == WithdrawalRequest.id)
        .outerjoin(Order, Order.id == WithdrawalMatch.order_id)
        .where(
            *named,
            or_(WithdrawalRequest.id.not_in(final), WithdrawalRequest.id.in_(going)),
            or_(Order.id.is_(None), Order.status.not_in(ENDED), WithdrawalRequest.id.in_(going)),
        )
        .order_by(WithdrawalRequest.received_at, WithdrawalRequest.reference)
        .limit(limit)
    ).all()
    found = [_awaited(request, order, today) for request, order in rows]
    return sorted(found, key=lambda one: (one.waits, one.refund_by, one.request.reference))


def _awaited(request: WithdrawalRequest, order: Order | None, today: date) -> Awaited:
    refund_by = rules.refund_by(request.received_at, delays(request.declared_at, order).refund)
    if order is None:
        return Awaited(request, None, None, refund_by, decided=False, waits=False, late=None)
    seen = proposal(request, order)
    rows = [row for row in seen.open_rows if row.chosen]
    going = _on_its_way(request.id)
    amount = seen.total + Money(sum(one.amount_minor for one in going), order.currency)
    # What was decided keeps its day; a proof that came late moves that of the goods alone.
    days = [one.refund_by for one in seen.decisions] if going else []
    refund_by = min([*days, *(row.refund_by for row in rows)], default=refund_by)
    late, missing = _late(amount, refund_by, today)
    decided = bool(seen.decisions) and not rows
    waits = seen.waits and not rows and not going
    return Awaited(request, order, amount, refund_by, decided, waits, late, missing)


def _going() -> Select[Any, Any]:
    """Decisions with their refunds that did not arrive yet: those that staff asked for, and those
    that took the place of one that a provider refused or a bank sent back."""
    first, again = aliased(Refund), aliased(Refund)
    replaced = select(first.id).where(first.request_id == WithdrawalDecision.id)
    tried_again = select(again.id).where(again.request_id == Refund.id).exists()
    return (
        select(WithdrawalDecision, Refund)
        .join(
            Refund,
            or_(Refund.request_id == WithdrawalDecision.id, Refund.request_id.in_(replaced)),
        )
        .where(
            or_(
                Refund.status.in_(UNFINISHED),
                and_(Refund.status == RefundStatus.REFUSED, ~tried_again),
            )
        )
    )


def _on_its_way(request_id: uuid.UUID) -> list[Refund]:
    """What was decided and is not given back yet."""
    rows = db.session.execute(_going().where(WithdrawalDecision.request_id == request_id))
    return [refund for _, refund in rows]


def _late(amount: Money, refund_by: date, today: date) -> tuple[LateRefund | None, bool]:
    try:
        return (rules.late_refund(amount, refund_by, today) if amount.minor else None), False
    except RateNotPublished:
        return None, True
