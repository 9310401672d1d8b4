"""The customer's own pages: what needs them, what comes, what they can use (X-03)."""

from __future__ import annotations

import html
import re
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from storefront import worker
from storefront.catalogue.rules import ProductKind
from storefront.identity import queries as people
from storefront.identity import service as identity
from storefront.infra.db import db, transaction
from storefront.legal.models import AcceptanceKind
from storefront.orders.models import Order
from tests.identity.people import PASSWORD, customer, sign_in
from tests.invoicing.buying import buy, pay, place
from tests.tickets.desk import Desk

PAGES = [
    "/compte",
    "/compte/commandes",
    "/compte/factures",
    "/compte/echeances",
    "/compte/abonnements",
    "/compte/heures",
    "/compte/telechargements",
    "/compte/donnees",
]
EMAIL = "claire@exemple.example"
WAIVED = (AcceptanceKind.DIGITAL_WAIVER,)


def claire(app: Flask, now: datetime) -> FlaskClient:
    """The browser of the customer who bought."""
    user = people.by_email(EMAIL)
    assert user is not None
    with transaction():
        identity.set_password(user, PASSWORD, now=now)
    return sign_in(app, user)


def shown(text: str) -> str:
    """What a page says, without its tags and with plain spaces."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def everything(now: datetime) -> None:
    """One purchase of each sort, in every state that the account shows."""
    buy(ProductKind.HOUR_PACK, now=now)
    buy(ProductKind.E_LEARNING, now=now, price=39001, order={"count": 4})
    buy(ProductKind.DIGITAL_PRODUCT, now=now, order={"consents": WAIVED})
    buy(ProductKind.TEMPLATE, now=now)
    buy(ProductKind.SUPPORT_CONTRACT, now=now)
    buy(ProductKind.PAPER_GUIDE, now=now)
    place(ProductKind.HOUR_PACK, now=now, order={})


@pytest.mark.parametrize("page", PAGES)
def test_a_new_account_says_what_will_be_there_and_the_way_on(app: Flask, now: datetime, page: str):
    answer = sign_in(app, customer(now)).get(page)
    assert answer.status_code == 200
    if page != "/compte/donnees":
        assert 'class="empty"' in answer.text


@pytest.mark.parametrize("page", PAGES)
def test_a_visitor_is_asked_to_sign_in(client: FlaskClient, page: str):
    assert client.get(page).location == "/connexion"


def queries_of(client: FlaskClient, page: str) -> int:
    statements: list[str] = []

    def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA", "SAVEPOINT", "RELEASE")):
            statements.append(statement)

    db.session.remove()  # as for a browser: nothing is known beforehand
    event.listen(db.engine, "before_cursor_execute", count)
    try:
        assert client.get(page).status_code == 200
    finally:
        event.remove(db.engine, "before_cursor_execute", count)
    return len(statements)


def test_no_page_asks_more_when_there_is_more_to_show(app: Flask, now: datetime):
    """At most ten questions a page, whatever the number of orders."""
    everything(now)
    client = claire(app, now)
    client.get("/compte")
    few = {page: queries_of(client, page) for page in PAGES}
    everything(now)
    everything(now)
    many = {page: queries_of(client, page) for page in PAGES}
    assert many == few
    assert max(many.values()) <= 10, many


def test_the_overview_tells_what_comes_in_order(app: Flask, now: datetime):
    everything(now)
    page = shown(claire(app, now).get("/compte").text)
    titles = [
        "mardi 8 décembre 2026 Fin du délai de rétractation",
        "mercredi 9 décembre 2026 à 0 h Ouverture de Produit template",
        "jeudi 24 décembre 2026 Prélèvement de 97,50 €",
        "mercredi 24 novembre 2027 Dernier jour pour vos heures",
    ]
    places = [page.index(title) for title in titles]
    assert places == sorted(places)
    assert page.count("décembre 2026 Fin du délai de rétractation") == 1
    assert "3 h à utiliser" in page
    assert "renoncer au contrat ici" in page


def test_the_overview_tells_what_needs_the_customer(app: Flask, now: datetime):
    desk = Desk(now)
    desk.propose()
    place(ProductKind.HOUR_PACK, now=now, order={})
    user = db.session.get_one(Order, desk.order_id).user
    with transaction():
        identity.set_password(user, PASSWORD, now=now)
    page = shown(sign_in(app, user).get("/compte").text)
    assert "Un rendez-vous vous est proposé : jeudi 26 novembre 2026 à 10 h" in page


def test_an_order_that_waits_for_its_payment_is_on_the_overview(app: Flask, now: datetime):
    order_id = place(ProductKind.HOUR_PACK, now=now, order={})
    page = shown(claire(app, now).get("/compte").text)
    reference = db.session.get_one(Order, order_id).reference
    assert "Une commande attend son paiement" in page
    assert "Elle vous est gardée jusqu’à 10 h 30" in page
    assert reference in page


def test_orders_show_contract_and_money_apart(app: Flask, now: datetime):
    buy(ProductKind.E_LEARNING, now=now, price=40000, order={"count": 4})
    place(ProductKind.HOUR_PACK, now=now, order={})
    page = shown(claire(app, now).get("/compte/commandes").text)
    assert "Confirmée" in page
    assert "100,00 € sur 400,00 €" in page
    assert "Attend votre paiement" in page


def test_invoices_can_be_read(app: Flask, now: datetime):
    invoice = buy(ProductKind.HOUR_PACK, now=now)
    client = claire(app, now)
    assert f'href="/compte/factures/{invoice.number}.pdf"' in client.get("/compte/factures").text
    pdf = client.get(f"/compte/factures/{invoice.number}.pdf")
    assert pdf.data.startswith(b"%PDF")


def test_instalments_show_what_was_paid_and_what_can_be(app: Flask, now: datetime):
    buy(ProductKind.E_LEARNING, now=now, price=39001, order={"count": 4})
    page = shown(claire(app, now).get("/compte/echeances").text)
    assert page.count("Payer d’avance") == 3
    assert "4e échéance sur 4" in page
    assert "97,51 €" in page


def test_hours_are_a_statement_with_what_is_left_after_each_movement(app: Flask, now: datetime):
    desk = Desk(now)
    desk.worked(desk.agreed(), 61)
    user = db.session.get_one(Order, desk.order_id).user
    with transaction():
        identity.set_password(user, PASSWORD, now=now)
    page = shown(sign_in(app, user).get("/compte/heures").text)
    assert "Relevé" in page
    assert "+3 h" in page
    assert "Gardé pour une intervention" in page
    assert "Gardé pour une intervention prévue : 1 h" in page


def test_downloads_say_when_what_is_closed_will_open(app: Flask, now: datetime):
    buy(ProductKind.DIGITAL_PRODUCT, now=now, order={"consents": WAIVED})
    buy(ProductKind.TEMPLATE, now=now)
    client = claire(app, now)
    page = client.get("/compte/telechargements").text
    assert "Le mercredi 9 décembre 2026 à 0 h" in shown(page)
    [link] = [part.split('"')[0] for part in page.split('href="')[1:] if "telechargements/" in part]
    assert client.get(link).headers["Content-Disposition"].startswith("attachment")


def test_subscriptions_say_what_binds_and_until_when(app: Flask, now: datetime):
    buy(ProductKind.SUPPORT_CONTRACT, now=now, price=2490)
    page = shown(claire(app, now).get("/compte/abonnements").text)
    assert "24,90 € par mois" in page
    assert "mercredi 24 novembre 2027" in page
    assert "résilier votre contrat" in page


def test_a_month_left_unpaid_is_named_with_its_way_to_pay(app: Flask, now: datetime):
    order_id = place(ProductKind.SUPPORT_CONTRACT, now=now, order={})
    pay(order_id, now=now)
    worker.run_due(now)
    month_later = now + timedelta(days=31)
    worker.run_due(month_later)
    app.extensions["clock"].move_to(month_later)
    client = claire(app, now)
    page = shown(client.get("/compte/abonnements").text)
    assert "Le mois du jeudi 24 décembre 2026 reste à payer" in page
    assert "Paiement en retard" in page
    assert "restent à payer" in shown(client.get("/compte").text)


def test_name_and_telephone_are_corrected(app: Flask, now: datetime):
    client = sign_in(app, customer(now))
    answer = client.post(
        "/compte/donnees", data={"name": "Claire Neuve", "phone": "06 39 98 00 02"}
    )
    assert answer.location == "/compte/donnees"
    page = client.get("/compte/donnees").text
    assert 'value="Claire Neuve"' in page
    assert 'value="06 39 98 00 02"' in page


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"name": "", "phone": ""}, "Saisissez votre prénom et votre nom."),
        ({"name": "Claire", "phone": "bonjour"}, "Saisissez un numéro avec ses chiffres"),
        ({"name": "C" * 121, "phone": ""}, "Au plus 120 caractères"),
    ],
)
def test_what_is_no_name_or_no_number_is_refused_and_kept(
    app: Flask, now: datetime, typed: dict[str, str], said: str
):
    client = sign_in(app, customer(now))
    answer = client.post("/compte/donnees", data=typed)
    assert answer.status_code == 422
    assert said in answer.text
    assert f'value="{typed["phone"]}"' in answer.text
    assert people.by_email(EMAIL).name == "Claire Essai"


def test_the_page_of_data_says_how_to_take_or_erase_them(app: Flask, now: datetime):
    page = shown(sign_in(app, customer(now)).get("/compte/donnees").text)
    assert "sous un mois" in page
    assert "Écrivez à bonjour@letabli.example" in page
    assert "dix ans" in page


def test_one_customer_never_sees_anothers(app: Flask, now: datetime):
    everything(now)
    other = sign_in(app, customer(now, "paul@exemple.example"))
    for page in PAGES:
        answer = other.get(page).text
        assert "CMD-2026" not in answer
        assert "Produit" not in answer
