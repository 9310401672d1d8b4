"""Customers who all owe an instalment on the same day, with every kind of card."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from stripe import StripeClient

from sandbox.testing import RunningSandbox
from storefront.catalogue.models import Variant
from storefront.catalogue.rules import ProductKind
from storefront.infra.db import db, transaction
from storefront.infra.outbox import OutboxEntry, OutboxStatus
from storefront.instalments import service as instalments
from storefront.instalments.models import Instalment, InstalmentStatus
from storefront.instalments.rules import morning_of
from storefront.kernel.calendar import add_months, paris_date
from storefront.orders.models import Order
from storefront.orders.rules import BuyerKind
from storefront.payments import service as payments
from storefront.payments.events import PaymentSucceeded
from storefront.payments.providers.base import Outcome, OutcomeStatus, SavedReference
from tests import factories

BATCH = 50
SEED = "seed_"  # the first parts were paid before the trial, and not at this provider


@dataclass(frozen=True)
class Card:
    """A test card of the provider, and where it leaves the instalment."""

    token: str
    leaves: InstalmentStatus
    percent: int


CARDS = (
    Card("pm_card_chargeCustomerFail", InstalmentStatus.FAILED, 10),
    Card("pm_card_authenticationRequired", InstalmentStatus.UNPAID, 5),
    Card("pm_card_visa", InstalmentStatus.PAID, 85),
)


@dataclass(frozen=True)
class Debtor:
    """Whose instalment it is, and what must become of it."""

    instalment_id: uuid.UUID
    leaves: InstalmentStatus


def card_of(number: int) -> Card:
    """Which card a customer has: spread evenly, by the percentages."""
    place = number * 37 % 100
    for card in CARDS:
        place -= card.percent
        if place < 0:
            return card
    raise AssertionError("the percentages make a hundred")


def due_morning(now: datetime) -> datetime:
    """When what they owe is taken: the morning a month after they ordered."""
    return morning_of(add_months(paris_date(now), 1))


def make_debtors(
    how_many: int, sandbox: RunningSandbox, now: datetime, *, only_good_cards: bool = False
) -> list[Debtor]:
    """So many orders in two parts, the first one paid, the second due a month from `now`."""
    client = StripeClient(sandbox.stripe_key, base_addresses={"api": sandbox.base_url})
    with transaction():
        factories.terms(now)
        variant_id = factories.product(ProductKind.E_LEARNING, price=20000).id
    debtors = []
    for start in range(0, how_many, BATCH):
        batch = range(start, min(start + BATCH, how_many))
        cards = [CARDS[-1] if only_good_cards else card_of(number) for number in batch]
        kept = [_kept(client, card) for card in cards]
        with transaction():
            for number, card, saved in zip(batch, cards, kept, strict=True):
                order = _order(variant_id, number, now)
                _pay_first(order, saved, now)
                debtors.append(Debtor(_second(order), card.leaves))
        with transaction() as session:
            # Invoices, welcomes and accesses are not what is tried here.
            session.execute(update(OutboxEntry).values(status=OutboxStatus.DONE, done_at=now))
    return debtors


def _kept(client: StripeClient, card: Card) -> SavedReference:
    customer = client.v1.customers.create()
    method = client.v1.payment_methods.attach(card.token, {"customer": customer.id})
    return SavedReference(customer.id, method.id, "Visa •••• 4242")


def _order(variant_id: uuid.UUID, number: int, now: datetime) -> Order:
    who = factories.buyer(BuyerKind.PROFESSIONAL, email=f"client{number}@exemple.example")
    variant = db.session.get_one(Variant, variant_id)
    return factories.order(variant, now=now, count=2, who=who)


def _pay_first(order: Order, saved: SavedReference, now: datetime) -> None:
    first = db.session.scalars(
        select(Instalment).where(Instalment.order_id == order.id, Instalment.rank == 1)
    ).one()
    payment = payments.reserve(
        order_id=order.id,
        user_id=order.user_id,
        provider="stripe",
        amount=order.total.split(2)[0],
        order_reference=order.reference,
        description=order.reference,
        instalment_id=first.id,
        save_method=True,
        expires_at=now + timedelta(minutes=31),
        now=now,
    )
    outcome = Outcome(OutcomeStatus.SUCCEEDED, payment.amount, f"{SEED}{payment.id.hex}", saved)
    payments.record_outcome(payment, outcome, now=now)
    instalments.settle([PaymentSucceeded(payment.id)], now=now)


def _second(order: Order) -> uuid.UUID:
    return db.session.scalars(
        select(Instalment.id).where(Instalment.order_id == order.id, Instalment.rank == 2)
    ).one()
