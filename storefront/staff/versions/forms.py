"""What staff change of a plan, and how they announce it."""

from __future__ import annotations

import re
from typing import Any

from wtforms import HiddenField, IntegerField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, NumberRange, Optional, ValidationError

from storefront.infra.forms import ShopForm
from storefront.kernel.errors import Refusal
from storefront.kernel.money import Money

CODE = re.compile(r"[a-z][a-z0-9_]{0,59}")
LIMIT = re.compile(r"([a-z][a-z0-9_]{0,59})\s*=\s*(\d{1,9}|illimité)")
UNLIMITED = "illimité"
LONGEST_CHANGE = 300
MOST_CHANGES = 12


def lines_of(text: str) -> list[str]:
    """What was typed, one thing a line, without the empty ones."""
    return [line.strip() for line in text.splitlines() if line.strip()]


class WholeField(IntegerField):
    """A whole number, with an error that says so."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read what was typed."""
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError("Écrivez un nombre entier, par exemple 60.") from None


class VersionForm(ShopForm):
    """A plan as new orders will buy it."""

    seen = HiddenField()
    price = StringField("Prix", [DataRequired("Écrivez un prix, 0 pour une offre gratuite.")])
    entitlements = TextAreaField("Droits d’usage", [Optional()])
    limits = TextAreaField("Plafonds", [Optional()])
    included_minutes = WholeField(
        "Minutes comprises chaque mois",
        [
            Optional(),
            NumberRange(min=0, max=60_000, message="Entre 0 et 60 000 minutes par mois."),
        ],
    )
    validity = StringField(
        "Validité affichée", [Optional(), Length(max=200, message="Au plus 200 caractères.")]
    )

    def price_minor(self, currency: str) -> int | None:
        """The price in minor units; None, with its error in place, when it is none."""
        plain = re.sub(r"[€\s\u202f\u00a0]", "", self.text("price"))
        try:
            minor = Money.from_major_string(plain, currency).minor
        except Refusal:
            minor = -1
        if not 0 <= minor <= 10_000_000:
            self.price.errors = ["Écrivez un montant comme 19,00, au plus 100 000."]
            return None
        return minor

    def validate_entitlements(self, field: Any) -> None:
        """One code a line."""
        wrong = [line for line in lines_of(field.data or "") if not CODE.fullmatch(line)]
        if wrong:
            raise ValidationError(
                f"« {wrong[0][:40]} » : un code par ligne, en minuscules, comme messaging."
            )

    def validate_limits(self, field: Any) -> None:
        """One limit a line."""
        wrong = [line for line in lines_of(field.data or "") if not LIMIT.fullmatch(line)]
        if wrong:
            raise ValidationError(
                f"« {wrong[0][:40]} » : un plafond par ligne, comme photos = 12 "
                "ou photos = illimité."
            )

    @property
    def features(self) -> dict[str, Any]:
        """What the catalogue keeps of it; validated."""
        found = (LIMIT.fullmatch(line) for line in lines_of(self.text("limits")))
        pairs = [match.groups() for match in found if match]
        features: dict[str, Any] = {
            "entitlements": lines_of(self.text("entitlements")),
            "limits": {name: None if most == UNLIMITED else int(most) for name, most in pairs},
        }
        if self.included_minutes.data is not None:
            features["included_minutes"] = self.included_minutes.data
        return features


class AnnounceForm(ShopForm):
    """What subscribers read of a change."""

    changes = TextAreaField(
        "Ce qui change, une phrase par ligne",
        [DataRequired("Dites ce qui change : chaque abonné le lira.")],
    )

    def validate_changes(self, field: Any) -> None:
        """A short list, that people read."""
        lines = lines_of(field.data or "")
        if len(lines) > MOST_CHANGES or any(len(line) > LONGEST_CHANGE for line in lines):
            raise ValidationError(
                f"Au plus {MOST_CHANGES} phrases, de {LONGEST_CHANGE} caractères chacune."
            )

    @property
    def lines(self) -> list[str]:
        """One sentence each."""
        return lines_of(self.text("changes"))
