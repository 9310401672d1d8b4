"""The worker: killed anywhere, or running twice, everything is done and done once."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from sandbox.testing import RunningSandbox
from storefront import worker
from storefront.catalogue.rules import ProductKind
from storefront.credits.models import CreditEntry, HourLot
from storefront.infra import heartbeat, journal
from storefront.infra.config import Settings
from storefront.infra.db import Base, db
from storefront.infra.jobs import Job
from storefront.infra.outbox import OutboxEntry, OutboxStatus
from storefront.instalments.models import PRICE, Instalment, InstalmentStatus
from storefront.instalments.rules import morning_of
from storefront.invoicing.models import Invoice
from storefront.notifications.models import Email
from storefront.notifications.rules import EmailStatus
from storefront.orders.rules import BuyerKind
from storefront.payments.models import Payment, PaymentStatus
from tests import paying
from tests.parallel import at_once
from tests.worker.processes import finished, flask

ORDERS = 4


def count(entity: type[Base], *where: object) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(entity).where(*where)) or 0


def several_paid_orders(now: datetime) -> None:
    for _ in range(ORDERS):
        paying.transferred(ProductKind.HOUR_PACK, now)


def everything_was_done_once() -> None:
    assert count(Invoice) == ORDERS
    assert count(HourLot) == ORDERS
    assert count(CreditEntry) == ORDERS
    assert count(Email, Email.kind == "order_confirmation") == ORDERS
    assert count(OutboxEntry, OutboxEntry.status != OutboxStatus.DONE) == 0
    assert list(journal.verify()) == []


def later_month() -> Instalment:
    db.session.rollback()
    return db.session.scalars(select(Instalment).where(Instalment.schedule != PRICE)).one()


def once(settings: Settings, at: datetime) -> str:
    with flask(settings, "worker", "--once", at=at) as process:
        return finished(process)


def wait_for(what: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.05)


def test_once_means_until_nothing_is_due_and_says_what_it_did(app: Flask, now: datetime) -> None:
    several_paid_orders(now)
    commands = app.test_cli_runner()

    said = commands.invoke(args=["worker", "--once"])
    again = commands.invoke(args=["worker", "--once"])

    assert f"notifications.send: {ORDERS}" in said.output
    assert again.output.strip() == "nothing due"
    assert (said.exit_code, again.exit_code) == (0, 0)
    everything_was_done_once()


def test_two_workers_at_once_do_everything_once(app: Flask, now: datetime) -> None:
    several_paid_orders(now)
    db.session.remove()

    outcomes = at_once(app, lambda _number: worker.run_due(now), 3)
    worker.run_due(now)

    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    everything_was_done_once()


def test_two_workers_at_once_charge_once(
    app: Flask, sandbox: RunningSandbox, now: datetime
) -> None:
    paying.bought(sandbox, ProductKind.PLAN, now, buyer=BuyerKind.PROFESSIONAL)
    due = morning_of(datetime.fromisoformat("2026-12-24").date())
    sandbox.control("clock", now=due.isoformat())
    db.session.remove()

    outcomes = at_once(app, lambda _number: worker.run_due(due), 3)
    worker.run_due(due)

    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert later_month().status is InstalmentStatus.PAID
    assert len(sandbox.control("ledger")["stripe"]["taken"]) == 2
    assert count(Invoice) == 2


@pytest.mark.slow
def test_a_worker_killed_while_the_bank_is_asked_charges_once(
    app: Flask, sandbox: RunningSandbox, settings: Settings, now: datetime
) -> None:
    """The attempt is written down before the call; the next worker asks with the same key."""
    paying.bought(sandbox, ProductKind.PLAN, now, buyer=BuyerKind.PROFESSIONAL)
    due = morning_of(datetime.fromisoformat("2026-12-24").date())
    sandbox.control("clock", now=due.isoformat())
    # The charge is made, and the answer keeps us waiting until the process is dead.
    sandbox.control(
        "faults", provider="stripe", kind="timeout", path="/v1/payment_intents", seconds=15
    )
    db.session.remove()

    with flask(settings, "worker", "--once", at=due) as running:
        wait_for(lambda: len(sandbox.control("ledger")["stripe"]["taken"]) == 2)
        running.send_signal(signal.SIGKILL)
    assert count(Payment, Payment.status == PaymentStatus.CHARGING) == 1

    once(settings, due + timedelta(minutes=5))

    assert later_month().status is InstalmentStatus.PAID
    assert len(sandbox.control("ledger")["stripe"]["taken"]) == 2
    assert count(Email, Email.kind == "subscription_month") == 1
    assert list(journal.verify()) == []


@pytest.mark.slow
def test_a_worker_killed_anywhere_leaves_nothing_half_done(
    app: Flask, settings: Settings, now: datetime
) -> None:
    """Killed at the first, the second, the third sign of work: what is there is whole."""
    several_paid_orders(now)
    db.session.remove()

    for done in range(1, 4):
        with flask(settings, "worker", "--once", at=now + timedelta(minutes=done)) as running:
            wait_for(lambda least=done: count(Invoice) >= least)
            running.send_signal(signal.SIGKILL)
        assert list(journal.verify()) == []
    # A message that was claimed by the dead is taken over when its lease is over.
    once(settings, now + timedelta(hours=1))

    everything_was_done_once()


@pytest.mark.slow
def test_the_worker_works_until_it_is_told_to_stop(
    app: Flask, settings: Settings, now: datetime
) -> None:
    db.session.remove()
    with flask(settings, "worker", at=now) as running:
        wait_for(lambda: count(heartbeat.Heartbeat) == 1)
        several_paid_orders(now)
        wait_for(lambda: count(Email, Email.status == EmailStatus.SENT) == ORDERS)

        running.send_signal(signal.SIGTERM)

        finished(running, seconds=20)
    everything_was_done_once()


def test_a_job_that_fails_does_not_keep_the_others_from_their_work(
    app: Flask, now: datetime
) -> None:
    def fail(_now: datetime) -> int:
        raise LookupError("a row that nobody foresaw")

    app.extensions["jobs"].insert(0, Job("tests.fail", fail, lambda: None))
    several_paid_orders(now)

    with pytest.raises(ExceptionGroup, match=r"tests\.fail"):
        worker.run_due(now)

    everything_was_done_once()


def test_what_is_due_next_is_the_earliest_of_all(app: Flask, now: datetime) -> None:
    assert worker.next_due(now) is None
    paying.transferred(ProductKind.HOUR_PACK, now)
    worker.run_due(now)

    # Nothing is left but the first reminder of the hours, sixty days before they expire.
    reminder = worker.next_due(now)

    assert reminder is not None
    assert reminder.date().isoformat() == "2027-09-25"
