"""What staff say when they agree to wait, and how the list is narrowed."""

from __future__ import annotations

from typing import Any

from wtforms import DateField, SelectField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length

from storefront.arrears.rules import DunningStep
from storefront.infra.forms import ShopForm

STEP_NAMES = {
    DunningStep.REMINDER: "Rappel envoyé",
    DunningStep.FORMAL_NOTICE: "Mise en demeure envoyée",
    DunningStep.SUSPENSION: "Suspendu",
    DunningStep.ACCELERATION_NOTICE: "Mise en demeure sur le solde",
    DunningStep.ACCELERATION: "Solde exigible",
}


class FilterForm(ShopForm):
    """Which cases, by the last step made; read from the address, so that a list can be kept."""

    class Meta(ShopForm.Meta):
        csrf = False

    etape = SelectField(
        "Dernière étape",
        choices=[("", "Toutes"), *((step.value, name) for step, name in STEP_NAMES.items())],
    )

    @property
    def step(self) -> DunningStep | None:
        """The chosen step; an unknown one chooses nothing."""
        try:
            return DunningStep(self.text("etape"))
        except ValueError:
            return None


class _Day(DateField):
    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read `2027-02-15`, what a browser sends, or `15/02/2027`."""
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError("Cette date n’existe pas. Écrivez-la comme 15/02/2027.") from None


class DeferralForm(ShopForm):
    """Until when the shop waits, and why."""

    until = _Day(
        "Nouvelle date d’échéance",
        format=["%Y-%m-%d", "%d/%m/%Y"],
        validators=[InputRequired("Indiquez la nouvelle date.")],
        render_kw={"type": "date"},
    )
    reason = TextAreaField(
        "Motif",
        validators=[
            DataRequired("Écrivez le motif : il reste dans le journal de la commande."),
            Length(max=500, message="Au plus 500 caractères."),
        ],
        render_kw={"rows": "3", "maxlength": "500"},
    )
