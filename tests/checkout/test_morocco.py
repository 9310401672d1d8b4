"""Plans in dirhams for businesses of Morocco, and nobody else (MRE-01, MRE-06, VAT-07, M-01)."""

import io
import json
import re
from datetime import timedelta

import pytest
from pypdf import PdfReader
from sqlalchemy import select

from storefront import worker
from storefront.cart import queries as carts
from storefront.cart import service
from storefront.catalogue.models import Product
from storefront.catalogue.rules import PriceBasis, ProductKind
from storefront.documents import queries as documents
from storefront.identity import service as identity
from storefront.infra.db import db, transaction
from storefront.invoicing import queries as invoices
from storefront.invoicing.models import Invoice
from storefront.orders.models import Order, OrderLine, OrderStatus
from storefront.payments.models import Payment
from tests import factories
from tests.checkout.shopping import COMPANY, add, click, give_details, text
from tests.checkout.test_details import BRUSSELS, CASABLANCA
from tests.checkout.test_payment import follow

PLAN = {
    "professionals_only": True,
    "commitment_months": 0,
    "family": "annuaire",
    "rank": 1,
    "entitlements": ["public_profile", "messaging"],
    "limits": {"photos": 12, "team_members": 0},
}


@pytest.fixture
def plans(shop):
    """The same plan in euros and in dirhams, and the free one; by slug, the variant."""
    with shop.app_context(), transaction():
        made = [
            plan("libre", "Libre", 0, features={**PLAN, "rank": 0, "limits": {"photos": 3}}),
            plan("essentiel", "Essentiel", 1900),
            plan("essentiel-maroc", "Essentiel Maroc", 19900, "MAD", features=MOROCCO),
            plan(
                "premium-maroc",
                "Premium Maroc",
                49900,
                "MAD",
                features={**MOROCCO, "rank": 2, "limits": {"photos": None, "team_members": 2}},
            ),
        ]
        return {variant.product.slug: variant.id for variant in made}


MOROCCO = {**PLAN, "countries": ["MA"]}


def plan(slug, name, price, currency="EUR", features=PLAN):
    return factories.product(
        ProductKind.PLAN,
        position=features["rank"],
        slug=slug,
        name=name,
        price=price,
        currency=currency,
        price_basis=PriceBasis.NET,
        features=features,
    )


def the(shop, model):
    with shop.app_context():
        return db.session.scalars(select(model)).one()


def test_a_moroccan_company_subscribes_in_dirhams_by_card(shop, browser, plans, sandbox, now):
    add(browser, plans["essentiel-maroc"])
    assert 'selected value="MA"' in browser.get("/commande/coordonnees").text
    assert give_details(browser, **CASABLANCA).status_code == 303
    page = text(browser.get("/commande/verification"))
    assert "199,00 MAD au total, sans TVA" in page
    assert "TVA non applicable – article 259, 1° du CGI." in page
    assert "Sans engagement : 199,00 MAD chaque mois" in page
    paid = sandbox.pay_by_card(click(browser).location)
    assert "Votre commande est confirmée" in text(follow(browser, paid))
    placed, payment = the(shop, Order), the(shop, Payment)
    assert placed.status is OrderStatus.CONFIRMED
    assert (placed.currency, placed.total_minor, placed.vat_minor) == ("MAD", 19900, 0)
    assert (placed.ice, placed.siren, placed.country) == ("001527900000012", "", "MA")
    assert (payment.currency, payment.amount_minor) == ("MAD", 19900)
    taken = sandbox.control("ledger")["stripe"]["taken"]
    assert [(one["currency"], one["amount"]) for one in taken] == [("MAD", 19900)]


def test_the_next_month_is_debited_in_dirhams_and_invoiced_without_tax(
    shop, browser, plans, sandbox, now
):
    add(browser, plans["essentiel-maroc"])
    give_details(browser, **CASABLANCA)
    follow(browser, sandbox.pay_by_card(click(browser).location))
    later = now + timedelta(days=32)
    sandbox.control("clock", now=later.isoformat())
    with shop.app_context():
        worker.run_due(now)
        worker.run_due(later)
        found = db.session.scalars(select(Invoice).order_by(Invoice.number)).all()
        assert [(one.currency, one.vat_minor, one.total_minor) for one in found] == [
            ("MAD", 0, 19900)
        ] * 2


def test_the_invoice_says_why_there_is_no_tax_on_paper_too(shop, browser, plans, sandbox, now):
    add(browser, plans["essentiel-maroc"])
    give_details(browser, **CASABLANCA)
    follow(browser, sandbox.pay_by_card(click(browser).location))
    with shop.app_context():
        worker.run_due(now)
        invoice = db.session.scalars(select(Invoice)).one()
        assert invoices.mentions_of(invoice)["third_country"] == (
            "TVA non applicable – article 259, 1° du CGI"
        )
        assert json.loads(invoice.buyer)["ice"] == "001527900000012"
        stored = documents.with_content(invoices.pdf_of(invoice).id)
    said = "\n".join(one.extract_text() for one in PdfReader(io.BytesIO(stored.content)).pages)
    said = re.sub(r"[\s\u00a0\u202f]+", " ", said)
    for words in ("199,00 MAD", "0,00 MAD", "Non applicable", "article 259, 1° du CGI", "ICE du"):
        assert words in said
    assert "Maroc" in said
    assert "19,90" not in said


def test_paypal_is_shown_as_not_offered_with_its_reason(browser, plans):
    add(browser, plans["essentiel-maroc"])
    assert "ou PayPal" not in text(browser.get("/commande/coordonnees"))
    give_details(browser, **CASABLANCA)
    page = browser.get("/commande/verification")
    assert "PayPal ne prend pas le dirham marocain" in text(page)
    assert 'value="paypal"' not in page.text
    assert 'value="stripe"' in page.text


def test_paypal_cannot_be_chosen_all_the_same(shop, browser, plans):
    add(browser, plans["essentiel-maroc"])
    give_details(browser, **CASABLANCA)
    assert click(browser, provider="paypal").status_code == 422
    with shop.app_context():
        assert db.session.scalar(select(Order)) is None


def test_an_order_in_euros_offers_both_and_refuses_none(browser, plans):
    add(browser, plans["essentiel"])
    give_details(browser, **COMPANY)
    page = browser.get("/commande/verification")
    assert 'value="paypal"' in page.text
    assert "n’est pas proposé" not in text(page)


def test_trying_again_says_why_paypal_is_missing(shop, browser, plans, sandbox):
    add(browser, plans["essentiel-maroc"])
    give_details(browser, **CASABLANCA)
    click(browser)
    placed = the(shop, Order)
    page = text(browser.get(f"/commandes/{placed.reference}?jeton={placed.token}"))
    assert "PayPal ne prend pas le dirham marocain" in page


@pytest.mark.parametrize("who", [{}, COMPANY, BRUSSELS], ids=["consumer", "french", "belgian"])
def test_others_are_shown_the_plan_in_euros(shop, browser, plans, who):
    """C. civ. 1343-3, MRE-06."""
    add(browser, plans["essentiel-maroc"])
    answer = give_details(browser, **{"country": "FR", **who})
    assert answer.status_code == 422
    assert "a un prix pour les clients d’un autre pays" in text(answer)
    assert 'href="/produits/essentiel"' in answer.text
    assert 'value="1 rue de l’Essai"' in answer.text
    with shop.app_context():
        assert db.session.scalar(select(Order)) is None


def test_details_given_for_another_cart_do_not_let_it_through(browser, plans):
    add(browser, plans["essentiel"])
    assert give_details(browser, **COMPANY).status_code == 303
    browser.post("/panier/modifier", data={"variante": plans["essentiel"], "retirer": "1"})
    add(browser, plans["essentiel-maroc"])
    for answer in (
        browser.get("/commande/verification"),
        browser.post("/commande/payer", data={"terms": "oui", "provider": "stripe"}),
    ):
        assert answer.status_code == 422
        assert "pour les professionnels établis au Maroc" in text(answer)
        assert 'href="/produits/essentiel"' in answer.text


def test_a_consumer_of_morocco_is_told_that_it_is_for_professionals(browser, plans):
    add(browser, plans["essentiel-maroc"])
    answer = give_details(browser, country="MA", postcode="20000")
    assert answer.status_code == 422
    assert "est réservé aux professionnels" in text(answer)


def test_dirhams_are_for_professionals_even_where_the_product_does_not_say_so(shop, browser):
    with shop.app_context(), transaction():
        sold = factories.product(ProductKind.TEMPLATE, currency="MAD").id
    add(browser, sold)
    assert "est réservé aux professionnels" in text(
        give_details(browser, country="MA", postcode="20000")
    )
    assert "d’un autre pays" in text(give_details(browser, **COMPANY))


def test_a_plan_that_is_not_on_sale_any_more_is_not_pointed_to(shop, browser, plans):
    with shop.app_context(), transaction():
        db.session.scalars(select(Product).where(Product.slug == "essentiel")).one().on_sale = False
    add(browser, plans["essentiel-maroc"])
    assert 'href="/produits/essentiel"' not in give_details(browser, **COMPANY).text


def test_the_free_plan_is_for_moroccan_companies_too(shop, browser, plans, sandbox):
    add(browser, plans["libre"])
    give_details(browser, **CASABLANCA)
    assert click(browser, provider=None).status_code == 303
    assert the(shop, Order).status is OrderStatus.CONFIRMED
    assert the(shop, OrderLine).vat_exemption == "third_country"


def test_a_moroccan_company_buys_in_euros_without_tax(browser, plans):
    add(browser, plans["essentiel"])
    give_details(browser, **CASABLANCA)
    page = text(browser.get("/commande/verification"))
    assert "19,00 € au total, sans TVA" in page


def test_signing_in_mixes_no_currencies(shop, browser, plans, now):
    """The visitor's cart comes first; what was kept in the other currency is not lost."""
    with shop.app_context(), transaction():
        user = identity.find_or_create_customer("a@exemple.fr", "A", "06 39 98 00 01", now=now)
        kept = service.new_cart(user_id=user.id, now=now)
        db.session.flush()
        service.add(kept, plans["essentiel"], "1", now=now)
        visitor = service.new_cart(user_id=None, now=now)
        db.session.flush()
        service.add(visitor, plans["essentiel-maroc"], "1", now=now)
        mine = service.adopt(user.id, visitor.id, now=now + timedelta(minutes=1))
        db.session.flush()
        assert mine.id == visitor.id
        assert carts.contents(mine.id, now).currency == "MAD"
        assert carts.contents(kept.id, now).count == 1
        assert carts.cart_of_user(user.id).id == visitor.id


def test_plans_stand_side_by_side_in_either_currency(browser, plans):
    euros, dirhams = (text(browser.get(f"/offres{query}")) for query in ("", "?devise=mad"))
    assert "19,00 € par mois" in euros
    assert "soit 22,80 € TTC" in euros
    assert "MAD par mois" not in euros
    assert "199,00 MAD par mois" in dirhams
    assert "499,00 MAD par mois" in dirhams
    assert "19,00 €" not in dirhams
    for page in (euros, dirhams):
        assert "Aucune carte bancaire demandée" in page
        assert "Sans engagement" in page
        assert "France et Union européenne (€)" in page
        assert "Maroc (MAD)" in page


def test_plans_are_compared_feature_by_feature(browser, plans):
    page = text(browser.get("/offres?devise=MAD"))
    assert "Photographies 3 12 Sans limite" in page
    assert "Personnes invitées dans l’équipe – Non – Non 2" in page
    assert "La messagerie Oui Oui Oui" in page


@pytest.mark.parametrize("query", ["?devise=USD", "?devise=", "?devise=MAD&devise=X"])
def test_an_unknown_currency_shows_a_page_all_the_same(browser, plans, query):
    assert browser.get(f"/offres{query}").status_code == 200


def test_prices_and_pages_in_dirhams_say_for_whom(browser, plans):
    page = text(browser.get("/produits/essentiel-maroc"))
    assert "199,00 MAD par mois" in page
    assert "établis dans ce pays : Maroc. La TVA française ne s’applique pas" in page
    assert "199,00 MAD par mois Sans TVA" in text(browser.get("/tarifs"))
    assert "19,00 €" in text(browser.get("/"))
    add(browser, plans["essentiel-maroc"])
    assert "199,00 MAD" in text(browser.get("/panier"))
    assert "238,80" not in text(browser.get("/panier"))


def test_a_product_for_some_countries_is_sold_in_no_other_whatever_its_currency(shop, browser):
    with shop.app_context(), transaction():
        made = plan("belge", "Belge", 1900, features={**PLAN, "countries": ["BE"]}).id
    add(browser, made)
    assert "d’un autre pays" in text(give_details(browser, **COMPANY))
    assert give_details(browser, **BRUSSELS).status_code == 303
