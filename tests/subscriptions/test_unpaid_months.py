"""A month that is not paid: kept for the grace days, suspended, back by itself (B-04)."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta

from flask import Flask
from sqlalchemy import select

from sandbox.testing import RunningSandbox
from storefront import worker
from storefront.catalogue.rules import ProductKind
from storefront.credits.models import HourLot
from storefront.demo.travel import live_through
from storefront.infra.db import db, transaction
from storefront.instalments import service as instalments
from storefront.instalments.models import PRICE, Instalment, InstalmentStatus
from storefront.notifications.models import Email
from storefront.orders.rules import BuyerKind
from storefront.payments import jobs as payments
from storefront.payments.providers.base import PAGE_LIFETIME
from storefront.subscriptions.models import Subscription, SubscriptionStatus
from tests import paying
from tests.subscriptions import outages, running

ORDERED = datetime.fromisoformat("2027-01-31T15:00:00+01:00")
# The worker was stopped until the evening: the debit is tried, and refused, at 18:00.
FAILED = datetime.fromisoformat("2027-02-28T18:00:00+01:00")
SUSPENDED = datetime.fromisoformat("2027-03-07T18:00:00+01:00")


def subscription() -> Subscription:
    db.session.rollback()
    return db.session.scalars(select(Subscription)).one()


def emails(kind: str) -> list[Email]:
    return list(db.session.scalars(select(Email).where(Email.kind == kind)))


def second_month() -> Instalment:
    db.session.rollback()
    return db.session.scalars(select(Instalment).where(Instalment.schedule != PRICE)).one()


def fail(sandbox: RunningSandbox, kind: ProductKind = ProductKind.PLAN) -> None:
    """A plan, which binds nobody, whose second month the bank refuses."""
    paying.bought(sandbox, kind, ORDERED, card=paying.REFUSED_LATER, buyer=BuyerKind.PROFESSIONAL)
    sandbox.control("clock", now=FAILED.isoformat())
    worker.run_due(FAILED)


def live(start: datetime, until: datetime) -> None:
    for _ in live_through(start, until):
        pass


def pay_now(sandbox: RunningSandbox, at: datetime) -> None:
    """The customer pays the month with another card, on the provider's page."""
    sandbox.control("clock", now=at.isoformat())
    with transaction():
        payment_id: uuid.UUID = instalments.pay_now(
            second_month_id(), "stripe", expires_at=at + PAGE_LIFETIME, now=at
        ).id
    url = payments.open_page(
        payment_id,
        email="claire@exemple.example",
        return_url=f"{paying.SHOP}/retour",
        cancel_url=f"{paying.SHOP}/annulation",
        now=at,
    )
    sandbox.pay_by_card(url, paying.GOOD_CARD)
    payments.refresh(payment_id, at)
    worker.run_due(at)


def second_month_id() -> uuid.UUID:
    return db.session.scalars(select(Instalment.id).where(Instalment.schedule != PRICE)).one()


def test_a_refused_month_keeps_the_service_and_says_until_when(
    app: Flask, sandbox: RunningSandbox
) -> None:
    fail(sandbox)

    assert subscription().status is SubscriptionStatus.PAST_DUE
    assert subscription().suspend_at == SUSPENDED
    (message,) = emails("subscription_past_due")
    assert "7 mars 2027 à 18" in message.text


def test_the_service_stops_to_the_minute_when_the_grace_is_over(
    app: Flask, sandbox: RunningSandbox
) -> None:
    """28 February 18:00 plus seven days: 7 March 18:00, in Paris."""
    fail(sandbox)

    live(FAILED, SUSPENDED - timedelta(minutes=1))
    assert subscription().status is SubscriptionStatus.PAST_DUE
    assert second_month().status is InstalmentStatus.FAILED
    live(SUSPENDED - timedelta(minutes=1), SUSPENDED)

    assert subscription().status is SubscriptionStatus.SUSPENDED
    assert len(emails("subscription_suspended")) == 1


def test_paying_brings_the_service_back_by_itself(app: Flask, sandbox: RunningSandbox) -> None:
    fail(sandbox)
    live(FAILED, SUSPENDED)

    pay_now(sandbox, SUSPENDED + timedelta(hours=2))

    assert subscription().status is SubscriptionStatus.ACTIVE
    assert subscription().suspend_at is None
    assert len(emails("subscription_resumed")) == 1
    assert second_month().status is InstalmentStatus.PAID


def test_paying_within_the_grace_days_prevents_the_suspension(
    app: Flask, sandbox: RunningSandbox
) -> None:
    fail(sandbox)

    pay_now(sandbox, FAILED + timedelta(days=2))
    live(FAILED + timedelta(days=2), SUSPENDED + timedelta(days=1))

    assert subscription().status is SubscriptionStatus.ACTIVE
    assert emails("subscription_suspended") == []


def test_an_unpaid_month_gives_no_hours_until_it_is_paid(
    app: Flask, sandbox: RunningSandbox
) -> None:
    fail(sandbox, ProductKind.SUPPORT_CONTRACT)
    assert [lot.period_number for lot in db.session.scalars(select(HourLot))] == [1]

    pay_now(sandbox, FAILED + timedelta(days=2))

    lots = db.session.scalars(select(HourLot.period_number).order_by(HourLot.period_number))
    assert list(lots) == [1, 2]


def test_what_is_not_supplied_is_not_billed_and_what_is_paid_late_is_supplied(app: Flask) -> None:
    """A plan suspended on 7 March owes one month; paid on 20 April, it has its 24 days then."""
    one = running.hold(ORDERED)
    running.travel(ORDERED, datetime.fromisoformat("2027-04-20T10:00:00+02:00"))
    assert [month.rank for month in running.months()] == [2]
    assert running.the(one).status is SubscriptionStatus.SUSPENDED

    running.pay_month(2, datetime.fromisoformat("2027-04-20T11:00:00+02:00"))

    found = running.the(one)
    assert found.status is SubscriptionStatus.ACTIVE
    assert found.next_period_on == date(2027, 5, 14)
    running.travel(
        datetime.fromisoformat("2027-04-20T12:00:00+02:00"),
        datetime.fromisoformat("2027-06-15T12:00:00+02:00"),
    )
    assert [month.due_on for month in running.months()] == [date(2027, 2, 28), date(2027, 5, 14)]


def test_who_pays_by_transfer_is_not_told_of_a_debit(app: Flask) -> None:
    outages.subscribe(ORDERED)

    running.travel(ORDERED, FAILED + timedelta(days=20))

    (message,) = emails("subscription_past_due")
    assert message.subject.startswith("Votre mensualité n’est pas encore payée")
    assert "Nous n’avons pas encore reçu le paiement" in message.text
    assert "prélev" not in message.text + message.html
