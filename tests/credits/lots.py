"""Hours to try things on: a paid order of a pack, and its lot."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from storefront.catalogue.rules import ProductKind
from storefront.credits import service
from storefront.credits.models import HourLot
from storefront.infra.db import db, transaction
from storefront.legal import queries as legal
from storefront.legal.rules import AcceptanceKind
from storefront.orders import service as orders
from storefront.orders.models import Order
from tests import factories

YEAR = timedelta(days=365)
EARLY = (AcceptanceKind.EARLY_START,)


def bought(
    now: datetime,
    *,
    kind: ProductKind = ProductKind.HOUR_PACK,
    consents: tuple[AcceptanceKind, ...] = EARLY,
    email: str = "claire@exemple.example",
    **features: Any,
) -> Order:
    """A confirmed order of one pack, bought with the early-start request unless said otherwise."""
    if not legal.versions("cgv"):
        factories.terms(now)
    variant = factories.product(
        kind,
        features={"minutes": 180, **features},
        name="Forfait 3 heures",
    )
    who = factories.buyer(email=email)
    placed = factories.order(variant, now=now, who=who, consents=consents)
    orders.confirm(placed, now=now)
    return placed


def lot_of(
    now: datetime,
    minutes: int = 180,
    *,
    expires_on: date | None = None,
    reminder_days: Sequence[int] = (60, 30, 7),
    single_use: bool = False,
    order: Order | None = None,
    **sale: Any,
) -> HourLot:
    """A lot of this many minutes, on an order of its own."""
    order = order or bought(now, **sale)
    return service.grant(
        order.lines[0],
        order.user_id,
        minutes=0 if single_use else minutes,
        expires_on=expires_on or (now + YEAR).date(),
        slice_minutes=60,
        reminder_days=reminder_days,
        single_use=single_use,
        now=now,
    )


def saved_lot(now: datetime, minutes: int = 180, **how: Any) -> uuid.UUID:
    """The id of a lot that is committed."""
    with transaction():
        return lot_of(now, minutes, **how).id


def lot(lot_id: uuid.UUID) -> HourLot:
    """The lot as it is now."""
    return db.session.get_one(HourLot, lot_id, populate_existing=True)
