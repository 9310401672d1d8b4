"""First step: as whom, who, where (O-03, O-05, C-07)."""

import pytest
from sqlalchemy import select

from storefront.cart.models import Cart
from storefront.catalogue.rules import ProductKind
from storefront.infra.db import db, transaction
from tests import factories
from tests.checkout.shopping import COMPANY, DETAILS, add, give_details, text

CASABLANCA = {
    "buyer_kind": "professional",
    "company": "Réceptions de l’Essai",
    "ice": "001 527 900 000 012",
    "street": "17 rue Neuve",
    "postcode": "20250",
    "city": "Casablanca",
    "country": "MA",
}
BRUSSELS = {
    "buyer_kind": "professional",
    "company": "Ateliers de Bruxelles",
    "vat_number": "BE 0428.759.497",
    "postcode": "1000",
    "city": "Bruxelles",
    "country": "BE",
}


@pytest.fixture
def full_cart(shop, browser):
    def fill(kind=ProductKind.PAPER_GUIDE, **fields):
        with shop.app_context(), transaction():
            made = factories.product(kind, **fields).id
        add(browser, made)
        return browser

    return fill


def kept(shop):
    with shop.app_context():
        return db.session.scalars(select(Cart.details)).one()


def test_an_empty_cart_leads_back_to_the_cart(browser):
    for path in ("/commande/coordonnees", "/commande/verification"):
        assert browser.get(path).location == "/panier"
    assert browser.post("/commande/payer").location == "/panier"


def test_verification_before_details_leads_to_the_details(full_cart):
    assert full_cart().get("/commande/verification").location == "/commande/coordonnees"


def test_what_is_missing_is_said_field_by_field_and_nothing_typed_is_lost(shop, full_cart):
    answer = give_details(full_cart(), name="", postcode="7501", phone="abc", email="claire@")
    page = text(answer)
    assert answer.status_code == 422
    for sentence in (
        "Saisissez votre prénom et votre nom.",
        "Un code postal français compte cinq chiffres.",
        "Saisissez un numéro de téléphone, par exemple",
        "Saisissez une adresse e-mail complète",
    ):
        assert sentence in page
    assert 'value="7501"' in answer.text
    assert 'value="1 rue de l’Essai"' in answer.text
    assert "name" not in kept(shop)


def test_going_back_finds_everything_that_was_typed(full_cart):
    browser = full_cart()
    give_details(browser, street_2="Bâtiment C")
    page = browser.get("/commande/coordonnees").text
    for value in (*DETAILS.values(), "Bâtiment C"):
        assert value in page


def test_nobody_is_a_professional_by_default(full_cart):
    page = full_cart().get("/commande/coordonnees").text
    assert "checked" not in page


def test_a_professional_names_the_company_and_its_number(full_cart):
    answer = give_details(full_cart(), buyer_kind="professional")
    assert "Saisissez le nom de votre entreprise." in text(answer)
    assert "Saisissez les neuf chiffres du SIREN" in text(answer)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"siren": "123 456 789"}, "Ce SIREN n’existe pas"),
        ({"siren": "abc"}, "Ce SIREN n’existe pas"),
        ({"vat_number": "FR00123456782"}, "Ce numéro de TVA n’est pas valable"),
        ({"vat_number": "FR40303265045"}, "ne correspond pas au SIREN"),
    ],
)
def test_numbers_of_companies_are_checked(full_cart, changed, sentence):
    assert sentence in text(give_details(full_cart(), **{**COMPANY, **changed}))


def test_a_company_is_kept_without_its_spaces(shop, full_cart):
    assert give_details(full_cart(), **COMPANY).status_code == 303
    assert kept(shop)["siren"] == "123456782"


@pytest.mark.parametrize(
    "ice", ["", "12345678901234", "1234567890123456", "00152x900000012", "１" * 15]
)
def test_the_number_of_a_moroccan_company_has_fifteen_digits(full_cart, ice):
    answer = give_details(full_cart(ProductKind.TEMPLATE), **{**CASABLANCA, "ice": ice})
    assert answer.status_code == 422
    assert "Saisissez les quinze chiffres de l’ICE" in text(answer)
    assert 'value="17 rue Neuve"' in answer.text


def test_a_moroccan_company_needs_no_siren_and_keeps_none(shop, full_cart):
    browser = full_cart(ProductKind.TEMPLATE)
    assert give_details(browser, **COMPANY).status_code == 303
    assert give_details(browser, **CASABLANCA).status_code == 303
    assert kept(shop)["ice"] == "001527900000012"
    page = text(browser.get("/commande/verification"))
    assert "ICE 001527900000012" in page
    assert "SIREN" not in page


def test_a_moroccan_postcode_has_five_digits(full_cart):
    browser = full_cart(ProductKind.TEMPLATE)
    answer = give_details(browser, **{**CASABLANCA, "postcode": "2000"})
    assert "Un code postal marocain compte cinq chiffres." in text(answer)


def test_a_business_of_the_union_gives_a_number_of_its_own_country(full_cart):
    browser = full_cart(ProductKind.TEMPLATE)
    wrong = give_details(browser, **{**BRUSSELS, "vat_number": "FR11123456782"})
    assert "Les numéros de TVA de ce pays commencent par BE." in text(wrong)
    assert give_details(browser, **BRUSSELS).status_code == 303
    page = text(browser.get("/commande/verification"))
    assert "Autoliquidation" in page
    assert "132,50 € au total, sans TVA" in page


def test_a_business_of_the_union_without_a_number_pays_the_french_tax(full_cart):
    browser = full_cart(ProductKind.TEMPLATE)
    assert give_details(browser, **{**BRUSSELS, "vat_number": ""}).status_code == 303
    assert "159,00 € au total, TTC" in text(browser.get("/commande/verification"))


def test_overseas_france_is_chosen_by_its_postcode(full_cart):
    answer = give_details(full_cart(), country="RE", postcode="97400")
    assert answer.status_code == 422
    assert 'value="RE"' not in answer.text


def test_a_private_buyer_keeps_no_company(shop, full_cart):
    assert give_details(full_cart(), company="Reste d’avant", siren="zzz").status_code == 303
    assert "company" not in kept(shop)


@pytest.mark.parametrize(
    ("country", "postcode"), [("BE", "1000"), ("MA", "20000"), ("MC", "98000"), ("US", "10001")]
)
def test_remote_support_is_refused_outside_france_before_any_payment(full_cart, country, postcode):
    browser = full_cart(ProductKind.HOUR_PACK)
    answer = give_details(browser, country=country, postcode=postcode)
    assert answer.status_code == 422
    assert "réservée aux équipements situés en France" in text(answer)


@pytest.mark.parametrize("postcode", ["97110", "97300", "98800", "20000"])
def test_remote_support_is_sold_in_all_of_france(full_cart, postcode):
    assert give_details(full_cart(ProductKind.HOUR_PACK), postcode=postcode).status_code == 303


def test_guides_go_to_the_union_and_not_beyond(full_cart):
    browser = full_cart()
    assert give_details(browser, country="BE", postcode="1000").status_code == 303
    answer = give_details(browser, country="US", postcode="10001")
    assert "Nous ne vendons pas encore dans ce pays" in text(answer)


def test_a_country_that_does_not_exist_is_refused(full_cart):
    assert give_details(full_cart(), country="XX").status_code == 422


def test_what_is_for_professionals_is_refused_to_a_consumer_with_the_way_out(full_cart):
    browser = full_cart(ProductKind.PLAN, features={"professionals_only": True})
    answer = give_details(browser)
    assert answer.status_code == 422
    assert "est réservé aux professionnels" in text(answer)
    assert give_details(browser, **COMPANY).status_code == 303


@pytest.mark.parametrize("field", ["name", "street", "city"])
def test_endless_texts_are_refused_in_words(full_cart, field):
    answer = give_details(full_cart(), **{field: "é" * 5000})
    assert answer.status_code == 422
    assert "Au plus" in text(answer)


def test_a_form_without_its_token_is_refused_in_words(shop, full_cart):
    browser = full_cart()
    shop.config["WTF_CSRF_ENABLED"] = True
    answer = give_details(browser)
    assert answer.status_code == 400
    assert "Ce formulaire a expiré" in text(answer)
