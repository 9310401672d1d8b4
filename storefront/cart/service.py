"""The cart: what is added, changed, removed, and who it belongs to after signing in (O-02)."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from storefront.cart import queries
from storefront.cart.models import Cart, CartLine
from storefront.catalogue.models import Product, Variant
from storefront.catalogue.rules import KIND_FACTS, checked_quantity
from storefront.infra.db import db
from storefront.kernel.errors import Refusal

MOST_LINES = 30
_WITH_ITS_PRODUCT = (joinedload(Variant.product), joinedload(Variant.session))


class NotOnSale(Refusal):
    """The product is not sold any more, or its session has begun. Details: name."""

    status = 409


class CartFull(Refusal):
    """A cart holds so many different articles. Details: most."""


class OtherCurrency(Refusal):
    """The cart holds articles priced in another currency. Details: currency."""


def new_cart(*, user_id: uuid.UUID | None, now: datetime) -> Cart:
    """An empty cart."""
    cart = Cart(id=uuid.uuid4(), user_id=user_id, details={}, created_at=now, updated_at=now)
    db.session.add(cart)
    return cart


def add(cart: Cart, variant_id: uuid.UUID, typed: str, *, now: datetime) -> CartLine:
    """Put some of a variant in the cart, on top of what it holds, up to the kind's limit.

    `typed` is the quantity as typed. Raises `NotOnSale`, `QuantityRefused`, `CartFull`,
    `OtherCurrency`.
    """
    variant = _on_sale(variant_id, now)
    kind = variant.product.kind
    quantity = checked_quantity(typed, kind)
    # Two tabs that add at once: the second sees the currency of the first.
    db.session.execute(select(Cart.id).where(Cart.id == cart.id).with_for_update())
    lines = _lines(cart)
    line = lines.get(variant_id)
    if line is None:
        if len(lines) >= MOST_LINES:
            raise CartFull(most=MOST_LINES)
        _check_currency(cart, variant.product)
        line = CartLine(
            id=uuid.uuid4(), cart_id=cart.id, variant_id=variant_id, quantity=quantity, added_at=now
        )
        db.session.add(line)
    else:
        line.quantity = min(line.quantity + quantity, KIND_FACTS[kind].quantity_limit)
    cart.updated_at = now
    db.session.flush()
    return line


def change(cart: Cart, variant_id: uuid.UUID, typed: str, *, now: datetime) -> None:
    """Set how many are wanted. Raises `QuantityRefused`; what is not in the cart is left so."""
    line = _lines(cart).get(variant_id)
    if line is None:
        return
    line.quantity = checked_quantity(typed, line.variant.product.kind)
    cart.updated_at = now


def remove(cart: Cart, variant_id: uuid.UUID, *, now: datetime) -> None:
    """Take a line out; not being there is no error."""
    line = _lines(cart).get(variant_id)
    if line is not None:
        db.session.delete(line)
        cart.updated_at = now
        db.session.flush()


def keep_details(cart: Cart, details: dict[str, Any], *, now: datetime) -> None:
    """Remember what was typed at checkout, so that going back loses nothing (O-01)."""
    cart.details = {**cart.details, **details}
    cart.updated_at = now


def mark_ordered(cart: Cart, order_id: uuid.UUID, *, now: datetime) -> None:
    """The cart became an order: what is added next goes into a new one."""
    cart.order_id = order_id
    cart.updated_at = now


def adopt(user_id: uuid.UUID, cart_id: uuid.UUID | None, *, now: datetime) -> Cart | None:
    """After signing in: the visitor's cart becomes the customer's, merged with a kept one (O-02).

    Of what both hold the larger quantity stays. Carts of two currencies stay two, the visitor's
    first. A cart that belongs to somebody else, left in a shared browser, is not taken over.
    Returns the customer's cart, None when there is none.
    """
    kept = queries.cart_of_user(user_id)
    visitor = queries.open_cart(cart_id) if cart_id else None
    if visitor is None or visitor.user_id not in (None, user_id):
        return kept
    if kept is None or kept.id == visitor.id or len(_currencies(kept.id, visitor.id)) > 1:
        visitor.user_id, visitor.updated_at = user_id, now
        return visitor
    held = _lines(kept)
    for line in list(_lines(visitor).values()):
        mine = held.get(line.variant_id)
        if mine is not None:
            mine.quantity = max(mine.quantity, line.quantity)
        elif len(held) < MOST_LINES:
            held[line.variant_id] = copy = CartLine(
                id=uuid.uuid4(),
                cart_id=kept.id,
                variant_id=line.variant_id,
                quantity=line.quantity,
                added_at=line.added_at,
            )
            db.session.add(copy)
        db.session.delete(line)
    kept.details = {**kept.details, **visitor.details}
    kept.updated_at = now
    db.session.delete(visitor)
    db.session.flush()
    return kept


def _lines(cart: Cart) -> dict[uuid.UUID, CartLine]:
    rows = db.session.scalars(
        select(CartLine).where(CartLine.cart_id == cart.id).order_by(CartLine.added_at)
    )
    return {line.variant_id: line for line in rows}


def _on_sale(variant_id: uuid.UUID, now: datetime) -> Variant:
    variant = db.session.get(Variant, variant_id, options=_WITH_ITS_PRODUCT)
    if variant is None:
        raise NotOnSale(name="")
    begun = variant.session is not None and variant.session.starts_at <= now
    if begun or not (variant.on_sale and variant.product.on_sale):
        raise NotOnSale(name=variant.product.name)
    return variant


def _check_currency(cart: Cart, product: Product) -> None:
    others = _currencies(cart.id) - {product.currency}
    if others:
        raise OtherCurrency(currency=others.pop())


def _currencies(*cart_ids: uuid.UUID) -> set[str]:
    """The currencies of what carts hold."""
    rows = (
        select(Product.currency)
        .join(Variant, Variant.product_id == Product.id)
        .join(CartLine, CartLine.variant_id == Variant.id)
        .where(CartLine.cart_id.in_(cart_ids))
        .distinct()
    )
    return set(db.session.scalars(rows))
