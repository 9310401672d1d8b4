"""The page of one order: who sees it, and what it says."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from storefront import worker
from storefront.catalogue.rules import ProductKind
from storefront.documents.models import StoredDocument
from storefront.identity import service as identity
from storefront.infra.db import db, transaction
from storefront.legal.models import AcceptanceKind
from storefront.orders import service
from storefront.orders.models import Order
from tests import factories
from tests.checkout.shopping import counted, text

PASSWORD = "une phrase assez longue 42"


@pytest.fixture
def placed(shop, now):
    """An order of this kind, confirmed unless told otherwise: its address and its token."""

    def make(kind=ProductKind.TEMPLATE, confirmed=True, **given):
        with shop.app_context(), transaction():
            variant = factories.product(kind, name=given.pop("name", "Le produit"))
            order = factories.order(variant, now=now, **given)
            if confirmed:
                service.confirm(order, now=now)
            found = (f"/commandes/{order.reference}", order.token)
        with shop.app_context():
            worker.run_due(now)
        return found

    return make


def test_a_guest_needs_the_token(browser, placed):
    path, token = placed()
    assert browser.get(f"{path}?jeton={token}").status_code == 200
    for wrong in ("", "?jeton=", "?jeton=faux", f"?jeton={token[:-1]}", "?jeton=é%00"):
        assert browser.get(path + wrong).status_code == 404


def test_an_order_that_never_was_does_not_exist(browser, placed):
    _, token = placed()
    assert browser.get(f"/commandes/CMD-2026-999999?jeton={token}").status_code == 404


def test_the_owner_sees_it_signed_in_and_nobody_else(shop, browser, placed, now):
    path, _ = placed()
    with shop.app_context(), transaction():
        owner = db.session.scalars(select(Order)).one().user
        identity.set_password(owner, PASSWORD, now=now)
        other = identity.find_or_create_customer("paul@exemple.fr", "Paul Autre", "", now=now)
        identity.set_password(other, PASSWORD, now=now)
        email = owner.email
    for address, status in ((email, 200), ("paul@exemple.fr", 404)):
        visitor = shop.test_client()
        visitor.post("/connexion", data={"email": address, "password": PASSWORD})
        assert visitor.get(path).status_code == status


def test_the_page_is_never_kept_by_anybody_between(browser, placed):
    path, token = placed()
    assert "no-store" in browser.get(f"{path}?jeton={token}").headers["Cache-Control"]


def test_contract_money_and_fulfilment_are_three_states(browser, placed):
    path, token = placed(ProductKind.E_LEARNING, count=3)
    page = text(browser.get(f"{path}?jeton={token}"))
    assert "Contrat Confirmée" in page
    assert "Argent Rien de reçu" in page
    assert "À venir" in page


def test_the_contracts_clock_shows_every_date_to_come(browser, placed):
    path, token = placed(ProductKind.E_LEARNING, count=3)
    page = text(browser.get(f"{path}?jeton={token}"))
    for words in (
        "mardi 24 novembre 2026 Commande passée",
        "mardi 8 décembre 2026 Fin du délai de rétractation",
        "jeudi 24 décembre 2026 Prélèvement",
        "dimanche 24 janvier 2027 Prélèvement",
    ):
        assert words in page
    assert "renoncer au contrat ici" in page


def test_hours_show_their_last_day(browser, placed):
    path, token = placed(ProductKind.HOUR_PACK)
    page = text(browser.get(f"{path}?jeton={token}"))
    assert "mercredi 24 novembre 2027 Dernier jour pour utiliser les heures" in page


def test_a_commitment_shows_its_end(browser, placed):
    path, token = placed(ProductKind.SUPPORT_CONTRACT)
    page = text(browser.get(f"{path}?jeton={token}"))
    assert "mercredi 24 novembre 2027 Fin du contrat" in page


def test_documents_are_there_for_the_guest_and_for_nobody_else(shop, browser, placed):
    path, token = placed(consents=(AcceptanceKind.EARLY_START,))
    page = browser.get(f"{path}?jeton={token}").text
    with shop.app_context():
        documents = db.session.scalars(select(StoredDocument)).all()
        named = {one.filename: one.id for one in documents}
    (invoice,) = [key for name, key in named.items() if name.startswith("facture")]
    (terms,) = [key for name, key in named.items() if name.startswith("cgv")]
    (training,) = [key for name, key in named.items() if name.startswith("conditions")]
    for document in (invoice, terms):
        address = f"{path}/documents/{document}"
        assert f"{address}?jeton={token}" in page
        found = browser.get(f"{address}?jeton={token}")
        assert found.data.startswith(b"%PDF")
        assert browser.get(address).status_code == 404
    assert browser.get(f"{path}/documents/{training}?jeton={token}").status_code == 404


def test_a_waiting_order_says_until_when_it_is_kept(browser, placed):
    path, token = placed(confirmed=False)
    page = text(browser.get(f"{path}?jeton={token}"))
    assert "Gardée pour vous jusqu’au mardi 24 novembre 2026 à 10 h 30" in page
    assert "Payer cette commande" in page


def test_a_cancelled_order_says_why(shop, browser, placed, now):
    path, token = placed(confirmed=False)
    with shop.app_context(), transaction():
        service.cancel(db.session.scalars(select(Order)).one(), "unpaid", now=now)
    page = text(browser.get(f"{path}?jeton={token}"))
    assert "Elle n’a pas été payée à temps." in page
    assert "Payer cette commande" not in page


def test_the_page_needs_a_fixed_number_of_queries(shop, browser, placed):
    few, token = placed()
    browser.get(f"{few}?jeton={token}")
    with counted(shop) as statements:
        browser.get(f"{few}?jeton={token}")
    assert len(statements) <= 22


def test_the_list_of_orders_is_on_the_account(browser):
    assert browser.get("/commandes").location == "/compte/commandes"


def test_a_date_that_has_passed_is_past(shop, browser, placed, now):
    path, token = placed()
    shop.extensions["clock"].move_to(now + timedelta(days=20))
    page = browser.get(f"{path}?jeton={token}").text
    assert "renoncer au contrat ici</a></p>" not in page.split("Vos dates")[1].split("</ol>")[0]
