"""The order click: what it needs, what it writes, and that it writes it once (R-03, O-01, C-05)."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from storefront.cart.models import Cart
from storefront.catalogue.models import BundleItem, CourseSession, Hold, HoldStatus, Variant
from storefront.catalogue.rules import ProductKind
from storefront.identity.models import User
from storefront.infra.db import db, transaction
from storefront.instalments.models import Instalment
from storefront.legal import service as legal
from storefront.legal.models import Acceptance
from storefront.orders.models import Order, OrderLine, OrderStatus
from storefront.payments.models import Payment
from tests import factories
from tests.checkout.shopping import (
    COMPANY,
    YES,
    add,
    click,
    counted,
    give_details,
    order,
    seen,
    text,
)


@pytest.fixture
def sell(shop):
    def make(kind=ProductKind.PAPER_GUIDE, **fields):
        with shop.app_context(), transaction():
            return factories.product(kind, **fields).id

    return make


@pytest.fixture
def ready(shop, browser, sell):
    """A cart with this product, its buyer's details given."""

    def make(kind=ProductKind.PAPER_GUIDE, details=None, quantity="1", **fields):
        made = sell(kind, **fields)
        add(browser, made, quantity)
        assert give_details(browser, **(details or {})).status_code == 303
        return made

    return make


def rows(shop, model):
    with shop.app_context():
        return list(db.session.scalars(select(model)))


def nothing_was_ordered(shop):
    return not any(rows(shop, model) for model in (Order, Acceptance, Hold, Payment, Instalment))


def test_the_click_sends_the_buyer_to_the_providers_page(shop, browser, sell, sandbox):
    answer = order(browser, sell())
    assert answer.status_code == 303
    assert answer.location.startswith(sandbox.base_url)


@pytest.mark.parametrize("posted", [None, "", "false", "0", "off", "no", "true", "on", "1", "y"])
def test_only_a_tick_accepts_the_terms(shop, browser, ready, posted):
    ready()
    answer = click(browser, terms=posted)
    assert answer.status_code == 422
    assert "lisez et acceptez les conditions générales" in text(answer)
    assert nothing_was_ordered(shop)


def test_no_box_is_ticked_in_advance(browser, ready):
    ready(ProductKind.E_LEARNING, particular_terms="conditions-formation")
    page = browser.get("/commande/verification").text
    boxes = re.findall(r'<input[^>]*type="checkbox"[^>]*>', page)
    assert len(boxes) == 4
    assert not any("checked" in box for box in boxes)
    means = re.findall(r'<input[^>]*name="provider"[^>]*>', page)
    assert means
    assert len(means) == 1 or not any("checked" in one for one in means)


def test_the_button_bears_the_words_of_the_law(browser, ready):
    ready()
    page = browser.get("/commande/verification").text
    buttons = re.findall(r"<button[^>]*>(.*?)</button>", page)
    assert buttons == ["Commander avec obligation de paiement"]


def test_every_acceptance_is_recorded_with_its_sentence_and_proof(shop, browser, ready, sandbox):
    ready(ProductKind.E_LEARNING, particular_terms="conditions-formation")
    click(browser, particular_0=YES, early_start=YES, instalments="2")
    kept = {row.kind.value: row for row in rows(shop, Acceptance)}
    assert set(kept) == {"terms", "particular_terms", "early_start"}
    assert kept["terms"].sentence.startswith("J’ai lu et j’accepte les conditions générales")
    assert "conditions particulières des formations" in kept["particular_terms"].sentence
    assert kept["early_start"].sentence.startswith("Je demande que la prestation commence")
    for row in kept.values():
        assert re.fullmatch(r"[0-9a-f]{64}", row.pdf_sha256)
        assert row.ip == "127.0.0.1"
        assert row.user_agent.startswith("Werkzeug")


def test_particular_terms_need_their_own_box(shop, browser, ready):
    ready(ProductKind.E_LEARNING, particular_terms="conditions-formation")
    answer = click(browser, particular_0="false")
    assert answer.status_code == 422
    assert "Conditions particulières des formations" in text(answer)
    assert nothing_was_ordered(shop)


def test_early_start_and_waiver_are_a_choice_and_their_absence_is_kept(
    shop, browser, ready, sandbox
):
    ready(ProductKind.DIGITAL_PRODUCT)
    assert "Facultatif" in text(browser.get("/commande/verification"))
    assert click(browser).status_code == 303
    assert [row.kind.value for row in rows(shop, Acceptance)] == ["terms"]


def test_goods_ask_for_no_waiver(browser, ready):
    ready(ProductKind.PAPER_GUIDE)
    page = browser.get("/commande/verification").text
    assert "digital_waiver" not in page
    assert "early_start" not in page


def test_professionals_have_no_period_to_cut_short(browser, ready):
    ready(ProductKind.HOUR_PACK, details=COMPANY)
    page = browser.get("/commande/verification")
    assert "early_start" not in page.text
    assert "il n’y a pas de délai de rétractation" in text(page)


def test_a_session_within_the_period_needs_the_request_to_start(shop, browser, sell, now, sandbox):
    seat = sell(ProductKind.CLASSROOM_TRAINING, capacity=2)
    with shop.app_context(), transaction() as session:
        session.add(
            CourseSession(
                variant_id=seat,
                starts_at=now + timedelta(days=6),
                ends_at=now + timedelta(days=7),
                place="Atelier",
            )
        )
    add(browser, seat)
    give_details(browser)
    refused = click(browser)
    assert refused.status_code == 422
    assert "avant la fin de votre délai de rétractation" in text(refused)
    assert nothing_was_ordered(shop)
    assert click(browser, early_start=YES, instalments="2").status_code == 303


@pytest.mark.parametrize("total", ["1", "0", "-1", "", "abc", "999999999999999999999", "39,00"])
def test_a_tampered_total_orders_nothing_and_shows_the_true_one(shop, browser, ready, total):
    ready(price=3900)
    answer = click(browser, total=total)
    assert answer.status_code == 409
    assert "Le total n’est plus celui que vous avez vu" in text(answer)
    assert 'name="total" value="4395"' in answer.text
    assert nothing_was_ordered(shop)


def test_fields_that_nobody_asked_for_change_nothing(shop, browser, ready, sandbox):
    ready(price=3900)
    click(browser, price="1", unit_price_minor="1", quantity="99", shipping_minor="0", user_id="1")
    (placed,) = rows(shop, Order)
    assert placed.total_minor == 3900 + placed.shipping_minor
    assert placed.shipping_minor == 495


@pytest.mark.parametrize("count", ["0", "3", "12", "-1", "deux", "2.0", ""])
def test_a_number_of_instalments_that_is_not_offered_is_refused(shop, browser, ready, count):
    ready(ProductKind.PAPER_GUIDE, instalments_max=2)
    answer = click(browser, instalments=count)
    assert answer.status_code == 422
    assert nothing_was_ordered(shop)


@pytest.mark.parametrize("provider", [None, "", "on_request", "bitcoin", "none"])
def test_a_means_of_payment_that_is_not_offered_is_refused(shop, browser, ready, provider):
    ready()
    answer = click(browser, provider=provider)
    assert answer.status_code == 422
    assert nothing_was_ordered(shop)


def test_a_price_that_changed_meanwhile_is_shown_again_before_ordering(shop, browser, ready):
    made = ready(price=3900)
    before = seen(browser)
    with shop.app_context(), transaction() as session:
        session.get_one(Variant, made).product.price_minor = 4900
    answer = click(browser, **before, provider="paypal")
    assert answer.status_code == 409
    assert "Le total n’est plus celui que vous avez vu" in text(answer)
    assert "checked" in re.findall(r'<input[^>]*value="paypal"[^>]*>', answer.text)[0]
    assert "53,95 €" in text(answer)
    assert nothing_was_ordered(shop)


def box(page, name):
    """The tag of a box, as the page shows it."""
    return re.findall(rf'<input[^>]*id="{name}"[^>]*>', page.text)[0]


def test_terms_published_meanwhile_must_be_accepted_anew(shop, browser, ready, now, sandbox):
    """Only the box of the text that is new is empty; whatever else was chosen is kept."""
    ready(ProductKind.E_LEARNING, particular_terms="conditions-formation")
    before = seen(browser)
    ticked = {"particular_0": YES, "early_start": YES, "instalments": "2"}
    with shop.app_context(), transaction():
        factories.terms(now, hour_slice_minutes=30)
    answer = click(browser, **ticked, **before)
    assert answer.status_code == 409
    assert "Conditions générales de vente, version 2, publiée le" in text(answer)
    assert "Conditions particulières des formations, version" not in text(answer)
    assert 'href="/conditions-generales/2/changements"' in answer.text
    assert "checked" not in box(answer, "terms")
    assert "checked" not in box(answer, "early_start")  # its sentence is part of these terms
    assert "checked" in box(answer, "particular_0")
    assert nothing_was_ordered(shop)

    unticked = {**ticked, "terms": ""}
    assert click(browser, **unticked).status_code == 422
    assert nothing_was_ordered(shop)
    assert click(browser, **ticked).status_code == 303
    (placed,) = rows(shop, Order)
    accepted = {one.kind.value: one.version_id for one in rows(shop, Acceptance)}
    assert accepted["terms"] == placed.terms_version_id
    assert str(placed.terms_version_id) not in before["versions"]


def test_a_mistake_beside_new_terms_does_not_accept_them_unread(shop, browser, ready, now):
    """A page that comes back for another reason never carries a tick given to the old text."""
    ready()
    before = seen(browser)
    with shop.app_context(), transaction():
        factories.terms(now, hour_slice_minutes=30)
    answer = click(browser, **before, provider="")
    assert answer.status_code == 409
    assert "checked" not in box(answer, "terms")
    assert nothing_was_ordered(shop)


def test_particular_terms_published_meanwhile_are_named_alone(shop, browser, ready, now):
    ready(ProductKind.E_LEARNING, particular_terms="conditions-formation")
    before = seen(browser)
    with shop.app_context(), transaction():
        changed = (factories.TERMS / "formation-1.md").read_text() + "\nUn mot de plus.\n"
        legal.publish(changed, now=now)
    answer = click(browser, **before, particular_0=YES)
    assert answer.status_code == 409
    assert "Conditions particulières des formations, version 2" in text(answer)
    assert "checked" not in box(answer, "particular_0")
    assert "checked" in box(answer, "terms")
    assert nothing_was_ordered(shop)


def test_a_product_withdrawn_meanwhile_leads_back_to_the_cart(shop, browser, ready):
    made = ready()
    before = seen(browser)
    with shop.app_context(), transaction() as session:
        session.get_one(Variant, made).on_sale = False
    answer = browser.post("/commande/payer", data={**before, "terms": YES, "provider": "stripe"})
    assert answer.location == "/panier"
    assert "N’est plus en vente" in text(browser.get("/panier"))
    assert nothing_was_ordered(shop)


def test_the_last_one_taken_meanwhile_is_told_and_nothing_is_lost(shop, browser, ready):
    made = ready(capacity=1)
    before = seen(browser)
    with shop.app_context(), transaction() as session:
        session.get_one(Variant, made).available = 0
    browser.post("/commande/payer", data={**before, "terms": YES, "provider": "stripe"})
    assert "Épuisé" in text(browser.get("/panier"))
    assert nothing_was_ordered(shop)


def test_a_doubled_click_finds_the_first_order_and_its_page(shop, browser, ready, sandbox):
    ready(capacity=1)
    form = {**seen(browser), "instalments": "1", "provider": "stripe", "terms": YES}
    first = browser.post("/commande/payer", data=form)
    again = browser.post("/commande/payer", data=form)
    assert first.location == again.location
    assert len(rows(shop, Order)) == len(rows(shop, Payment)) == 1


def test_after_the_order_every_step_leads_to_it(shop, browser, ready, sandbox):
    ready()
    click(browser)
    (placed,) = rows(shop, Order)
    here = f"/commandes/{placed.reference}?jeton={placed.token}"
    for path in ("/commande/coordonnees", "/commande/verification"):
        assert browser.get(path).location == here
    assert browser.get("/commande/payer").location == "/commande/verification"
    assert "Votre panier est devenu une commande" in text(browser.get("/panier"))


def test_what_is_chosen_after_an_order_goes_into_a_new_cart(shop, browser, ready, sell, sandbox):
    ready()
    click(browser)
    add(browser, sell(ProductKind.TEMPLATE))
    assert browser.get("/commande/coordonnees").status_code == 200
    assert len(rows(shop, Cart)) == 2


def test_the_order_is_a_copy_that_no_later_change_reaches(shop, browser, ready, sandbox):
    made = ready(price=3900, name="Le guide", capacity=5, quantity="2")
    click(browser)
    with shop.app_context(), transaction() as session:
        product = session.get_one(Variant, made).product
        product.name, product.price_minor, product.features = "Autre", 1, {"x": 1}
        product.characteristics = [["Autre", "chose"]]
    line = next(row for row in rows(shop, OrderLine) if row.product_id)
    assert (line.name, line.gross_minor, line.quantity) == ("Le guide", 7800, 2)
    assert (line.vat_rate_bp, line.net_minor, line.vat_minor) == (550, 7393, 407)
    assert (line.characteristics, line.features) == ([], {})


def test_a_bundle_copies_the_lessons_of_what_it_holds(shop, browser, sell, sandbox):
    course = sell(ProductKind.E_LEARNING, features={"lessons": ["lecon-a.md"]})
    bundle = sell(ProductKind.BUNDLE, features={})
    with shop.app_context(), transaction() as session:
        session.add(
            BundleItem(
                bundle_id=session.get_one(Variant, bundle).product_id,
                item_id=session.get_one(Variant, course).product_id,
            )
        )
    order(browser, bundle, instalments="2")
    (line,) = rows(shop, OrderLine)
    assert line.features == {"lessons": ["lecon-a.md"]}


def test_seats_are_held_while_the_buyer_pays(shop, browser, ready, now, sandbox):
    ready(capacity=3, quantity="2")
    click(browser)
    (held,) = rows(shop, Hold)
    (placed,) = rows(shop, Order)
    assert (held.claim_id, held.quantity, held.status) == (placed.id, 2, HoldStatus.HELD)
    assert held.expires_at >= now + timedelta(minutes=30)
    assert placed.held_until == held.expires_at


def test_instalments_are_shown_then_written_as_shown(shop, browser, ready, sandbox):
    ready(ProductKind.E_LEARNING, price=10000, details=COMPANY)
    page = text(browser.get("/commande/verification"))
    assert "En 3 fois 33,34 € aujourd’hui" in page
    assert "jeudi 24 décembre 2026 33,33 €" in page
    click(browser, instalments="3")
    parts = sorted(rows(shop, Instalment), key=lambda part: part.rank)
    assert [part.amount_minor for part in parts] == [3334, 3333, 3333]
    assert [str(part.due_on) for part in parts] == ["2026-11-24", "2026-12-24", "2027-01-24"]
    (payment,) = rows(shop, Payment)
    assert (payment.amount_minor, payment.save_method) == (3334, True)


def test_overseas_buyers_of_goods_pay_before_tax_and_are_warned(shop, browser, ready, sandbox):
    ready(price=4220, details={"postcode": "97400", "city": "Saint-Denis"})
    page = text(browser.get("/commande/verification"))
    assert "octroi de mer" in page
    click(browser)
    (placed,) = rows(shop, Order)
    assert placed.vat_minor == 0
    assert {row.vat_exemption for row in rows(shop, OrderLine)} == {"export"}


def test_a_buyer_without_account_gets_one_and_is_not_signed_in(shop, browser, ready, sandbox):
    ready()
    click(browser)
    (user,) = rows(shop, User)
    assert (user.email, user.password_hash) == ("claire@exemple.fr", None)
    assert browser.get("/compte").status_code in (302, 303)


def test_ordering_with_a_known_address_opens_nothing_of_that_account(shop, browser, ready, sandbox):
    ready(details={"email": "Claire@Exemple.fr", "name": "Une Autre"})
    with shop.app_context(), transaction() as session:
        session.add(
            User(
                email="claire@exemple.fr",
                name="Claire Vraie",
                password_hash="secret",
                created_at=shop.extensions["clock"].now(),
            )
        )
    click(browser)
    (user,) = rows(shop, User)
    assert (user.name, user.password_hash) == ("Claire Vraie", "secret")
    assert browser.get("/compte").status_code in (302, 303)
    (placed,) = rows(shop, Order)
    assert (placed.user_id, placed.name) == (user.id, "Une Autre")


def test_a_free_plan_is_ordered_without_any_payment(shop, browser, ready):
    ready(ProductKind.PLAN, price=0, details=COMPANY)
    page = browser.get("/commande/verification")
    assert "provider" not in page.text
    assert "Commander sans rien payer" in page.text
    answer = click(browser, provider=None, instalments=None)
    (placed,) = rows(shop, Order)
    assert answer.location == f"/commandes/{placed.reference}?jeton={placed.token}"
    assert placed.status is OrderStatus.CONFIRMED
    assert rows(shop, Payment) == rows(shop, Instalment) == []


def test_the_summary_says_tax_commitment_and_rights_line_by_line(browser, ready):
    ready(ProductKind.SUPPORT_CONTRACT, price=2490, name="Assistance mensuelle")
    page = text(browser.get("/commande/verification"))
    assert "Engagement de 12 mois, soit 12 × 24,90 € (298,80 € en tout)" in page
    assert "4,15 € (20 %)" in page
    assert "14 jours après la commande pour vous rétracter" in page


def test_placing_an_order_takes_a_fixed_number_of_statements(shop, browser, sell, sandbox):
    def statements(articles: int) -> int:
        visitor = shop.test_client()
        for _ in range(articles):
            add(visitor, sell(ProductKind.TEMPLATE))
        give_details(visitor)
        form = {**seen(visitor), "instalments": "1", "provider": "stripe", "terms": YES}
        with counted(shop) as found:
            assert visitor.post("/commande/payer", data=form).status_code == 303
        return len(found)

    statements(1)
    assert statements(6) == statements(1) <= 45


def test_the_database_itself_refuses_a_second_order_of_one_cart(shop, browser, ready, sandbox):
    ready()
    click(browser)
    with shop.app_context():
        assert db.session.scalar(select(func.count(Order.cart_id))) == 1
        assert Order.__table__.c.cart_id.unique
