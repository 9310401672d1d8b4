"""Incidents, whom they concern, and the credits that follow (B-06)."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, contains_eager, joinedload, selectinload

from storefront.catalogue.models import Product
from storefront.infra.db import db
from storefront.kernel.calendar import paris_date
from storefront.orders.models import Order
from storefront.subscriptions.models import (
    Incident,
    OutageCredit,
    OutageCreditStatus,
    Subscription,
    SubscriptionPeriod,
    SubscriptionStatus,
)
from storefront.subscriptions.queries import RUNNING
from storefront.subscriptions.rules import contract_of
from storefront.subscriptions.rules.outages import COVERED, Severity, Span, merged

DECIDED = (
    OutageCreditStatus.GRANTED,
    OutageCreditStatus.APPLIED,
    OutageCreditStatus.REFUNDED,
)


@dataclass(frozen=True)
class Service:
    """What can be down by itself: the plans of a family, or a plan without one."""

    key: str  # as `Incident.concerns` writes it
    name: str
    family: str | None
    product_ids: frozenset[uuid.UUID]

    def concerned_by(self, incident: Incident) -> bool:
        """Whether an incident is about it, wholly or in part."""
        return any(incident.is_about(self.family, one) for one in self.product_ids)


def services() -> list[Service]:
    """Every family of plans, and every plan without one, in the order of the catalogue."""
    products = db.session.scalars(
        select(Product).where(Product.kind == COVERED).order_by(Product.position, Product.name)
    )
    families: dict[str, tuple[str | None, list[Product]]] = {}
    for product in products:
        family = contract_of(product.features).family
        key = f"family:{family}" if family else f"product:{product.id}"
        families.setdefault(key, (family, []))[1].append(product)
    return [
        Service(
            key, ", ".join(one.name for one in found), family, frozenset(one.id for one in found)
        )
        for key, (family, found) in families.items()
    ]


def choices() -> list[tuple[str, str]]:
    """What an incident can be about: families, then each plan of theirs."""
    known = services()
    plans = db.session.scalars(
        select(Product).where(Product.kind == COVERED).order_by(Product.position, Product.name)
    )
    alone = {one.key for one in known}
    return [
        *((one.key, one.name) for one in known),
        *((key, one.name) for one in plans if (key := f"product:{one.id}") not in alone),
    ]


# Incidents


def incidents(limit: int = 50) -> Sequence[Incident]:
    """The last ones, the latest first (staff)."""
    return db.session.scalars(
        select(Incident).order_by(Incident.started_at.desc(), Incident.id).limit(limit)
    ).all()


def public_incidents(since: datetime) -> Sequence[Incident]:
    """What everybody may know of, that lasted beyond `since`, the latest first."""
    return db.session.scalars(
        select(Incident)
        .where(
            Incident.withdrawn_at.is_(None),
            or_(Incident.ended_at.is_(None), Incident.ended_at > since),
        )
        .options(selectinload(Incident.updates))
        .order_by(Incident.started_at.desc(), Incident.id)
    ).all()


def under_way_about(running: Iterable[Subscription]) -> Sequence[Incident]:
    """The incidents that concern what a customer has now, with their updates."""
    plans = [
        one
        for one in running
        if one.kind is COVERED
        and one.status in RUNNING
        and one.status is not SubscriptionStatus.SUSPENDED
    ]
    if not plans:
        return []
    open_now = db.session.scalars(
        select(Incident)
        .where(Incident.withdrawn_at.is_(None), Incident.ended_at.is_(None))
        .options(selectinload(Incident.updates))
        .order_by(Incident.started_at)
    )
    return [
        one
        for one in open_now
        if any(one.is_about(plan.family, plan.version.product_id) for plan in plans)
    ]


def _counting() -> tuple[ColumnElement[bool], ...]:
    return (
        Incident.severity == Severity.OUTAGE,
        Incident.withdrawn_at.is_(None),
        Incident.ended_at.is_not(None),
    )


def touching(span: Span) -> Sequence[Incident]:
    """The outages that are over and make one stretch with this time."""
    return db.session.scalars(
        select(Incident)
        .where(*_counting(), Incident.started_at <= span.end, Incident.ended_at >= span.start)
        .order_by(Incident.started_at, Incident.id)
    ).all()


def stretch_of(incident: Incident) -> Sequence[Incident]:
    """The outages that follow on each other without a break, this one among them."""
    span = incident.span
    found: Sequence[Incident] = []
    while span is not None:
        found = touching(span)
        [whole] = merged([one.span for one in found if one.span] or [span])
        if whole == span:
            break
        span = whole
    return found


def to_compute(now: datetime) -> Sequence[uuid.UUID]:
    """The incidents whose credits are to be computed."""
    return db.session.scalars(
        select(Incident.id).where(Incident.compute_at <= now).order_by(Incident.compute_at)
    ).all()


def next_computing_at() -> datetime | None:
    """When credits are next to be computed."""
    return db.session.scalar(select(func.min(Incident.compute_at)))


# Credits


def candidates(
    incident_ids: Collection[uuid.UUID], span: Span | None, after: uuid.UUID | None, limit: int
) -> Sequence[uuid.UUID]:
    """The subscriptions that paid for a period which falls into this time, and those for which
    these incidents propose something already; in batches."""
    wanted: list[ColumnElement[bool]] = [
        Subscription.id.in_(proposed(incident_ids, OutageCredit.subscription_id))
    ]
    if span is not None:
        paid = select(SubscriptionPeriod.id).where(
            SubscriptionPeriod.subscription_id == Subscription.id, *paid_within(span)
        )
        wanted.append(and_(Subscription.kind == COVERED, paid.exists()))
    found = select(Subscription.id).where(or_(*wanted)).order_by(Subscription.id).limit(limit)
    if after is not None:
        found = found.where(Subscription.id > after)
    return db.session.scalars(found).all()


def proposed(
    incident_ids: Collection[uuid.UUID], what: InstrumentedAttribute[uuid.UUID]
) -> Select[uuid.UUID]:
    """A column of what these incidents propose."""
    return select(what).where(
        OutageCredit.incident_id.in_(incident_ids),
        OutageCredit.status == OutageCreditStatus.PROPOSED,
    )


def paid_within(span: Span) -> tuple[ColumnElement[bool], ...]:
    """Of a period: it cost something, was paid, and falls into this time."""
    return (
        SubscriptionPeriod.paid_at.is_not(None),
        SubscriptionPeriod.gross_minor > 0,
        SubscriptionPeriod.starts_on <= paris_date(span.end),
        SubscriptionPeriod.ends_on > paris_date(span.start),
    )


def credits_of_incident(
    incident_id: uuid.UUID, *, page: int = 1, limit: int = 50
) -> Sequence[OutageCredit]:
    """What an incident gives, by order: with its subscription, order and period."""
    return db.session.scalars(
        select(OutageCredit)
        .join(OutageCredit.subscription)
        .join(Subscription.order)
        .options(
            contains_eager(OutageCredit.subscription).contains_eager(Subscription.order),
            joinedload(OutageCredit.period),
        )
        .where(OutageCredit.incident_id == incident_id)
        .order_by(Order.reference, OutageCredit.down_from, OutageCredit.id)
        .offset((page - 1) * limit)
        .limit(limit)
    ).all()


@dataclass(frozen=True)
class Total:
    """How many credits of a status, in how many subscriptions, and what they come to."""

    status: OutageCreditStatus
    currency: str
    count: int
    subscriptions: int
    gross_minor: int


def totals(incident_id: uuid.UUID) -> list[Total]:
    """What an incident gives, by status and currency."""
    rows = db.session.execute(
        select(
            OutageCredit.status,
            Subscription.currency,
            func.count(),
            func.count(Subscription.id.distinct()),
            func.sum(OutageCredit.gross_minor),
        )
        .join(OutageCredit.subscription)
        .where(OutageCredit.incident_id == incident_id)
        .group_by(OutageCredit.status, Subscription.currency)
        .order_by(OutageCredit.status, Subscription.currency)
    )
    return [
        Total(status, currency, count, subs, int(sum_))
        for status, currency, count, subs, sum_ in rows
    ]


def proposal(incident_id: uuid.UUID) -> str:
    """What stands proposed, in short: another text once anything of it has changed."""
    count, total = db.session.execute(
        select(func.count(), func.coalesce(func.sum(OutageCredit.gross_minor), 0)).where(
            OutageCredit.incident_id == incident_id,
            OutageCredit.status == OutageCreditStatus.PROPOSED,
        )
    ).one()
    return f"{count}-{int(total)}"


def proposed_of_orders(
    incident_id: uuid.UUID, references: Collection[str]
) -> dict[str, set[uuid.UUID]]:
    """The subscriptions with a proposal of this incident, by the reference of their order."""
    rows = db.session.execute(
        select(Order.reference, OutageCredit.subscription_id)
        .join(OutageCredit.subscription)
        .join(Subscription.order)
        .where(
            OutageCredit.incident_id == incident_id,
            OutageCredit.status == OutageCreditStatus.PROPOSED,
            Order.reference.in_(references),
        )
    )
    found: dict[str, set[uuid.UUID]] = defaultdict(set)
    for reference, subscription_id in rows:
        found[reference].add(subscription_id)
    return dict(found)


def is_credited(incident_id: uuid.UUID) -> bool:
    """Whether anything of an incident was granted."""
    granted = select(OutageCredit.id).where(
        OutageCredit.incident_id == incident_id, OutageCredit.status.in_(DECIDED)
    )
    return db.session.scalar(granted.limit(1)) is not None


def waiting() -> Sequence[Incident]:
    """The incidents whose credits wait for a decision, the oldest first (staff)."""
    proposed = select(OutageCredit.incident_id).where(
        OutageCredit.status == OutageCreditStatus.PROPOSED
    )
    return db.session.scalars(
        select(Incident).where(Incident.id.in_(proposed)).order_by(Incident.started_at)
    ).all()


def credits_of_subscription(subscription_id: uuid.UUID) -> Sequence[OutageCredit]:
    """What a subscription was granted, the latest first, with what it reduced."""
    return db.session.scalars(
        select(OutageCredit)
        .where(OutageCredit.subscription_id == subscription_id, OutageCredit.status.in_(DECIDED))
        .options(
            joinedload(OutageCredit.incident),
            joinedload(OutageCredit.period),
            selectinload(OutageCredit.uses),
        )
        .order_by(OutageCredit.down_from.desc(), OutageCredit.id)
    ).all()


def left_of(subscriptions: Iterable[Subscription]) -> dict[uuid.UUID, int]:
    """What of granted credits will reduce the next debit of each of these, in minor units."""
    covered = [one.id for one in subscriptions if one.kind is COVERED]
    if not covered:
        return {}
    rows = db.session.execute(
        select(
            OutageCredit.subscription_id,
            func.sum(OutageCredit.gross_minor - OutageCredit.used_minor),
        )
        .where(
            OutageCredit.subscription_id.in_(covered),
            OutageCredit.status == OutageCreditStatus.GRANTED,
        )
        .group_by(OutageCredit.subscription_id)
    )
    return {subscription_id: int(left) for subscription_id, left in rows}


def _untold() -> tuple[ColumnElement[bool], ...]:
    return (OutageCredit.status.in_(DECIDED), OutageCredit.told_at.is_(None))


def to_tell(limit: int = 500) -> Sequence[tuple[uuid.UUID, uuid.UUID]]:
    """Whom nobody has told yet of what was granted: pairs incident, subscription."""
    found = (
        select(OutageCredit.incident_id, OutageCredit.subscription_id)
        .where(*_untold())
        .distinct()
        .limit(limit)
    )
    return [(incident_id, one) for incident_id, one in db.session.execute(found)]


def untold(incident_id: uuid.UUID, subscription_id: uuid.UUID) -> Sequence[OutageCredit]:
    """What a subscriber is still to be told of an incident, locked."""
    return db.session.scalars(
        select(OutageCredit)
        .where(
            *_untold(),
            OutageCredit.incident_id == incident_id,
            OutageCredit.subscription_id == subscription_id,
        )
        .order_by(OutageCredit.down_from)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def next_telling_at() -> datetime | None:
    """Since when somebody is to be told."""
    return db.session.scalar(select(func.min(OutageCredit.decided_at)).where(*_untold()))


def _without_debit() -> tuple[ColumnElement[bool], ...]:
    """Granted, and no period will be opened any more whose debit it could reduce."""
    return (
        OutageCredit.status == OutageCreditStatus.GRANTED,
        OutageCredit.subscription_id == Subscription.id,
        or_(
            Subscription.status == SubscriptionStatus.ENDED,
            and_(
                Subscription.ends_on.is_not(None),
                Subscription.next_period_on >= Subscription.ends_on,
            ),
        ),
    )


def to_refund(limit: int = 500) -> Sequence[uuid.UUID]:
    """The granted credits that no debit is left for."""
    return db.session.scalars(select(OutageCredit.id).where(*_without_debit()).limit(limit)).all()


def next_refund_at() -> datetime | None:
    """Since when a granted credit has no debit left."""
    return db.session.scalar(select(func.min(OutageCredit.decided_at)).where(*_without_debit()))
