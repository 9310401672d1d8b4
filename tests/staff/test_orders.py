"""Orders for staff: found, seen whole, shipped, refused, exported."""

from __future__ import annotations

import csv
import io
import uuid
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from storefront import worker
from storefront.catalogue.models import Variant
from storefront.catalogue.rules import ProductKind
from storefront.identity.models import Role
from storefront.infra.db import db, transaction
from storefront.infra.journal import JournalEntry
from storefront.notifications.models import Email
from storefront.orders import service as orders
from storefront.orders.models import Order, OrderStatus
from storefront.orders.rules import BuyerKind
from storefront.payments import queries as payments
from storefront.payments.models import RefundStatus
from tests import factories
from tests.account.test_pages import shown
from tests.identity.people import at_work
from tests.invoicing.buying import buy, pay, place


@pytest.fixture
def client(app: Flask, now: datetime) -> FlaskClient:
    return at_work(app, Role.SHOPKEEPER, now)


def the(order_id: uuid.UUID) -> Order:
    db.session.rollback()
    return db.session.get_one(Order, order_id)


def address(order_id: uuid.UUID) -> str:
    return f"/gestion/commandes/{the(order_id).reference}"


def listed(client: FlaskClient, **query: str) -> list[str]:
    """The references on a page of the list, in its order."""
    page = client.get("/gestion/commandes", query_string=query).text
    return [part.split('"')[0] for part in page.split('href="/gestion/commandes/CMD-')[1:]]


def test_no_order_yet_is_said(client: FlaskClient):
    assert "Aucune commande pour l’instant" in client.get("/gestion/commandes").text


def test_orders_are_found_by_reference_name_address_and_status(client: FlaskClient, now: datetime):
    zoe = factories.buyer(name="Zoé Ferrand", email="zoe@exemple.example")
    place(ProductKind.HOUR_PACK, now=now, order={})
    pay(place(ProductKind.HOUR_PACK, now=now, order={"who": zoe}), now=now)
    worker.run_due(now)
    assert listed(client) == ["2026-000002", "2026-000001"]
    assert listed(client, q="zoé ferr") == ["2026-000002"]
    assert listed(client, q="000001") == ["2026-000001"]
    assert listed(client, q="ZOE@") == ["2026-000002"]
    assert listed(client, etat="awaiting_payment") == ["2026-000001"]
    assert listed(client, etat="n’importe") == ["2026-000002", "2026-000001"]
    assert "Aucune commande ne correspond" in client.get("/gestion/commandes?q=%25").text


def test_the_list_is_read_page_by_page_without_gap_or_repeat(client: FlaskClient, now: datetime):
    with transaction():
        factories.terms(now)
        variant = factories.product(ProductKind.HOUR_PACK)
        for _ in range(60):
            factories.order(variant, now=now)  # all at the same instant
    first = listed(client)
    assert len(first) == 50
    second = listed(client, avant=f"CMD-{first[-1]}")
    assert first + second == [f"2026-{number:06d}" for number in range(60, 0, -1)]


def test_an_order_is_seen_whole(client: FlaskClient, now: datetime):
    invoice = buy(ProductKind.E_LEARNING, now=now, price=39001, order={"count": 4})
    page = client.get(address(invoice.order_id)).text
    text = shown(page)
    for part in (
        "97,51 € sur 390,01 €",
        "4e échéance sur 4",
        "ch_",
        invoice.number,
        "J’ai lu et j’accepte les conditions générales",
        the(invoice.order_id).terms_version.pdf_sha256,
        "order.confirmed",
        "cgv-1",
        "127.0.0.1",
    ):
        assert part in text, part
    pdf = client.get(f"{address(invoice.order_id)}/factures/{invoice.number}.pdf")
    assert pdf.data.startswith(b"%PDF")


def test_an_invoice_is_found_under_its_own_order_only(client: FlaskClient, now: datetime):
    invoice = buy(ProductKind.HOUR_PACK, now=now)
    other = place(ProductKind.HOUR_PACK, now=now, order={})
    assert client.get(f"{address(other)}/factures/{invoice.number}.pdf").status_code == 404
    assert client.get("/gestion/commandes/CMD-1999-000001").status_code == 404


def test_goods_are_shipped_then_delivered_and_the_journal_says_by_whom(
    client: FlaskClient, now: datetime
):
    order_id = buy(ProductKind.PAPER_GUIDE, now=now).order_id
    page = client.get(address(order_id)).text
    ship = _action(page, "expedier")
    answer = client.post(ship, data={"tracking": " 6A123 "}, follow_redirects=True)
    assert "suivi 6A123" in answer.text
    answer = client.post(_action(answer.text, "livrer"), follow_redirects=True)
    assert "Rétractation jusqu’au mardi 8 décembre 2026" in shown(answer.text)
    line = next(line for line in the(order_id).lines if line.product_id)
    assert str(line.withdrawal_until) == "2026-12-08"
    kinds = ("fulfilment.shipped", "fulfilment.delivered")
    acts = db.session.scalars(select(JournalEntry).where(JournalEntry.kind.in_(kinds))).all()
    assert len(acts) == 2
    assert all(act.actor.startswith("user:") for act in acts)
    assert "Marie shopkeeper" in client.get(address(order_id)).text


def _action(page: str, act: str) -> str:
    """The address to which this page posts an act."""
    return next(part.split('"')[0] for part in page.split('action="') if act in part.split('"')[0])


def test_a_parcel_is_acted_upon_under_its_own_order_only(client: FlaskClient, now: datetime):
    order_id = buy(ProductKind.PAPER_GUIDE, now=now).order_id
    other = place(ProductKind.HOUR_PACK, now=now, order={})
    ship = _action(client.get(address(order_id)).text, "expedier")
    wrong = ship.replace(the(order_id).reference, the(other).reference)
    assert client.post(wrong, data={"tracking": ""}).status_code == 404


def test_an_unpaid_order_is_refused_with_its_reason_and_nothing_stays_reserved(
    client: FlaskClient, now: datetime
):
    order_id = place(ProductKind.CLASSROOM_TRAINING, now=now, order={}, capacity=1)
    reason = "Le même groupe a déjà réservé les huit places."
    answer = client.post(
        f"{address(order_id)}/refuser", data={"reason": reason}, follow_redirects=True
    )
    assert "La commande est refusée" in answer.text
    assert reason in answer.text
    assert the(order_id).status is OrderStatus.REFUSED
    assert db.session.scalars(select(Variant.available)).all() == [1]
    [email] = db.session.scalars(select(Email).where(Email.order_id == order_id)).all()
    assert email.subject.endswith("est refusée")
    assert reason in email.text
    assert reason in email.html


def test_refusing_needs_a_reason(client: FlaskClient, now: datetime):
    order_id = place(ProductKind.HOUR_PACK, now=now, order={})
    answer = client.post(f"{address(order_id)}/refuser", data={"reason": "  "})
    assert answer.status_code == 422
    assert "Écrivez le motif" in answer.text
    assert the(order_id).status is OrderStatus.AWAITING_PAYMENT


def test_a_paid_order_is_refused_with_everything_it_paid(client: FlaskClient, now: datetime):
    order_id = buy(ProductKind.HOUR_PACK, now=now, order={"provider": "offline"}).order_id
    assert "Cela ne se défait pas" in client.get(address(order_id)).text
    for _ in range(2):
        answer = client.post(f"{address(order_id)}/refuser", data={"reason": "Trop tard."})
        assert answer.status_code == 303
    assert the(order_id).status is OrderStatus.REFUSED
    [refund] = payments.refunds_of_order(order_id)
    assert (refund.amount_minor, refund.status) == (15900, RefundStatus.RESERVED)


def test_an_order_that_has_ended_is_not_refused(client: FlaskClient, now: datetime):
    order_id = place(ProductKind.HOUR_PACK, now=now, order={})
    with transaction():
        orders.cancel(the(order_id), "unpaid", now=now)
    assert "Refuser cette commande" not in client.get(address(order_id)).text
    answer = client.post(f"{address(order_id)}/refuser", data={"reason": "Trop tard."})
    assert answer.status_code == 409
    assert the(order_id).status is OrderStatus.CANCELLED


def test_the_list_is_exported_and_the_journal_says_by_whom(client: FlaskClient, now: datetime):
    company = factories.buyer(
        BuyerKind.PROFESSIONAL,
        name='=HYPERLINK("http://mechant.example")',
        company="Essai SARL",
        siren="732829320",
    )
    pay(place(ProductKind.HOUR_PACK, now=now, order={"who": company}, price=15900), now=now)
    worker.run_due(now)
    answer = client.get("/gestion/commandes/export.csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    text = answer.data.decode("utf-8-sig")
    header, row = csv.reader(io.StringIO(text), delimiter=";")
    found = dict(zip(header, row, strict=True))
    assert found["Référence"] == "CMD-2026-000001"
    assert (found["Total"], found["Payé"], found["Devise"]) == ("159,00", "159,00", "EUR")
    assert found["Nom"].startswith("'=HYPERLINK")
    [entry] = db.session.scalars(select(JournalEntry).where(JournalEntry.kind == "orders.exported"))
    assert entry.actor.startswith("user:")


def test_the_export_follows_the_filter(client: FlaskClient, now: datetime):
    place(ProductKind.HOUR_PACK, now=now, order={})
    pay(place(ProductKind.HOUR_PACK, now=now + timedelta(minutes=1), order={}), now=now)
    worker.run_due(now + timedelta(minutes=1))
    text = client.get("/gestion/commandes/export.csv?etat=confirmed").data.decode("utf-8-sig")
    assert [row[:15] for row in text.splitlines()[1:]] == ["CMD-2026-000002"]


@pytest.mark.parametrize(
    ("country", "number", "asked"), [("BE", "BE0428759497", True), ("FR", "", False)]
)
def test_a_number_that_saves_the_tax_is_to_be_looked_up_in_vies(
    client: FlaskClient, now: datetime, country: str, number: str, asked: bool
):
    """VAT-07."""
    who = factories.buyer(
        BuyerKind.PROFESSIONAL, company="Ateliers", country=country, vat_number=number
    )
    order_id = place(ProductKind.TEMPLATE, now=now, order={"who": who})
    page = shown(client.get(address(order_id)).text)
    assert ("Numéro de TVA à vérifier dans VIES (donné le 24 nov. 2026)" in page) is asked
