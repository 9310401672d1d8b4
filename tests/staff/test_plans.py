"""Staff see the plans that buyers see, with the reasons that they are told (M-02, PRE-10)."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from storefront.catalogue.rules import ProductKind
from storefront.identity.models import Role
from storefront.infra.db import transaction
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
