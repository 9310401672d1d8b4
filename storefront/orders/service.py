"""The contract: placed with a copy of everything it sold, confirmed by its payment, or ended."""

from __future__ import annotations

import secrets
import uuid
from datetime import datetime

from sqlalchemy import insert

from storefront.catalogue import service as catalogue
from storefront.catalogue.rules import PriceBasis
from storefront.catalogue.service import SoldOut
from storefront.infra import journal
from storefront.infra.db import db
from storefront.infra.numbering import next_number
from storefront.infra.outbox import publish
from storefront.kernel.calendar import paris_date
from storefront.kernel.errors import Refusal
from storefront.legal.models import TermsVersion
from storefront.legal.queries import acceptances_of, parameters_of, training_parameters_of
from storefront.legal.rules import TRAINING_TERMS
from storefront.orders import rules
from storefront.orders.events import OrderCancelled, OrderConfirmed
from storefront.orders.models import (
    ORDER_LIFECYCLE,
    FulfilmentStatus,
    Order,
    OrderLine,
    OrderStatus,
)
from storefront.payments import service as payments

SHIPPING_NAME = "Livraison"


class OrderEnded(Refusal):
    """The order was cancelled or refused: it cannot be paid any more. Details: reference."""

    status = 409


def place(
    *,
    user_id: uuid.UUID,
    buyer: rules.Buyer,
    priced: rules.PricedOrder,
    terms: TermsVersion,
    payment_provider: str,
    instalment_count: int,
    held_until: datetime,
    cart_id: uuid.UUID | None = None,
    trainees: dict[uuid.UUID, str] | None = None,
    now: datetime,
) -> Order:
    """Write the contract down, with copies of all that it sold, and claim seats and stock.

    The caller records the acceptances in the same transaction: no order without (R-03).
    Raises `SoldOut`. UNIQUE(cart_id) makes a second order of one cart impossible.
    """
    order = Order(
        id=uuid.uuid4(),
        token=secrets.token_urlsafe(32),
        user_id=user_id,
        cart_id=cart_id,
        status=OrderStatus.AWAITING_PAYMENT,
        terms_version_id=terms.id,
        buyer_kind=buyer.kind,
        name=buyer.name,
        email=buyer.email,
        phone=buyer.phone,
        company=buyer.company,
        siren=buyer.siren,
        ice=buyer.ice,
        vat_number=buyer.vat_number,
        street=buyer.street,
        street_2=buyer.street_2,
        postcode=buyer.postcode,
        city=buyer.city,
        country=buyer.country,
        currency=priced.currency,
        net_minor=priced.net,
        vat_minor=priced.vat,
        shipping_minor=priced.shipping.gross if priced.shipping else 0,
        total_minor=priced.gross,
        instalment_count=instalment_count,
        payment_provider=payment_provider,
        placed_at=now,
        held_until=held_until,
    )
    wanted: dict[uuid.UUID, int] = {}
    for line, _ in priced.lines:
        wanted[line.variant_id] = wanted.get(line.variant_id, 0) + line.quantity
    catalogue.hold(order.id, wanted, until=held_until, now=now)
    order.reference = f"CMD-{paris_date(now).year}-{_number(now):06d}"
    db.session.add(order)
    db.session.flush()
    db.session.execute(insert(OrderLine), _lines(order.id, priced, trainees or {}))
    journal.record(
        "order.placed",
        order,
        {
            "user": user_id,
            "terms": terms.id,
            "net": priced.net,
            "vat": priced.vat,
            "total": priced.gross,
            "currency": priced.currency,
            "instalments": instalment_count,
        },
        now=now,
    )
    return order


def _number(now: datetime) -> int:
    return next_number(f"CMD-{paris_date(now).year}")


def _lines(
    order_id: uuid.UUID, priced: rules.PricedOrder, trainees: dict[uuid.UUID, str]
) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = [
        {
            "id": uuid.uuid4(),
            "order_id": order_id,
            "position": position,
            "product_id": line.product_id,
            "variant_id": line.variant_id,
            "kind": line.kind,
            "name": line.name,
            "quantity": line.quantity,
            "unit_price_minor": line.unit_price_minor,
            "price_basis": line.price_basis,
            "vat_class": line.vat_class,
            "vat_rate_bp": amounts.rate_bp,
            "vat_exemption": amounts.exemption,
            "net_minor": amounts.net,
            "vat_minor": amounts.vat,
            "gross_minor": amounts.gross,
            "withdrawal_kind": line.withdrawal_kind,
            "features": dict(line.features),
            "characteristics": list(line.characteristics),
            "session_starts_at": line.session_starts_at,
            "session_ends_at": line.session_ends_at,
            "session_place": line.session_place,
            "trainee": trainees.get(line.variant_id, ""),
            "fulfilment": FulfilmentStatus.PENDING,
        }
        for position, (line, amounts) in enumerate(priced.lines, start=1)
    ]
    if priced.shipping:
        rows.append(
            dict.fromkeys(rows[0])
            | {
                "id": uuid.uuid4(),
                "order_id": order_id,
                "position": len(rows) + 1,
                "name": SHIPPING_NAME,
                "quantity": 1,
                "unit_price_minor": priced.shipping.gross,
                "price_basis": PriceBasis.GROSS,
                "vat_class": priced.shipping_class,
                "vat_rate_bp": priced.shipping.rate_bp,
                "vat_exemption": priced.shipping.exemption,
                "net_minor": priced.shipping.net,
                "vat_minor": priced.shipping.vat,
                "gross_minor": priced.shipping.gross,
                "features": {},
                "characteristics": [],
                "trainee": "",
                "fulfilment": FulfilmentStatus.PENDING,
            }
        )
    return rows


def locked(order_id: uuid.UUID) -> Order:
    """The order as it is now, locked until the end of the transaction."""
    return db.session.get_one(Order, order_id, with_for_update=True, populate_existing=True)


def wait_until(order: Order, until: datetime) -> None:
    """Keep the order and what it claims for a payment under way (C-03).

    Raises `OrderEnded` when it is over, and `SoldOut` when the claim had lapsed and somebody
    else has taken what was left.
    """
    if order.status in (OrderStatus.CANCELLED, OrderStatus.REFUSED):
        raise OrderEnded(reference=order.reference)
    if order.status is OrderStatus.AWAITING_PAYMENT:
        order.held_until = max(order.held_until or until, until)
        catalogue.extend_holds(order.id, until)


def claim_again(order: Order, until: datetime, *, now: datetime) -> None:
    """Before another attempt to pay: everything is held again, or the buyer is told what is gone.

    Raises `OrderEnded` and `SoldOut`.
    """
    wait_until(order, until)
    wanted: dict[uuid.UUID, int] = {}
    for line in order.lines:
        if line.variant_id is not None:
            wanted[line.variant_id] = wanted.get(line.variant_id, 0) + line.quantity
    catalogue.hold(order.id, wanted, until=until, now=now)


def confirm(order: Order, *, now: datetime) -> bool:
    """Its first payment is there, or nothing is due: the contract runs from now on.

    Says whether it does. Confirming twice changes nothing. When what was claimed has lapsed and
    is sold to somebody else meanwhile, the order ends and its money is proposed for refund (C-03).
    """
    order = locked(order.id)
    if order.status is OrderStatus.CONFIRMED:
        return True
    if order.status is not OrderStatus.AWAITING_PAYMENT:
        journal.record("order.paid_after_end", order, {"status": order.status}, now=now)
        return False
    try:
        with db.session.begin_nested():
            catalogue.settle_holds(order.id, now=now)
    except SoldOut as gone:
        journal.record(
            "order.paid_but_sold_out", order, {"variant": gone.details["variant_id"]}, now=now
        )
        cancel(order, "sold_out", now=now)
        return False
    _move(order, OrderStatus.CONFIRMED)
    order.confirmed_at, order.held_until = now, None
    terms = parameters_of(order.terms_version)
    training_days = max(
        (
            training_parameters_of(acceptance.version).training_withdrawal_days
            for acceptance in acceptances_of(order.id)
            if acceptance.version.document == TRAINING_TERMS
        ),
        default=0,
    )
    for line in order.lines:
        line.withdrawal_until = rules.withdrawal_until(
            line.kind,
            line.withdrawal_kind,
            order.buyer_kind,
            concluded_at=now,
            days=terms.withdrawal_days,
            training_days=training_days,
            contractual=terms.pro_withdrawal == "contractual",
        )
    publish(OrderConfirmed(order.id), now=now)
    journal.record("order.confirmed", order, {"total": order.total_minor}, now=now)
    return True


def cancel(order: Order, reason: str, *, now: datetime) -> None:
    """End the contract and give back what it claimed; a second time changes nothing.

    `reason` is a short code ("unpaid", "sold_out", "customer", "dispute_lost", "withdrawn"), worded
    in templates.
    """
    order = locked(order.id)
    if order.status is OrderStatus.CANCELLED:
        return
    _end(order, OrderStatus.CANCELLED, reason, now)
    publish(OrderCancelled(order.id), now=now)
    journal.record("order.cancelled", order, {"reason": reason}, now=now)


def debit_by(order: Order, provider: str, *, now: datetime) -> None:
    """What is still to come is taken where the customer last chose to pay and let us keep it."""
    if order.payment_provider != provider:
        order.payment_provider = provider
        journal.record("order.provider_changed", order, {"provider": provider}, now=now)


def stop_debits(order: Order, *, now: datetime) -> None:
    """Take nothing more for this order: its customer has withdrawn (W-08). Twice: once."""
    order = locked(order.id)
    if order.debits_stopped_at is None:
        order.debits_stopped_at = now
        journal.record("order.debits_stopped", order, {}, now=now)


def resume_debits(order: Order, *, now: datetime) -> None:
    """Staff found that the contract goes on: what is due is taken again, from now on."""
    order = locked(order.id)
    if order.debits_stopped_at is not None:
        order.debits_stopped_at = None
        journal.record("order.debits_resumed", order, {}, now=now)


def refuse(order: Order, reason: str, *, now: datetime) -> None:
    """The seller refuses an order, with its reason (R-07, M-08).

    What it claims is given back; of an order that runs, by the rooms that supplied it. `reason`
    is a sentence for the customer. Raises `WrongMove` for an order that has ended.
    """
    order = locked(order.id)
    _end(order, OrderStatus.REFUSED, reason, now)
    publish(OrderCancelled(order.id), now=now)
    journal.record("order.refused", order, {}, now=now)


def _end(order: Order, status: OrderStatus, reason: str, now: datetime) -> None:
    waiting = order.status is OrderStatus.AWAITING_PAYMENT
    _move(order, status)
    order.ended_at, order.end_reason, order.held_until = now, reason, None
    payments.stop_waiting(order.id, now=now)
    if waiting:
        # Of an order that runs, what was not supplied is given back line by line.
        catalogue.release_holds(order.id)


def _move(order: Order, status: OrderStatus) -> None:
    ORDER_LIFECYCLE.check(order.status, status)
    order.status = status
