"""Subscribers by the thousand, whose next month is due on the same day."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Table, insert, select

from storefront import worker
from storefront.catalogue.rules import ProductKind
from storefront.identity.models import User
from storefront.infra.db import Base, db, transaction
from storefront.infra.outbox import OutboxEntry, OutboxStatus
from storefront.orders.models import Order, OrderLine
from storefront.orders.rules import BuyerKind
from storefront.payments.models import SavedMethod
from storefront.subscriptions.models import Subscription, SubscriptionPeriod
from tests import paying

BATCH = 1000


def make_subscribers(how_many: int, now: datetime) -> None:
    """One subscriber made by the shop itself, and copies of all its rows with ids of their own.

    All of them ordered at `now`: their second month starts a month later.
    """
    _make_first(now)
    originals = [_row(model) for model in (User, Order, OrderLine, SavedMethod, Subscription)]
    months = _row(SubscriptionPeriod)
    for numbers in _batches(range(1, how_many)):
        copies = [_copied([*originals, months], number) for number in numbers]
        with transaction() as session:
            for place, (table, _) in enumerate([*originals, months]):
                session.execute(insert(table), [copy[place] for copy in copies])


def _make_first(now: datetime) -> None:
    """A plan paid at order by a bank transfer, with a means of payment kept since."""
    paying.transferred(ProductKind.PLAN, now, buyer=BuyerKind.PROFESSIONAL)
    worker.run_due(now)
    with transaction() as session:
        order = session.scalars(select(Order)).one()
        order.payment_provider = "stripe"
        session.add(
            SavedMethod(
                id=uuid.uuid4(),
                user_id=order.user_id,
                provider="stripe",
                customer_reference="cus_0",
                method_reference="pm_0",
                label="Visa •••• 4242",
                saved_at=now,
            )
        )
        for entry in session.scalars(select(OutboxEntry)):
            entry.status, entry.done_at = OutboxStatus.DONE, now


def _row(model: type[Base]) -> tuple[Table, dict[str, Any]]:
    table = model.__table__
    assert isinstance(table, Table)
    return table, dict(db.session.execute(select(table)).mappings().one())


def _copied(
    originals: Iterable[tuple[Table, Mapping[str, Any]]], number: int
) -> list[dict[str, Any]]:
    """The same rows for another customer: every id that one of them has is another."""
    renamed: dict[Any, uuid.UUID] = {}
    for _, row in originals:
        renamed[row["id"]] = uuid.uuid4()
    copies = []
    for _, row in originals:
        copy = {
            name: renamed.get(value, value) if isinstance(value, uuid.UUID) else value
            for name, value in row.items()
        }
        for name in ("email", "reference", "method_reference", "customer_reference", "token"):
            if copy.get(name):
                copy[name] = f"{copy[name]}-{number}"
        if "cart_id" in copy:
            copy["cart_id"] = None
        copies.append(copy)
    return copies


def _batches(numbers: range) -> Iterator[range]:
    for start in range(numbers.start, numbers.stop, BATCH):
        yield range(start, min(start + BATCH, numbers.stop))
