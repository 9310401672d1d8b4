"""One subscription as its holder sees it: a fixed number of questions, however long it runs."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import joinedload

from storefront.catalogue.rules import ProductKind
from storefront.credits import queries as credits
from storefront.credits.queries import LotView
from storefront.infra import journal
from storefront.infra.db import db
from storefront.instalments.models import PRICE, Instalment, InstalmentStatus
from storefront.instalments.queries import UNSETTLED
from storefront.invoicing import queries as invoicing
from storefront.invoicing.models import Invoice
from storefront.payments import queries as payments
from storefront.payments.models import SavedMethod
from storefront.subscriptions import rules
from storefront.subscriptions.models import (
    PlanChange,
    Subscription,
    SubscriptionPeriod,
    SubscriptionStatus,
)
from storefront.subscriptions.rules import Contract

# Longer than that, the months are read page by page.
MONTHS_SHOWN = 12


@dataclass(frozen=True)
class Owed:
    """A period that is not paid, and what is owed for it."""

    period: SubscriptionPeriod
    instalment: Instalment


@dataclass(frozen=True)
class HolderPage:
    """A subscription with everything that its page shows.

    `months` are the last ones first; `before` is the number of the period from which the next page
    goes on, None on the last one. `changes_with` is the paid instalment whose page keeps another
    card for those to come. `lot` holds the hours of the period under way. `ended_because` is the
    journal's code.
    """

    subscription: Subscription
    contract: Contract
    months: Sequence[SubscriptionPeriod]
    before: int | None
    owed: Sequence[Owed]
    invoices: Mapping[uuid.UUID, Invoice]  # by period
    method: SavedMethod | None
    changes_with: uuid.UUID | None
    lot: LotView | None
    debits_left: int | None
    ended_because: str

    @property
    def months_of_year(self) -> int:
        """How many debits a whole term has."""
        return self.subscription.term_months // self.subscription.billing_months

    @property
    def next_debit_on(self) -> date | None:
        """When the next period is opened and taken; None when nothing more is to come."""
        subscription = self.subscription
        opens_on = subscription.next_period_on
        if not subscription.gross_minor or opens_on is None:
            return None
        return opens_on if rules.goes_on(subscription.ends_on, opens_on) else None


def holder_page(
    subscription_id: uuid.UUID, user_id: uuid.UUID, today: date, *, before: int | None = None
) -> HolderPage | None:
    """The page of a subscription, for its holder; None for anybody else.

    `before` shows the periods whose number is lower.
    """
    found = db.session.scalars(
        select(Subscription)
        .where(Subscription.id == subscription_id, Subscription.user_id == user_id)
        .options(
            joinedload(Subscription.order),
            joinedload(Subscription.order_line),
            joinedload(Subscription.version),
            joinedload(Subscription.choice).joinedload(PlanChange.to_version),
        )
    ).one_or_none()
    if found is None:
        return None
    months = _months(found.id, before)
    shown = months[:MONTHS_SHOWN]
    return HolderPage(
        subscription=found,
        contract=rules.contract_of(found.version.features),
        months=shown,
        before=shown[-1].number if len(months) > MONTHS_SHOWN else None,
        owed=_owed(SubscriptionPeriod.subscription_id == found.id),
        invoices=invoices_of(found, shown),
        method=payments.usable_method(user_id, found.order.payment_provider),
        changes_with=_last_paid(found),
        lot=_lot(found, today),
        debits_left=rules.debits_left(
            found.next_period_on, found.committed_until, every=found.billing_months
        ),
        ended_because=_ended_because(found),
    )


def _months(subscription_id: uuid.UUID, before: int | None) -> Sequence[SubscriptionPeriod]:
    found = (
        select(SubscriptionPeriod)
        .where(SubscriptionPeriod.subscription_id == subscription_id)
        .order_by(SubscriptionPeriod.number.desc())
        .limit(MONTHS_SHOWN + 1)
    )
    if before is not None:
        found = found.where(SubscriptionPeriod.number < before)
    return db.session.scalars(found).all()


def owed_of_user(user_id: uuid.UUID) -> dict[uuid.UUID, list[Owed]]:
    """The periods that a customer has not paid, by subscription, oldest first."""
    by_subscription: dict[uuid.UUID, list[Owed]] = {}
    for one in _owed(Subscription.user_id == user_id):
        by_subscription.setdefault(one.period.subscription_id, []).append(one)
    return by_subscription


def _owed(condition: ColumnElement[bool]) -> list[Owed]:
    rows = db.session.execute(
        select(SubscriptionPeriod, Instalment)
        .join(Instalment, Instalment.id == SubscriptionPeriod.instalment_id)
        .join(SubscriptionPeriod.subscription)
        .where(condition, Instalment.status.in_(UNSETTLED))
        .order_by(SubscriptionPeriod.starts_on, SubscriptionPeriod.number)
    )
    return [Owed(period, instalment) for period, instalment in rows]


def invoices_of(
    subscription: Subscription, periods: Sequence[SubscriptionPeriod]
) -> dict[uuid.UUID, Invoice]:
    """The invoices of these periods; the first one stands on its order's."""
    own, found = invoicing.of_periods(subscription.order_id, [one.id for one in periods])
    if own is not None:
        found |= {one.id: own for one in periods if one.number == 1}
    return found


def _last_paid(subscription: Subscription) -> uuid.UUID | None:
    schedules = (PRICE, rules.schedule_name(subscription.order_line_id))
    return db.session.scalars(
        select(Instalment.id)
        .where(
            Instalment.order_id == subscription.order_id,
            Instalment.schedule.in_(schedules),
            Instalment.status == InstalmentStatus.PAID,
        )
        .order_by(Instalment.due_on.desc(), Instalment.rank.desc())
        .limit(1)
    ).first()


def _lot(subscription: Subscription, today: date) -> LotView | None:
    """What is left of the hours of the period under way (K-01); None when it gives none."""
    if subscription.kind is not ProductKind.SUPPORT_CONTRACT:
        return None
    lot = credits.last_of_line(subscription.order_line_id)
    view = credits.view_of(lot, today) if lot is not None else None
    return view if view is not None and view.state in ("usable", "empty", "suspended") else None


def _ended_because(subscription: Subscription) -> str:
    if subscription.status is not SubscriptionStatus.ENDED:
        return ""
    ended = [one for one in journal.about([subscription.id]) if one.kind == "subscription.ended"]
    return str(json.loads(ended[-1].payload).get("because", "")) if ended else ""
