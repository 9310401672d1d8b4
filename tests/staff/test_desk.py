"""The staff's first page: what is late, what is next, who waits; by role."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from storefront import worker
from storefront.catalogue.rules import ProductKind
from storefront.fulfilment import queries as parcels
from storefront.fulfilment.service import supply as fulfilment
from storefront.identity.models import Role
from storefront.infra import clock, outbox
from storefront.infra.config import Settings
from storefront.infra.db import db, transaction
from storefront.infra.journal import JournalEntry
from storefront.infra.outbox import OutboxEntry, OutboxStatus
from storefront.instalments import queries as instalments
from storefront.notifications.models import Email
from storefront.notifications.rules import EmailStatus
from storefront.orders import service as orders
from storefront.orders.models import Order
from storefront.payments import service as payments
from storefront.payments.models import Payment
from storefront.payments.providers.base import Outcome, OutcomeStatus
from tests.account.test_pages import shown
from tests.identity.people import at_work
from tests.invoicing.buying import buy, pay, place
from tests.tickets.desk import Desk


def reference(order_id: uuid.UUID) -> str:
    return db.session.get_one(Order, order_id).reference


def test_a_day_without_work_says_so(app: Flask, now: datetime):
    page = shown(at_work(app, Role.MANAGER, now).get("/gestion").text)
    assert "Aujourd’hui, mardi 24 novembre 2026" in page
    for quiet in ("Aucune demande en cours", "Rien à expédier", "Aucun impayé", "Rien : chaque"):
        assert quiet in page


def test_tickets_stand_by_urgency_and_late_ones_are_marked(app: Flask, now: datetime):
    desk = Desk(now)
    desk.open(now=now + timedelta(hours=2))
    app.extensions["clock"].move_to(clock.now() + timedelta(days=1, hours=1))
    page = shown(at_work(app, Role.TECHNICIAN, clock.now()).get("/gestion").text)
    assert page.index("En retard") < page.index("Bientôt")
    assert "Répondre" in page


def test_todays_interventions_are_listed(app: Flask, now: datetime):
    desk = Desk(now)
    desk.agreed(starts_at=now + timedelta(days=1, hours=1))
    app.extensions["clock"].move_to(now + timedelta(days=1))
    page = shown(at_work(app, Role.TECHNICIAN, clock.now()).get("/gestion").text)
    assert "11 h Plus de son" in page


def test_each_role_sees_its_own_half(app: Flask, now: datetime):
    technician = at_work(app, Role.TECHNICIAN, now).get("/gestion").text
    shopkeeper = at_work(app, Role.SHOPKEEPER, now).get("/gestion").text
    assert ("Demandes, par urgence" in technician, "À expédier" in technician) == (True, False)
    assert ("Demandes, par urgence" in shopkeeper, "À expédier" in shopkeeper) == (False, True)


def test_paid_goods_wait_to_be_shipped_then_are_on_their_way(app: Flask, now: datetime):
    buy(ProductKind.PAPER_GUIDE, now=now)
    client = at_work(app, Role.SHOPKEEPER, now)
    assert "CMD-2026-000001" in shown(client.get("/gestion").text)
    with transaction():
        [shipment] = parcels.to_ship()
        fulfilment.ship(shipment, "6A00000000000", now=now)
    page = shown(client.get("/gestion").text)
    assert "Rien à expédier" in page
    assert "6A00000000000" in page


@pytest.mark.reaction_fails
def test_a_reaction_that_gave_up_is_shown_and_taken_up_again(
    app: Flask, now: datetime, monkeypatch: pytest.MonkeyPatch
):
    order_id = place(ProductKind.HOUR_PACK, now=now, order={})
    real = fulfilment.HANDLERS[ProductKind.HOUR_PACK]
    broken = dict(fulfilment.HANDLERS)
    del broken[ProductKind.HOUR_PACK]
    monkeypatch.setattr(fulfilment, "HANDLERS", broken)
    pay(order_id, now=now)
    for hours in range(10):
        worker.run_due(now + timedelta(hours=2 * hours))
    client = at_work(app, Role.SHOPKEEPER, now)
    page = client.get("/gestion").text
    assert "Travaux qui ont échoué" in page
    assert "fulfilment.service.supply.prepare_order" in page

    monkeypatch.setattr(fulfilment, "HANDLERS", {**broken, ProductKind.HOUR_PACK: real})
    answer = client.post(
        "/gestion/travaux/reprendre",
        data={"reaction": "storefront.fulfilment.service.supply.prepare_order"},
        follow_redirects=True,
    )
    assert "Le travail est repris" in answer.text
    assert "Travaux qui ont échoué" not in client.get("/gestion").text
    assert outbox.failed() == []
    [entry] = journal_of("outbox.retried")
    assert entry.actor.startswith("user:")


def journal_of(kind: str) -> list[JournalEntry]:
    db.session.rollback()
    return list(db.session.scalars(select(JournalEntry).where(JournalEntry.kind == kind)))


def test_taking_up_what_is_done_changes_nothing(app: Flask, now: datetime):
    answer = at_work(app, Role.SHOPKEEPER, now).post(
        "/gestion/travaux/reprendre", data={"reaction": "rien"}, follow_redirects=True
    )
    assert "déjà repris ou terminé" in answer.text
    assert (
        db.session.scalar(select(OutboxEntry).where(OutboxEntry.status == OutboxStatus.PENDING))
        is None
    )


def test_a_technician_takes_up_no_work_of_the_shop(app: Flask, now: datetime):
    client = at_work(app, Role.TECHNICIAN, now)
    assert client.post("/gestion/travaux/reprendre", data={}).status_code == 403


def test_money_that_is_not_ours_or_late_or_in_doubt_stands_at_the_top(app: Flask, now: datetime):
    with_gap = place(ProductKind.HOUR_PACK, now=now, order={})
    cancelled = place(ProductKind.HOUR_PACK, now=now, order={})
    doubtful = place(ProductKind.HOUR_PACK, now=now, order={})
    with transaction():
        payment = reserve(with_gap, now)
        wrong = Outcome(OutcomeStatus.SUCCEEDED, payment.amount + payment.amount)
        payments.record_outcome(payment, wrong, now=now)
    with transaction():
        payment = reserve(cancelled, now)
        orders.cancel(db.session.get_one(Order, cancelled), "unpaid", now=now)
        paid = Outcome(OutcomeStatus.SUCCEEDED, payment.amount)
        payments.record_outcome(payment, paid, now=now)
    with transaction():
        reserve(doubtful, now - timedelta(days=2))
    page = shown(at_work(app, Role.SHOPKEEPER, now).get("/gestion").text)
    for title, order_id in (
        ("Argent reçu qui n’est pas ce que nous demandions", with_gap),
        ("Argent à rendre : commandes terminées", cancelled),
        ("Paiements sans réponse depuis plus d’un jour", doubtful),
    ):
        assert title in page
        assert reference(order_id) in page


def reserve(order_id: uuid.UUID, now: datetime) -> Payment:
    """An attempt on the first instalment of an order."""
    order = db.session.get_one(Order, order_id)
    [first] = instalments.of_order(order_id)
    return payments.reserve(
        order_id=order.id,
        user_id=order.user_id,
        provider="stripe",
        amount=order.total,
        order_reference=order.reference,
        description="Essai",
        instalment_id=first.id,
        now=now,
    )


def test_a_message_that_was_given_up_can_be_sent_again(app: Flask, now: datetime):
    buy(ProductKind.HOUR_PACK, now=now)
    with transaction():
        email = db.session.scalars(select(Email)).first()
        assert email is not None
        email.status, email.last_error = EmailStatus.FAILED, "550 inconnu"
    client = at_work(app, Role.SHOPKEEPER, now)
    assert "550 inconnu" in client.get("/gestion").text
    client.post(f"/gestion/courrier/{email.id}/renvoyer")
    worker.run_due(clock.now())
    db.session.refresh(email)
    assert email.status is EmailStatus.SENT
    assert "550 inconnu" not in client.get("/gestion").text
    again = client.post(f"/gestion/courrier/{email.id}/renvoyer", follow_redirects=True)
    assert "n’est pas en échec" in again.text


def test_the_style_guide_is_no_page_of_a_real_shop(app: Flask, settings: Settings):
    assert app.test_client().get("/gestion/charte").status_code == 200
    app.config["SETTINGS"] = replace(settings, env="production")
    assert app.test_client().get("/gestion/charte").status_code == 404
