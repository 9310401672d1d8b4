"""Credits for outages: computed and proposed, granted once, taken off the next debit (B-06)."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select, update

from storefront.infra import journal
from storefront.infra.db import db
from storefront.infra.outbox import publish
from storefront.kernel.errors import Refusal
from storefront.legal.queries import parameters_of
from storefront.subscriptions.events import OutageCreditLeft
from storefront.subscriptions.models import (
    OUTAGE_CREDIT_LIFECYCLE,
    Incident,
    OutageCredit,
    OutageCreditStatus,
    OutageCreditUse,
    SubscriptionPeriod,
)
from storefront.subscriptions.queries import coverage, outages
from storefront.subscriptions.queries.coverage import Covered
from storefront.subscriptions.rules import outages as rules
from storefront.subscriptions.rules.outages import Decided, Price, Span
from storefront.subscriptions.service.incidents import locked_incident
from storefront.subscriptions.service.states import locked

BATCH = 500


class CreditsChanged(Refusal):
    """The proposals are not those that the page showed. Details: incident (its id)."""

    status = 409


class UnknownExceptions(Refusal):
    """No proposal stands for these orders. Details: references."""


# Computing


class Computation(NamedTuple):
    """How far the credits of an incident are computed, as of which revision of it."""

    incident_id: uuid.UUID
    now: datetime
    revision: int = 0
    after: uuid.UUID | None = None


def propose_credits(computation: Computation) -> Computation | None:
    """Compute the next batch of an incident's credits; None once all of them are.

    Done again it changes nothing: what is proposed is brought to what it should be, what was
    decided stays, and what a correction adds to it is proposed apart. A correction in between
    leaves the work to be done anew.
    """
    incident, stretch = _locked_stretch(computation.incident_id)
    revision = computation.revision or incident.revision
    ids = {incident.id, *(one.id for one in stretch)}
    spans = [one.span for one in stretch if one.span]
    whole = Span(min(spans).start, max(one.end for one in spans)) if spans else None
    batch = outages.candidates(ids, whole, computation.after, BATCH)
    for covered in coverage.covered(batch, ids, whole):
        _propose(covered, ids, stretch, computation.now)
    if len(batch) == BATCH:
        return computation._replace(revision=revision, after=batch[-1])
    if incident.revision == revision:
        incident.compute_at = None
        db.session.flush()
        facts = {"proposed": outages.proposal(incident.id)}
        journal.record("incident.computed", incident, facts, now=computation.now)
    return None


def _locked_stretch(incident_id: uuid.UUID) -> tuple[Incident, Sequence[Incident]]:
    """An incident and the outages it makes one stretch with, locked in one order for everybody."""
    incident = db.session.get_one(Incident, incident_id)
    ids = {incident.id, *(one.id for one in outages.stretch_of(incident))}
    db.session.scalars(
        select(Incident)
        .where(Incident.id.in_(ids))
        .order_by(Incident.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    return incident, outages.stretch_of(incident)


def _propose(
    covered: Covered, ids: Collection[uuid.UUID], stretch: Sequence[Incident], now: datetime
) -> None:
    """Bring what is proposed for one period to what the outages of a stretch come to."""
    period = covered.period
    subscription = period.subscription
    hours = parameters_of(subscription.order.terms_version).outage_credit_hours
    about = [
        one
        for one in stretch
        if one.span and one.is_about(subscription.family, period.version.product_id)
    ]
    counted = rules.in_a_row([one.span for one in about if one.span], hours)
    days = rules.whole_days(period.starts_on, period.ends_on)
    ran = rules.common(rules.common(covered.ran, [days]), counted)
    down = rules.apart([rules.common([one.span], ran) for one in about if one.span])
    own = [one for one in covered.credits if one.incident_id in ids]
    settled = [one for one in own if one.status is not OutageCreditStatus.PROPOSED]
    lasting = rules.to_credit(
        [rules.seconds(one) for one in down],
        [sum(was.down_seconds for was in settled if was.incident_id == one.id) for one in about],
    )
    others = [one for one in covered.credits if one in settled or one.incident_id not in ids]
    decided = Decided(
        sum(one.down_seconds for one in others),
        sum(one.vat_minor for one in others),
        sum(one.gross_minor for one in others),
    )
    price = Price(period.net_minor, period.vat_minor, period.gross_minor)
    left = covered.left_minor - sum(
        one.gross_minor for one in others if one.status is OutageCreditStatus.PROPOSED
    )
    amounts = rules.credits(price, days.seconds, lasting, decided=decided, most=left)
    waiting = {one.incident_id: one for one in own if one.status is OutageCreditStatus.PROPOSED}
    for incident, spans, seconds, amount in zip(about, down, lasting, amounts, strict=True):
        if amount.gross:
            known = waiting.pop(incident.id, None)
            credit = known or _new(incident, covered)
            credit.down_from, credit.down_until = spans[0].start, spans[-1].end
            credit.down_seconds = seconds
            credit.net_minor, credit.vat_minor, credit.gross_minor = amount
            credit.computed_at = now
            db.session.add(credit)
    for dropped in waiting.values():
        db.session.delete(dropped)


def _new(incident: Incident, covered: Covered) -> OutageCredit:
    period = covered.period
    return OutageCredit(
        id=uuid.uuid4(),
        incident_id=incident.id,
        subscription_id=period.subscription_id,
        period_id=period.id,
        number=1 + sum(one.incident_id == incident.id for one in covered.credits),
        period_seconds=rules.whole_days(period.starts_on, period.ends_on).seconds,
        price_minor=period.gross_minor,
    )


# Deciding


@dataclass(frozen=True)
class Granting:
    """What staff decide about all that an incident proposes.

    `seen` is what their page showed (`outages.proposal`); `exceptions` are references of orders
    that get nothing, for `reason`.
    """

    seen: str
    exceptions: frozenset[str] = frozenset()
    reason: str = ""


class Granted(NamedTuple):
    """How many credits were granted, and how many not."""

    granted: int
    declined: int


def grant_credits(
    incident_id: uuid.UUID, decision: Granting, *, by: uuid.UUID | None, now: datetime
) -> Granted:
    """Grant every proposal of an incident but the exceptions, in one act; nothing the second time.

    Raises `CreditsChanged` when others stand proposed than were shown, or are being computed, and
    `UnknownExceptions`.
    """
    incident = locked_incident(incident_id)
    proposal = outages.proposal(incident.id)
    if proposal.startswith("0-"):
        return Granted(0, 0)
    if proposal != decision.seen or incident.compute_at is not None:
        raise CreditsChanged(incident=incident.id)
    found = outages.proposed_of_orders(incident.id, decision.exceptions)
    if unknown := sorted(decision.exceptions - found.keys()):
        raise UnknownExceptions(references=", ".join(unknown))
    excepted = {one for ids in found.values() for one in ids}
    declined = _decide(incident.id, excepted, OutageCreditStatus.DECLINED, decision.reason, by, now)
    granted = _decide(incident.id, None, OutageCreditStatus.GRANTED, "", by, now)
    facts = {
        "proposed": proposal,
        "granted": granted,
        "declined": declined,
        "exceptions": sorted(excepted, key=str),
        "reason": decision.reason,
    }
    journal.record("incident.credits_granted", incident, facts, now=now)
    return Granted(granted, declined)


def _decide(
    incident_id: uuid.UUID,
    subscriptions: Iterable[uuid.UUID] | None,
    status: OutageCreditStatus,
    reason: str,
    by: uuid.UUID | None,
    now: datetime,
) -> int:
    """Decide what is still proposed, all of it or of these subscriptions; returns how many."""
    statement = update(OutageCredit).where(
        OutageCredit.incident_id == incident_id,
        OutageCredit.status == OutageCreditStatus.PROPOSED,
    )
    if subscriptions is not None:
        statement = statement.where(OutageCredit.subscription_id.in_(subscriptions))
    decided = db.session.execute(
        statement.values(status=status, reason=reason, decided_by=by, decided_at=now)
        .returning(OutageCredit.id)
        .execution_options(synchronize_session=False)
    ).all()
    db.session.expire_all()
    return len(decided)


# Using


def granted_to(
    subscription_ids: Collection[uuid.UUID],
) -> Mapping[uuid.UUID, Sequence[OutageCredit]]:
    """What was granted to each of these locked subscriptions and is not used up, oldest first."""
    found: dict[uuid.UUID, list[OutageCredit]] = defaultdict(list)
    granted = db.session.scalars(
        select(OutageCredit)
        .where(
            OutageCredit.subscription_id.in_(subscription_ids),
            OutageCredit.status == OutageCreditStatus.GRANTED,
        )
        .order_by(OutageCredit.decided_at, OutageCredit.down_from, OutageCredit.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    for credit in granted:
        found[credit.subscription_id].append(credit)
    return found


def use_credits(
    granted: Sequence[OutageCredit], period: SubscriptionPeriod, *, now: datetime
) -> int:
    """Take what was granted off a period that is being opened; returns how much, in minor units.

    The first one first, never more than the period costs: the rest waits for the next one.
    """
    left = period.gross_minor
    for credit in granted:
        amount = min(credit.left_minor, left)
        if amount:
            _use(credit, period, amount, now)
            left -= amount
    return period.gross_minor - left


def _use(credit: OutageCredit, period: SubscriptionPeriod, amount: int, now: datetime) -> None:
    part = rules.take(credit.amount, credit.used_minor, amount)
    use = OutageCreditUse(
        id=uuid.uuid4(),
        credit_id=credit.id,
        period_id=period.id,
        at=now,
        net_minor=part.net,
        vat_minor=part.vat,
        gross_minor=part.gross,
    )
    db.session.add(use)
    credit.used_minor += amount
    if credit.left_minor == 0:
        _move(credit, OutageCreditStatus.APPLIED)
    facts = {
        "credit": credit.id,
        "period": period.id,
        "amount": amount,
        "left": credit.left_minor,
    }
    journal.record("outage_credit.used", use, facts, now=now)


def hand_over(credit_id: uuid.UUID, *, now: datetime) -> bool:
    """No debit is left that a credit could reduce: its rest is to be paid back, once."""
    subscription_id = db.session.scalars(
        select(OutageCredit.subscription_id).where(OutageCredit.id == credit_id)
    ).one()
    locked(subscription_id)
    credit = db.session.get_one(
        OutageCredit, credit_id, with_for_update=True, populate_existing=True
    )
    if credit.status is not OutageCreditStatus.GRANTED:
        return False
    _move(credit, OutageCreditStatus.REFUNDED)
    journal.record("outage_credit.left", credit, {"left": credit.left_minor}, now=now)
    publish(OutageCreditLeft(credit.id), now=now)
    return True


def _move(credit: OutageCredit, status: OutageCreditStatus) -> None:
    OUTAGE_CREDIT_LIFECYCLE.check(credit.status, status)
    credit.status = status


def uses_of(period_id: uuid.UUID) -> Sequence[OutageCreditUse]:
    """What reduced the debit of a period, in order."""
    return db.session.scalars(
        select(OutageCreditUse)
        .join(OutageCreditUse.credit)
        .where(OutageCreditUse.period_id == period_id)
        .order_by(OutageCredit.down_from, OutageCreditUse.id)
    ).all()
