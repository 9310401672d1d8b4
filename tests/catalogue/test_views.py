"""Pages of the catalogue, as a visitor sees them."""

from datetime import timedelta

import pytest

from storefront.catalogue import service
from storefront.catalogue.models import BundleItem, CourseSession, Product, Variant
from storefront.catalogue.rules import PriceBasis, ProductKind
from storefront.infra import heartbeat
from storefront.infra.db import db, transaction
from tests import factories
from tests.checkout.shopping import counted, text

MOST_QUERIES = 4


@pytest.fixture
def shelves(shop, now):
    """One product of every kind, two sessions for the classroom."""
    with shop.app_context(), transaction():
        made = {
            kind: factories.product(
                kind, slug=kind.value.replace("_", "-"), name=f"Un {kind.value} fleuri"
            )
            for kind in ProductKind
        }
        for variant in made.values():
            variant.product.characteristics = [["Durée", "deux jours"]]
            variant.product.included = ["le classeur"]
            variant.product.validity = "Douze mois"
        classroom = made[ProductKind.CLASSROOM_TRAINING]
        classroom.capacity = classroom.available = 2
        db.session.add(
            CourseSession(
                variant_id=classroom.id,
                starts_at=now + timedelta(days=30),
                ends_at=now + timedelta(days=31),
                place="Atelier, Angers",
            )
        )
        plan = made[ProductKind.PLAN].product
        plan.price_basis, plan.price_minor = PriceBasis.NET, 1900
        plan.features = {"professionals_only": True, "commitment_months": 0}
        pack = made[ProductKind.HOUR_PACK].product
        pack.features = {"minutes": 180, "slice_minutes": 60}
        pack.tax_credit_note = True
        bundle, course = made[ProductKind.BUNDLE], made[ProductKind.E_LEARNING]
        db.session.add(BundleItem(bundle_id=bundle.product_id, item_id=course.product_id))
        return {kind: variant.id for kind, variant in made.items()}


def change(shop, variant_id, **fields):
    with shop.app_context(), transaction() as session:
        variant = session.get_one(Variant, variant_id)
        for name, value in fields.items():
            setattr(variant if hasattr(Variant, name) else variant.product, name, value)


@pytest.mark.parametrize(
    "path",
    ["/", "/catalogue", "/tarifs", "/offres", "/recherche?q=fleurs", "/recherche", "/sitemap.xml"],
)
def test_lists_need_at_most_four_queries_and_no_session(shop, browser, shelves, path):
    browser.get(path)
    with counted(shop) as statements:
        page = browser.get(path)
    assert page.status_code == 200
    assert len(statements) <= MOST_QUERIES
    assert "Set-Cookie" not in page.headers


@pytest.mark.parametrize("kind", list(ProductKind))
def test_a_product_page_needs_at_most_four_queries_and_no_session(shop, browser, shelves, kind):
    path = f"/produits/{kind.value.replace('_', '-')}"
    with counted(shop) as statements:
        page = browser.get(path)
    assert page.status_code == 200
    assert len(statements) <= MOST_QUERIES
    assert "Set-Cookie" not in page.headers
    assert "deux jours" in page.text
    assert "le classeur" in page.text


def test_queries_do_not_grow_with_the_catalogue(shop, browser, shelves):
    browser.get("/catalogue")
    with counted(shop) as few:
        browser.get("/catalogue")
    with shop.app_context(), transaction():
        for _ in range(12):
            factories.product(ProductKind.PAPER_GUIDE, capacity=3)
    with counted(shop) as many:
        browser.get("/catalogue")
    assert len(many) == len(few)


def test_a_taxed_price_is_shown_with_and_without_tax(browser, shelves):
    page = text(browser.get("/produits/hour-pack"))
    assert "159,00 €" in page
    assert "132,50 € hors taxes (TVA 20 %)" in page


def test_a_price_for_professionals_is_shown_before_tax(browser, shelves):
    page = text(browser.get("/produits/plan"))
    assert "19,00 € par mois hors taxes" in page
    assert "22,80 € toutes taxes comprises" in page
    assert "Réservé aux professionnels" in page
    assert "Sans engagement" in page


def test_an_exempt_training_says_why(browser, shelves):
    assert "Exonération de TVA" in text(browser.get("/produits/e-learning"))


def test_hours_say_their_slice_their_place_and_that_there_is_no_tax_credit(browser, shelves):
    page = text(browser.get("/produits/hour-pack"))
    assert "tranche commencée de 1 h" in page
    assert "situé en France" in page
    assert "N’ouvre pas droit au crédit d’impôt" in page


def test_the_instalments_are_shown_with_amounts_and_dates(browser, shelves):
    page = text(browser.get("/produits/e-learning"))
    assert "2 fois, rien à la commande" in page
    assert "mercredi 9 décembre 2026 47,70 €" in page
    assert "samedi 9 janvier 2027 111,30 €" in page
    assert "En une fois , non proposé : la loi interdit" in page
    assert "En 3 ou 4 fois , non proposé : le dernier paiement tomberait" in page


def test_goods_are_not_offered_in_instalments_that_would_be_a_credit(shop, browser, shelves):
    change(shop, shelves[ProductKind.PAPER_GUIDE], instalments_max=2)
    page = text(browser.get("/produits/paper-guide"))
    assert "2 fois" in page
    assert "3 fois" not in page


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("paper-guide", "14 jours après la réception"),
        ("template", "Ce droit prend fin si vous demandez l’accès immédiat"),
        ("e-learning", "seule la part suivie est due"),
        ("hour-pack", "seul ce qui a été fourni est dû"),
        ("plan", "tant qu’aucune fonction payante n’a servi"),
    ],
)
def test_the_right_of_withdrawal_of_this_product_is_said_in_one_sentence(
    browser, shelves, kind, sentence
):
    assert sentence in text(browser.get(f"/produits/{kind}"))


def test_seats_left_are_shown_session_by_session(shop, browser, shelves):
    seat = shelves[ProductKind.CLASSROOM_TRAINING]
    assert "2 places libres" in text(browser.get("/produits/classroom-training")).lower()
    change(shop, seat, available=1)
    assert "une seule place libre" in text(browser.get("/produits/classroom-training")).lower()
    change(shop, seat, available=0)
    full = text(browser.get("/produits/classroom-training"))
    assert "Toutes les sessions sont complètes" in full
    assert "Ajouter au panier" not in full


def test_a_session_that_has_begun_is_not_sold_any_more(shop, browser, shelves, now):
    with shop.app_context(), transaction() as session:
        begun = session.get_one(CourseSession, shelves[ProductKind.CLASSROOM_TRAINING])
        begun.starts_at, begun.ends_at = now - timedelta(hours=1), now + timedelta(hours=5)
    page = text(browser.get("/produits/classroom-training"))
    assert "n’est plus en vente" in page


def test_a_product_withdrawn_from_sale_keeps_its_page_and_leaves_the_lists(shop, browser, shelves):
    with shop.app_context(), transaction() as session:
        session.get_one(Variant, shelves[ProductKind.TEMPLATE]).product.on_sale = False
    page = browser.get("/produits/template")
    assert page.status_code == 200
    assert "n’est plus en vente" in text(page)
    for path in ("/catalogue", "/tarifs", "/recherche?q=template", "/sitemap.xml"):
        assert "/produits/template" not in browser.get(path).text


def test_what_never_was_does_not_exist(browser, shelves):
    for path in ("/produits/rien", "/catalogue/rien"):
        page = browser.get(path)
        assert page.status_code == 404
        assert "n’existe pas" in text(page)


def test_a_search_folds_accents_and_endings(browser, shelves):
    assert "Un paper_guide fleuri" in browser.get("/recherche?q=FLEURÏS").text
    nothing = text(browser.get("/recherche?q=plomberie"))
    assert "Rien ne répond à « plomberie »" in nothing


@pytest.mark.parametrize("typed", ["%", "_", "'; DROP TABLE products", "é" * 500, "<b>"])
def test_whatever_is_typed_in_the_search_is_only_a_text(browser, shelves, typed):
    page = browser.get("/recherche", query_string={"q": typed})
    assert page.status_code == 200
    assert "<b>" not in page.text


def test_plans_stand_side_by_side_with_what_they_include(browser, shelves):
    page = text(browser.get("/offres"))
    assert "19,00 € par mois" in page
    assert "le classeur" in page
    assert "Sans engagement" in page


def test_a_free_plan_asks_for_no_card(shop, browser, shelves):
    with shop.app_context(), transaction() as session:
        session.get_one(Variant, shelves[ProductKind.PLAN]).product.price_minor = 0
    assert "Aucune carte bancaire demandée" in text(browser.get("/offres"))
    assert "Aucune carte bancaire n’est demandée" in text(browser.get("/produits/plan"))


def test_all_prices_stand_on_one_page(browser, shelves):
    page = text(browser.get("/tarifs"))
    for kind in ProductKind:
        assert f"Un {kind.value} fleuri" in page
    assert "toute tranche commencée de 1 h est due en entier" in page


def test_an_empty_shop_still_has_its_pages(shop, browser):
    for path in ("/", "/catalogue", "/tarifs", "/offres"):
        assert browser.get(path).status_code == 200


def test_robots_are_told_what_to_leave_alone(browser):
    page = browser.get("/robots.txt")
    assert page.mimetype == "text/plain"
    assert "Disallow: /panier" in page.text


def test_the_shop_is_well_while_its_worker_goes_round(shop, browser, now):
    assert browser.get("/sante").status_code == 503
    with shop.app_context():
        heartbeat.beat(heartbeat.WORKER, now)
    well = browser.get("/sante")
    assert (well.status_code, well.json["database"]) == (200, "ok")
    shop.extensions["clock"].move_to(now + timedelta(minutes=10))
    silent = browser.get("/sante")
    assert (silent.status_code, silent.json["status"]) == (503, "worker silent")


def test_work_that_waits_too_long_is_no_good_sign(shop, browser, now):
    with shop.app_context(), transaction():
        guide = factories.product(ProductKind.PAPER_GUIDE, capacity=2)
        service.hold(guide.product_id, {guide.id: 1}, until=now, now=now)
    later = now + timedelta(hours=2)
    shop.extensions["clock"].move_to(later)
    with shop.app_context():
        heartbeat.beat(heartbeat.WORKER, later)
    late = browser.get("/sante")
    assert (late.status_code, late.json["status"]) == (503, "late")
    assert late.json["oldest_undone_work"] == now.isoformat()


def test_a_bundle_names_what_it_holds(browser, shelves):
    assert "/produits/e-learning" in browser.get("/produits/bundle").text


def test_every_product_can_be_reached_from_the_sitemap(shop, browser, shelves):
    page = browser.get("/sitemap.xml").text
    with shop.app_context():
        slugs = db.session.scalars(db.select(Product.slug)).all()
    assert all(f"/produits/{slug}</loc>" in page for slug in slugs)
