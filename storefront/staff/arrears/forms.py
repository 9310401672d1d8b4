"""What staff say when they agree to wait, and how the list is narrowed."""

from __future__ import annotations

from wtforms import SelectField, TextAreaField
from wtforms.validators import DataRequired, Length

from storefront.arrears.rules import DunningStep
from storefront.infra.forms import DayField, ShopForm

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


class DeferralForm(ShopForm):
    """Until when the shop waits, and why."""

    until = DayField("Nouvelle date d’échéance", "Indiquez la nouvelle date.")
    reason = TextAreaField(
        "Motif",
        validators=[
            DataRequired("Écrivez le motif : il reste dans le journal de la commande."),
            Length(max=500, message="Au plus 500 caractères."),
        ],
        render_kw={"rows": "3", "maxlength": "500"},
    )
