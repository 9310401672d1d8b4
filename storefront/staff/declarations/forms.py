"""Which order a declaration is about, and what is decided of it."""

from __future__ import annotations

from wtforms import RadioField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length

from storefront.infra.forms import ShopForm


class MatchForm(ShopForm):
    """The reference of the order that staff found."""

    order = StringField(
        "Référence de la commande",
        validators=[
            DataRequired("Saisissez la référence de la commande, par exemple CMD-2026-000123."),
            Length(max=60, message="Une seule référence, par exemple CMD-2026-000123."),
        ],
        render_kw={"spellcheck": "false", "autocomplete": "off"},
    )


class ReasonForm(ShopForm):
    """What staff found of a reason to leave a commitment early, in words for the customer."""

    decision = RadioField(
        "Votre décision",
        choices=[
            ("retenu", "Motif retenu"),
            ("ecarte", "Motif non retenu"),
        ],
        validators=[InputRequired("Choisissez si le motif est retenu.")],
    )
    explanation = TextAreaField(
        "Explication, que le client lira",
        validators=[Length(max=2000, message="Au plus 2 000 caractères.")],
        render_kw={"rows": "4", "maxlength": "2000"},
    )

    @property
    def accepted(self) -> bool:
        """Whether the reason was found good."""
        return bool(self.decision.data == "retenu")

    def check(self) -> bool:
        """Whether it can be recorded: a refusal says why."""
        good: bool = self.validate()
        if good and not self.accepted and not self.text("explanation"):
            self.explanation.errors = ["Expliquez au client pourquoi son motif n’est pas retenu."]
            return False
        return good
