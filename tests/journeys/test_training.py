"""A training customer: from home to the course; a person pays later than a company does."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import pytest
from pypdf import PdfReader

from tests.journeys import acts
from tests.journeys.acts import Customer
from tests.journeys.live_shop import LiveShop, Serving
from tests.journeys.visitor import Visitor, plain

pytestmark = pytest.mark.browser

HELENE = Customer("Hélène Castaing", "helene@exemple.example")
YANN = Customer("Yann Le Guellec", "yann@exemple.example", "Le Guellec Réceptions")


@pytest.fixture(scope="module")
def shop(serving: Serving) -> Iterator[LiveShop]:
    """A shop of these journeys' own, since they move its clock."""
    with serving() as shop:
        yield shop


def test_a_person_buys_a_course_and_each_part_is_taken_on_its_day(
    visit: Callable[..., Visitor], shop: LiveShop
) -> None:
    buyer = visit()
    buyer.open("/")
    buyer.picture("home")
    buyer.follow("Catalogue")
    buyer.picture("catalogue")
    buyer.follow("Organiser un mariage, en ligne")
    buyer.sees("720,00 €", "2 fois, rien à la commande")
    buyer.picture("product")
    buyer.press("Ajouter au panier")
    buyer.follow("Passer à la commande")
    buyer.picture("checkout-details")
    acts.say_who(buyer, HELENE)

    buyer.choose("provider", "stripe")
    buyer.tick("terms", "particular_0", "particular_1", "early_start")
    buyer.sees("rien aujourd’hui", "9 décembre 2026", "9 janvier 2027")
    buyer.picture("checkout-verification")
    buyer.press(acts.ORDER)
    acts.keep_card(buyer, acts.CHALLENGED_CARD)
    buyer.press("Autoriser")
    buyer.sees("Votre commande est confirmée", "9 janvier 2027")
    reference = acts.reference_on(buyer)
    assert shop.taken("stripe", reference) == []

    letter = shop.letter(HELENE.email, f"{reference} est confirmée")
    files = [text_of_pdf(file) for file in acts.attachments(letter).values()]
    invoice, terms, particular, contract = files
    assert HELENE.name in invoice
    assert "720,00" in invoice
    assert "Conditions générales de vente" in terms
    assert "formation" in particular
    assert "Contrat de formation" in contract
    buyer.page.reload()
    buyer.look()
    buyer.picture("order")
    assert buyer.download("facture").startswith(b"%PDF")

    buyer.open(acts.link_in(letter, "/mot-de-passe"))
    acts.choose_password(buyer, HELENE)
    buyer.picture("account")
    buyer.open("/compte/telechargements")
    buyer.follow("Suivre la formation")
    assert buyer.path().startswith("/cours/")

    said = shop.advance_to("2026-12-09T12:00")
    assert "1 payments taken, 216,00" in plain(said)
    buyer.open("/compte/echeances")
    buyer.sees("Déjà réglées", "Payée")
    assert shop.taken("stripe", reference) == [21600]
    announcement = acts.text_of(shop.letter(HELENE.email, "Votre prochain prélèvement"))
    assert "9 décembre 2026" in plain(announcement)
    receipt = acts.text_of(shop.letter(HELENE.email, "Votre paiement est reçu"))
    assert "échéance 1 sur 2" in plain(receipt)
    shop.advance_to("2027-01-09T12:00")
    assert shop.taken("stripe", reference) == [21600, 50400]


def test_the_whole_road_needs_no_script(visit: Callable[..., Visitor], shop: LiveShop) -> None:
    """A company pays from the order on, in four months."""
    buyer = visit(java_script_enabled=False)
    buyer.open("/")
    buyer.follow("Formations")
    buyer.follow("Décor de réception, en ligne")
    buyer.press("Ajouter au panier")
    buyer.follow("Passer à la commande")
    acts.say_who(buyer, YANN)
    buyer.choose("instalments", "4")
    buyer.choose("provider", "stripe")
    buyer.tick("terms", "particular_0")
    buyer.press(acts.ORDER)
    acts.pay_by_card(buyer, acts.CHALLENGED_CARD)
    buyer.press("Autoriser")
    buyer.sees("Votre commande est confirmée")
    assert shop.taken("stripe", acts.reference_on(buyer)) == [16000]

    shop.letter(YANN.email, "est confirmée")
    acts.choose_password(buyer, YANN)
    buyer.follow("Téléchargements")
    buyer.follow("Suivre la formation")
    assert buyer.path().startswith("/cours/")


def text_of_pdf(content: bytes) -> str:
    """The words of a PDF."""
    return plain("\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages))
