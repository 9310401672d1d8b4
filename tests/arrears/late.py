"""Somebody buys in parts and does not pay the second; then time passes."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from storefront import worker
from storefront.arrears.models import ArrearsCase, DunningAct
from storefront.catalogue.rules import ProductKind
from storefront.infra.db import db, transaction
from storefront.instalments.models import Instalment
from storefront.instalments.rules import morning_of
from storefront.kernel.calendar import paris_date
from storefront.kernel.money import Money
from storefront.legal.models import AcceptanceKind
from storefront.notifications.models import Email
from storefront.orders.models import FulfilmentStatus, OrderLine
from storefront.orders.rules import BuyerKind
from storefront.payments import queries as payment_queries
from storefront.payments import service as payments
from storefront.payments.models import ArrivalWay
from storefront.payments.providers.base import PAGE_LIFETIME, Outcome, OutcomeStatus
from storefront.payments.service import Seen
from tests import factories

PRICE = 90_000


def bought(
    now: datetime,
    *,
    count: int = 3,
    buyer: BuyerKind = BuyerKind.CONSUMER,
    kind: ProductKind = ProductKind.E_LEARNING,
    **terms: Any,
) -> uuid.UUID:
    """An order in `count` monthly parts by transfer, the first of them paid."""
    with transaction():
        factories.terms(now, **terms)
        order = factories.order(
            factories.product(kind, price=PRICE),
            now=now,
            count=count,
            provider="offline",
            who=factories.buyer(buyer),
            consents=(AcceptanceKind.EARLY_START,),
        )
        order_id = order.id
    pay(part(1).id, now)
    worker.run_due(now)
    return order_id


def pay(instalment_id: uuid.UUID, now: datetime) -> None:
    """The money of one part arrives, as staff record a transfer; nobody has reacted yet."""
    with transaction():
        owed = db.session.get_one(Instalment, instalment_id)
        awaited = payment_queries.undecided_of_instalment(instalment_id)
        if awaited is not None:
            seen = Seen(1, ArrivalWay.TRANSFER, owed.amount_minor, paris_date(now))
            payments.record_arrival(awaited.id, seen, recorded_by=None, now=now)
            return
        payment = payments.reserve(
            order_id=owed.order_id,
            user_id=owed.order.user_id,
            provider="offline",
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


def part(rank: int) -> Instalment:
    """A part of the price as it is now."""
    db.session.rollback()
    return db.session.scalars(
        select(Instalment).where(Instalment.rank == rank, Instalment.schedule == "price")
    ).one()


def live(first: date, last: date) -> None:
    """Every morning from `first` to `last`, the worker does what is due."""
    for number in range((last - first).days + 1):
        worker.run_due(morning_of(first + timedelta(days=number)))


def told() -> list[tuple[str, date]]:
    """The messages about what is unpaid, with the days on which they were written."""
    db.session.rollback()
    rows = db.session.scalars(
        select(Email).where(Email.kind.startswith("arrears_")).order_by(Email.queued_at, Email.kind)
    )
    return [(email.kind.removeprefix("arrears_"), email.queued_at.date()) for email in rows]


def acts() -> list[tuple[str, date]]:
    """The steps that were made, with their days."""
    db.session.rollback()
    rows = db.session.scalars(select(DunningAct).order_by(DunningAct.at, DunningAct.number))
    return [(act.step.value, act.made_on) for act in rows]


def cases() -> list[ArrearsCase]:
    """Every case, the first one first."""
    db.session.rollback()
    return list(db.session.scalars(select(ArrearsCase).order_by(ArrearsCase.opened_at)))


def supply() -> FulfilmentStatus:
    """The state of what was sold."""
    db.session.rollback()
    return db.session.scalars(select(OrderLine.fulfilment).where(OrderLine.kind.is_not(None))).one()
