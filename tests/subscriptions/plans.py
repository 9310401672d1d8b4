"""A professional who has a plan of a family, and what they do about it."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from storefront import worker
from storefront.catalogue.models import Product, Variant
from storefront.catalogue.rules import PriceBasis, ProductKind
from storefront.infra.db import db, transaction
from storefront.instalments import service as instalments
from storefront.instalments.models import PRICE, Instalment
from storefront.orders.rules import BuyerKind
from storefront.payments import service as payments
from storefront.payments.models import Payment
from storefront.payments.providers.base import PAGE_LIFETIME, Outcome, OutcomeStatus
from storefront.subscriptions import queries, service
from storefront.subscriptions.models import PlanChange, Subscription, SubscriptionPeriod
from storefront.subscriptions.service import Choice
from tests import factories

EMAIL = "claire@exemple.example"
FAMILY: dict[str, dict[str, Any]] = {
    "libre": {"price": 0, "rank": 0, "entitlements": ["page"], "limits": {"photos": 3}},
    "essentiel": {
        "price": 1900,
        "rank": 1,
        "entitlements": ["page", "messaging"],
        "limits": {"photos": 12},
    },
    "premium": {
        "price": 4900,
        "rank": 2,
        "entitlements": ["page", "messaging", "calendar"],
        "limits": {"photos": None},
    },
    "atelier": {
        "price": 9900,
        "rank": 3,
        "entitlements": ["page", "messaging", "calendar", "team_access"],
        "limits": {"photos": None, "team_members": 5},
    },
}


def shelf(**common: Any) -> dict[str, Variant]:
    """Every plan of the family on sale, priced before tax; `common` features are in each."""
    return {
        slug: factories.product(
            ProductKind.PLAN,
            slug=slug,
            name=slug.capitalize(),
            price=plan["price"],
            price_basis=PriceBasis.NET,
            features={
                "family": "annuaire",
                **{name: value for name, value in plan.items() if name != "price"},
                **common,
            },
        )
        for slug, plan in FAMILY.items()
    }


def subscribe(slug: str, now: datetime, *, provider: str = "stripe", **common: Any) -> uuid.UUID:
    """Claire orders this plan and has paid its first period: the subscription's id."""
    with transaction():
        factories.terms(now)
        who = factories.buyer(BuyerKind.PROFESSIONAL)
        order = factories.order(shelf(**common)[slug], now=now, provider=provider, who=who)
        first = db.session.scalars(
            select(Instalment).where(Instalment.schedule == PRICE, Instalment.order_id == order.id)
        ).one()
        payment = instalments.attempt(first, provider, expires_at=now + PAGE_LIFETIME, now=now)
        _arrives(payment, now)
    worker.run_due(now)
    return subscription().id


def _arrives(payment: Payment, now: datetime) -> None:
    reference = f"ch_{payment.id}"
    outcome = Outcome(OutcomeStatus.SUCCEEDED, payment.amount, charge_reference=reference)
    payments.record_outcome(payments.locked(payment.id), outcome, now=now)


def provider_says(
    instalment_id: uuid.UUID | None, status: OutcomeStatus, now: datetime
) -> uuid.UUID:
    """What the provider tells of the one attempt at this instalment; nobody has reacted yet."""
    with transaction():
        payment = db.session.scalars(
            select(Payment).where(Payment.instalment_id == instalment_id)
        ).one()
        if status is OutcomeStatus.SUCCEEDED:
            _arrives(payment, now)
        else:
            payments.record_outcome(payments.locked(payment.id), Outcome(status), now=now)
        return payment.id


def subscription() -> Subscription:
    """The one subscription as it is now."""
    db.session.rollback()
    return db.session.scalars(select(Subscription)).one()


def changes() -> list[PlanChange]:
    """Every choice that was made, the first one first."""
    db.session.rollback()
    return list(db.session.scalars(select(PlanChange).order_by(PlanChange.requested_at)))


def periods() -> list[SubscriptionPeriod]:
    """Every period that was opened."""
    db.session.rollback()
    number = SubscriptionPeriod.number
    return list(db.session.scalars(select(SubscriptionPeriod).order_by(number)))


def product(slug: str) -> Product:
    """A plan of the catalogue."""
    return db.session.scalars(select(Product).where(Product.slug == slug)).one()


def choice(slug: str, at: datetime) -> Choice:
    """What the page of this change showed at this instant."""
    found = subscription()
    offer = queries.offer(found, slug)
    quote = queries.quote(found, offer, at) if offer else None
    seen = quote.seen if quote else ""
    return Choice(slug, at, seen, "Je change d’offre.", "127.0.0.1", "test")


def choose(
    slug: str, now: datetime, *, shown: datetime | None = None, page: bool = True
) -> PlanChange:
    """Claire changes to this plan, from a page that was shown at that instant.

    Without `page` nothing was reserved to pay it: the browser was closed at once.
    """
    wanted = choice(slug, shown or now)
    with transaction():
        made = service.choose(_id(), wanted, expires_at=now + PAGE_LIFETIME, now=now)
        if page and made.instalment_id is not None and made.done_at is None:
            instalments.pay_now(
                made.instalment_id, "stripe", expires_at=now + PAGE_LIFETIME, now=now
            )
        made_id = made.id
    db.session.rollback()
    return db.session.get_one(PlanChange, made_id)


def _id() -> uuid.UUID:
    return db.session.scalars(select(Subscription.id)).one()


def money_comes(instalment_id: uuid.UUID | None, now: datetime) -> Payment:
    """The last attempt at this instalment is paid, or one that is made for it now."""
    assert instalment_id is not None
    with transaction():
        payment = db.session.scalars(
            select(Payment)
            .where(Payment.instalment_id == instalment_id)
            .order_by(Payment.attempt.desc())
        ).first()
        if payment is None:
            owed = db.session.get_one(Instalment, instalment_id)
            payment = instalments.attempt(
                owed, "stripe", expires_at=now + timedelta(minutes=31), now=now
            )
        _arrives(payment, now)
        payment_id = payment.id
    worker.run_due(now)
    db.session.rollback()
    return db.session.get_one(Payment, payment_id)


def page_closes(instalment_id: uuid.UUID | None, now: datetime) -> None:
    """The attempt at this instalment is over and nothing was paid."""
    provider_says(instalment_id, OutcomeStatus.CANCELLED, now)
    worker.run_due(now)
