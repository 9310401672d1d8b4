"""The parts that a product has of its own, as staff type them."""

from __future__ import annotations

import re

from wtforms import HiddenField, StringField
from wtforms.validators import Length, Optional

from storefront.catalogue.rules import OwnParts, PartsRefused
from storefront.infra.forms import ShopForm

SAVE = "enregistrer"

_SHARES = re.compile(r"\d{1,3}(?:\s*%)?(?:[\s/,;+]+\d{1,3}(?:\s*%)?)*")
UNREADABLE_SHARES = "Écrivez des pour cent entiers, comme 30/35/35."
UNREADABLE_DAYS = "Écrivez un nombre de jours entier, comme 0 ou 30."


def refusal_message(refused: PartsRefused) -> str:
    """Why these parts cannot be, and what can."""
    facts = refused.details
    return {
        "count": f"Il faut de 2 à {facts['most']} parts : nos conditions n’en admettent pas "
        "plus pour cet article.",
        "share": "Chaque part est de 1 % au moins.",
        "sum": f"Les parts font {facts['sum']} % : il faut 100 % en tout.",
        "delay": f"Le premier paiement tombe au plus {facts['longest']} jours après la commande.",
    }[str(facts["reason"])]


class PartsForm(ShopForm):
    """Shares and the delay of the first part; no shares: equal parts. `version` is the one read."""

    version = HiddenField()
    shares = StringField(
        "Parts, en pour cent", [Optional(), Length(max=60, message="Au plus 60 caractères.")]
    )
    first_after_days = StringField(
        "Premier paiement, en jours après la commande",
        [Optional(), Length(max=3, message=UNREADABLE_DAYS)],
    )

    def show(self, parts: OwnParts | None, version: int) -> None:
        """What the product has now."""
        self.version.data = str(version)
        self.shares.data = "/".join(map(str, parts.shares)) if parts else ""
        self.first_after_days.data = str(parts.first_after_days if parts else 0)

    def typed(self) -> tuple[list[int], int] | None:
        """The shares and the days, when they can be read; the errors stand at their fields."""
        shares, days = self.text("shares"), self.text("first_after_days") or "0"
        if shares and not _SHARES.fullmatch(shares):
            self.shares.errors = [UNREADABLE_SHARES]
        if not (days.isascii() and days.isdigit()):
            self.first_after_days.errors = [UNREADABLE_DAYS]
        if self.errors:
            return None
        return [int(share) for share in re.findall(r"\d+", shares)], int(days)

    def refuse(self, refused: PartsRefused) -> None:
        """Put the refusal where it belongs."""
        at = self.first_after_days if refused.details["reason"] == "delay" else self.shares
        at.errors = [refusal_message(refused)]

    @property
    def seen(self) -> int:
        """The version that the page showed; one that nobody gave is none."""
        text = self.text("version")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
