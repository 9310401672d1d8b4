"""Subscribers, versions announced to them, and the days that pass."""

from __future__ import annotations

import uuid
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import select

from storefront.catalogue.models import Product
from storefront.catalogue.rules import ProductKind
from storefront.identity import service as identity
from storefront.identity.models import Role, User
from storefront.infra import outbox
from storefront.infra.db import db, transaction
from storefront.kernel.calendar import paris_instant, start_of_day
from storefront.legal.models import TermsVersion
from storefront.notifications import jobs as notifications
from storefront.notifications.models import Email
from storefront.orders.rules import BuyerKind
from storefront.subscriptions import jobs, service
from storefront.subscriptions.models import Subscription, SubscriptionPeriod, VersionNotice
from tests import factories, paying

YEAR = {"commitment_months": 12, "renewal": "tacit"}


def at(day: str, wall: str = "12:00") -> datetime:
    """This Paris day and time of day."""
    return paris_instant(date.fromisoformat(day), time.fromisoformat(wall))


def live(now: datetime) -> None:
    """What the worker does at this instant, but for debits and what follows those that fail."""
    ours = (*jobs.JOBS, *notifications.JOBS)
    while sum([outbox.drain(now), *(job.run(now) for job in ours)]):
        pass


def subscribe(
    now: datetime,
    features: dict[str, Any] | None = None,
    *,
    buyer: BuyerKind = BuyerKind.PROFESSIONAL,
    kind: ProductKind = ProductKind.PLAN,
) -> uuid.UUID:
    """Somebody subscribes at 159,00 € (TTC) a period; returns the subscription."""
    order_id = paying.transferred(kind, now, buyer=buyer, features=features, provider="stripe")
    live(now)
    found = select(Subscription.id).where(Subscription.order_id == order_id)
    return db.session.scalars(found).one()


def the(subscription_id: uuid.UUID) -> Subscription:
    """The subscription as it is now."""
    db.session.rollback()
    return db.session.get_one(Subscription, subscription_id)


def staff(now: datetime) -> uuid.UUID:
    """Somebody who announces."""
    known = db.session.scalars(select(User.id).where(User.role == Role.MANAGER)).first()
    if known is not None:
        return known
    return identity.create_staff(
        "gerance@letabli.example", "Marie", Role.MANAGER, "une phrase assez longue", now=now
    ).id


def announced(subscription_id: uuid.UUID, now: datetime, *, price: int, **features: Any) -> None:
    """The plan of this subscriber gets a new price, who runs is to be told; nothing left yet."""
    with transaction():
        subscription = the_locked(subscription_id)
        product = db.session.get_one(Product, subscription.version.product_id)
        product.price_minor = price
        product.features = {**product.features, **features}
        version = service.publish_version(product, now=now)
        service.announce(version, ["Un changement."], announced_by=staff(now), now=now)


def the_locked(subscription_id: uuid.UUID) -> Subscription:
    return db.session.get_one(Subscription, subscription_id)


def told(subscription_id: uuid.UUID, now: datetime, *, price: int, **features: Any) -> None:
    """The same, and the message leaves at once."""
    announced(subscription_id, now, price=price, **features)
    live(now)


def new_terms(now: datetime, **parameters: Any) -> TermsVersion:
    """A new version of the terms, announced to everybody; the messages leave at once."""
    with transaction():
        version = factories.terms(now + timedelta(hours=1), **parameters)
        service.announce(version, ["Un délai change."], announced_by=staff(now), now=now)
    live(now)
    return version


def days(first: str, last: str, step: int = 1) -> None:
    """Every morning from the first day to the last one, the worker does what is due."""
    day, end = date.fromisoformat(first), date.fromisoformat(last)
    while day <= end:
        live(start_of_day(day) + timedelta(hours=8))
        day += timedelta(days=step)


def paid(subscription_id: uuid.UUID) -> list[tuple[str, int]]:
    """First day and price of each period that was opened."""
    db.session.rollback()
    found = (
        select(SubscriptionPeriod)
        .where(SubscriptionPeriod.subscription_id == subscription_id)
        .order_by(SubscriptionPeriod.number)
    )
    return [(str(one.starts_on), one.gross_minor) for one in db.session.scalars(found)]


def notice(subscription_id: uuid.UUID) -> VersionNotice:
    """The last thing that this subscriber was told of."""
    db.session.rollback()
    found = (
        select(VersionNotice)
        .where(VersionNotice.subscription_id == subscription_id)
        .order_by(VersionNotice.announced_at.desc())
    )
    return db.session.scalars(found).first()


def emails(kind: str) -> list[Email]:
    """The messages of this kind, oldest first."""
    db.session.rollback()
    return list(db.session.scalars(select(Email).where(Email.kind == kind).order_by(Email.due_at)))
