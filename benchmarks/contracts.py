"""Subscribers of every kind, anchored on every day of the month, and what must become of each.

The expectations are counted here from the dates alone, by other means than the shop's.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta
from sqlalchemy import select
from stripe import StripeClient

from benchmarks.debtors import SEED
from sandbox.testing import RunningSandbox
from storefront import worker
from storefront.catalogue.models import Variant
from storefront.catalogue.rules import PriceBasis, ProductKind
from storefront.infra.db import db, transaction
from storefront.instalments.models import Instalment
from storefront.kernel.calendar import PARIS
from storefront.orders import service as orders
from storefront.orders.models import Order
from storefront.orders.rules import BuyerKind
from storefront.payments import service as payments
from storefront.payments.providers.base import Outcome, OutcomeStatus, SavedReference
from tests import factories

FIRST_DAY = date(2028, 1, 30)
DAYS = 31  # 30 and 31 January, then all of February 2028, the 29th included
REFUSED = "pm_card_chargeCustomerFail"
TAKEN = "pm_card_visa"


@dataclass(frozen=True)
class Kind:
    """One kind of contract: what is sold, to whom, and how many of a hundred subscribers have it.

    `months` is of commitment; `every` the months of a period; `goes_on` after the term.
    """

    name: str
    percent: int
    product: ProductKind
    buyer: BuyerKind
    price: int  # minor units
    features: Mapping[str, Any]
    months: int = 0
    every: int = 1
    goes_on: bool = False
    country: str = "FR"

    @property
    def currency(self) -> str:
        """Who lives in Morocco pays in dirhams."""
        return "MAD" if self.country == "MA" else "EUR"


def _plan(rank: int) -> dict[str, Any]:
    return {"family": "annuaire", "rank": rank, "entitlements": ["page"]}


def _contract(**more: Any) -> dict[str, Any]:
    return {"commitment_months": 12, "included_minutes": 60, **more}


PRO, PERSON = BuyerKind.PROFESSIONAL, BuyerKind.CONSUMER
SUPPORT = ProductKind.SUPPORT_CONTRACT
KINDS = (
    Kind("free plan", 20, ProductKind.PLAN, PRO, 0, _plan(0)),
    Kind("plan, 19 EUR", 25, ProductKind.PLAN, PRO, 1900, _plan(1)),
    Kind("plan, 49 EUR", 10, ProductKind.PLAN, PRO, 4900, _plan(2)),
    Kind("plan, 199 MAD", 5, ProductKind.PLAN, PRO, 19900, _plan(1), country="MA"),
    Kind("twelve months, ends", 15, SUPPORT, PERSON, 2490, _contract(), months=12),
    Kind(
        "twelve months, tacit",
        10,
        SUPPORT,
        PERSON,
        2490,
        _contract(renewal="tacit"),
        months=12,
        goes_on=True,
    ),
    Kind(
        "twelve months, asked",
        5,
        SUPPORT,
        PRO,
        2490,
        _contract(renewal="express"),
        months=12,
    ),
    Kind(
        "a year up front",
        10,
        SUPPORT,
        PERSON,
        24900,
        _contract(billing_interval="year", monthly_minutes=60),
        months=12,
        every=12,
    ),
)


@dataclass(frozen=True)
class Subscriber:
    """Who has which contract since when, with a card that pays or one that is refused later."""

    number: int
    kind: Kind
    anchor: date
    refused: bool


@dataclass(frozen=True)
class Expected:
    """What must stand in the shop at the end."""

    periods: int
    paid: int
    status: str


def subscribers(how_many: int) -> list[Subscriber]:
    """So many, every kind on every day; each tenth of a kind has a card that refuses debits."""
    found, per_kind = [], dict.fromkeys((kind.name for kind in KINDS), 0)
    for number in range(how_many):
        kind = _kind_of(number)
        rank = per_kind[kind.name]
        per_kind[kind.name] += 1
        anchor = FIRST_DAY + timedelta(days=rank % DAYS)
        found.append(Subscriber(number, kind, anchor, refused=rank % 10 == 9))
    return found


def _kind_of(number: int) -> Kind:
    place = number * 37 % 100
    for kind in KINDS:
        place -= kind.percent
        if place < 0:
            return kind
    raise AssertionError("the percentages make a hundred")


def expected(one: Subscriber, until: date) -> Expected:
    """Counted from the calendar: every period that began by `until`, and what a refusal does."""
    kind = one.kind
    term = one.anchor + relativedelta(months=kind.months)
    # Who owes something renews nothing (O-07).
    ends = kind.months > 0 and not (kind.goes_on and not one.refused) and term <= until
    starts = [one.anchor]
    while True:
        following = one.anchor + relativedelta(months=kind.every * len(starts))
        if following > until or (ends and following >= term):
            break
        starts.append(following)
    if not one.refused or kind.price == 0 or len(starts) == 1:
        return Expected(len(starts), len(starts), "ended" if ends else "active")
    if kind.months == 0:
        # Suspended after the days of grace; what is not served is not billed.
        return Expected(2, 1, "suspended")
    return Expected(len(starts), 1, "ended" if ends else "suspended")


def make(how_many: int, sandbox: RunningSandbox) -> list[Subscriber]:
    """All of them, day after day, each by an order whose first period was paid."""
    client = StripeClient(sandbox.stripe_key, base_addresses={"api": sandbox.base_url})
    before = at_ten(FIRST_DAY - timedelta(days=1))
    with transaction():
        factories.terms(before)
        variants = {kind.name: _variant(kind) for kind in KINDS}
    everybody = subscribers(how_many)
    for day in (FIRST_DAY + timedelta(days=count) for count in range(DAYS)):
        now = at_ten(day)
        sandbox.control("clock", now=now.isoformat())
        for one in (one for one in everybody if one.anchor == day):
            saved = _kept(client, one)
            with transaction():
                _order(one, variants[one.kind.name], saved, now)
        worker.run_due(now)
    return everybody


def at_ten(day: date) -> datetime:
    """Ten in the morning in Paris."""
    return datetime.combine(day, time(10), tzinfo=PARIS)


def _variant(kind: Kind) -> uuid.UUID:
    basis = PriceBasis.NET if kind.product is ProductKind.PLAN else PriceBasis.GROSS
    made = factories.product(
        kind.product,
        price=kind.price,
        features=kind.features,
        name=kind.name.capitalize(),
        price_basis=basis,
        currency=kind.currency,
    )
    return made.id


def _kept(client: StripeClient, one: Subscriber) -> SavedReference:
    customer = client.v1.customers.create()
    token = REFUSED if one.refused else TAKEN
    method = client.v1.payment_methods.attach(token, {"customer": customer.id})
    return SavedReference(customer.id, method.id, "Visa •••• 4242")


def _order(one: Subscriber, variant_id: uuid.UUID, saved: SavedReference, now: datetime) -> None:
    email = f"client{one.number}@exemple.example"
    who = factories.buyer(one.kind.buyer, email=email, country=one.kind.country)
    order = factories.order(db.session.get_one(Variant, variant_id), now=now, who=who)
    if order.total_minor == 0:
        orders.confirm(order, now=now)
        return
    payment = payments.reserve(
        order_id=order.id,
        user_id=order.user_id,
        provider="stripe",
        amount=order.total,
        order_reference=order.reference,
        description=order.reference,
        instalment_id=_first(order),
        save_method=True,
        expires_at=now + timedelta(minutes=31),
        now=now,
    )
    reference = f"{SEED}{payment.id.hex}"
    outcome = Outcome(OutcomeStatus.SUCCEEDED, payment.amount, reference, saved)
    payments.record_outcome(payment, outcome, now=now)


def _first(order: Order) -> uuid.UUID:
    return db.session.scalars(select(Instalment.id).where(Instalment.order_id == order.id)).one()
