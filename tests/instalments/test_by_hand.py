"""Later parts and months that the customer pays by their own means (M-09, M-02, B-01)."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from storefront import worker
from storefront.arrears import queries as arrears
from storefront.arrears.models import ArrearsCase
from storefront.catalogue.rules import ProductKind
from storefront.identity.models import User
from storefront.infra.db import db, transaction
from storefront.instalments import queries, service
from storefront.instalments.models import Instalment, InstalmentStatus
from storefront.invoicing.models import Invoice
from storefront.kernel.calendar import end_of_day, paris_date
from storefront.orders.models import OrderStatus
from storefront.payments import service as payments
from storefront.payments.models import Payment, PaymentStatus
from storefront.subscriptions.models import Subscription, SubscriptionStatus
from tests.by_hand import arrives, emails, last, order, ordered, parts
from tests.identity.people import customer, sign_in
from tests.plans import buy, live_until, second, second_id, taken

WEEK = timedelta(days=7)


@pytest.fixture
def two_parts(client: FlaskClient, now: datetime) -> Instalment:
    """An order in two parts by transfer, the first of which came; its second part."""
    # A professional: a consumer's second part would be a credit after 50 days (PRE-10).
    first = ordered(
        client,
        now,
        count=2,
        kind=ProductKind.DIGITAL_PRODUCT,
        details={"buyer_kind": "professional", "company": "Essai", "siren": "123 456 782"},
    )
    arrives(first, 9000, now)
    assert order().status is OrderStatus.CONFIRMED
    return parts()[1]


def morning_of(day: date) -> datetime:
    return end_of_day(day - timedelta(days=1)) + timedelta(hours=7)


def test_the_next_part_is_announced_a_week_ahead_with_its_own_reference(two_parts, now):
    first_reference = last().page_reference
    due = two_parts.due_on
    worker.run_due(morning_of(due - WEEK - timedelta(days=1)))
    assert len(emails("payment_awaited")) == 1
    for _ in range(2):
        worker.run_due(morning_of(due - WEEK))
    [_, mail] = emails("payment_awaited")
    assert last().page_reference in mail.text
    assert last().page_reference != first_reference
    assert "Rien n’est prélevé" in mail.text
    assert emails("instalment_announced") == []


def test_it_is_never_debited_and_has_its_whole_day(two_parts, now):
    due = two_parts.due_on
    worker.run_due(morning_of(due - WEEK))
    worker.run_due(morning_of(due))
    worker.run_due(end_of_day(due) - timedelta(seconds=1))
    assert parts()[1].status is InstalmentStatus.SCHEDULED
    assert emails("instalment_late") == []
    assert arrears.standing(order().user_id, end_of_day(due) - timedelta(seconds=1)).clear
    arrives(last().id, 9000, end_of_day(due) - timedelta(seconds=1))
    assert parts()[1].status is InstalmentStatus.PAID
    worker.run_due(morning_of(due + timedelta(days=1)))
    assert emails("instalment_late") == []


def test_the_worker_knows_when_it_has_something_to_do_next(two_parts, now):
    due = two_parts.due_on
    worker.run_due(morning_of(due - WEEK))
    assert paris_date(queries.next_charge_at()) == due + timedelta(days=1)


def test_unpaid_after_its_day_it_goes_through_arrears_like_others(two_parts, now):
    due = two_parts.due_on
    worker.run_due(morning_of(due - WEEK))
    worker.run_due(morning_of(due + timedelta(days=1)))
    assert parts()[1].status is InstalmentStatus.UNPAID
    [mail] = emails("instalment_late")
    assert last().page_reference in mail.text
    assert emails("instalment_failed") == []
    [case] = db.session.scalars(select(ArrearsCase)).all()
    assert case.owed_on == due
    arrives(last().id, 9000, morning_of(due + timedelta(days=3)))
    assert parts()[1].status is InstalmentStatus.PAID
    db.session.refresh(case)
    assert case.closed_at is not None


def test_interest_runs_on_what_is_missing_only(two_parts, now):
    due = two_parts.due_on
    worker.run_due(morning_of(due - WEEK))
    arrives(last().id, 6000, morning_of(due))
    late = morning_of(due + timedelta(days=20))
    worker.run_due(morning_of(due + timedelta(days=1)))
    worker.run_due(late)
    statement = arrears.statement(order().user_id, paris_date(late))
    assert statement.totals[0].minor == 3000


def test_a_deferral_is_announced_again_under_the_same_reference(two_parts, now):
    due = two_parts.due_on
    worker.run_due(morning_of(due - WEEK))
    reference, until = last().page_reference, due + timedelta(days=30)
    with transaction():
        service.move_to(service.locked(two_parts.id), until, now=now)
    worker.run_due(morning_of(until - WEEK))
    assert last().page_reference == reference
    assert reference in emails("payment_awaited")[-1].text
    worker.run_due(morning_of(until))
    assert parts()[1].status is InstalmentStatus.SCHEDULED


def test_a_month_of_a_subscription_is_told_a_week_before_it_must_be_paid(client, now):
    ordered_id = ordered(
        client,
        now,
        kind=ProductKind.PLAN,
        price=2900,
        details={"buyer_kind": "professional", "company": "Essai", "siren": "123 456 782"},
    )
    arrives(ordered_id, 2900, now)
    starts = parts()[0].due_on.replace(month=12)
    worker.run_due(morning_of(starts))
    month = parts()[1]
    assert (month.due_on, month.owed_on) == (starts, starts + WEEK)
    assert len(emails("payment_awaited")) == 2
    worker.run_due(end_of_day(starts + WEEK) - timedelta(seconds=1))
    [subscription] = db.session.scalars(select(Subscription)).all()
    assert subscription.status is SubscriptionStatus.ACTIVE
    arrives(last().id, 2900, morning_of(starts + WEEK))
    assert parts()[1].status is InstalmentStatus.PAID
    assert len(db.session.scalars(select(Invoice)).all()) == 2


def test_a_month_that_never_comes_is_past_due(client, now):
    ordered_id = ordered(
        client,
        now,
        kind=ProductKind.PLAN,
        price=2900,
        details={"buyer_kind": "professional", "company": "Essai", "siren": "123 456 782"},
    )
    arrives(ordered_id, 2900, now)
    starts = parts()[0].due_on.replace(month=12)
    worker.run_due(morning_of(starts))
    worker.run_due(morning_of(starts + WEEK + timedelta(days=1)))
    [subscription] = db.session.scalars(select(Subscription)).all()
    assert subscription.status is SubscriptionStatus.PAST_DUE


def test_the_customers_page_says_how_to_pay_and_takes_another_way(
    app: Flask, two_parts, sandbox, now
):
    due = two_parts.due_on
    worker.run_due(morning_of(due - WEEK))
    user = db.session.scalars(select(User)).one()
    claire = sign_in(app, customer(now, user.email))
    page = claire.get(f"/compte/echeances/{two_parts.id}")
    assert last().page_reference in page.text
    assert "FR76 9999" in page.text
    waiting = last().id
    answer = claire.post(f"/compte/echeances/{two_parts.id}", data={"provider": "stripe"})
    assert answer.status_code == 303
    db.session.rollback()
    assert db.session.get_one(Payment, waiting).status is PaymentStatus.CANCELLED
    attempts = select(Payment.provider).where(Payment.instalment_id == two_parts.id)
    assert list(db.session.scalars(attempts.order_by(Payment.attempt))) == ["offline", "stripe"]


def test_money_by_transfer_for_a_part_that_would_be_debited_stops_the_debit(
    app: Flask, sandbox, now
):
    buy(sandbox, now)
    with transaction():
        payment_id = service.wait_for(second_id(), now=now).id
        assert service.wait_for(second_id(), now=now).id == payment_id
    arrives(payment_id, second().amount_minor, now)
    assert second().status is InstalmentStatus.PAID
    live_until(sandbox, morning_of(second().due_on))
    assert len(taken(sandbox)) == 1


def test_a_part_by_transfer_of_what_would_be_debited_is_never_debited_on_top(
    app: Flask, sandbox, now
):
    buy(sandbox, now)
    with transaction():
        payment_id = service.wait_for(second_id(), now=now).id
    arrives(payment_id, 100, now)
    due = second().due_on
    live_until(sandbox, morning_of(due))
    assert second().status is InstalmentStatus.SCHEDULED
    live_until(sandbox, morning_of(due + timedelta(days=1)))
    assert len(taken(sandbox)) == 1
    assert second().status is InstalmentStatus.UNPAID


def test_waiting_for_a_transfer_that_nobody_sent_does_not_keep_from_debiting(
    app: Flask, sandbox, now
):
    buy(sandbox, now)
    with transaction():
        waiting: uuid.UUID = service.wait_for(second_id(), now=now).id
    live_until(sandbox, morning_of(second().due_on))
    assert second().status is InstalmentStatus.PAID
    assert second().attempts == 0
    assert len(taken(sandbox)) == 2
    assert payments.locked(waiting).status is PaymentStatus.CANCELLED
