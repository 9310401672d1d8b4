"""Declarations, what they were found to be about, and by when each must be answered."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from storefront.identity.rules import normal_email
from storefront.infra.db import db
from storefront.legal.queries import NotPublished, in_force, parameters_of
from storefront.legal.rules import TERMS, TermsParameters
from storefront.notifications import queries as notifications
from storefront.notifications.models import Email
from storefront.orders.models import Order
from storefront.subscriptions.models import Subscription
from storefront.withdrawals import rules
from storefront.withdrawals.models import (
    CancellationMatch,
    CancellationRequest,
    ReasonDecision,
    WithdrawalMatch,
    WithdrawalRequest,
)
from storefront.withdrawals.rules import LinePeriod, Timing

Row = TypeVar("Row")


def kept(row: Row | None) -> Row:
    """A row that another transaction has just kept. Raises LookupError when it did not."""
    if row is None:
        raise LookupError("the declaration is neither new nor known")
    return row


def withdrawal_by_key(key: str) -> WithdrawalRequest | None:
    """The withdrawal that one act made."""
    return db.session.scalar(select(WithdrawalRequest).where(WithdrawalRequest.key == key))


def cancellation_by_key(key: str) -> CancellationRequest | None:
    """The cancellation that one act made."""
    return db.session.scalar(select(CancellationRequest).where(CancellationRequest.key == key))


def key_is_free(request: WithdrawalRequest | CancellationRequest) -> bool:
    """Whether no row was made by the same act."""
    model = type(request)
    return db.session.scalar(select(model.id).where(model.key == request.key)) is None


def withdrawal_match(request_id: uuid.UUID) -> WithdrawalMatch | None:
    """What a withdrawal was found to be about."""
    return db.session.scalar(
        select(WithdrawalMatch).where(WithdrawalMatch.request_id == request_id)
    )


def cancellation_match(request_id: uuid.UUID) -> CancellationMatch | None:
    """What a cancellation was found to be about."""
    return db.session.scalar(
        select(CancellationMatch).where(CancellationMatch.request_id == request_id)
    )


def order_by_reference(text: str) -> Order | None:
    """The order whose reference stands in a text; for staff and for matching only."""
    reference = rules.order_reference(text)
    if reference is None:
        return None
    return db.session.scalar(
        select(Order).where(Order.reference == reference).options(selectinload(Order.lines))
    )


def order_meant(contract: str, email: str, name: str, user_id: uuid.UUID | None) -> Order | None:
    """The order that a declaration is about, when everything agrees; None leaves it to staff.

    Reference, e-mail and name must agree, or the reference with the account that is signed in.
    """
    order = order_by_reference(contract)
    if order is None:
        return None
    if user_id is not None and order.user_id == user_id:
        return order
    same_address = normal_email(order.email) == normal_email(email)
    return order if same_address and rules.same_person(name, order.name) else None


@dataclass(frozen=True)
class Delays:
    """The two periods of a withdrawal, in days."""

    withdrawal: int
    refund: int


def delays(at: datetime, order: Order | None = None) -> Delays:
    """Days to withdraw and days to refund: of the accepted terms, or of those in force."""
    terms = parameters_of(order.terms_version) if order is not None else terms_at(at)
    if terms is None:
        return Delays(rules.LEGAL_WITHDRAWAL_DAYS, rules.LEGAL_REFUND_DAYS)
    return Delays(terms.withdrawal_days, terms.refund_days)


def early_exit_reasons(at: datetime, order: Order | None = None) -> tuple[str, ...]:
    """Reasons to end a committed contract early: of the accepted terms, or of those in force."""
    terms = parameters_of(order.terms_version) if order is not None else terms_at(at)
    return terms.early_exit_reasons if terms else ()


def terms_at(at: datetime) -> TermsParameters | None:
    """The terms in force; None for a shop that has published none: the law alone applies."""
    try:
        return parameters_of(in_force(TERMS, at))
    except NotPublished:
        return None


@dataclass(frozen=True)
class LineStanding:
    """One line of the matched order, and how the declaration stands against its period."""

    name: str
    last_day: date | None
    timing: Timing


@dataclass(frozen=True)
class Withdrawn:
    """A withdrawal as staff see it. `timing` is computed here and kept nowhere (WDR-04)."""

    request: WithdrawalRequest
    match: WithdrawalMatch | None
    lines: tuple[LineStanding, ...]
    timing: Timing | None  # None while no order is matched
    acknowledgement: Email | None
    acknowledge_by: date
    refund_by: date


@dataclass(frozen=True)
class End:
    """When one subscription of a contract ends."""

    name: str
    ends_on: date  # the first day without service
    committed: bool  # it ends with its commitment, not with the month under way

    @property
    def last_day(self) -> date:
        """The last day with service."""
        return self.ends_on - timedelta(days=1)


@dataclass(frozen=True)
class Cancelled:
    """A cancellation as staff see it, with the ends of the matched contract."""

    request: CancellationRequest
    match: CancellationMatch | None
    ends: tuple[End, ...]
    acknowledgement: Email | None  # None also for who gave a postal address only
    acknowledge_by: date
    decision: ReasonDecision | None = None

    @property
    def to_decide(self) -> bool:
        """Whether a reason to leave early waits for staff."""
        return bool(self.request.reason) and self.decision is None


def withdrawals(limit: int = 200) -> list[Withdrawn]:
    """The last withdrawals for staff, newest first."""
    found = db.session.scalars(
        select(WithdrawalRequest)
        .order_by(WithdrawalRequest.declared_at.desc(), WithdrawalRequest.reference.desc())
        .limit(limit)
    ).all()
    matches = _withdrawal_matches([one.id for one in found])
    sent = _sent([acknowledgement_key(one) for one in found])
    return [
        _withdrawn(one, matches.get(one.id), sent.get(acknowledgement_key(one))) for one in found
    ]


def cancellations(limit: int = 200) -> list[Cancelled]:
    """The last cancellations for staff, newest first."""
    found = db.session.scalars(
        select(CancellationRequest)
        .order_by(CancellationRequest.declared_at.desc(), CancellationRequest.reference.desc())
        .limit(limit)
    ).all()
    matches = _cancellation_matches([one.id for one in found])
    sent = _sent([acknowledgement_key(one) for one in found])
    ends = _ends([match.order_id for match in matches.values()])
    decisions = _decisions([one.id for one in found])
    return [
        _cancelled(one, match, ends, sent.get(acknowledgement_key(one)), decisions.get(one.id))
        for one in found
        for match in [matches.get(one.id)]
    ]


def withdrawal(reference: str) -> Withdrawn | None:
    """One withdrawal for staff, by its reference."""
    request = db.session.scalar(
        select(WithdrawalRequest).where(WithdrawalRequest.reference == reference)
    )
    if request is None:
        return None
    sent = notifications.by_key(acknowledgement_key(request))
    return _withdrawn(request, withdrawal_match(request.id), sent)


def cancellation(reference: str) -> Cancelled | None:
    """One cancellation for staff, by its reference."""
    request = db.session.scalar(
        select(CancellationRequest).where(CancellationRequest.reference == reference)
    )
    if request is None:
        return None
    match = cancellation_match(request.id)
    ends = _ends([match.order_id] if match else [])
    sent = notifications.by_key(acknowledgement_key(request))
    return _cancelled(request, match, ends, sent, decision_on(request.id))


def decision_on(request_id: uuid.UUID) -> ReasonDecision | None:
    """What staff decided of the reason of a cancellation."""
    return _decisions([request_id]).get(request_id)


def _decisions(ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, ReasonDecision]:
    found = db.session.scalars(
        select(ReasonDecision)
        .where(ReasonDecision.request_id.in_(ids))
        .options(joinedload(ReasonDecision.staff))
    ).all()
    return {decision.request_id: decision for decision in found}


def acknowledgement_key(request: WithdrawalRequest | CancellationRequest) -> str:
    """The key of the e-mail that acknowledges a declaration."""
    return f"{request.__tablename__}:{request.id}"


def _sent(keys: Sequence[str]) -> dict[str, Email]:
    """The messages queued under these keys."""
    found = db.session.scalars(select(Email).where(Email.key.in_(keys))).all()
    return {email.key: email for email in found}


def ends_of_order(order_id: uuid.UUID) -> list[End]:
    """When each subscription of an order ends, as far as that was decided."""
    return _ends([order_id]).get(order_id, [])


def ends_for(request: CancellationRequest, user_id: uuid.UUID | None) -> list[End]:
    """The ends of a notified contract, for the account that holds it; nothing for others."""
    match = cancellation_match(request.id)
    if match is None or user_id is None or match.order.user_id != user_id:
        return []
    return ends_of_order(match.order_id)


def periods_of(order: Order) -> list[LinePeriod]:
    """The withdrawal periods of what an order sold."""
    return rules.periods_that_count(
        LinePeriod(line.name, line.withdrawal_kind, line.withdrawal_until) for line in order.lines
    )


def _withdrawal_matches(ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, WithdrawalMatch]:
    found = db.session.scalars(
        select(WithdrawalMatch)
        .where(WithdrawalMatch.request_id.in_(ids))
        .options(joinedload(WithdrawalMatch.order).selectinload(Order.lines))
    ).all()
    return {match.request_id: match for match in found}


def _cancellation_matches(ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, CancellationMatch]:
    found = db.session.scalars(
        select(CancellationMatch)
        .where(CancellationMatch.request_id.in_(ids))
        .options(joinedload(CancellationMatch.order))
    ).all()
    return {match.request_id: match for match in found}


def _ends(order_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[End]]:
    found: dict[uuid.UUID, list[End]] = {}
    statement = select(Subscription).where(
        Subscription.order_id.in_(order_ids), Subscription.ends_on.is_not(None)
    )
    for one in db.session.scalars(statement.order_by(Subscription.created_at, Subscription.name)):
        if one.ends_on is not None:
            end = End(one.name, one.ends_on, one.ends_on == one.committed_until)
            found.setdefault(one.order_id, []).append(end)
    return found


def _withdrawn(
    request: WithdrawalRequest, match: WithdrawalMatch | None, sent: Email | None
) -> Withdrawn:
    order = match.order if match else None
    at = request.declared_at
    lines = tuple(
        LineStanding(line.name, line.last_day, rules.timing(line, at))
        for line in (periods_of(order) if order else ())
    )
    timing = rules.overall([line.timing for line in lines]) if order else None
    return Withdrawn(
        request=request,
        match=match,
        lines=lines,
        timing=timing,
        acknowledgement=sent,
        acknowledge_by=rules.acknowledge_by(request.received_at),
        refund_by=rules.refund_by(request.received_at, delays(at, order).refund),
    )


def _cancelled(
    request: CancellationRequest,
    match: CancellationMatch | None,
    ends: Mapping[uuid.UUID, list[End]],
    sent: Email | None,
    decision: ReasonDecision | None,
) -> Cancelled:
    return Cancelled(
        request=request,
        match=match,
        ends=tuple(ends.get(match.order_id, ())) if match else (),
        acknowledgement=sent,
        acknowledge_by=rules.acknowledge_by(request.declared_at),
        decision=decision,
    )
