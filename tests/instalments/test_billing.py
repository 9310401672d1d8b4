"""The billing run: announced, taken once, retried by the accepted terms, left to the customer."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from sandbox.testing import RunningSandbox
from storefront import worker
from storefront.infra.db import db, transaction
from storefront.instalments import jobs, queries, service
from storefront.instalments.models import InstalmentStatus
from storefront.instalments.rules import morning_of
from storefront.payments import jobs as payment_jobs
from storefront.payments.models import Payment, SavedMethod
from storefront.payments.providers.base import PAGE_LIFETIME
from tests import factories
from tests.plans import (
    CHALLENGED_LATER,
    REFUSED_LATER,
    buy,
    emails,
    hear,
    live_until,
    second,
    second_id,
    taken,
)


@pytest.mark.parametrize("provider", ["stripe", "paypal"])
def test_the_second_instalment_is_announced_then_taken_when_its_day_comes(
    app: Flask, sandbox: RunningSandbox, now: datetime, provider: str
) -> None:
    """M-02, M-03: the odd cent is on the first; the notice is that of the accepted terms."""
    buy(sandbox, now, provider=provider)
    due_on = second().due_on

    live_until(sandbox, morning_of(due_on - timedelta(days=3)))
    assert emails("instalment_announced") == 0
    live_until(sandbox, morning_of(due_on - timedelta(days=2)))
    assert emails("instalment_announced") == 1
    live_until(sandbox, morning_of(due_on) - timedelta(minutes=1))
    assert second().status is InstalmentStatus.SCHEDULED
    live_until(sandbox, morning_of(due_on))

    assert second().status is InstalmentStatus.PAID
    assert taken(sandbox, provider) == [19501, 19500]
    assert emails("instalment_paid") == 1


def test_the_notice_of_debits_follows_the_terms_that_the_order_accepted(
    app: Flask, sandbox: RunningSandbox, now: datetime
) -> None:
    """R-01: five days in these terms, whatever later ones say."""
    buy(sandbox, now, debit_notice_days=5)
    with transaction():
        factories.terms(now + timedelta(hours=2), debit_notice_days=1)

    live_until(sandbox, morning_of(second().due_on - timedelta(days=5)))

    assert emails("instalment_announced") == 1


def test_two_billing_runs_at_once_charge_once(
    app: Flask, sandbox: RunningSandbox, now: datetime
) -> None:
    buy(sandbox, now)
    morning = morning_of(second().due_on)
    barrier, raised = threading.Barrier(2), []

    def run() -> None:
        with app.app_context():
            barrier.wait()
            try:
                jobs.charge_due(morning)
            except BaseException as error:
                raised.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    worker.run_due(morning)

    assert raised == []
    assert taken(sandbox) == [19501, 19500]
    assert second().status is InstalmentStatus.PAID


def test_a_crash_between_claim_and_charge_is_caught_up(
    app: Flask, sandbox: RunningSandbox, now: datetime
) -> None:
    buy(sandbox, now)
    morning = morning_of(second().due_on)

    with transaction():
        assert service.claim([second_id()], now=morning).debits

    live_until(sandbox, morning + timedelta(minutes=2))

    assert second().status is InstalmentStatus.PAID
    assert taken(sandbox) == [19501, 19500]


def test_a_soft_decline_is_tried_again_as_the_terms_say_then_left_to_the_customer(
    app: Flask, sandbox: RunningSandbox, now: datetime
) -> None:
    buy(sandbox, now, card=REFUSED_LATER)
    due_on = second().due_on

    live_until(sandbox, morning_of(due_on))
    assert second().status is InstalmentStatus.FAILED
    assert second().next_attempt_on == due_on + timedelta(days=3)
    for days in (3, 6, 9):
        live_until(sandbox, morning_of(due_on + timedelta(days=days)))

    assert second().status is InstalmentStatus.UNPAID
    assert len(db.session.scalars(select(Payment).where(Payment.attempt > 1)).all()) == 3
    assert emails("instalment_failed") == 4


def test_what_needs_the_customer_is_never_retried_blindly(
    app: Flask, sandbox: RunningSandbox, now: datetime
) -> None:
    buy(sandbox, now, card=CHALLENGED_LATER)
    morning = morning_of(second().due_on)

    live_until(sandbox, morning)
    live_until(sandbox, morning + timedelta(days=30))

    assert second().status is InstalmentStatus.UNPAID
    assert len(taken(sandbox)) == 1
    assert emails("instalment_failed") == 1


def test_after_an_outage_what_is_overdue_is_taken_once(
    app: Flask, sandbox: RunningSandbox, now: datetime
) -> None:
    buy(sandbox, now, count=4)
    live_until(sandbox, morning_of(second().due_on + timedelta(days=70)))

    assert len(taken(sandbox)) == 4
    assert queries.to_charge(second().due_on + timedelta(days=70)) == []


def test_a_card_that_was_just_saved_is_not_taken_for_one_that_was_lost(
    client: FlaskClient, sandbox: RunningSandbox, now: datetime
) -> None:
    buy(sandbox, now)
    hear(client, sandbox)

    live_until(sandbox, morning_of(second().due_on))

    assert second().status is InstalmentStatus.PAID
    assert taken(sandbox) == [19501, 19500]


def test_a_card_taken_away_in_the_middle_of_a_plan_leaves_the_instalment_to_the_customer(
    client: FlaskClient, sandbox: RunningSandbox, now: datetime
) -> None:
    buy(sandbox, now)
    (card,) = db.session.scalars(select(SavedMethod)).all()
    sandbox.control(f"stripe/payment_methods/{card.method_reference}/detach", "POST")
    hear(client, sandbox, "payment_method.detached")

    live_until(sandbox, morning_of(second().due_on))

    assert second().status is InstalmentStatus.UNPAID
    assert taken(sandbox) == [19501]
    assert emails("instalment_failed") == 1


def test_what_was_just_paid_by_hand_is_not_taken_although_nobody_has_reacted_yet(
    app: Flask, sandbox: RunningSandbox, now: datetime
) -> None:
    """A crash between the payment and its reaction: the run finds the money first."""
    buy(sandbox, now)
    morning = morning_of(second().due_on)
    with transaction():
        payment_id = service.pay_now(
            second_id(), "stripe", expires_at=now + PAGE_LIFETIME, now=now
        ).id
    url = payment_jobs.open_page(
        payment_id,
        email="claire@exemple.example",
        return_url="http://127.0.0.1:8000/retour",
        cancel_url="http://127.0.0.1:8000/annulation",
        now=now,
    )
    sandbox.pay_by_card(url)
    payment_jobs.refresh(payment_id, now)

    assert jobs.charge_due(morning) == 0
    worker.run_due(morning)

    assert taken(sandbox) == [19501, 19500]
    assert second().status is InstalmentStatus.PAID


def test_a_provider_that_is_gone_holds_up_nobody_elses_debit(
    app: Flask, sandbox: RunningSandbox, now: datetime
) -> None:
    buy(sandbox, now, provider="paypal")
    morning = morning_of(second().due_on)
    buy(sandbox, now)
    left = {name: one for name, one in payment_jobs.providers().items() if name != "paypal"}
    app.extensions["providers"] = left

    with pytest.raises(ExceptionGroup):
        jobs.charge_due(morning)

    assert taken(sandbox, "stripe") == [19501, 19500]
