"""Somebody pays an order's first instalment: by transfer, or on the provider's page."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import select

from sandbox.testing import RunningSandbox
from storefront import worker
from storefront.catalogue.rules import KIND_FACTS, ProductKind
from storefront.infra.db import db, transaction
from storefront.instalments.models import PRICE, Instalment
from storefront.legal.models import AcceptanceKind
from storefront.orders.models import Order
from storefront.orders.rules import BuyerKind
from storefront.payments import jobs as payment_jobs
from storefront.payments import service as payments
from storefront.payments.providers.base import PAGE_LIFETIME, Outcome, OutcomeStatus
from tests import factories

GOOD_CARD = "4242424242424242"
REFUSED_LATER = "4000000000000341"
SHOP = "http://127.0.0.1:8000"


def transferred(
    kind: ProductKind,
    now: datetime,
    *,
    consents: tuple[AcceptanceKind, ...] = (),
    buyer: BuyerKind = BuyerKind.CONSUMER,
    quantity: int = 1,
    features: dict[str, Any] | None = None,
    capacity: int | None = None,
    provider: str = "offline",
) -> uuid.UUID:
    """An order of one product of this kind whose money is there; nobody has reacted yet.

    Of another provider than a transfer no means of payment is kept: what is due later is unpaid
    on its day.
    """
    with transaction():
        factories.terms(now)
        order = factories.order(
            factories.product(kind, features=features, capacity=capacity),
            now=now,
            provider=provider,
            consents=consents,
            who=factories.buyer(buyer),
            quantity=quantity,
        )
        payment = payments.locked(_reserved(order, now, save=False))
        payments.record_outcome(
            payment, Outcome(OutcomeStatus.SUCCEEDED, amount=payment.amount), now=now
        )
        return order.id


def bought(
    sandbox: RunningSandbox,
    kind: ProductKind,
    now: datetime,
    *,
    card: str = GOOD_CARD,
    buyer: BuyerKind = BuyerKind.CONSUMER,
    price: int = 2490,
    features: dict[str, Any] | None = None,
) -> uuid.UUID:
    """An order paid by card on Stripe's page, with everything that follows at that instant."""
    sandbox.control("clock", now=now.isoformat())
    with transaction():
        factories.terms(now)
        variant = factories.product(kind, price=price, features=features)
        order = factories.order(variant, now=now, who=factories.buyer(buyer))
        order_id, email = order.id, order.email
        payment_id = _reserved(order, now, save=KIND_FACTS[kind].is_subscription)
    url = payment_jobs.open_page(
        payment_id,
        email=email,
        return_url=f"{SHOP}/retour",
        cancel_url=f"{SHOP}/annulation",
        now=now,
    )
    sandbox.pay_by_card(url, card)
    payment_jobs.refresh(payment_id, now)
    worker.run_due(now)
    return order_id


def _reserved(order: Order, now: datetime, *, save: bool) -> uuid.UUID:
    first = db.session.scalars(
        select(Instalment).where(
            Instalment.order_id == order.id, Instalment.schedule == PRICE, Instalment.rank == 1
        )
    ).one()
    return payments.reserve(
        order_id=order.id,
        user_id=order.user_id,
        provider=order.payment_provider,
        amount=order.total,
        order_reference=order.reference,
        description=order.reference,
        instalment_id=first.id,
        save_method=save,
        expires_at=now + PAGE_LIFETIME,
        now=now,
    ).id
