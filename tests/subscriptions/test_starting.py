"""One plan of a family at a time, what it allows, and a year paid up front (B-02, B-07, C-08)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from sandbox.testing import RunningSandbox
from storefront import worker
from storefront.catalogue.rules import ProductKind
from storefront.credits.models import HourLot
from storefront.demo.travel import live_through
from storefront.infra.db import db, transaction
from storefront.infra.journal import JournalEntry
from storefront.kernel.calendar import paris_date
from storefront.orders.rules import BuyerKind
from storefront.payments.models import Refund
from storefront.subscriptions import queries, service
from storefront.subscriptions.models import PlanVersion, Subscription, SubscriptionStatus
from storefront.subscriptions.service import AlreadySubscribed, Wanted
from tests import factories, paying

FREE = {"family": "annuaire", "rank": 0, "entitlements": ["page"], "limits": {"photos": 3}}
PAID = {
    "family": "annuaire",
    "rank": 1,
    "entitlements": ["page", "messaging"],
    "limits": {"photos": 12},
}


def subscribe(now: datetime, features: dict[str, Any], *, free: bool = False) -> None:
    paying.transferred(ProductKind.PLAN, now, buyer=BuyerKind.PROFESSIONAL, features=features)
    worker.run_due(now)
    if free:
        with transaction():
            one = running()[0]
            one.net_minor = one.vat_minor = one.gross_minor = 0


def running() -> list[Subscription]:
    db.session.rollback()
    wanted = select(Subscription).where(Subscription.status != SubscriptionStatus.ENDED)
    return list(db.session.scalars(wanted))


def holder() -> Any:
    return running()[0].user_id


def test_a_paid_plan_takes_the_place_of_the_free_one(app: Flask, now: datetime) -> None:
    subscribe(now, FREE, free=True)

    subscribe(now, PAID)

    (one,) = running()
    assert one.gross_minor > 0
    assert queries.may(one.user_id, "messaging", now)
    ended = db.session.scalars(select(Subscription).where(Subscription.id != one.id)).one()
    assert (ended.status, ended.ends_on) == (SubscriptionStatus.ENDED, paris_date(now))


def test_a_plan_is_not_bought_twice(app: Flask, now: datetime) -> None:
    subscribe(now, PAID)

    with pytest.raises(AlreadySubscribed) as refused:
        service.check_free(holder(), [Wanted(ProductKind.PLAN, FREE, 0)], signed_in=True)

    assert refused.value.details["subscription"] == running()[0].id
    other = {**PAID, "family": "autre"}
    service.check_free(holder(), [Wanted(ProductKind.PLAN, other, 1900)], signed_in=True)


def test_a_second_one_paid_all_the_same_runs_once_and_its_money_is_proposed_for_refund(
    app: Flask, now: datetime
) -> None:
    subscribe(now, PAID)

    subscribe(now, PAID)

    assert len(running()) == 1
    assert len(list(db.session.scalars(select(Refund)))) == 1
    kinds = select(JournalEntry.kind).where(JournalEntry.kind == "subscription.duplicate")
    assert len(list(db.session.scalars(kinds))) == 1


def test_what_is_suspended_or_over_grants_nothing_and_deletes_nothing(
    app: Flask, now: datetime
) -> None:
    subscribe(now, PAID)
    user_id, today = holder(), paris_date(now)
    assert queries.limit(user_id, "photos", now) == 12

    for change in ({"ends_on": today}, {"status": SubscriptionStatus.SUSPENDED, "ends_on": None}):
        with transaction():
            one = running()[0]
            for name, value in change.items():
                setattr(one, name, value)
        assert not queries.may(user_id, "messaging", now)
        assert queries.limit(user_id, "photos", now) == 0


def test_without_limit_wins_over_a_number(app: Flask, now: datetime) -> None:
    subscribe(now, PAID)
    subscribe(now, {**PAID, "family": "autre", "limits": {"photos": None}})

    assert queries.limit(holder(), "photos", now) is None


def test_the_same_product_gives_the_same_version_and_a_changed_one_another(
    app: Flask, now: datetime
) -> None:
    with transaction():
        product = factories.product(ProductKind.PLAN, features=PAID).product
        first = service.publish_version(product, now=now)
        assert service.publish_version(product, now=now) is first
        product.price_minor += 100
        second = service.publish_version(product, now=now)

    numbers = select(PlanVersion.number).order_by(PlanVersion.number)
    assert (first.number, second.number) == (1, 2)
    assert list(db.session.scalars(numbers)) == [1, 2]


def test_a_year_paid_up_front_is_one_period_and_all_its_hours(
    app: Flask, sandbox: RunningSandbox
) -> None:
    """B-02: no debit before its term, no end before it either."""
    start = datetime.fromisoformat("2027-01-31T15:00:00+01:00")
    features = {
        "billing_interval": "year",
        "commitment_months": 12,
        "included_minutes": 60,
        "monthly_minutes": 60,
    }
    paying.transferred(ProductKind.SUPPORT_CONTRACT, start, features=features)
    worker.run_due(start)

    (one,) = running()
    assert one.committed_until == one.ends_on == date(2028, 1, 31)
    lot = db.session.scalars(select(HourLot)).one()
    assert (lot.entries[0].minutes, lot.monthly_minutes) == (720, 60)
    assert lot.expires_on == date(2028, 1, 30)
    for _ in live_through(start, datetime.fromisoformat("2028-02-01T12:00:00+01:00")):
        pass
    db.session.rollback()
    ended = db.session.scalars(select(Subscription)).one()
    assert (ended.status, len(ended.periods)) == (SubscriptionStatus.ENDED, 1)
