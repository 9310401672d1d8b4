"""Money for staff: what waits, refunds shown before they are made, each customer's account."""

from __future__ import annotations

import csv
import io
import re
import uuid
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from sandbox.testing import RunningSandbox
from storefront import worker
from storefront.catalogue.rules import ProductKind
from storefront.identity.models import Role
from storefront.infra.db import db, transaction
from storefront.orders.models import Order
from storefront.payments import queries as payments
from storefront.payments import service as payment_service
from storefront.payments.models import Payment, RefundReason, RefundStatus
from storefront.refunds import queries
from storefront.refunds.queries import Matter
from tests import factories
from tests.account.test_pages import shown
from tests.identity.people import at_work, customer, sign_in
from tests.payments.paid import Counter, cause, disputes, the


@pytest.fixture
def client(app: Flask, now: datetime) -> FlaskClient:
    return at_work(app, Role.SHOPKEEPER, now)


@pytest.fixture
def cards(app: Flask, sandbox: RunningSandbox, now: datetime) -> Counter:
    return Counter(sandbox, "stripe", now)


@pytest.fixture
def bank(app: Flask, sandbox: RunningSandbox, now: datetime) -> Counter:
    return Counter(sandbox, "offline", now)


def order_of(payment_id: uuid.UUID) -> Order:
    order: Order = the(Order, the(Payment, payment_id).order_id)
    return order


def page_of(payment_id: uuid.UUID) -> str:
    return f"/gestion/commandes/{order_of(payment_id).reference}"


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of a page's form, but its token."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return {name: value for name, value in found if name != "csrf_token"}


def typed(**fields: str) -> dict[str, str]:
    return {
        "demande": str(uuid.uuid4()),
        "scope": "montant",
        "amount": "50",
        "reason": "goodwill",
        "etape": "verifier",
        **fields,
    }


def sold(counter: Counter, now: datetime, **what) -> uuid.UUID:
    paid = counter.sold(**what)
    worker.run_due(now)
    return paid


# Refund of an order


def test_a_refund_is_shown_with_its_amounts_before_it_is_made(client, cards, now):
    paid = sold(cards, now)
    address = f"{page_of(paid)}/remboursement"
    form = client.get(address)
    assert "180,00 €" in shown(form.text)
    check = client.post(address, data=typed(scope="tout", words="Vu au téléphone", due_on=""))
    assert check.status_code == 200
    assert "Rembourser 180,00 €" in shown(check.text)
    assert cards.given_back() == []
    again = {**hidden(check.text), "etape": "confirmer"}
    for _ in range(2):
        done = client.post(address, data=again, follow_redirects=True)
    page = shown(done.text)
    assert "Ce remboursement est déjà demandé" in page
    assert "Remboursé" in page
    assert "Vu au téléphone" in page
    assert cards.given_back() == [18000]
    [refund] = payments.refunds_of_order(order_of(paid).id)
    assert (refund.reason, refund.status) == (RefundReason.GOODWILL, RefundStatus.SUCCEEDED)
    assert refund.asked_by is not None
    worker.run_due(now)
    assert "A-2026-000001" in client.get(page_of(paid)).text
    pdf = client.get(f"{page_of(paid)}/factures/A-2026-000001.pdf")
    assert pdf.data.startswith(b"%PDF")


def test_articles_are_given_back_one_by_one(client, cards, now):
    paid = sold(cards, now, price=2400, kind=ProductKind.PAPER_GUIDE)
    address = f"{page_of(paid)}/remboursement"
    check = client.post(address, data=typed(**{"scope": "articles", "ligne-2": "6,90"}))
    assert "Livraison" in check.text
    client.post(address, data={**hidden(check.text), "etape": "confirmer"})
    [refund] = payments.refunds_of_order(order_of(paid).id)
    assert refund.amount_minor == 690
    assert [part["minor"] for part in refund.parts] == [690]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"scope": "articles"}, "Écrivez ce qui est rendu sur au moins un article"),
        ({"scope": "articles", "ligne-1": "douze"}, "Écrivez un montant comme 12,50."),
        ({"scope": "articles", "ligne-1": "180,01"}, "plus que ce qui reste à rendre"),
        ({"scope": "articles", "ligne-1": "-1"}, "Écrivez un montant positif."),
        ({"amount": "180,01"}, "plus que ce qui a été payé"),
        ({"amount": "0"}, "Écrivez un montant comme 12,50."),
        ({"amount": "1.234,5"}, "Écrivez un montant comme 12,50."),
        ({"reason": ""}, "Choisissez un motif"),
        ({"scope": ""}, "Choisissez ce qui est rendu"),
        ({"reason": "n’importe"}, "Erreur"),
        ({"due_on": "demain"}, "Cette date n’existe pas. Écrivez-la comme 15/02/2027."),
    ],
)
def test_what_cannot_be_says_so_and_keeps_what_was_typed(client, cards, now, fields, said):
    paid = sold(cards, now)
    answer = client.post(f"{page_of(paid)}/remboursement", data=typed(words="Ma note", **fields))
    assert answer.status_code == 422
    assert said in shown(answer.text)
    assert "Ma note" in answer.text
    for name, value in fields.items():
        if name.startswith("ligne-") or name == "amount":
            assert f'value="{value}"' in answer.text
    assert payments.refunds_of_order(order_of(paid).id) == []


def test_changing_ones_mind_brings_the_form_back_as_it_was(client, cards, now):
    paid = sold(cards, now)
    address = f"{page_of(paid)}/remboursement"
    check = client.post(address, data=typed(amount="12,50"))
    back = client.post(address, data={**hidden(check.text), "etape": "modifier"})
    assert back.status_code == 200
    assert 'value="12,50"' in back.text
    assert cards.given_back() == []


def test_a_colleague_who_was_faster_is_told_of(client, cards, now):
    paid = sold(cards, now)
    address = f"{page_of(paid)}/remboursement"
    check = client.post(address, data=typed(scope="montant", amount="150"))
    with transaction():
        payment_service.reserve_refund(paid, 10000, cause(), now=now)
    answer = client.post(address, data={**hidden(check.text), "etape": "confirmer"})
    assert answer.status_code == 422
    assert "plus que ce qui a été payé" in shown(answer.text)


def test_a_provider_that_is_down_is_no_error_and_the_worker_goes_on(client, cards, now):
    paid = sold(cards, now)
    cards.sandbox.control("faults", kind="error", count=-1, status=503, path="/v1/*")
    address = f"{page_of(paid)}/remboursement"
    answer = client.post(address, data=typed(etape="confirmer"), follow_redirects=True)
    assert answer.status_code == 200
    assert "Le remboursement est demandé" in shown(answer.text)
    cards.sandbox.control("faults", "DELETE")
    worker.run_due(now + timedelta(hours=1))
    assert cards.given_back() == [5000]


def test_a_transfer_back_is_noted_by_hand(client, bank, now):
    paid = sold(bank, now)
    client.post(f"{page_of(paid)}/remboursement", data=typed(etape="confirmer"))
    page = client.get(page_of(paid)).text
    assert "Virement de 50,00 € à faire" in shown(page)
    [act] = re.findall(r'action="([^"]+/virement)"', page)
    done = client.post(act, data={"reference": "VIR-42"}, follow_redirects=True)
    assert "VIR-42" in done.text
    assert [one.status for one in payments.refunds_of_order(order_of(paid).id)] == [
        RefundStatus.SUCCEEDED
    ]


def test_what_the_provider_refuses_is_given_back_by_transfer_once(client, cards, now):
    paid = sold(cards, now)
    cards.contest(paid)
    address = f"{page_of(paid)}/remboursement"
    answer = client.post(address, data=typed(etape="confirmer"), follow_redirects=True)
    assert "refuse ce remboursement" in shown(answer.text)
    [act] = re.findall(r'action="([^"]+/autrement)"', answer.text)
    for _ in range(2):
        page = client.post(act, follow_redirects=True).text
    assert "Virement de 50,00 € à faire" in shown(page)
    assert "/autrement" not in page
    assert len(payments.refunds_of_order(order_of(paid).id)) == 2


def test_a_proposal_is_made_or_dismissed(client, cards, now):
    paid = sold(cards, now)
    order = order_of(paid).id
    for _ in range(2):
        cards.pay(order)
    worker.run_due(now)
    page = client.get(page_of(paid)).text
    accept = re.findall(r'action="([^"]+/accepter)"', page)
    dismiss = re.findall(r'action="([^"]+/ecarter)"', page)
    assert len(accept) == 2
    for _ in range(2):
        client.post(accept[0])
        client.post(dismiss[1])
    states = sorted(one.status.value for one in payments.refunds_of_order(order))
    assert states == ["dismissed", "succeeded"]
    assert cards.given_back() == [18000]


def test_refunds_of_another_order_are_not_reached_through_this_one(client, cards, now):
    paid, other = sold(cards, now), sold(cards, now)
    with transaction():
        refund = payment_service.reserve_refund(paid, 100, cause(), proposed=True, now=now).id
    assert client.post(f"{page_of(other)}/remboursements/{refund}/accepter").status_code == 404


def test_only_who_runs_the_shop_gives_money_back(app, cards, now):
    paid = sold(cards, now)
    technician = at_work(app, Role.TECHNICIAN, now)
    for path in (f"{page_of(paid)}/remboursement", "/gestion/argent", "/gestion/argent/export.csv"):
        assert technician.get(path).status_code == 403
        assert app.test_client().get(path).status_code in (302, 401, 403)


# The queue


def everything(cards: Counter, bank: Counter, now: datetime) -> None:
    """One matter of each kind, and orders that need nobody."""
    sold(cards, now)
    disputed = sold(cards, now)
    cards.contest(disputed)
    cards.tell("opened")
    refused = sold(cards, now)
    cards.contest(refused)
    with transaction():
        payment_service.reserve_refund(refused, 100, cause(), now=now)
    twice = sold(cards, now)
    cards.pay(order_of(twice).id)
    to_transfer = sold(bank, now)
    with transaction():
        payment_service.reserve_refund(to_transfer, 100, cause(), now=now)
    worker.run_due(now + timedelta(minutes=5))


def test_the_queue_holds_what_waits_and_says_why(client, cards, bank, now):
    everything(cards, bank, now)
    with transaction():
        factories.terms(now)
        order_id = factories.order(factories.product(), now=now, provider="stripe").id
    in_doubt, _ = cards.reserve(order_id)
    with transaction():
        payment_service.locked(in_doubt).created_at = now - timedelta(days=2)
    other = sold(cards, now)
    with transaction():
        payment_service.locked(other).mismatch = "asked 18000, took 17000"

    found = queries.money_queue(now)
    assert {item.matter for item in found} == {
        Matter.DISPUTE,
        Matter.REFUSED,
        Matter.PROPOSED,
        Matter.TO_GIVE,
        Matter.MISMATCHED,
        Matter.UNCERTAIN,
    }
    assert [item.since for item in found] == sorted(item.since for item in found)
    page = shown(client.get("/gestion/argent").text)
    for said in ("Contestation", "Remboursement refusé", "Montant inattendu", "à décider"):
        assert said in page
    only = shown(client.get("/gestion/argent?nature=dispute").text)
    assert "fraudulent" in only
    assert "à la date" not in only
    rows = list(
        csv.reader(
            io.StringIO(client.get("/gestion/argent/export.csv").data.decode("utf-8-sig")),
            delimiter=";",
        )
    )
    assert len(rows) == 1 + len(found)


def test_an_unpaid_instalment_waits_for_its_customer(client, cards, now):
    sold(cards, now, price=40000, kind=ProductKind.E_LEARNING, count=4, card="4000000000000341")
    worker.run_due(now + timedelta(days=35))
    matters = [item.matter for item in queries.money_queue(now + timedelta(days=35))]
    assert Matter.FAILED in matters


def test_the_queue_is_read_page_by_page_without_gap_or_repeat(client, bank, now):
    paid = sold(bank, now)
    with transaction():
        for _ in range(60):
            payment_service.reserve_refund(paid, 10, cause(), now=now)
    first = client.get("/gestion/argent").text
    [following] = re.findall(r'rel="next" href="([^"]+)"', first)
    second = client.get(following.replace("&amp;", "&")).text
    count = [len(re.findall(r'#remboursements"', page)) for page in (first, second)]
    assert count == [50, 10]
    whole = queries.money_queue(now, limit=100)
    part = queries.money_queue(now, limit=7)
    rest = queries.money_queue(now, after=queries.mark(part[-1]), limit=100)
    assert part + rest == whole
    assert client.get("/gestion/argent?apres=n_importe&nature=rien").status_code == 200


def test_an_empty_queue_is_good_news(client):
    assert "Rien n’attend ici" in client.get("/gestion/argent").text


# The account of a customer


def test_the_account_of_a_customer_adds_up_to_nothing_once_all_went_back(client, cards, now):
    paid = sold(cards, now)
    order = order_of(paid)
    user_id, order_id = order.user_id, order.id
    cards.pay(order_id)
    worker.run_due(now)
    entries = queries.ledger(user_id)
    assert sorted((one.kind, one.owed_minor) for one in entries) == [
        ("invoice", 18000),
        ("payment", -18000),
        ("payment", -18000),
    ]
    assert entries[-1].balance_minor == -18000
    page = shown(client.get(f"/gestion/argent/clients/{user_id}").text)
    assert "Dû au client : 180,00 €" in page
    [proposed] = payments.refunds_of_order(order_id)
    with transaction():
        payment_service.approve(payment_service.locked_refund(proposed.id), asked_by=None, now=now)
        payment_service.reserve_refund(paid, 18000, cause(), now=now)
    worker.run_due(now + timedelta(minutes=5))
    db.session.rollback()
    assert queries.ledger(user_id)[-1].balance_minor == 0
    page = shown(client.get(f"/gestion/argent/clients/{user_id}").text)
    assert "Compte soldé" in page
    file = client.get(f"/gestion/argent/clients/{user_id}/export.csv").data.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(file), delimiter=";"))
    assert rows[-1][6] == "0,00"
    assert client.get(f"/gestion/argent/clients/{uuid.uuid4()}").status_code == 404


def test_a_lost_dispute_leaves_the_account_at_nothing(cards, now):
    paid = sold(cards, now, price=40000, kind=ProductKind.E_LEARNING, count=4)
    reference = cards.contest(paid)
    cards.close(reference, "lost")
    cards.tell("closed")
    worker.run_due(now)
    assert disputes(paid)
    assert queries.ledger(order_of(paid).user_id)[-1].balance_minor == 0


# The customer


def test_the_customer_reads_what_was_given_back(app, cards, now):
    paid = sold(cards, now)
    with transaction():
        payment_service.reserve_refund(paid, 5000, cause(), now=now)
        payment_service.reserve_refund(paid, 700, cause(), proposed=True, now=now)
    worker.run_due(now + timedelta(minutes=5))
    order = order_of(paid)
    address = f"/commandes/{order.reference}?jeton={order.token}"
    page = shown(app.test_client().get(address).text)
    assert "Ce qui vous est rendu" in page
    assert "50,00 €" in page
    assert "7,00 €" not in page
    pdf = app.test_client().get(f"/compte/factures/A-2026-000001.pdf?jeton={order.token}")
    assert pdf.data.startswith(b"%PDF")
    assert app.test_client().get("/compte/factures/A-2026-000001.pdf").status_code == 404
    account = shown(sign_in(app, customer(now)).get("/compte/factures").text)
    for said in ("Vos avoirs", "A-2026-000001", "Vos remboursements", "Geste commercial"):
        assert said in account
