"""Somebody orders and pays by their own means; staff see the money arrive."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select

from storefront import worker
from storefront.catalogue.rules import ProductKind
from storefront.infra.db import db, transaction
from storefront.instalments.models import Instalment
from storefront.kernel.calendar import paris_date, paris_instant
from storefront.notifications.models import Email
from storefront.orders.models import Order
from storefront.payments import queries, service
from storefront.payments.models import Arrival, ArrivalWay, Payment
from storefront.payments.service import Seen
from tests import factories
from tests.checkout import shopping

PRICE = 18000


def ordered(
    client: FlaskClient,
    now: datetime,
    *,
    provider: str = "offline",
    count: int = 1,
    kind: ProductKind = ProductKind.HOUR_PACK,
    price: int = PRICE,
    terms: dict[str, Any] | None = None,
    details: dict[str, str] | None = None,
    **product: Any,
) -> uuid.UUID:
    """An order placed at the checkout, to be paid by hand; the id of what is awaited."""
    with transaction():
        factories.terms(now, **(terms or {}))
        variant_id = factories.product(kind, price=price, **product).id
    shopping.add(client, variant_id)
    shopping.give_details(client, **(details or {}))
    answer = shopping.click(client, provider=provider, instalments=str(count))
    assert answer.status_code == 303, answer.text
    worker.run_due(now)
    return last().id


def last() -> Payment:
    """The last attempt to be paid."""
    db.session.rollback()
    return db.session.scalars(
        select(Payment).order_by(Payment.created_at.desc(), Payment.attempt.desc())
    ).first()


def arrives(
    payment_id: uuid.UUID,
    minor: int,
    now: datetime,
    *,
    number: int | None = None,
    on: date | None = None,
    way: ArrivalWay = ArrivalWay.TRANSFER,
) -> Arrival:
    """Staff record money, and everything that follows at that instant happens."""
    with transaction():
        rank = number or len(queries.arrivals_of(payment_id)) + 1
        seen = Seen(rank, way, minor, on or paris_date(now), "VIR ESSAI")
        arrival = service.record_arrival(payment_id, seen, recorded_by=None, now=now)
    worker.run_due(now)
    return arrival


def order() -> Order:
    """The only order, as it is now."""
    db.session.rollback()
    return db.session.scalars(select(Order)).one()


def parts() -> list[Instalment]:
    """Everything owed, in order of time."""
    db.session.rollback()
    return list(db.session.scalars(select(Instalment).order_by(Instalment.due_on, Instalment.rank)))


def emails(kind: str) -> list[Email]:
    """The messages of one kind, the first first."""
    db.session.rollback()
    return list(
        db.session.scalars(select(Email).where(Email.kind == kind).order_by(Email.queued_at))
    )


def morning(now: datetime, days: int) -> datetime:
    """Half past seven in Paris, so many days later."""
    day = paris_date(now) + timedelta(days=days)
    return paris_instant(day, datetime.min.time().replace(hour=7, minute=30))
