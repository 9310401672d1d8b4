"""A refund that was done and that a bank sends back days later is owed again (M-10)."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

import pytest
from flask import Flask, current_app
from flask.testing import FlaskClient
from sqlalchemy import select

from sandbox.testing import RunningSandbox
from storefront import worker
from storefront.identity.models import Role
from storefront.infra.db import db, transaction
from storefront.infra.journal import JournalEntry
from storefront.invoicing import queries as invoices
from storefront.notifications.models import Email
from storefront.orders.models import Order
from storefront.payments.models import Payment, Refund, RefundReason, RefundStatus
from storefront.refunds import queries, service
from storefront.refunds.queries import Matter
from storefront.refunds.service import Decision
from tests.account.test_pages import shown
from tests.identity.people import at_work
from tests.payments.paid import Counter, refunds, the

PART = 5000


@pytest.fixture
def cards(app: Flask, sandbox: RunningSandbox, now: datetime) -> Counter:
    return Counter(sandbox, "stripe", now)


@pytest.fixture
def paid(cards: Counter, now: datetime) -> uuid.UUID:
    """180 EUR were paid, 50 of them given back on the article and credited."""
    payment_id = cards.sold()
    worker.run_due(now)
    order = the(Order, the(Payment, payment_id).order_id)
    chosen = ((order.lines[0].id, PART),)
    decision = Decision(PART, RefundReason.GOODWILL, uuid.uuid4(), None, parts=chosen)
    with transaction():
        service.refund_order(order.id, decision, asked_by=None, now=now)
    worker.run_due(now + timedelta(minutes=2))
    assert [one.status for one in refunds(payment_id)] == [RefundStatus.SUCCEEDED]
    return payment_id


def send_back(cards: Counter, refund: Refund, instant: datetime, *, times: int = 1) -> None:
    """The bank sends it back; Stripe tells of it."""
    cards.sandbox.control("clock", now=instant.isoformat())
    current_app.extensions["clock"].move_to(instant)
    reference = refund.provider_reference
    cards.sandbox.control(f"stripe/refunds/{reference}/settle", status="failed")
    event = cards.sandbox.events("stripe", "refund.failed")[-1]
    for _ in range(times):
        headers, body = cards.sandbox.signed("stripe", event["id"])
        answer = current_app.test_client().post("/webhooks/stripe", headers=headers, data=body)
        assert answer.status_code == 200
    worker.run_due(instant)


def notes(payment_id: uuid.UUID) -> list[int]:
    db.session.rollback()
    order_id = db.session.get_one(Payment, payment_id).order_id
    return [note.total_minor for note in invoices.credit_notes_of_order(order_id)]


def mails(kind: str) -> int:
    db.session.rollback()
    return len(db.session.scalars(select(Email.id).where(Email.kind == kind)).all())


def matters(now: datetime) -> list[tuple[Matter, int]]:
    return [(item.matter, item.amount.minor) for item in queries.money_queue(now)]


def page_of(payment_id: uuid.UUID) -> str:
    return f"/gestion/commandes/{the(Order, the(Payment, payment_id).order_id).reference}"


def test_it_waits_for_staff_and_its_customer_is_told_once(cards, paid, now):
    later = now + timedelta(days=6)
    send_back(cards, refunds(paid)[0], later, times=3)

    first, again = refunds(paid)
    assert (first.status, first.refusal_code) == (
        RefundStatus.RETURNED,
        "expired_or_canceled_card",
    )
    assert (again.status, again.amount_minor, again.parts) == (
        RefundStatus.PROPOSED,
        PART,
        first.parts,
    )
    assert str(again.due_on) == "2026-12-14"
    assert matters(later) == [(Matter.RETURNED, PART)]
    assert the(Payment, paid).refunded_minor == PART  # of the proposal, no more of the first
    assert notes(paid) == [PART]
    assert mails("refund_returned") == 1
    kinds = set(db.session.scalars(select(JournalEntry.kind)))
    assert {"refund.returned", "refund.proposed"} <= kinds


def test_a_later_word_of_success_is_not_taken_back_and_nothing_is_guessed(cards, paid, now):
    cards.tell("refund", times=2)

    assert [one.status for one in refunds(paid)] == [RefundStatus.SUCCEEDED]
    assert mails("refund_returned") == 0


def test_it_goes_back_by_transfer_and_is_credited_once(app, cards, paid, now):
    later = now + timedelta(days=6)
    send_back(cards, refunds(paid)[0], later)
    staff = at_work(app, Role.SHOPKEEPER, later)
    page = page_of(paid)
    text = shown(staff.get(page).text)
    assert "La banque du client a renvoyé le remboursement" in text
    assert "Écarter la proposition" not in text
    again = refunds(paid)[1]
    staff.post(f"{page}/remboursements/{again.id}/autrement")
    staff.post(f"{page}/remboursements/{again.id}/virement", data={"reference": "VIR 1"})
    worker.run_due(later)

    assert the(Refund, again.id).status is RefundStatus.SUCCEEDED
    assert the(Refund, again.id).provider == "offline"
    assert notes(paid) == [PART]
    assert mails("refund_done") == 2
    assert matters(later) == []
    assert the(Payment, paid).refundable.minor == 13000


def test_it_can_be_tried_the_same_way_and_come_back_again(app, cards, paid, now):
    later = now + timedelta(days=6)
    send_back(cards, refunds(paid)[0], later)
    staff: FlaskClient = at_work(app, Role.SHOPKEEPER, later)
    staff.post(f"{page_of(paid)}/remboursements/{refunds(paid)[1].id}/accepter")
    worker.run_due(later)
    assert refunds(paid)[1].status is RefundStatus.SUCCEEDED
    assert notes(paid) == [PART]
    send_back(cards, refunds(paid)[1], later + timedelta(days=6))

    assert [one.status for one in refunds(paid)] == [
        RefundStatus.RETURNED,
        RefundStatus.RETURNED,
        RefundStatus.PROPOSED,
    ]
    assert notes(paid) == [PART]
    assert mails("refund_returned") == 2


def test_what_is_left_of_the_article_counts_it_once(cards, paid, now):
    order = the(Order, the(Payment, paid).order_id)
    before = queries.givable(order).lines
    send_back(cards, refunds(paid)[0], now + timedelta(days=6))

    order = the(Order, the(Payment, paid).order_id)
    assert queries.givable(order).lines == before
    assert list(before.values()) == [13000]
    assert queries.givable(order).total.minor == 13000


def test_the_customers_account_shows_that_it_went_and_came_back(app, cards, paid, now):
    later = now + timedelta(days=6)
    send_back(cards, refunds(paid)[0], later)
    user_id = the(Payment, paid).user_id

    went = [(one.kind, one.owed_minor) for one in queries.ledger(user_id)]
    assert went[-2:] == [("refund", PART), ("refund_returned", -PART)]
    page = at_work(app, Role.SHOPKEEPER, later).get(f"/gestion/argent/clients/{user_id}")
    assert "Remboursement revenu" in shown(page.text)
