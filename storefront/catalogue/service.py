"""Claims on seats and stock, two customers never get the last one (C-03); what staff set.

Every claim first locks the variants it touches, in the order of their ids, so that two buyers
of the same things wait for one another instead of for each other. What is left moves by one
conditional UPDATE, and a CHECK stands behind it.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, insert, select, update

from storefront.catalogue.models import HOLD_LIFECYCLE, Hold, HoldStatus, Product, Variant
from storefront.catalogue.rules import OwnParts
from storefront.infra import journal
from storefront.infra.db import db
from storefront.kernel.errors import Refusal, StaleWrite


class SoldOut(Refusal):
    """Fewer are left than asked for. Details: variant_id, name, wanted, left."""

    status = 409


@dataclass(frozen=True)
class Revision:
    """What staff change of a product that goes on; `price_minor` on its own price basis.

    `features` are those that change, the others stay.
    """

    price_minor: int
    features: Mapping[str, Any]
    validity: str


def revise(product_id: uuid.UUID, revision: Revision, *, seen: int, now: datetime) -> Product:
    """Change a product for orders to come; those that were placed keep their copy (C-05).

    `seen` is the version of the row that the change was decided on. Raises `StaleWrite` when
    somebody changed it since.
    """
    product = db.session.get_one(Product, product_id, with_for_update=True, populate_existing=True)
    if product.version != seen:
        raise StaleWrite(product=product.slug)
    before = product.price_minor
    product.price_minor, product.validity = revision.price_minor, revision.validity
    product.features = {**product.features, **revision.features}
    for variant in product.variants:
        variant.price_minor = None
    facts = {"before": before, "price": product.price_minor, "currency": product.currency}
    journal.record("product.revised", product, facts, now=now)
    db.session.flush()
    return product


def attach_particular_terms(
    document: str, wanted: Collection[str], *, seen: Collection[str], now: datetime
) -> int:
    """Sell these products (slugs), and no others, under particular terms; how many changed (R-04).

    Orders that were placed keep what they accepted. A product that stands under another document
    stays there. `seen`: those that stood under this one on the page. Raises `StaleWrite` when that
    changed since.
    """
    products = db.session.scalars(select(Product).with_for_update().order_by(Product.id)).all()
    mine = {product.slug for product in products if product.particular_terms == document}
    if mine != set(seen):
        raise StaleWrite(document=document)
    changed = 0
    for product in products:
        if product.particular_terms not in (None, document):
            continue
        after = document if product.slug in wanted else None
        if product.particular_terms != after:
            facts = {"before": product.particular_terms, "after": after}
            product.particular_terms = after
            journal.record("product.particular_terms_set", product, facts, now=now)
            changed += 1
    db.session.flush()
    return changed


def hold(
    claim_id: uuid.UUID, quantities: Mapping[uuid.UUID, int], *, until: datetime, now: datetime
) -> None:
    """Claim all of `quantities` (by variant) until `until`, or nothing.

    What never runs out needs no claim. Expired claims of others on the same variants are given
    back first. Holding the same again extends it; what was released is claimed anew. Raises
    `SoldOut`: the caller's transaction must then be given up.
    """
    limited = _lock(quantities)
    _release_expired(limited, now)
    mine = {row.variant_id: row for row in _claims(claim_id)}
    fresh = []
    for variant_id in limited:
        wanted, row = quantities[variant_id], mine.get(variant_id)
        if row is None:
            _take(variant_id, wanted)
            fresh.append(
                {
                    "id": uuid.uuid4(),
                    "variant_id": variant_id,
                    "claim_id": claim_id,
                    "quantity": wanted,
                    "status": HoldStatus.HELD,
                    "expires_at": until,
                    "created_at": now,
                }
            )
            continue
        if row.status is HoldStatus.SETTLED:
            continue
        if row.status is HoldStatus.RELEASED:
            _take(variant_id, wanted)
            _move(row, HoldStatus.HELD)
        elif wanted > row.quantity:
            _take(variant_id, wanted - row.quantity)
        elif wanted < row.quantity:
            _give_back({variant_id: row.quantity - wanted})
        row.quantity, row.expires_at = wanted, max(row.expires_at, until)
    if fresh:
        db.session.execute(insert(Hold), fresh)
    db.session.flush()


def extend_holds(claim_id: uuid.UUID, until: datetime) -> None:
    """Keep what is held at least until `until`: a payment is under way."""
    db.session.execute(
        update(Hold)
        .where(Hold.claim_id == claim_id, Hold.status == HoldStatus.HELD, Hold.expires_at < until)
        .values(expires_at=until)
    )


def settle_holds(claim_id: uuid.UUID, *, now: datetime) -> None:
    """The claim is paid: it never expires any more.

    A claim that had expired is taken again when something is left. Raises `SoldOut` when not.
    """
    rows = _claims(claim_id)
    lapsed = {row.variant_id: row.quantity for row in rows if row.status is HoldStatus.RELEASED}
    if lapsed:
        hold(claim_id, lapsed, until=now, now=now)
        rows = _claims(claim_id)
    for row in rows:
        if row.status is HoldStatus.HELD:
            _move(row, HoldStatus.SETTLED)
    db.session.flush()


def release_holds(claim_id: uuid.UUID, only: Iterable[uuid.UUID] | None = None) -> None:
    """Give back whatever the claim holds or had settled; nothing left to give back is no error.

    `only`: these variants and no others.
    """
    variant_ids = set(db.session.scalars(select(Hold.variant_id).where(Hold.claim_id == claim_id)))
    if only is not None:
        variant_ids &= set(only)
    _lock(variant_ids)
    released: dict[uuid.UUID, int] = {}
    for row in _claims(claim_id):
        if row.variant_id in variant_ids and row.status is not HoldStatus.RELEASED:
            _move(row, HoldStatus.RELEASED)
            released[row.variant_id] = row.quantity
    db.session.flush()
    _give_back(released)


def release_expired(variant_ids: Iterable[uuid.UUID], *, now: datetime) -> int:
    """Give back the claims on these variants that nobody paid in time; returns how many."""
    return _release_expired(_lock(variant_ids), now)


def _lock(variant_ids: Iterable[uuid.UUID]) -> list[uuid.UUID]:
    """Lock those of the variants that can run out, in the order of their ids, and return them."""
    wanted = list(variant_ids)
    if not wanted:
        return []
    limited = (
        select(Variant.id)
        .where(Variant.id.in_(wanted), Variant.capacity.is_not(None))
        .order_by(Variant.id)
        .with_for_update()
    )
    return list(db.session.scalars(limited))


def _claims(claim_id: uuid.UUID) -> list[Hold]:
    rows = (
        select(Hold)
        .where(Hold.claim_id == claim_id)
        .order_by(Hold.variant_id)
        .execution_options(populate_existing=True)
    )
    return list(db.session.scalars(rows))


def _move(row: Hold, status: HoldStatus) -> None:
    HOLD_LIFECYCLE.check(row.status, status)
    row.status = status


def _take(variant_id: uuid.UUID, quantity: int) -> None:
    """Check and claim in one statement."""
    taken = db.session.execute(
        update(Variant)
        .where(Variant.id == variant_id, Variant.available >= quantity)
        .values(available=Variant.available - quantity)
        .returning(Variant.id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if taken is None:
        variant = db.session.get_one(Variant, variant_id, populate_existing=True)
        raise SoldOut(
            variant_id=variant_id,
            name=variant.product.name,
            wanted=quantity,
            left=variant.available or 0,
        )


def _give_back(quantities: Mapping[uuid.UUID, int]) -> None:
    if quantities:
        more = case(quantities, value=Variant.id)
        db.session.execute(
            update(Variant)
            .where(Variant.id.in_(quantities))
            .values(available=Variant.available + more)
            .execution_options(synchronize_session=False)
        )


def _release_expired(variant_ids: list[uuid.UUID], now: datetime) -> int:
    if not variant_ids:
        return 0
    expired = db.session.execute(
        update(Hold)
        .where(
            Hold.variant_id.in_(variant_ids),
            Hold.status == HoldStatus.HELD,
            Hold.expires_at <= now,
        )
        .values(status=HoldStatus.RELEASED)
        .returning(Hold.variant_id, Hold.quantity)
        .execution_options(synchronize_session=False)
    ).all()
    totals: dict[uuid.UUID, int] = {}
    for variant_id, quantity in expired:
        totals[variant_id] = totals.get(variant_id, 0) + quantity
    _give_back(totals)
    return len(expired)


def set_parts(product_id: uuid.UUID, parts: OwnParts | None, *, seen: int, now: datetime) -> None:
    """Give a product parts of its own, or equal ones again (None); orders keep theirs (M-02).

    `seen` is the version that staff read. Raises `StaleWrite` when it is no longer the current.
    """
    product = db.session.get_one(Product, product_id, with_for_update=True, populate_existing=True)
    if product.version != seen:
        raise StaleWrite(subject=product.slug)
    kept = {name: value for name, value in product.features.items() if name != "parts"}
    facts = {}
    if parts is not None:
        facts = {"shares": list(parts.shares), "first_after_days": parts.first_after_days}
        kept["parts"] = facts
    if kept != product.features:
        product.features = kept
        journal.record("product.parts_set", product, facts, now=now)
