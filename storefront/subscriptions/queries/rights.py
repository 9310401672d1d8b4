"""What a customer's plans allow them now (C-08)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import or_, select

from storefront.catalogue import queries as catalogue
from storefront.catalogue.rules import ProductKind
from storefront.fulfilment.queries import STOPPED
from storefront.infra.db import db
from storefront.kernel.calendar import paris_date
from storefront.kernel.errors import Refusal
from storefront.orders.models import OrderLine
from storefront.subscriptions.models import PlanVersion, Subscription, SubscriptionStatus
from storefront.subscriptions.rules import contract_of


class NotEntitled(Refusal):
    """No plan of this customer lets them use this. Details: entitlement, plans (name, address) on
    sale that do."""

    status = 403


@dataclass(frozen=True)
class Granted:
    """What a customer's running plans allow, all together (C-08).

    `unused` names, by entitlement, the subscriptions of which nothing was used yet (MRE-07).
    """

    entitlements: frozenset[str]
    limits: Mapping[str, int | None]
    unused: Mapping[str, frozenset[uuid.UUID]] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """For code of other programs; a limit of null is none."""
        return {"entitlements": sorted(self.entitlements), "limits": dict(self.limits)}


NOTHING = Granted(frozenset(), {})


def granted(user_id: uuid.UUID, now: datetime) -> Granted:
    """What a customer may use at this instant; nothing is granted by what is suspended, paused or
    over, to the minute of an end that has its own hour.

    A service that is past due is kept for its grace days (B-04). Of two limits the higher counts.
    """
    running = db.session.execute(
        select(PlanVersion, Subscription.id, Subscription.first_used_at)
        .join(Subscription, Subscription.version_id == PlanVersion.id)
        .join(OrderLine, OrderLine.id == Subscription.order_line_id)
        .where(
            Subscription.user_id == user_id,
            Subscription.status.in_((SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE)),
            Subscription.paused_on.is_(None),
            or_(
                Subscription.ends_on.is_(None),
                Subscription.ends_on > paris_date(now),
                Subscription.ends_at > now,
            ),
            # Stopped by something else, a disputed payment for one (M-10).
            OrderLine.fulfilment.not_in(STOPPED),
        )
    ).all()
    contracts = [contract_of(version.features) for version, _, _ in running]
    unused: dict[str, frozenset[uuid.UUID]] = {}
    limits: dict[str, int | None] = {}
    for contract, (_, key, first_used_at) in zip(contracts, running, strict=True):
        for name in contract.entitlements if first_used_at is None else ():
            unused[name] = unused.get(name, frozenset()) | {key}
        for name, most in contract.limits.items():
            known = limits.get(name, 0)
            limits[name] = None if most is None or known is None else max(most, known)
    names = (contract.entitlements for contract in contracts)
    return Granted(frozenset().union(*names), limits, unused)


def may(user_id: uuid.UUID, entitlement: str, now: datetime) -> bool:
    """Whether a customer's plan lets them use this now: `may(customer, "messaging", now)`."""
    return entitlement in granted(user_id, now).entitlements


def limit(user_id: uuid.UUID, name: str, now: datetime) -> int | None:
    """How many of something a customer's plan allows; 0 without one, None without limit."""
    return granted(user_id, now).limits.get(name, 0)


def not_entitled(entitlement: str, now: datetime) -> NotEntitled:
    """The refusal, with the plans on sale that have what is missing."""
    plans = [
        (card.name, f"/produits/{card.slug}")
        for card in catalogue.cards_of_kinds([ProductKind.PLAN], now)
        if entitlement in contract_of(card.features).entitlements
    ]
    return NotEntitled(entitlement=entitlement, plans=plans)
