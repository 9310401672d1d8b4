"""The cart, as a browser has it: with or without an account, with whatever is typed."""

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import select

from storefront.cart.models import Cart, CartLine
from storefront.catalogue.models import CourseSession, Variant
from storefront.catalogue.rules import ProductKind
from storefront.identity import service as identity
from storefront.infra.db import db, transaction
from tests import factories
from tests.checkout.shopping import add, text

PASSWORD = "une phrase assez longue 42"


@pytest.fixture
def guide(shop):
    with shop.app_context(), transaction():
        variant = factories.product(
            ProductKind.PAPER_GUIDE, price=3900, capacity=9, name="Le guide", slug="guide"
        )
        return variant.id


@pytest.fixture
def pack(shop):
    with shop.app_context(), transaction():
        return factories.product(ProductKind.ONE_SHOT_PACK, name="La remise en état").id


def held(shop):
    """What all carts hold: (variant, quantity)."""
    with shop.app_context():
        return sorted(
            (variant_id, quantity)
            for variant_id, quantity in db.session.execute(
                select(CartLine.variant_id, CartLine.quantity)
            )
        )


def customer(shop, email, now):
    with shop.app_context(), transaction():
        user = identity.find_or_create_customer(email, "Claire Essai", "06 39 98 00 01", now=now)
        identity.set_password(user, PASSWORD, now=now)


def sign_in(browser, email):
    page = browser.post("/connexion", data={"email": email, "password": PASSWORD})
    assert page.status_code in (302, 303), page.text


def test_a_visitor_without_session_or_token_fills_a_cart(shop, browser, guide):
    shop.config["WTF_CSRF_ENABLED"] = True
    answer = add(browser, guide, "2")
    assert answer.status_code == 302
    page = text(browser.get("/panier"))
    assert "« Le guide » est dans votre panier" in page
    assert "78,00 €" in page
    assert held(shop) == [(guide, 2)]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://ailleurs.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_site_cannot_fill_it(shop, browser, guide, headers):
    answer = browser.post(
        "/panier/ajouter", data={"variante": str(guide), "quantite": "1"}, headers=headers
    )
    assert answer.status_code == 403
    assert "vient d’un autre site" in text(answer)
    assert held(shop) == []


@pytest.mark.parametrize("typed", ["0", "-3", "1000000000", "vingt", "", "1.5", "21"])
def test_what_is_no_quantity_is_refused_in_words(shop, browser, guide, typed):
    assert add(browser, guide, typed).status_code == 302
    assert "choisissez un nombre de 1 à 20" in text(browser.get("/panier"))
    assert held(shop) == []


@pytest.mark.parametrize("typed", ["0", "-3", "1000000000", "vingt", ""])
def test_a_quantity_is_not_changed_into_what_is_none(shop, browser, guide, typed):
    add(browser, guide, "3")
    browser.post("/panier/modifier", data={"variante": str(guide), "quantite": typed})
    assert "choisissez un nombre de 1 à 20" in text(browser.get("/panier"))
    assert held(shop) == [(guide, 3)]


def test_what_is_personal_is_bought_one_at_a_time(shop, browser, pack):
    add(browser, pack, "2")
    assert "cet article est personnel" in text(browser.get("/panier"))
    add(browser, pack)
    add(browser, pack)
    assert held(shop) == [(pack, 1)]


def test_adding_twice_adds_up_to_the_limit(shop, browser, guide):
    for _ in range(3):
        add(browser, guide, "9")
    assert held(shop) == [(guide, 20)]


def test_a_line_is_changed_and_removed(shop, browser, guide):
    add(browser, guide)
    browser.post("/panier/modifier", data={"variante": str(guide), "quantite": "4"})
    assert held(shop) == [(guide, 4)]
    browser.post("/panier/modifier", data={"variante": str(guide), "retirer": "1"})
    assert held(shop) == []
    assert "Votre panier est vide" in text(browser.get("/panier"))


@pytest.mark.parametrize("given", ["", "rien", "0", "' OR 1=1"])
def test_no_variant_chosen_is_said(shop, browser, guide, given):
    answer = browser.post("/panier/ajouter", data={"variante": given, "quantite": "1"})
    assert answer.status_code == 302
    assert "Choisissez d’abord" in text(browser.get("/panier"))


def test_the_message_comes_back_to_the_product_and_to_no_other_site(browser, guide):
    for referrer, place in [
        ("http://localhost/produits/guide", "/produits/guide"),
        ("http://localhost//ailleurs.example/produits/", "/panier"),
        ("https://ailleurs.example/produits/guide", "/panier"),
    ]:
        answer = browser.post("/panier/ajouter", data={}, headers={"Referer": referrer})
        assert answer.location == place


def test_what_never_was_on_sale_cannot_be_added(shop, browser):
    answer = add(browser, uuid.uuid4())
    assert answer.status_code == 409
    assert "n’est plus en vente" in text(answer)


def test_what_was_withdrawn_from_sale_is_shown_and_can_be_removed(shop, browser, guide, pack):
    add(browser, guide)
    add(browser, pack)
    with shop.app_context(), transaction() as session:
        session.get_one(Variant, guide).product.on_sale = False
    page = text(browser.get("/panier"))
    assert "N’est plus en vente" in page
    assert "Passer à la commande" not in page
    assert browser.get("/commande/coordonnees").location == "/panier"
    browser.post("/panier/modifier", data={"variante": str(guide), "retirer": "1"})
    assert "Passer à la commande" in text(browser.get("/panier"))


def test_what_was_withdrawn_cannot_be_added(shop, browser, guide):
    with shop.app_context(), transaction() as session:
        session.get_one(Variant, guide).on_sale = False
    assert add(browser, guide).status_code == 409
    assert held(shop) == []


def test_a_session_that_began_meanwhile_is_shown_as_gone(shop, browser, now):
    with shop.app_context(), transaction() as session:
        seat = factories.product(ProductKind.CLASSROOM_TRAINING, capacity=3)
        session.add(
            CourseSession(
                variant_id=seat.id,
                starts_at=now + timedelta(minutes=5),
                ends_at=now + timedelta(days=1),
                place="Atelier",
            )
        )
        seat_id = seat.id
    add(browser, seat_id)
    assert "Passer à la commande" in text(browser.get("/panier"))
    shop.extensions["clock"].move_to(now + timedelta(minutes=6))
    assert "N’est plus en vente" in text(browser.get("/panier"))


def test_fewer_left_than_wanted_is_said_before_ordering(shop, browser, guide):
    add(browser, guide, "5")
    with shop.app_context(), transaction() as session:
        session.get_one(Variant, guide).available = 2
    page = text(browser.get("/panier"))
    assert "Il n’en reste que 2" in page
    assert "Passer à la commande" not in page


def test_the_cart_survives_sign_in_and_sign_out(shop, browser, guide, now):
    customer(shop, "claire@exemple.fr", now)
    add(browser, guide, "2")
    sign_in(browser, "claire@exemple.fr")
    assert "Le guide" in text(browser.get("/panier"))
    browser.post("/deconnexion")
    assert "Le guide" in text(browser.get("/panier"))
    assert held(shop) == [(guide, 2)]


def test_signing_in_merges_the_visitors_cart_with_the_kept_one(shop, browser, guide, pack, now):
    customer(shop, "claire@exemple.fr", now)
    at_home = shop.test_client()
    sign_in(at_home, "claire@exemple.fr")
    add(at_home, guide, "3")
    add(browser, guide, "2")
    add(browser, pack)
    sign_in(browser, "claire@exemple.fr")
    browser.get("/panier")
    assert held(shop) == sorted([(guide, 3), (pack, 1)])
    with shop.app_context():
        assert len(db.session.scalars(select(Cart)).all()) == 1


def test_a_cart_left_by_somebody_else_is_not_taken_over(shop, browser, guide, now):
    for email in ("claire@exemple.fr", "paul@exemple.fr"):
        customer(shop, email, now)
    sign_in(browser, "claire@exemple.fr")
    add(browser, guide)
    browser.post("/deconnexion")
    sign_in(browser, "paul@exemple.fr")
    browser.get("/panier")
    with shop.app_context():
        owners = set(db.session.scalars(select(Cart.user_id)))
    assert len(owners) == 1
    at_home = shop.test_client()
    sign_in(at_home, "claire@exemple.fr")
    assert "Le guide" in text(at_home.get("/panier"))


def test_the_header_counts_the_articles(browser, guide):
    add(browser, guide, "3")
    assert "3 articles" in text(browser.get("/catalogue"))


def test_thirty_articles_fill_a_cart(shop, browser):
    with shop.app_context(), transaction():
        ids = [factories.product(ProductKind.TEMPLATE).id for _ in range(31)]
    for variant_id in ids[:30]:
        add(browser, variant_id)
    answer = add(browser, ids[30])
    assert answer.status_code == 422
    assert "30 articles différents au plus" in text(answer)


def test_two_currencies_do_not_meet_in_one_cart(shop, browser, guide):
    with shop.app_context(), transaction():
        other = factories.product(ProductKind.TEMPLATE, currency="MAD").id
    add(browser, guide)
    answer = add(browser, other)
    assert answer.status_code == 422
    assert "Deux monnaies" in text(answer)


def test_a_forged_cart_is_no_cart(shop, browser, guide):
    browser.set_cookie("session", "n'importe quoi")
    assert "Votre panier est vide" in text(browser.get("/panier"))
    with browser.session_transaction() as session:
        session["cart"] = "pas un identifiant"
    assert "Votre panier est vide" in text(browser.get("/panier"))
