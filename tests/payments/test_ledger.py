"""What is asked is written first; what is answered counts once, whoever tells it, however often."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from sandbox.testing import RunningSandbox
from storefront import worker
from storefront.infra import journal
from storefront.infra.db import db, transaction
from storefront.instalments.models import Instalment
from storefront.kernel.money import Money
from storefront.orders.models import Order, OrderStatus
from storefront.payments import jobs, service
from storefront.payments.models import Payment, PaymentStatus, WebhookReceipt
from storefront.payments.providers.base import PAGE_LIFETIME, ProviderUnavailable
from tests import factories

RETURN = "http://127.0.0.1:8000/commande/retour"


@pytest.fixture
def order(app: Flask, now: datetime) -> Order:
    """A three-hour pack, placed and not paid."""
    with transaction():
        factories.terms(now)
        placed = factories.order(factories.product(), now=now)
    return placed


def reserve(order: Order, now: datetime, provider: str = "stripe", **changed: object) -> uuid.UUID:
    """The first attempt at the order's only instalment."""
    with transaction() as session:
        instalment = session.scalars(select(Instalment).where(Instalment.rank == 1)).one()
        payment = service.reserve(
            order_id=order.id,
            user_id=order.user_id,
            provider=provider,
            amount=Money(instalment.amount_minor),
            order_reference=order.reference,
            description="Forfait 3 heures",
            instalment_id=instalment.id,
            expires_at=now + PAGE_LIFETIME,
            now=now,
            **changed,  # type: ignore[arg-type]
        )
        return payment.id


def open_page(payment_id: uuid.UUID, now: datetime) -> str:
    return jobs.open_page(
        payment_id,
        email="claire@exemple.example",
        return_url=RETURN,
        cancel_url=f"{RETURN}/annulation",
        now=now,
    )


def at_once(app: Flask, how_many: int, act: Callable[[], None]) -> list[BaseException]:
    """Run `act` in as many threads, released together; returns what they raised."""
    barrier, raised = threading.Barrier(how_many), []

    def run() -> None:
        with app.app_context():
            barrier.wait()
            try:
                act()
            except BaseException as error:
                raised.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run) for _ in range(how_many)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.rollback()
    return raised


def paid(sandbox: RunningSandbox, url: str) -> None:
    assert sandbox.pay_by_card(url).status_code == 303


def status_of(order: Order) -> OrderStatus:
    db.session.rollback()
    return db.session.get_one(Order, order.id).status


def test_the_browsers_return_settles_the_payment_and_confirms_the_order(
    app: Flask, sandbox: RunningSandbox, order: Order, now: datetime
) -> None:
    payment_id = reserve(order, now)
    paid(sandbox, open_page(payment_id, now))

    payment = jobs.refresh(payment_id, now)
    worker.run_due(now)

    assert payment.status is PaymentStatus.SUCCEEDED
    assert status_of(order) is OrderStatus.CONFIRMED


def test_the_webhook_alone_confirms_the_order_of_a_buyer_who_never_returns(
    client: FlaskClient, sandbox: RunningSandbox, order: Order, now: datetime
) -> None:
    payment_id = reserve(order, now)
    paid(sandbox, open_page(payment_id, now))
    (event,) = sandbox.events("stripe", "checkout.session.completed")
    headers, body = sandbox.signed("stripe", event["id"])

    assert client.post("/webhooks/stripe", headers=headers, data=body).status_code == 200
    worker.run_due(now)

    assert status_of(order) is OrderStatus.CONFIRMED


def test_without_return_nor_webhook_the_worker_asks_once_the_page_has_expired(
    app: Flask, sandbox: RunningSandbox, order: Order, now: datetime
) -> None:
    payment_id = reserve(order, now)
    paid(sandbox, open_page(payment_id, now))
    sandbox.control("clock", now=(now + PAGE_LIFETIME).isoformat())

    worker.run_due(now + PAGE_LIFETIME)

    assert status_of(order) is OrderStatus.CONFIRMED


def test_the_same_webhook_twenty_times_at_once_has_one_effect(
    app: Flask, sandbox: RunningSandbox, order: Order, now: datetime
) -> None:
    payment_id = reserve(order, now)
    paid(sandbox, open_page(payment_id, now))
    (event,) = sandbox.events("stripe", "checkout.session.completed")
    headers, body = sandbox.signed("stripe", event["id"])
    answers: list[int] = []

    def post() -> None:
        answer = app.test_client().post("/webhooks/stripe", headers=headers, data=body)
        answers.append(answer.status_code)

    assert at_once(app, 20, post) == []
    worker.run_due(now)

    assert answers == [200] * 20
    receipts = db.session.scalars(select(WebhookReceipt)).all()
    assert [receipt.event_id for receipt in receipts] == [event["id"]]
    entries = db.session.scalars(
        select(journal.JournalEntry.kind).where(
            journal.JournalEntry.kind.in_(["payment.succeeded", "order.confirmed"])
        )
    ).all()
    assert sorted(entries) == ["order.confirmed", "payment.succeeded"]


def test_a_forged_webhook_is_refused_and_keeps_nothing(
    client: FlaskClient, sandbox: RunningSandbox, order: Order, now: datetime
) -> None:
    payment_id = reserve(order, now)
    paid(sandbox, open_page(payment_id, now))
    (event,) = sandbox.events("stripe", "checkout.session.completed")
    headers, body = sandbox.signed("stripe", event["id"])

    answer = client.post("/webhooks/stripe", headers=headers, data=body + b" ")

    assert answer.status_code == 400
    assert db.session.scalars(select(WebhookReceipt)).all() == []
    assert status_of(order) is OrderStatus.AWAITING_PAYMENT


def test_a_provider_that_nobody_knows_has_no_address(client: FlaskClient) -> None:
    assert client.post("/webhooks/cash").status_code == 404


def test_a_provider_that_cannot_be_asked_changes_nothing_and_is_asked_again(
    app: Flask, sandbox: RunningSandbox, order: Order, now: datetime
) -> None:
    payment_id = reserve(order, now)
    paid(sandbox, open_page(payment_id, now))
    sandbox.control("faults", provider="stripe", kind="error", status=503, count=10)

    with pytest.raises(ProviderUnavailable):
        jobs.refresh(payment_id, now)
    payment = db.session.get_one(Payment, payment_id)
    assert payment.status is PaymentStatus.OPEN
    assert payment.check_at is not None

    sandbox.control("faults", "DELETE")
    worker.run_due(payment.check_at)
    assert status_of(order) is OrderStatus.CONFIRMED


def test_money_that_is_not_what_was_asked_is_visible_and_confirms_nothing(
    app: Flask, sandbox: RunningSandbox, order: Order, now: datetime
) -> None:
    payment_id = reserve(order, now)
    paid(sandbox, open_page(payment_id, now))
    with transaction() as session:
        session.get_one(Payment, payment_id).amount_minor = 15901

    payment = jobs.refresh(payment_id, now)
    worker.run_due(now)

    assert (payment.status, payment.mismatch) == (
        PaymentStatus.SUCCEEDED,
        "asked 15901, took 15900",
    )
    assert status_of(order) is OrderStatus.AWAITING_PAYMENT


def test_a_page_that_is_opened_again_after_a_crash_is_the_same_page(
    app: Flask, sandbox: RunningSandbox, order: Order, now: datetime
) -> None:
    payment_id = reserve(order, now)
    url = open_page(payment_id, now)
    with transaction() as session:  # as if the process had died before writing the page down
        payment = session.get_one(Payment, payment_id)
        payment.page_reference = payment.page_url = None
        payment.status = PaymentStatus.RESERVED

    assert open_page(payment_id, now) == url


def test_a_late_cancellation_never_undoes_a_payment(
    app: Flask, sandbox: RunningSandbox, order: Order, now: datetime
) -> None:
    payment_id = reserve(order, now)
    paid(sandbox, open_page(payment_id, now))
    jobs.refresh(payment_id, now)

    with transaction():
        service.record_unopened(service.locked(payment_id), now=now + timedelta(hours=2))

    assert db.session.get_one(Payment, payment_id).status is PaymentStatus.SUCCEEDED


def test_a_paypal_order_that_another_payment_made_needless_is_not_captured(
    app: Flask, sandbox: RunningSandbox, order: Order, now: datetime
) -> None:
    by_paypal = reserve(order, now, "paypal")
    by_card = reserve(order, now, "stripe")
    sandbox.pay_by_paypal(open_page(by_paypal, now))
    paid(sandbox, open_page(by_card, now))
    jobs.refresh(by_card, now)

    assert jobs.refresh(by_paypal, now).status is PaymentStatus.OPEN
    assert sandbox.control("ledger")["paypal"]["taken"] == []
