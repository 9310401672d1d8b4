"""Ordering with the keyboard alone: everything is reached, and one always sees where one is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.journeys import acts
from tests.journeys.live_shop import LiveShop
from tests.journeys.visitor import Visitor

pytestmark = pytest.mark.browser

FOCUSED = """() => {
  const at = document.activeElement;
  const box = at.getBoundingClientRect();
  // A card's link draws its outline around the card, by ::after.
  const drawn = [getComputedStyle(at), getComputedStyle(at, "::after")];
  const label = at.labels && at.labels.length ? at.labels[0].innerText : at.innerText;
  return {
    tag: at.tagName, name: at.name || "", value: at.value || "", words: (label || "").trim(),
    outlined: drawn.some(s => s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2),
    shown: box.bottom > 0 && box.top < innerHeight && box.width > 0 && box.height > 0,
  };
}"""
FURTHEST = 80


class Hands:
    """A visitor without a mouse."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.keyboard = visitor.page.keyboard

    def reach(self, words: str = "", *, name: str = "", value: str = "") -> None:
        """Tab until the control of that name, or with these words, has the focus."""
        for _ in range(FURTHEST):
            self.keyboard.press("Tab")
            at = self.visitor.page.evaluate(FOCUSED)
            if at["tag"] == "BODY":
                continue  # the end of the page; next comes its beginning
            assert at["outlined"], f"nobody sees the focus on {at}"
            assert at["shown"], f"the focus is out of sight on {at}"
            if (name and at["name"] == name) or (words and words in at["words"]):
                break
        else:
            raise AssertionError(f"{words or name} is not reached by Tab")
        while value and self.visitor.page.evaluate(FOCUSED)["value"] != value:
            self.keyboard.press("ArrowDown")

    def go(self, words: str) -> None:
        """Reach a link or a button and use it."""
        self.reach(words)
        with self.visitor.page.expect_navigation():
            self.keyboard.press("Enter")
        self.visitor.look()

    def tick(self, name: str, value: str = "") -> None:
        """Reach a box or a radio button and choose it."""
        self.reach(name=name, value=value)
        self.keyboard.press("Space")

    def type(self, name: str, text: str) -> None:
        """Reach a field and type."""
        self.reach(name=name)
        self.keyboard.type(text)


def test_a_seat_is_ordered_without_a_mouse(visit: Callable[..., Visitor], shop: LiveShop) -> None:
    visitor = visit()
    visitor.open("/catalogue/formations")
    hands = Hands(visitor)
    hands.reach("Aller au contenu")
    hands.keyboard.press("Enter")
    assert visitor.page.evaluate("document.activeElement.id") == "contenu"
    hands.go("Art floral d’événement, en atelier")
    hands.tick("variante")
    hands.go("Ajouter au panier")
    hands.go("Passer à la commande")

    hands.tick("buyer_kind", "consumer")
    hands.type("name", "Maud Perrin")
    hands.type("email", "maud@exemple.example")
    hands.type("phone", "06 39 98 12 41")
    hands.type("street", "3 place du Ralliement")
    hands.type("postcode", "49000")
    hands.type("city", "Angers")
    hands.go("Continuer vers la vérification")

    hands.tick("provider", "stripe")
    hands.tick("terms")
    hands.tick("particular_0")
    hands.tick("particular_1")
    hands.go(acts.ORDER)
    assert visitor.page.url.startswith(shop.stand_in)
    assert "Enregistrer une carte" in visitor.page.title()  # nothing is due yet (FOR-03)
