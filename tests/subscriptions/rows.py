"""Subscriptions as rows: many, or in a state that would take a year to live through."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import insert

from storefront.catalogue.rules import ProductKind
from storefront.identity.models import User
from storefront.infra.db import Base, db, transaction
from storefront.instalments.models import Instalment, InstalmentStatus
from storefront.kernel.calendar import add_months, start_of_day
from storefront.orders.models import Order, OrderLine, OrderStatus
from storefront.subscriptions import rules, service
from storefront.subscriptions.models import Subscription, SubscriptionPeriod, SubscriptionStatus
from tests import factories

FEATURES = {
    "family": "annuaire",
    "entitlements": ["public_profile", "messaging"],
    "limits": {"photos": 12, "team_members": None},
}


@dataclass(frozen=True)
class Span:
    """One period: its first day, what it costs before tax (minor units), whether it is paid."""

    starts_on: date
    minor: int = 1900
    paid: bool = True


@dataclass(frozen=True)
class Row:
    """One subscription of a holder of its own."""

    spans: Sequence[Span]
    status: SubscriptionStatus = SubscriptionStatus.ACTIVE
    ends_on: date | None = None
    committed_until: date | None = None
    months: int = 1


def months(first: date, count: int, minor: int = 1900) -> list[Span]:
    """As many paid months from this day."""
    return [Span(add_months(first, rank), minor) for rank in range(count)]


def write(rows: Iterable[Row], now: datetime) -> list[uuid.UUID]:
    """Write them, each with its holder, order, line, periods and what is owed; their ids."""
    with transaction():
        factories.terms(now)
        variant = factories.product(ProductKind.PLAN, features=FEATURES)
        order = factories.order(variant, now=now, provider="offline")
        version = service.version_of(order.lines[0], "EUR", now=now)
        db.session.flush()
        models = (User, Order, OrderLine, Subscription, Instalment, SubscriptionPeriod)
        tables: dict[type[Base], list[dict[str, Any]]] = {model: [] for model in models}
        ids = [_one(row, order, version.id, tables, now) for row in rows]
        for model, values in tables.items():
            if values:
                db.session.execute(insert(model), values)
    return ids


def _copy(row: Base, **changed: Any) -> dict[str, Any]:
    kept = {column.key: getattr(row, column.key) for column in row.__table__.columns}
    return kept | {"id": uuid.uuid4()} | changed


def _one(
    row: Row,
    order: Order,
    version_id: uuid.UUID,
    tables: dict[type[Base], list[dict[str, Any]]],
    now: datetime,
) -> uuid.UUID:
    tag = uuid.uuid4().hex[:10]
    user = _copy(order.user, email=f"{tag}@exemple.example", name=f"Titulaire {tag}")
    placed = _copy(
        order,
        user_id=user["id"],
        reference=f"T-{tag}",
        token=tag,
        cart_id=None,
        email=user["email"],
        name=user["name"],
        status=OrderStatus.CONFIRMED,
    )
    line = _copy(order.lines[0], order_id=placed["id"])
    first, last = row.spans[0], row.spans[-1]
    following = add_months(last.starts_on, row.months)
    over = row.status is SubscriptionStatus.ENDED
    late = row.status in (SubscriptionStatus.PAST_DUE, SubscriptionStatus.SUSPENDED)
    subscription_id = uuid.uuid4()
    tables[User].append(user)
    tables[Order].append(placed)
    tables[OrderLine].append(line)
    tables[Subscription].append(
        {
            "id": subscription_id,
            "user_id": user["id"],
            "order_id": placed["id"],
            "order_line_id": line["id"],
            "version_id": version_id,
            "terms_version_id": order.terms_version_id,
            "kind": ProductKind.PLAN,
            "family": FEATURES["family"],
            "name": line["name"],
            "status": row.status,
            "anchor_on": first.starts_on,
            "anchor_number": 1,
            "billing_months": row.months,
            "currency": "EUR",
            "net_minor": last.minor,
            "vat_minor": 0,
            "gross_minor": last.minor,
            "term_months": 12 if row.committed_until else 0,
            "renewal": rules.Renewal.NONE,
            "committed_until": row.committed_until,
            "ends_on": row.ends_on or row.committed_until,
            "ended_at": now if over else None,
            "past_due_since": now - timedelta(days=9) if late else None,
            "next_period_on": None if over else following,
            "created_at": start_of_day(first.starts_on),
        }
    )
    for number, span in enumerate(row.spans, start=1):
        owed = None if span.paid else _instalment(placed, line["id"], number, span)
        if owed is not None:
            tables[Instalment].append(owed)
        tables[SubscriptionPeriod].append(
            {
                "id": uuid.uuid4(),
                "subscription_id": subscription_id,
                "number": number,
                "starts_on": span.starts_on,
                "ends_on": add_months(span.starts_on, row.months),
                "version_id": version_id,
                "net_minor": span.minor,
                "vat_minor": 0,
                "gross_minor": span.minor,
                "instalment_id": owed["id"] if owed else None,
                "paid_at": start_of_day(span.starts_on) if span.paid else None,
            }
        )
    return subscription_id


def _instalment(
    order: dict[str, Any], line_id: uuid.UUID, number: int, span: Span
) -> dict[str, Any]:
    return {
        "id": uuid.uuid4(),
        "order_id": order["id"],
        "schedule": rules.schedule_name(line_id),
        "rank": number,
        "label": f"Mois {number}",
        "due_on": span.starts_on,
        "currency": "EUR",
        "amount_minor": span.minor,
        "status": InstalmentStatus.FAILED,
        "next_attempt_on": span.starts_on + timedelta(days=5),
        "attempts": 1,
        "announce_on": span.starts_on,
    }
