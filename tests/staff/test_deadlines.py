"""Staff see every deadline, the calendar of an order, and what a sale would come to."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from storefront import worker
from storefront.catalogue.rules import ProductKind
from storefront.identity.models import Role
from storefront.infra.db import db, transaction
from storefront.legal import queries as legal_queries
from storefront.legal import service as legal
from storefront.orders import service
from storefront.orders.models import Order
from tests import factories
from tests.account.test_pages import shown
from tests.checkout.shopping import counted
from tests.identity import people
from tests.identity.people import at_work

QUEUE = "/gestion/echeances"


@pytest.fixture
def desk(app: Flask, now: datetime) -> FlaskClient:
    return at_work(app, Role.SHOPKEEPER, now)


@pytest.fixture
def hours(app: Flask, now: datetime) -> str:
    """Claire's pack of hours; the reference of her order."""
    with transaction():
        factories.terms(now)
        variant = factories.product(ProductKind.HOUR_PACK, slug="trois-heures", name="Trois heures")
        order = factories.order(variant, now=now)
        service.confirm(order, now=now)
        reference = order.reference
    worker.run_due(now)
    return reference


def test_what_the_shop_does_and_what_waits_for_a_person_stand_in_one_queue(
    desk: FlaskClient, hours: str
) -> None:
    page = shown(desk.get(QUEUE).text)

    assert "Rappel : 60 jours pour utiliser les heures" in page
    assert "Dernier jour pour payer 159,00 €" in page
    alone = shown(desk.get(QUEUE, query_string={"qui": "software"}).text)
    assert "Rappel : 60 jours" in alone
    assert "Dernier jour pour payer" not in alone
    assert "Aucune échéance ici" in shown(desk.get(QUEUE, query_string={"q": "personne"}).text)
    first_day = "0001-01-01T00:00:00+00:00_00000000-0000-0000-0000-000000000000"
    for mark in ("é", first_day):
        assert desk.get(QUEUE, query_string={"nature": "rien", "apres": mark}).status_code == 200


def test_the_queue_is_a_spreadsheet_too_and_the_journal_says_who_took_it(
    app: Flask, desk: FlaskClient, hours: str
) -> None:
    answer = desk.get(f"{QUEUE}/export.csv")

    assert answer.mimetype == "text/csv"
    assert f";Trois heures;{hours};" in answer.text


def test_an_order_has_its_calendar_for_staff_and_for_its_customer(
    app: Flask, desk: FlaskClient, client: FlaskClient, hours: str
) -> None:
    order = db.session.query(Order).one()
    staff = shown(desk.get(f"/gestion/commandes/{hours}/dates").text)
    customer = shown(client.get(f"/commandes/{hours}/dates?jeton={order.token}").text)

    for page in (staff, customer):
        assert "Aujourd’hui, mardi 24 novembre 2026" in page
        assert "mercredi 24 novembre 2027 Dernier jour pour utiliser les heures" in page
    assert "Au client" in staff
    assert "À vous" in customer
    assert client.get(f"/commandes/{hours}/dates?jeton=faux").status_code == 404
    with counted(app) as statements:
        client.get(f"/commandes/{hours}/dates?jeton={order.token}")
    assert len(statements) <= 20


def test_a_sale_is_simulated_under_a_version_and_nothing_is_placed(
    desk: FlaskClient, hours: str
) -> None:
    wanted = {
        "produit": "trois-heures",
        "conditions": "cgv-1",
        "acheteur": "consumer",
        "jour": "2027-01-31",
        "paiements": "1",
    }
    page = shown(desk.get("/gestion/simulation", query_string=wanted).text)

    assert "lundi 31 janvier 2028 Dernier jour pour utiliser les heures" in page
    assert db.session.query(Order).count() == 1


def test_a_sale_is_simulated_under_a_draft_before_it_is_published(
    desk: FlaskClient, hours: str, now: datetime
) -> None:
    wanted = {
        "produit": "trois-heures",
        "conditions": "brouillon",
        "acheteur": "consumer",
        "jour": "2027-01-31",
        "paiements": "1",
    }
    assert desk.get("/gestion/simulation", query_string=wanted).status_code == 422  # no draft yet
    by = people.staff(now).id
    with transaction():
        in_force = legal_queries.in_force("cgv", now)
        assert in_force
        shorter = replace(legal_queries.parameters_of(in_force), hour_pack_validity_months=6)
        edit = legal.Edit("Conditions générales", "En cours.", shorter)
        legal.save_draft("cgv", edit, seen=0, by=by, now=now)

    page = shown(desk.get("/gestion/simulation", query_string=wanted).text)

    assert "Conditions générales, brouillon" in page
    assert "samedi 31 juillet 2027 Dernier jour pour utiliser les heures" in page


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"paiements": "4"}, "choisissez 1"),
        ({"jour": "31/31/2027"}, "jour"),
        ({"produit": ""}, "Choisissez un produit"),
    ],
)
def test_what_cannot_be_simulated_is_said_with_what_was_typed_still_there(
    desk: FlaskClient, hours: str, changed: dict[str, str], said: str
) -> None:
    wanted = {
        "produit": "trois-heures",
        "conditions": "cgv-1",
        "acheteur": "professional",
        "jour": "2027-01-31",
        "paiements": "1",
        **changed,
    }
    answer = desk.get("/gestion/simulation", query_string=wanted)

    assert answer.status_code == 422
    assert said in shown(answer.text)
    assert '<option selected value="professional">' in answer.text


def test_the_command_prints_the_same_line_by_line(app: Flask, hours: str) -> None:
    run = app.test_cli_runner().invoke
    done = run(args=["simulate", hours, "--months", "13"])

    assert done.exit_code == 0, done.output
    assert "2027-09-25 08:00  software  hours_reminder" in done.output
    assert "2027-11-24        time      hours_last_day" in done.output
    assert run(args=["simulate", "CMD-2020-000001"]).exit_code == 1
