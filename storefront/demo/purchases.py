"""What the demo's people buy, through the shop's own order click and the providers' pages."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from flask import current_app
from sqlalchemy import select

from storefront.cart import queries as cart_queries
from storefront.cart import service as carts
from storefront.catalogue.models import Product, Variant
from storefront.checkout import queries as checkout_queries
from storefront.checkout import service as checkout
from storefront.checkout.queries import Review
from storefront.checkout.rules import Consents
from storefront.demo import shopper
from storefront.demo.people import Person
from storefront.fulfilment import queries as fulfilment_queries
from storefront.fulfilment import service as fulfilment
from storefront.infra.db import db, transaction
from storefront.kernel.calendar import paris_date
from storefront.orders.models import Order, OrderLine, OrderStatus
from storefront.payments import jobs as payments
from storefront.payments import service as payment_service
from storefront.payments.models import ArrivalWay
from storefront.payments.service import Seen
from storefront.withdrawals import service as withdrawals
from storefront.withdrawals.service import Cancellation

# The range that documentation uses (RFC 5737), and no real browser.
ADDRESS = "192.0.2.17"
BROWSER = "Mozilla/5.0 (démonstration)"


def buy(person: Person, given: dict[str, Any], *, card: int, now: datetime) -> None:
    """Place one order and pay its first instalment; what was bought before is not bought twice."""
    with transaction():
        order = _placed(person, now) or _place(person, given, now)
        payment = checkout.current_attempt(order)
        waiting = order.status is OrderStatus.AWAITING_PAYMENT
        payment_id: uuid.UUID | None = payment.id if payment and waiting else None
    if payment_id is None:
        return
    if given["by"] == "offline":
        _record_transfer(payment_id, now)
    else:
        _pay(payment_id, person, given, card=card, now=now)


def _placed(person: Person, at: datetime) -> Order | None:
    return db.session.scalars(
        select(Order).where(Order.email == person.email, Order.placed_at == at)
    ).first()


def _place(person: Person, given: dict[str, Any], now: datetime) -> Order:
    cart = carts.new_cart(user_id=None, now=now)
    carts.add(cart, _variant(given).id, "1", now=now)
    review = checkout_queries.review(
        cart_queries.contents(cart.id, now),
        person.buyer,
        list(payments.providers().values()),
        now,
    )
    consents = Consents(
        terms=True,
        particular=[True] * len(review.particular),
        early_start=given.get("early_start", False),
        digital_waiver=given.get("waiver", False),
    )
    order, _ = checkout.place_order(
        cart,
        review,
        consents,
        user_id=None,
        provider=given["by"],
        instalment_count=_lawful(given.get("instalments", 1), review),
        trainee=given.get("trainee", ""),
        ip=ADDRESS,
        user_agent=BROWSER,
        now=now,
    )
    return order


def _lawful(wanted: int, review: Review) -> int:
    """As many payments as wanted, or as near as the law in force on that day lets it be."""
    counts = [offer.count for offer in review.offered]
    return max((count for count in counts if count <= wanted), default=counts[0])


def _variant(given: dict[str, Any]) -> Variant:
    """The session by its rank, the variant by its label, or the only one."""
    product = db.session.scalars(select(Product).where(Product.slug == given["buys"])).one()
    rank, label = given.get("session", 1), given.get("variant")
    if label is not None:
        return next(one for one in product.variants if one.label == label)
    return list(product.variants)[int(rank) - 1]


def _pay(
    payment_id: uuid.UUID, person: Person, given: dict[str, Any], *, card: int, now: datetime
) -> None:
    """To the hosted page and back, as the pages of the checkout do it."""
    shop = current_app.config["SETTINGS"].base_url
    page = payments.open_page(
        payment_id,
        email=person.email,
        return_url=f"{shop}/commande/retour/{payment_id}",
        cancel_url=f"{shop}/commande/annulation/{payment_id}",
        now=now,
    )
    shopper.pay(
        page,
        given["by"],
        name=person.name,
        card=card,
        refused_later=given.get("refused_later", False),
    )
    payments.refresh(payment_id, now)


def _record_transfer(payment_id: uuid.UUID, now: datetime) -> None:
    """Staff saw the transfer on the shop's account (M-09)."""
    with transaction():
        asked = payment_service.locked(payment_id).amount_minor
        seen = Seen(1, ArrivalWay.TRANSFER, asked, paris_date(now))
        payment_service.record_arrival(payment_id, seen, recorded_by=None, now=now)


def last_line(person: Person, slug: str) -> OrderLine:
    """The line of this person's last order of a product. Raises LookupError without one."""
    line = db.session.scalars(
        select(OrderLine)
        .join(Order)
        .join(Product, Product.id == OrderLine.product_id)
        .where(Order.email == person.email, Product.slug == slug)
        .order_by(Order.placed_at.desc())
    ).first()
    if line is None:
        raise LookupError(f"{person.email} has not bought {slug}")
    return line


def ship(person: Person, slug: str, *, now: datetime) -> None:
    """The parcel leaves."""
    with transaction():
        order_id = last_line(person, slug).order_id
        for shipment in fulfilment_queries.shipments_of(order_id):
            tracking = f"6A{shipment.id.int % 10**11:011d}"
            fulfilment.ship(shipment, tracking, now=now)


def deliver(person: Person, slug: str, *, now: datetime) -> None:
    """The parcel arrives."""
    with transaction():
        order_id = last_line(person, slug).order_id
        for shipment in fulfilment_queries.shipments_of(order_id):
            fulfilment.deliver(shipment, now=now)


def end(person: Person, slug: str, *, now: datetime) -> None:
    """The contract is ended on the page where anybody can do so (D215-2)."""
    with transaction():
        order = last_line(person, slug).order
        declared = Cancellation(
            name=person.name,
            email=person.email,
            postal_address="",
            contract=order.reference,
            wanted_on=None,
            reason="",
        )
        key = withdrawals.cancellation_key(f"demo:{order.reference}", declared)
        withdrawals.cancel(declared, key=key, user_id=None, now=now)
