"""People buy one thing of each kind; then everything falls due, each at its instant."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select

from sandbox.testing import RunningSandbox
from storefront import worker
from storefront.catalogue.rules import ProductKind
from storefront.demo import travel
from storefront.infra.db import db, transaction
from storefront.instalments import service as instalments
from storefront.instalments.models import Instalment
from storefront.kernel.moments import By, Moment
from storefront.legal.models import AcceptanceKind
from storefront.orders.models import Order
from storefront.orders.rules import BuyerKind
from storefront.payments import jobs as payments
from storefront.payments.providers.base import PAGE_LIFETIME
from storefront.timeline import queries
from storefront.timeline.rules import BY, Entry
from tests import factories
from tests.paying import GOOD_CARD, SHOP

CONTRACT = {"commitment_months": 12, "included_minutes": 60, "renewal": "none"}


class Sale(NamedTuple):
    """What somebody buys, and as whom."""

    kind: ProductKind
    features: dict[str, Any] | None = None
    count: int = 1
    buyer: BuyerKind = BuyerKind.CONSUMER
    consents: tuple[AcceptanceKind, ...] = ()


SALES = {
    "hours": Sale(ProductKind.HOUR_PACK),
    "one intervention": Sale(ProductKind.ONE_SHOT_PACK),
    "training in parts": Sale(
        ProductKind.CLASSROOM_TRAINING, count=4, buyer=BuyerKind.PROFESSIONAL
    ),
    "course": Sale(ProductKind.E_LEARNING, {"lessons": ["lecon-art-floral.md"] * 2}),
    "contract": Sale(ProductKind.SUPPORT_CONTRACT, CONTRACT),
    "renewed contract": Sale(ProductKind.SUPPORT_CONTRACT, {**CONTRACT, "renewal": "tacit"}),
    "short contract": Sale(
        ProductKind.SUPPORT_CONTRACT,
        {**CONTRACT, "renewal": "tacit", "commitment_months": 3},
        buyer=BuyerKind.PROFESSIONAL,
    ),
    "contract on request": Sale(ProductKind.SUPPORT_CONTRACT, {**CONTRACT, "renewal": "express"}),
    "plan": Sale(ProductKind.PLAN, {"family": "annuaire", "rank": 1}),
    "year ahead": Sale(
        ProductKind.PLAN, {"family": "annuaire", "rank": 2, "billing_interval": "year"}
    ),
    "goods": Sale(ProductKind.PAPER_GUIDE),
    "file": Sale(ProductKind.DIGITAL_PRODUCT),
    "file at once": Sale(ProductKind.DIGITAL_PRODUCT, consents=(AcceptanceKind.DIGITAL_WAIVER,)),
}


def buy(
    sandbox: RunningSandbox, name: str, sale: Sale, now: datetime, *, card: str = GOOD_CARD
) -> uuid.UUID:
    """Somebody buys this and pays by a card that is kept; their order's id."""
    address = f"{name.replace(' ', '-')}-{uuid.uuid4().hex[:6]}@exemple.example"
    with transaction():
        variant = factories.product(sale.kind, features=sale.features, name=name)
        who = factories.buyer(sale.buyer, email=address)
        order = factories.order(variant, now=now, count=sale.count, who=who, consents=sale.consents)
        order_id, email = order.id, order.email
        first = db.session.scalars(
            select(Instalment).where(Instalment.order_id == order_id, Instalment.rank == 1)
        ).one()
        payment_id = instalments.attempt(
            first, "stripe", save_method=True, expires_at=now + PAGE_LIFETIME, now=now
        ).id
    page = payments.open_page(
        payment_id,
        email=email,
        return_url=f"{SHOP}/retour",
        cancel_url=f"{SHOP}/annulation",
        now=now,
    )
    sandbox.pay_by_card(page, card)
    payments.refresh(payment_id, now)
    worker.run_due(now)
    return order_id


def foreseen(order_id: uuid.UUID, now: datetime, until: datetime) -> list[Moment]:
    """What the shop says will happen; what waits for a person does not happen by itself."""
    db.session.rollback()
    return _by_itself(queries.of_order(order_id, now, until).coming)


def lived(order_id: uuid.UUID, now: datetime, until: datetime) -> list[Moment]:
    """What the shop says did happen from `now` to `until`, once it is over."""
    db.session.rollback()
    found = queries.of_order(order_id, until).past
    return _by_itself(entry for entry in found if entry.moment.at > now)


def _by_itself(entries: Iterable[Entry]) -> list[Moment]:
    moments = (entry.moment for entry in entries)
    return [one for one in moments if BY[one.kind] in (By.SOFTWARE, By.TIME)]


def live(start: datetime, until: datetime) -> None:
    """The demo's travel: everything that falls due, in order of time."""
    for _ in travel.live_through(start, until):
        pass


def reference_of(order_id: uuid.UUID) -> str:
    """How an order is called."""
    return db.session.get_one(Order, order_id).reference
