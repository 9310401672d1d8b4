"""Somebody who subscribes to a plan, and outages that staff declare."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import select

from storefront import worker
from storefront.catalogue.rules import ProductKind
from storefront.infra.db import db, transaction
from storefront.instalments import service as instalments
from storefront.instalments.models import PRICE, Instalment
from storefront.instalments.rules import morning_of
from storefront.orders.models import Order
from storefront.orders.rules import BuyerKind
from storefront.payments import service as payments
from storefront.payments.providers.base import Outcome, OutcomeStatus
from storefront.subscriptions import service
from storefront.subscriptions.models import OutageCredit, OutageCreditStatus, Subscription
from storefront.subscriptions.queries import outages as queries
from storefront.subscriptions.rules.outages import Severity
from storefront.subscriptions.service import Facts, Granting
from tests import factories

PRICE_MINOR = 15900
# Bought on Tuesday 24 November 2026: a first month of thirty days.
SECOND_MONTH = date(2026, 12, 24)
OUTAGE = datetime.fromisoformat("2026-12-01T10:00+01:00")
AFTER = datetime.fromisoformat("2026-12-06T09:00+01:00")
HOURS_80 = 1767  # 159,00 × 80 ÷ 720 = 17,667
HOUR = timedelta(hours=1)


def subscribe(
    now: datetime,
    *,
    email: str = "claire@exemple.example",
    family: str | None = None,
    price: int = PRICE_MINOR,
    terms: bool = True,
) -> uuid.UUID:
    """A plan paid by transfer, whose first month begins now; its subscription's id."""
    with transaction():
        if terms:
            factories.terms(now)
        features = {"family": family} if family else {}
        order = factories.order(
            factories.product(ProductKind.PLAN, price=price, features=features),
            now=now,
            provider="offline",
            who=factories.buyer(BuyerKind.PROFESSIONAL, email=email),
        )
        order_id = order.id
        part = first_part(order.id)
    pay(part, now)
    with transaction():
        return db.session.scalars(
            select(Subscription.id).where(Subscription.order_id == order_id)
        ).one()


def first_part(order_id: uuid.UUID) -> uuid.UUID:
    return db.session.scalars(
        select(Instalment.id).where(Instalment.order_id == order_id, Instalment.schedule == PRICE)
    ).one()


def pay(instalment_id: uuid.UUID, now: datetime) -> None:
    """Its transfer arrives, and everything that follows is done."""
    with transaction():
        part = instalments.locked(instalment_id)
        order = db.session.get_one(Order, part.order_id)
        payment = instalments.attempt(part, order.payment_provider, now=now)
        paid = Outcome(OutcomeStatus.SUCCEEDED, amount=payment.amount)
        payments.record_outcome(payment, paid, now=now)
    worker.run_due(now)


def open_month(day: date) -> Instalment | None:
    """The month of this day begins; what is owed for it."""
    worker.run_due(morning_of(day))
    db.session.rollback()
    return db.session.scalars(
        select(Instalment).where(Instalment.due_on == day, Instalment.schedule != PRICE)
    ).one_or_none()


def facts(
    start: datetime = OUTAGE,
    hours: int | timedelta = 80,
    *,
    severity: Severity = Severity.OUTAGE,
    concerns: Sequence[str] = (),
) -> Facts:
    length = hours if isinstance(hours, timedelta) else hours * HOUR
    return Facts("L’annuaire ne répond pas", severity, start, start + length, concerns)


def down(now: datetime, said: Facts | None = None) -> uuid.UUID:
    """An outage, declared and computed."""
    with transaction():
        said = said or facts()
        incident_id = service.declare_incident(uuid.uuid4(), said, by=None, now=now).id
    worker.run_due(now)
    return incident_id


def correct(incident_id: uuid.UUID, said: Facts, now: datetime) -> None:
    with transaction():
        seen = db.session.get_one(queries.Incident, incident_id).revision
        service.correct_incident(incident_id, said, reason="Relevé des sondes", seen=seen, now=now)
    worker.run_due(now)


def grant(
    incident_id: uuid.UUID, now: datetime, *, exceptions: Sequence[str] = (), react: bool = True
) -> tuple[int, int]:
    with transaction():
        decision = Granting(
            queries.proposal(incident_id), frozenset(exceptions), "Essai" if exceptions else ""
        )
        done = service.grant_credits(incident_id, decision, by=None, now=now)
    if react:
        worker.run_due(now)
    return done


def credits(status: OutageCreditStatus | None = None) -> list[OutageCredit]:
    db.session.rollback()
    found = select(OutageCredit).order_by(OutageCredit.down_from, OutageCredit.number)
    if status is not None:
        found = found.where(OutageCredit.status == status)
    return list(db.session.scalars(found))


def amounts(status: OutageCreditStatus | None = None) -> list[int]:
    return [one.gross_minor for one in credits(status)]
