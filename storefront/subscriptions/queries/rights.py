"""What a customer's plans allow them today (C-08)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from storefront.catalogue import queries as catalogue
from storefront.catalogue.rules import ProductKind
from storefront.infra.db import db
from storefront.kernel.errors import Refusal
from storefront.orders.models import FulfilmentStatus, OrderLine
from storefront.subscriptions.models import PlanVersion, Subscription, SubscriptionStatus
from storefront.subscriptions.rules import contract_of

STOPPED = (FulfilmentStatus.SUSPENDED, FulfilmentStatus.REVOKED)


class NotEntitled(Refusal):
    """No plan of this customer lets them use this. Details: entitlement, plans (name, address) on
    sale that do."""

    status = 403


@dataclass(frozen=True)
class Granted:
    """What a customer's running plans allow, all together (C-08)."""

    entitlements: frozenset[str]
    limits: Mapping[str, int | None]

    def as_json(self) -> dict[str, object]:
        """For code of other programs; a limit of null is none."""
        return {"entitlements": sorted(self.entitlements), "limits": dict(self.limits)}


NOTHING = Granted(frozenset(), {})


def granted(user_id: uuid.UUID, today: date) -> Granted:
    """What a customer may use on this day; nothing is granted by what is suspended or over.

    A service that is past due is kept for its grace days (B-04); what was stopped with its order
    line, by a dispute for instance, is not. Of two limits the higher counts.
    """
    running = db.session.scalars(
        select(PlanVersion)
        .join(Subscription, Subscription.version_id == PlanVersion.id)
        .join(Subscription.order_line)
        .where(
            Subscription.user_id == user_id,
            Subscription.status.in_((SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE)),
            (Subscription.ends_on.is_(None)) | (Subscription.ends_on > today),
            OrderLine.fulfilment.not_in(STOPPED),
        )
    ).all()
    contracts = [contract_of(version.features) for version in running]
    limits: dict[str, int | None] = {}
    for contract in contracts:
        for name, most in contract.limits.items():
            known = limits.get(name, 0)
            limits[name] = None if most is None or known is None else max(most, known)
    names = (contract.entitlements for contract in contracts)
    return Granted(frozenset().union(*names), limits)


def may(user_id: uuid.UUID, entitlement: str, today: date) -> bool:
    """Whether a customer's plan lets them use this now: `may(customer, "messaging", today)`."""
    return entitlement in granted(user_id, today).entitlements


def limit(user_id: uuid.UUID, name: str, today: date) -> int | None:
    """How many of something a customer's plan allows; 0 without one, None without limit."""
    return granted(user_id, today).limits.get(name, 0)


def not_entitled(entitlement: str, now: datetime) -> NotEntitled:
    """The refusal, with the plans on sale that have what is missing."""
    plans = [
        (card.name, f"/produits/{card.slug}")
        for card in catalogue.cards_of_kinds([ProductKind.PLAN], now)
        if entitlement in contract_of(card.features).entitlements
    ]
    return NotEntitled(entitlement=entitlement, plans=plans)
