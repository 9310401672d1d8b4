"""What people do in several journeys, in a few words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import EmailMessage

from tests.journeys.live_shop import STAFF_PASSWORD
from tests.journeys.visitor import Visitor

ORDER = "Commander avec obligation de paiement"
FINE_CARD = "4242 4242 4242 4242"
CHALLENGED_CARD = "4000 0025 0000 3155"
REFUSED_CARD = "4000 0000 0000 0002"
PASSWORD = "le-rabot-et-la-varlope"


@dataclass(frozen=True)
class Customer:
    """Somebody who buys for herself or her company: in Angers, or in Fès with an ICE."""

    name: str
    email: str
    company: str = ""
    ice: str = ""


def put_in_cart(visitor: Visitor, slug: str) -> None:
    """From a product's page into the cart, and on to the checkout."""
    visitor.open(f"/produits/{slug}")
    visitor.press("Ajouter au panier")
    visitor.follow("Passer à la commande")


def say_who(visitor: Visitor, customer: Customer) -> None:
    """Fill the first step of the checkout, as a consumer unless there is a company."""
    visitor.choose("buyer_kind", "professional" if customer.company else "consumer")
    visitor.fill(name=customer.name, email=customer.email)
    if customer.ice:
        visitor.fill(country="MA", company=customer.company, ice=customer.ice)
        visitor.fill(phone="+212 5 35 98 12 40", street="18 rue des Tanneurs")
        visitor.fill(postcode="30000", city="Fès")
    else:
        if customer.company:
            visitor.fill(company=customer.company, siren="123 456 782")
        visitor.fill(phone="06 39 98 12 40", street="18 rue du Vieux-Lavoir")
        visitor.fill(postcode="49000", city="Angers")
    visitor.press("Continuer vers la vérification")


def fill_card(visitor: Visitor, number: str) -> None:
    """Type a card into the hosted page, without sending it."""
    visitor.fill(number=number, expiry="12/34", cvc="123", name="Camille Exemple")


def pay_by_card(visitor: Visitor, number: str) -> None:
    """Pay on the hosted page."""
    fill_card(visitor, number)
    visitor.press(re.compile("^Payer"))


def keep_card(visitor: Visitor, number: str) -> None:
    """Let the hosted page keep a card while nothing is taken."""
    fill_card(visitor, number)
    visitor.press(re.compile("^Enregistrer"))


def pay_by_paypal(visitor: Visitor, source: str = "account") -> None:
    """Approve on PayPal's page."""
    visitor.choose("source", source)
    visitor.press(re.compile("^Payer"))


def enter(visitor: Visitor, email: str, password: str) -> None:
    """Sign in with address and password."""
    visitor.open("/connexion")
    visitor.fill(email=email, password=password)
    visitor.press("Se connecter")


def choose_password(visitor: Visitor, customer: Customer) -> None:
    """By the link of an e-mail, into the account that the purchase made."""
    visitor.open("/mot-de-passe")
    visitor.fill(email=customer.email)
    visitor.press("Recevoir le lien")
    letter = visitor.shop.letter(customer.email, "mot de passe")
    visitor.open(link_in(letter, "/mot-de-passe/"))
    visitor.fill(password=PASSWORD, again=PASSWORD)
    visitor.press("Enregistrer et entrer")


def enter_as_staff(visitor: Visitor, email: str) -> None:
    """Sign in with password and second factor."""
    enter(visitor, email, STAFF_PASSWORD)
    visitor.fill(code=visitor.shop.code(email))
    visitor.press("Entrer")


def text_of(letter: EmailMessage) -> str:
    """The plain text of an e-mail."""
    body = letter.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def link_in(letter: EmailMessage, part: str) -> str:
    """The first address in an e-mail that contains `part`."""
    found = re.search(rf"https?://\S*{re.escape(part)}\S*", text_of(letter))
    assert found, f"no link to {part} in:\n{text_of(letter)}"
    return found[0]


def attachments(letter: EmailMessage) -> dict[str, bytes]:
    """The files of an e-mail by name."""
    return {str(part.get_filename()): part.get_content() for part in letter.iter_attachments()}


def reference_on(visitor: Visitor) -> str:
    """The reference of the order whose page is open."""
    return visitor.path().rpartition("/")[2]
