"""Staff see the plans that buyers see, with the reasons that they are told (M-02, PRE-10)."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from storefront.catalogue.models import Product
from storefront.catalogue.rules import ProductKind
from storefront.identity.models import Role
from storefront.infra.db import db, transaction
from storefront.infra.journal import JournalEntry
from tests import factories
from tests.account.test_pages import shown
from tests.identity.people import at_work


@pytest.fixture
def client(app: Flask, now: datetime) -> FlaskClient:
    with transaction():
        factories.terms(now)
        factories.product(ProductKind.E_LEARNING, slug="cours", name="Un cours", price=40000)
        factories.product(
            ProductKind.PLAN, slug="offre", name="Une offre", features={"professionals_only": True}
        )
    return at_work(app, Role.SHOPKEEPER, now)


def test_each_buyer_has_the_plans_and_the_reasons_of_the_checkout(client: FlaskClient) -> None:
    page = shown(client.get("/gestion/echeanciers/cours").text)
    person, company = re.split("Une entreprise", page, maxsplit=1)

    assert "mercredi 9 décembre 2026 120,00 €" in person
    assert "la loi interdit de demander à un particulier" in person
    assert "Code de la consommation, art. L312-4, 4°, depuis le vendredi 20 novembre 2026" in person
    assert "En 4 fois" in company
    assert "la loi" not in company


def test_what_is_sold_to_companies_only_shows_no_person(client: FlaskClient) -> None:
    page = shown(client.get("/gestion/echeanciers/offre").text)

    assert "Un particulier" not in page
    assert "un abonnement se règle mois par mois" not in page


def test_every_product_can_be_looked_at(client: FlaskClient) -> None:
    assert "Un cours" in shown(client.get("/gestion/echeanciers").text)
    assert client.get("/gestion/echeanciers/nulle-part").status_code == 404


def test_it_is_no_business_of_a_technician(app: Flask, now: datetime) -> None:
    assert at_work(app, Role.TECHNICIAN, now).get("/gestion/echeanciers").status_code == 403


PAGE = "/gestion/echeanciers/cours"


def product() -> Product:
    db.session.rollback()
    return db.session.scalars(select(Product).where(Product.slug == "cours")).one()


def send(client: FlaskClient, shares: str, days: str = "0", step: str = "enregistrer", **more: str):
    form = {"version": str(product().version), "shares": shares, "first_after_days": days}
    return client.post(PAGE, data={**form, "etape": step, **more}, follow_redirects=True)


def settings_of(page: str) -> list[str]:
    return re.findall(r'name="(?:shares|first_after_days)"[^>]*value="([^"]*)"', page)


def test_a_product_is_given_parts_of_its_own(client: FlaskClient, now: datetime) -> None:
    page = send(client, "30 / 35 % / 35", "10").text
    person, company = re.split("Une entreprise", shown(page), maxsplit=1)

    assert "Les parts de cet article sont enregistrées" in person
    assert settings_of(page) == ["30/35/35", "10"]
    assert "vendredi 4 décembre 2026 120,00 €" in company
    assert "En 2 fois" not in company
    assert "la loi y voit un crédit à la consommation" in person
    (entry,) = db.session.scalars(
        select(JournalEntry).where(JournalEntry.kind == "product.parts_set")
    )
    assert entry.payload == '{"first_after_days":10,"shares":[30,35,35]}'


def test_what_buyers_would_be_offered_is_seen_before_anything_is_saved(
    client: FlaskClient,
) -> None:
    page = shown(send(client, "50/50", "30", step="voir").text)

    assert "Rien n’est encore enregistré" in page
    assert "jeudi 24 décembre 2026 200,00 €" in page.split("Une entreprise", 1)[1]
    assert "parts" not in product().features


def test_no_shares_make_the_parts_equal_again(client: FlaskClient) -> None:
    send(client, "50/50")
    assert product().features["parts"]["shares"] == [50, 50]
    page = shown(send(client, "").text)

    assert "parts" not in product().features
    assert "En 4 fois" in page.split("Une entreprise", 1)[1]


@pytest.mark.parametrize(
    ("shares", "days", "why"),
    [
        ("50/40", "0", "Les parts font 90 %"),
        ("100", "0", "Il faut de 2 à 4 parts"),
        ("20/20/20/20/20", "0", "Il faut de 2 à 4 parts"),
        ("0/100", "0", "Chaque part est de 1 % au moins"),
        ("33,3/66,7", "x", "Écrivez un nombre de jours entier"),
        ("moitié", "0", "Écrivez des pour cent entiers"),
        ("-50/150", "0", "Écrivez des pour cent entiers"),
        ("50/50", "61", "au plus 60 jours"),
        ("50/50", "-1", "Écrivez un nombre de jours entier"),
        ("1" * 61, "0", "Au plus 60 caractères"),
    ],
)
def test_parts_that_cannot_be_are_refused_with_what_was_typed(
    client: FlaskClient, shares: str, days: str, why: str
) -> None:
    answer = send(client, shares, days)

    assert answer.status_code == 422
    assert why in shown(answer.text)
    assert settings_of(answer.text) == [shares, days]
    assert "parts" not in product().features


def test_who_saves_what_somebody_else_has_changed_is_told_and_overwrites_nothing(
    client: FlaskClient,
) -> None:
    old = str(product().version)
    send(client, "60/40")

    answer = send(client, "50/50", version=old)

    assert answer.status_code == 409
    assert "Quelqu’un a modifié cela avant vous" in shown(answer.text)
    assert product().features["parts"]["shares"] == [60, 40]
    assert send(client, "50/50", version="").status_code == 409


def test_support_and_subscriptions_have_no_parts(client: FlaskClient) -> None:
    page = client.get("/gestion/echeanciers/offre").text

    assert 'name="shares"' not in page
    assert "Un abonnement se règle mois par mois" in shown(page)
    answer = client.post(
        "/gestion/echeanciers/offre",
        data={"version": "1", "shares": "50/50", "etape": "enregistrer"},
    )
    assert answer.status_code == 422
