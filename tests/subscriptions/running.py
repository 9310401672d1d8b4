"""Somebody holds a plan or a contract, paid by a card that is not kept; then time passes."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from storefront import worker
from storefront.catalogue.rules import ProductKind
from storefront.identity.models import Role, User
from storefront.infra.db import db, transaction
from storefront.instalments.models import PRICE, Instalment
from storefront.instalments.rules import morning_of
from storefront.kernel.money import Money
from storefront.notifications.models import Email
from storefront.orders.rules import BuyerKind
from storefront.payments import service as payments
from storefront.payments.models import Refund
from storefront.payments.providers.base import PAGE_LIFETIME, Outcome, OutcomeStatus
from storefront.subscriptions.models import Subscription
from tests import factories
from tests.identity import people

PLAN = {"family": "annuaire", "rank": 1, "entitlements": ["messaging"]}
CONTRACT = {"commitment_months": 12, "included_minutes": 60, "renewal": "none"}
TACIT = {**CONTRACT, "renewal": "tacit"}
PRICE_MINOR = 3100
REASONS = "Coordonnées fausses malgré deux rappels, constatées le 3 février."


def hold(
    now: datetime,
    features: dict[str, Any] = PLAN,
    *,
    buyer: BuyerKind = BuyerKind.PROFESSIONAL,
    price: int = PRICE_MINOR,
    **terms: Any,
) -> uuid.UUID:
    """A plan, or a contract when `features` bind, whose first month is paid. Its id."""
    binds = "commitment_months" in features
    kind = ProductKind.SUPPORT_CONTRACT if binds else ProductKind.PLAN
    with transaction():
        factories.terms(now, **terms)
        order = factories.order(
            factories.product(kind, price=price, features=features),
            now=now,
            provider="stripe",
            who=factories.buyer(buyer),
        )
        order_id = order.id
    first = select(Instalment.id).where(
        Instalment.order_id == order_id, Instalment.schedule == PRICE
    )
    pay(db.session.scalars(first).one(), now)
    worker.run_due(now)
    found = select(Subscription.id).where(Subscription.order_id == order_id)
    return db.session.scalars(found).one()


def pay(instalment_id: uuid.UUID, now: datetime) -> None:
    """The money of an instalment arrives."""
    with transaction():
        owed = db.session.get_one(Instalment, instalment_id)
        payment = payments.reserve(
            order_id=owed.order_id,
            user_id=owed.order.user_id,
            provider="stripe",
            amount=Money(owed.amount_minor, owed.currency),
            order_reference=owed.order.reference,
            description=owed.order.reference,
            instalment_id=owed.id,
            save_method=False,
            expires_at=now + PAGE_LIFETIME,
            now=now,
        )
        payments.record_outcome(
            payment, Outcome(OutcomeStatus.SUCCEEDED, amount=payment.amount), now=now
        )


def pay_month(number: int, now: datetime) -> None:
    """A month after the first is paid, with everything that follows."""
    pay(month(number).id, now)
    worker.run_due(now)


def the(subscription_id: uuid.UUID) -> Subscription:
    """The subscription as it is now."""
    db.session.rollback()
    return db.session.get_one(Subscription, subscription_id)


def month(number: int) -> Instalment:
    """What a month after the first is paid with, as it is now."""
    db.session.rollback()
    return db.session.scalars(
        select(Instalment).where(Instalment.schedule != PRICE, Instalment.rank == number)
    ).one()


def months() -> list[Instalment]:
    """Every month that was owed."""
    db.session.rollback()
    return list(
        db.session.scalars(
            select(Instalment).where(Instalment.schedule != PRICE).order_by(Instalment.rank)
        )
    )


def live(first: date, last: date) -> None:
    """Every morning from `first` to `last`, the worker does what is due."""
    for number in range((last - first).days + 1):
        worker.run_due(morning_of(first + timedelta(days=number)))


def travel(start: datetime, until: datetime) -> None:
    """Everything that falls due from `start` to `until`, each at its instant."""
    instant: datetime | None = start
    while instant is not None and instant < until:
        worker.run_due(instant)
        instant = worker.next_due(instant)
        db.session.rollback()
    worker.run_due(until)


def mails(kind: str) -> list[Email]:
    """The messages of one kind, the first one first."""
    db.session.rollback()
    return list(
        db.session.scalars(select(Email).where(Email.kind == kind).order_by(Email.queued_at))
    )


def refunds() -> list[Refund]:
    """Every refund that was proposed or made."""
    db.session.rollback()
    return list(db.session.scalars(select(Refund).order_by(Refund.asked_at)))


def staff(now: datetime) -> uuid.UUID:
    """Somebody of the shop."""
    known = select(User.id).where(User.email == f"{Role.MANAGER.value}@letabli.example")
    return db.session.scalar(known) or people.staff(now).id
