"""Versions of plans: what a subscriber has does not change when the catalogue does (C-05, B-07)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from storefront.catalogue.models import Product
from storefront.catalogue.rules import PriceBasis, ProductKind
from storefront.infra import journal
from storefront.infra.db import db
from storefront.infra.numbering import next_number
from storefront.orders.models import OrderLine
from storefront.subscriptions import rules
from storefront.subscriptions.models import PlanVersion


def version_of(line: OrderLine, currency: str, *, now: datetime) -> PlanVersion:
    """The version that an order line bought: what its copy of the product says (C-05)."""
    product_id, kind = line.product_id, line.kind
    if product_id is None or kind is None:
        raise ValueError(f"line {line.id} sold no product")
    return _version(
        product_id,
        kind,
        line.name,
        currency,
        line.unit_price_minor,
        line.price_basis,
        line.features,
        now,
    )


def publish_version(product: Product, *, now: datetime) -> PlanVersion:
    """Freeze what a product is today; the same product again gives the same version."""
    return _version(
        product.id,
        product.kind,
        product.name,
        product.currency,
        product.price_minor,
        product.price_basis,
        product.features,
        now,
    )


def _version(
    product_id: uuid.UUID,
    kind: ProductKind,
    name: str,
    currency: str,
    price_minor: int,
    basis: PriceBasis,
    features: Mapping[str, Any],
    now: datetime,
) -> PlanVersion:
    contract = rules.contract_of(features)
    with db.session.begin_nested() as savepoint:
        # Drawing the number first makes whoever freezes the same product wait.
        number = next_number(f"plan:{product_id}")
        for known in _versions(product_id):
            same = (known.name, known.currency, known.price_minor, known.price_basis)
            if same == (name, currency, price_minor, basis) and known.features == dict(features):
                savepoint.rollback()
                return known
        version = PlanVersion(
            id=uuid.uuid4(),
            product_id=product_id,
            number=number,
            kind=kind,
            name=name,
            family=contract.family,
            rank=contract.rank,
            currency=currency,
            price_minor=price_minor,
            price_basis=basis,
            features=dict(features),
            published_at=now,
        )
        db.session.add(version)
    facts = {"product": product_id, "number": number, "price": price_minor, "currency": currency}
    journal.record("plan.version_published", version, facts, now=now)
    return version


def _versions(product_id: uuid.UUID) -> list[PlanVersion]:
    """Every version of a product, the latest first."""
    return list(
        db.session.scalars(
            select(PlanVersion)
            .where(PlanVersion.product_id == product_id)
            .order_by(PlanVersion.number.desc())
        )
    )
