"""An invoice is downloaded by whom it was issued to, a guest with the token, or staff."""

import uuid
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_login import FlaskLoginClient
from sqlalchemy import select

from storefront.catalogue.rules import ProductKind
from storefront.documents import queries as documents
from storefront.identity import service as identity
from storefront.identity.models import Role, User
from storefront.infra.db import db, transaction
from storefront.invoicing import queries, service
from storefront.invoicing.models import Invoice
from storefront.orders.events import OrderConfirmed
from storefront.orders.models import Order
from tests.invoicing.buying import buy, place


@pytest.fixture
def invoice(app: Flask, now: datetime) -> Invoice:
    return buy(now=now)


def browser_of(
    app: Flask, user_id: uuid.UUID, *, second_factor: datetime | None = None
) -> FlaskClient:
    """The browser of somebody who signed in."""
    user = db.session.get_one(User, user_id)
    app.test_client_class = FlaskLoginClient
    client: FlaskClient = app.test_client(user=user)
    if second_factor:
        with client.session_transaction() as session:
            session["second_factor_at"] = second_factor.isoformat()
    return client


def person(email: str, now: datetime, role: Role = Role.CUSTOMER) -> uuid.UUID:
    with transaction():
        user = identity.find_or_create_customer(email, "Une Personne", "", now=now)
        user.role = role
        return user.id


def address(invoice: Invoice) -> str:
    return f"/compte/factures/{invoice.number}.pdf"


def test_the_owner_gets_the_stored_bytes(app: Flask, invoice: Invoice):
    answer = browser_of(app, invoice.user_id).get(address(invoice))
    stored = queries.pdf_of(invoice)
    assert stored
    assert answer.status_code == 200
    assert answer.mimetype == "application/pdf"
    assert answer.data == documents.with_content(stored.id).content
    assert f"facture-{invoice.number}.pdf" in answer.headers["Content-Disposition"]
    assert answer.headers["Cache-Control"] == "private, no-store"


def test_somebody_elses_invoice_does_not_exist(app: Flask, invoice: Invoice, now: datetime):
    other = person("autre@client.example", now)
    assert browser_of(app, other).get(address(invoice)).status_code == 404


def test_a_guest_needs_the_token_of_the_order(client: FlaskClient, invoice: Invoice):
    token = db.session.scalars(select(Order.token)).one()
    assert client.get(address(invoice)).status_code == 404
    assert client.get(f"{address(invoice)}?jeton=").status_code == 404
    assert client.get(f"{address(invoice)}?jeton={token}x").status_code == 404
    assert client.get(f"{address(invoice)}?jeton=é").status_code == 404
    assert client.get(f"{address(invoice)}?jeton={token}").status_code == 200


def test_an_invoice_that_was_never_issued_does_not_exist(app: Flask, invoice: Invoice):
    browser = browser_of(app, invoice.user_id)
    assert browser.get("/compte/factures/F-2026-000002.pdf").status_code == 404


def test_staff_need_their_second_factor(app: Flask, invoice: Invoice, now: datetime):
    staff = person("equipe@letabli.example", now, Role.SHOPKEEPER)
    without = browser_of(app, staff).get(address(invoice))
    assert without.status_code == 302
    assert without.headers["Location"] == "/connexion/code"
    assert browser_of(app, staff, second_factor=now).get(address(invoice)).status_code == 200


def test_an_invoice_whose_pdf_is_being_made_says_so(app: Flask, now: datetime):
    order_id = place(ProductKind.HOUR_PACK, now=now, order={})
    with transaction():
        service.issue_for_order(OrderConfirmed(order_id), now=now)
    invoice = queries.for_cause(order_id)
    assert invoice
    answer = browser_of(app, invoice.user_id).get(address(invoice))
    assert answer.status_code == 409
    assert "Votre facture se prépare" in answer.text


def test_the_account_lists_its_own_invoices_last_first(app: Flask, invoice: Invoice, now: datetime):
    second = buy(now=now)
    assert [one.number for one in queries.of_user(invoice.user_id)] == [
        second.number,
        invoice.number,
    ]
    assert queries.of_user(person("autre@client.example", now)) == []
