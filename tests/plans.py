"""Somebody buys in instalments, pays the first on the provider's page, and time passes."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select

from sandbox.testing import RunningSandbox
from storefront import worker
from storefront.catalogue.rules import ProductKind
from storefront.infra.db import db, transaction
from storefront.instalments.models import Instalment
from storefront.instalments.queries import of_order as instalments_of
from storefront.kernel.money import Money
from storefront.notifications.models import Email
from storefront.orders.rules import Buyer
from storefront.payments import jobs as payment_jobs
from storefront.payments import service as payments
from storefront.payments.providers.base import PAGE_LIFETIME
from tests import factories

CHALLENGED_LATER = "4000002760003184"
REFUSED_LATER = "4000000000000341"


def buy(
    sandbox: RunningSandbox,
    now: datetime,
    *,
    card: str = "4242424242424242",
    provider: str = "stripe",
    count: int = 2,
    who: Buyer | None = None,
    slug: str = "",
    **terms: Any,
) -> None:
    """A course in several payments, the first one paid on the provider's page."""
    with transaction():
        factories.terms(now, **terms)
        named = {"slug": slug} if slug else {}
        variant = factories.product(ProductKind.E_LEARNING, price=39001, **named)
        order = factories.order(variant, now=now, count=count, who=who, provider=provider)
        first = instalments_of(order.id)[0]
        payment_id = payments.reserve(
            order_id=order.id,
            user_id=order.user_id,
            provider=provider,
            amount=Money(first.amount_minor),
            order_reference=order.reference,
            description="Art floral",
            instalment_id=first.id,
            save_method=True,
            expires_at=now + PAGE_LIFETIME,
            now=now,
        ).id
    url = payment_jobs.open_page(
        payment_id,
        email="claire@exemple.example",
        return_url="http://127.0.0.1:8000/retour",
        cancel_url="http://127.0.0.1:8000/annulation",
        now=now,
    )
    if provider == "stripe":
        sandbox.pay_by_card(url, card)
    else:
        sandbox.pay_by_paypal(url)
    payment_jobs.refresh(payment_id, now)
    worker.run_due(now)


def second() -> Instalment:
    db.session.rollback()
    return db.session.scalars(select(Instalment).where(Instalment.rank == 2)).one()


def live_until(sandbox: RunningSandbox, instant: datetime) -> None:
    sandbox.control("clock", now=instant.isoformat())
    worker.run_due(instant)


def emails(kind: str) -> int:
    return len(db.session.scalars(select(Email.id).where(Email.kind == kind)).all())


def taken(sandbox: RunningSandbox, provider: str = "stripe") -> list[int]:
    return [entry["amount"] for entry in sandbox.control("ledger")[provider]["taken"]]


def second_id() -> uuid.UUID:
    return db.session.scalars(select(Instalment.id).where(Instalment.rank == 2)).one()


def hear(client: FlaskClient, sandbox: RunningSandbox, kind: str | None = None) -> None:
    """Everything Stripe has to tell, or all of one kind, arrives at the shop's own address."""
    for event in sandbox.events("stripe", kind):
        headers, body = sandbox.signed("stripe", event["id"])
        assert client.post("/webhooks/stripe", headers=headers, data=body).status_code == 200
