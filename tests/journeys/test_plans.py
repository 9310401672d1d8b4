"""Who wants to pay in four months: what each buyer is offered for each thing, and told."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.journeys import acts
from tests.journeys.acts import Customer
from tests.journeys.visitor import Visitor

pytestmark = pytest.mark.browser

PERSON = Customer("Nour Delmas", "nour@exemple.example")
COMPANY = Customer("Nour Delmas", "nour@delmas.example", "Delmas Événements")
MOST = "ne se règle pas en autant de fois"
CREDIT = "la loi y voit un crédit à la consommation"
TRAINING = "la loi interdit de demander à un particulier le prix d’une formation"


THINGS = (
    ("toolbox", "boite-a-outils-organisation", ("En 2 fois", MOST), 2),
    ("e-learning", "organiser-un-mariage-en-ligne", ("En 2 fois", TRAINING, CREDIT), 4),
    ("classroom", "organiser-un-mariage-en-atelier", ("En 2 fois", TRAINING, CREDIT), 4),
)
SECTION = "section[aria-labelledby=comment]"


def test_a_person_is_offered_the_lawful_plans_and_told_why_no_other(
    visit: Callable[..., Visitor],
) -> None:
    for what, slug, told, _ in THINGS:
        buyer = visit()
        to_the_plans(buyer, slug, PERSON)
        assert buyer.page.locator("[name=instalments][value='4']").count() == 0
        buyer.sees(*told)
        buyer.picture(f"plans-person-{what}", SECTION)


def test_a_company_has_as_many_payments_as_the_terms_allow(visit: Callable[..., Visitor]) -> None:
    for what, slug, _, most in THINGS:
        buyer = visit()
        to_the_plans(buyer, slug, COMPANY)
        assert buyer.page.locator("[name=instalments]").count() == most
        buyer.picture(f"plans-company-{what}", SECTION)


def to_the_plans(buyer: Visitor, slug: str, customer: Customer) -> None:
    """Up to the page that says how the order can be paid."""
    buyer.open(f"/produits/{slug}")
    sessions = buyer.page.locator("[name=variante][type=radio]")
    if sessions.count():
        buyer.choose("variante", sessions.last.get_attribute("value") or "")
    buyer.press("Ajouter au panier")
    buyer.follow("Passer à la commande")
    acts.say_who(buyer, customer)
