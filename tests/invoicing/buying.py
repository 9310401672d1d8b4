"""Orders whose first payment came, by the services that a checkout uses."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from storefront import worker
from storefront.catalogue.models import Variant
from storefront.catalogue.rules import ProductKind
from storefront.infra.db import db, transaction
from storefront.instalments import queries as instalments
from storefront.invoicing import queries
from storefront.invoicing.models import Invoice
from storefront.kernel.money import Money
from storefront.orders.models import Order
from storefront.payments import service as payments
from storefront.payments.providers.base import Outcome, OutcomeStatus
from tests import factories


def place(kind: ProductKind, *, now: datetime, order: dict[str, Any], **sold: Any) -> uuid.UUID:
    """An order that waits for its first payment."""
    with transaction():
        factories.terms(now)
        variant: Variant = factories.product(kind, **sold)
        return factories.order(variant, now=now, **order).id


def pay(order_id: uuid.UUID, *, now: datetime) -> None:
    """The first instalment of an order is paid."""
    with transaction():
        order = db.session.get_one(Order, order_id)
        first = min(instalments.of_order(order_id), key=lambda part: part.rank)
        payment = payments.reserve(
            order_id=order_id,
            user_id=order.user_id,
            provider=order.payment_provider,
            amount=Money(first.amount_minor, first.currency),
            order_reference=order.reference,
            description="Essai",
            instalment_id=first.id,
            now=now,
        )
        paid = Outcome(OutcomeStatus.SUCCEEDED, payment.amount, charge_reference=f"ch_{payment.id}")
        payments.record_outcome(payment, paid, now=now)


def buy(
    kind: ProductKind = ProductKind.HOUR_PACK,
    *,
    now: datetime,
    order: dict[str, Any] | None = None,
    **sold: Any,
) -> Invoice:
    """An order placed and paid, and its invoice once everything due was done."""
    order_id = place(kind, now=now, order=order or {}, **sold)
    pay(order_id, now=now)
    worker.run_due(now)
    db.session.rollback()
    invoice = queries.for_cause(order_id)
    assert invoice
    return invoice
