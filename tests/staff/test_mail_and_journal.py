"""The local mailbox and the journal, as staff read them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from email import message_from_bytes
from email.policy import default

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from storefront.catalogue.rules import ProductKind
from storefront.identity.models import Role
from storefront.infra.config import Settings
from storefront.infra.db import db
from storefront.invoicing.models import Invoice
from storefront.notifications.models import Email
from tests.account.test_pages import shown
from tests.identity.people import at_work, customer
from tests.invoicing.buying import buy
from tests.tampering import tamper


@pytest.fixture
def client(app: Flask, now: datetime) -> FlaskClient:
    return at_work(app, Role.MANAGER, now)


def confirmation(now: datetime) -> Email:
    """The message that confirms an order, with its attachments."""
    buy(ProductKind.HOUR_PACK, now=now)
    return db.session.scalars(select(Email).where(Email.kind == "order_confirmation")).one()


def test_an_empty_mailbox_says_so(client: FlaskClient):
    assert "Aucun message pour l’instant" in client.get("/gestion/courrier").text


def test_messages_are_found_by_address_subject_and_state(client: FlaskClient, now: datetime):
    email = confirmation(now)
    link = f'href="/gestion/courrier/{email.id}"'
    for query in ("", "?q=claire@", "?q=CMD-2026-000001", "?etat=sent", "?etat=autre"):
        assert link in client.get(f"/gestion/courrier{query}").text
    for query in ("?q=personne@", "?etat=failed"):
        page = client.get(f"/gestion/courrier{query}").text
        assert "Aucun message ne correspond" in page


def test_a_message_is_read_with_its_attachments(client: FlaskClient, now: datetime):
    email = confirmation(now)
    address = f"/gestion/courrier/{email.id}"
    page = client.get(address)
    assert "CMD-2026-000001" in page.text
    for part in email.attachments:
        answer = client.get(f"{address}/pieces/{part.position}")
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert answer.data.startswith(b"%PDF")
    assert client.get(f"{address}/pieces/99").status_code == 404
    whole = message_from_bytes(client.get(f"{address}.eml").data, policy=default)
    assert whole["To"] == "claire@exemple.example"
    assert len(list(whole.iter_attachments())) == len(email.attachments)


def test_the_html_of_a_message_is_shut_in(client: FlaskClient, now: datetime):
    address = f"/gestion/courrier/{confirmation(now).id}"
    page = client.get(address)
    assert 'sandbox=""' in page.text
    assert "frame-src 'self'" in page.headers["Content-Security-Policy"]
    body = client.get(f"{address}/contenu")
    policy = body.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert policy.endswith("sandbox")
    assert "script-src" not in policy
    assert client.get("/gestion").headers["X-Frame-Options"] == "DENY"


def test_a_link_that_opens_an_account_is_read_by_its_addressee_alone(
    app: Flask, client: FlaskClient, settings: Settings, now: datetime
):
    """The demo's mailbox is here, so there it can be read."""
    app.test_client().post("/mot-de-passe", data={"email": customer(now).email})
    email = db.session.scalars(select(Email).where(Email.kind == "choose_password")).one()
    address = f"/gestion/courrier/{email.id}"
    page = client.get(address).text
    assert "lui seul peut le lire" in page
    assert "/mot-de-passe/" not in page
    assert client.get(f"{address}/contenu").status_code == 404
    assert client.get(f"{address}.eml").status_code == 404
    app.config["SETTINGS"] = replace(settings, env="demo")
    assert "/mot-de-passe/" in client.get(address).text


def test_the_journal_is_filtered_by_kind_and_subject(client: FlaskClient, now: datetime):
    invoice = buy(ProductKind.HOUR_PACK, now=now)
    everything = client.get("/gestion/journal").text
    assert "order.placed" in everything
    assert "Marie manager" in everything
    orders = client.get("/gestion/journal?sorte=order").text
    assert "order.placed" in orders
    assert "instalment.owed" not in orders
    one = client.get(f"/gestion/journal?sujet={invoice.id}").text
    assert "invoice." in one
    assert "order.placed" not in one
    assert "Aucune écriture ne correspond" in client.get("/gestion/journal?sorte=rien").text


def test_the_journal_is_read_page_by_page(client: FlaskClient, now: datetime):
    for _ in range(4):
        buy(ProductKind.HOUR_PACK, now=now)
    numbers, url = list[str](), "/gestion/journal"
    while url:
        page = client.get(url).text
        rows = page.split('data-label="N°"><span>')[1:]
        numbers += [row.split("<")[0] for row in rows]
        after = page.split('rel="next" href="')[1:]
        url = after[0].split('"')[0].replace("&amp;", "&") if after else ""
    assert numbers == [str(number) for number in range(len(numbers), 0, -1)]
    assert len(numbers) > 50


def test_a_whole_chain_is_said_to_be_whole(client: FlaskClient, now: datetime):
    buy(ProductKind.HOUR_PACK, now=now)
    page = shown(client.post("/gestion/journal").text)
    assert "La chaîne est intacte" in page
    assert "journal.verified" in page


def test_one_changed_invoice_is_found_and_named(client: FlaskClient, now: datetime):
    invoice = buy(ProductKind.HOUR_PACK, now=now)
    number, total = invoice.number, invoice.total_minor
    tamper(update(Invoice).values(total_minor=total + 1, net_minor=Invoice.net_minor + 1))
    page = shown(client.post("/gestion/journal").text)
    assert "La chaîne est rompue" in page
    assert number in page
