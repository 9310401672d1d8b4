"""Real rows through the rooms' own services: terms, products, orders, people."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from storefront.catalogue.models import Category, Product, Variant
from storefront.catalogue.rules import (
    KIND_FACTS,
    PriceBasis,
    ProductKind,
    SellerVat,
    VatClass,
    WithdrawalKind,
)
from storefront.identity import service as identity
from storefront.infra.db import db
from storefront.instalments import rules as plans
from storefront.instalments import service as instalments
from storefront.kernel.calendar import paris_date
from storefront.kernel.money import Money
from storefront.legal import queries as legal_queries
from storefront.legal import service as legal
from storefront.legal.models import AcceptanceKind, TermsVersion
from storefront.orders import rules as order_rules
from storefront.orders import service as orders
from storefront.orders.models import Order
from storefront.orders.rules import Buyer, BuyerKind

TERMS = Path(__file__).parents[1] / "storefront" / "demo" / "content" / "terms"

VAT_CLASS = {
    ProductKind.CLASSROOM_TRAINING: VatClass.TRAINING_EXEMPT,
    ProductKind.E_LEARNING: VatClass.TRAINING_EXEMPT,
    ProductKind.BUNDLE: VatClass.TRAINING_EXEMPT,
    ProductKind.PAPER_GUIDE: VatClass.BOOK,
}
WITHDRAWAL = {
    ProductKind.CLASSROOM_TRAINING: WithdrawalKind.TRAINING,
    ProductKind.E_LEARNING: WithdrawalKind.TRAINING,
    ProductKind.BUNDLE: WithdrawalKind.TRAINING,
    ProductKind.PAPER_GUIDE: WithdrawalKind.GOODS,
    ProductKind.DIGITAL_PRODUCT: WithdrawalKind.DIGITAL_CONTENT,
    ProductKind.TEMPLATE: WithdrawalKind.DIGITAL_CONTENT,
    ProductKind.PLAN: WithdrawalKind.DIGITAL_SERVICE,
}
BANDS = dict.fromkeys(("metropole", "overseas", "european_union"), ((30000, 690),))


def terms(now: datetime, **changed: Any) -> TermsVersion:
    """The demo's terms of sale in force, published an hour ago; `changed` parameters are a new
    version of them."""
    source = (TERMS / "cgv-1.md").read_text(encoding="utf-8")
    for name, value in changed.items():
        lines = source.splitlines()
        at = next(i for i, line in enumerate(lines) if line.startswith(f"{name} = "))
        lines[at] = f"{name} = {value!r}"
        source = "\n".join(lines) + "\n"
    return legal.publish(source, now=now - timedelta(hours=1))


def training_terms(now: datetime) -> TermsVersion:
    """The particular terms of trainings, published an hour ago."""
    source = (TERMS / "formation-1.md").read_text(encoding="utf-8")
    return legal.publish(source, now=now - timedelta(hours=1))


def training_contract(now: datetime) -> TermsVersion:
    """What an individual concludes for a training, published an hour ago."""
    source = (TERMS / "contrat-formation-1.md").read_text(encoding="utf-8")
    return legal.publish(source, now=now - timedelta(hours=1))


def product(
    kind: ProductKind = ProductKind.HOUR_PACK,
    *,
    price: int = 15900,
    capacity: int | None = None,
    features: Mapping[str, Any] | None = None,
    **fields: Any,
) -> Variant:
    """A product of this kind with one variant."""
    slug = fields.pop("slug", f"{kind.value.replace('_', '-')}-{uuid.uuid4().hex[:6]}")
    category = Category(
        id=uuid.uuid4(), slug=f"rayon-{slug}", name="Rayon", intro="Un rayon.", position=1
    )
    made = Product(
        id=uuid.uuid4(),
        slug=slug,
        kind=kind,
        category=category,
        name=fields.pop("name", f"Produit {slug}"),
        summary="Un produit.",
        description="Sa description.",
        highlights=[],
        characteristics=[],
        included=[],
        price_minor=price,
        price_basis=fields.pop("price_basis", PriceBasis.GROSS),
        vat_class=fields.pop("vat_class", VAT_CLASS.get(kind, VatClass.STANDARD)),
        withdrawal_kind=WITHDRAWAL.get(kind, WithdrawalKind.SERVICE),
        instalments_max=fields.pop("instalments_max", 4),
        features=dict(features or _features(kind)),
        **fields,
    )
    variant = Variant(
        id=uuid.uuid4(), product=made, label="", capacity=capacity, available=capacity
    )
    db.session.add_all([category, made, variant])
    db.session.flush()
    return variant


def _features(kind: ProductKind) -> dict[str, Any]:
    facts = KIND_FACTS[kind]
    if facts.grants_minutes and kind is ProductKind.HOUR_PACK:
        return {"minutes": 180}
    if kind in (ProductKind.E_LEARNING, ProductKind.BUNDLE):
        return {"lessons": ["lecon-art-floral.md"]}
    if kind in (ProductKind.DIGITAL_PRODUCT, ProductKind.TEMPLATE):
        return {"files": ["budget-mariage.csv"]}
    if kind is ProductKind.SUPPORT_CONTRACT:
        return {"commitment_months": 12, "included_minutes": 60, "renewal": "none"}
    return {}


def buyer(kind: BuyerKind = BuyerKind.CONSUMER, **changed: str) -> Buyer:
    """Somebody in Paris who buys."""
    fields = {
        "name": "Claire Essai",
        "email": "claire@exemple.example",
        "phone": "06 39 98 00 01",
        "street": "1 rue de l’Essai",
        "postcode": "75011",
        "city": "Paris",
        **changed,
    }
    return Buyer(kind=kind, **fields)


def order(
    variant: Variant,
    *,
    now: datetime,
    quantity: int = 1,
    count: int = 1,
    who: Buyer | None = None,
    provider: str = "stripe",
    consents: tuple[AcceptanceKind, ...] = (),
    also: Sequence[Variant] = (),
) -> Order:
    """An order placed by its services under the terms in force, with its schedule, unpaid; a free
    one has none.

    `also` are further lines, one of each.
    """
    who = who or buyer()
    version = legal_queries.in_force("cgv", now)
    sold = variant.product
    priced = order_rules.price_order(
        [_line(variant, quantity), *(_line(one, 1) for one in also)],
        currency=sold.currency,
        territory=who.territory,
        professional=who.professional,
        seller=SellerVat(),
        bands=BANDS,
        has_vat_number=who.has_vat_number,
    )
    customer = identity.find_or_create_customer(who.email, who.name, who.phone, now=now)
    placed = orders.place(
        user_id=customer.id,
        buyer=who,
        priced=priced,
        terms=version,
        payment_provider=provider,
        instalment_count=count,
        held_until=now + timedelta(minutes=30),
        now=now,
    )
    sentence = legal_queries.parameters_of(version).acceptance_sentence
    kinds = (AcceptanceKind.TERMS, *consents)
    legal.record_acceptances(
        placed.id,
        customer.id,
        [legal.AcceptedBox(kind, version, sentence) for kind in kinds],
        "127.0.0.1",
        "test",
        now=now,
    )
    total = Money(priced.gross, priced.currency)
    if not total.is_zero:
        instalments.schedule(placed, plans.plan(total, count, paris_date(now), "month"), now=now)
    db.session.flush()
    return placed


def _line(variant: Variant, quantity: int) -> order_rules.SaleLine:
    sold = variant.product
    return order_rules.SaleLine(
        product_id=sold.id,
        variant_id=variant.id,
        kind=sold.kind,
        name=sold.name,
        quantity=quantity,
        unit_price_minor=variant.unit_price_minor,
        price_basis=sold.price_basis,
        vat_class=sold.vat_class,
        withdrawal_kind=sold.withdrawal_kind,
        instalments_max=sold.instalments_max,
        features=sold.features,
    )
