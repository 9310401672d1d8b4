"""What staff say when money goes back."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from wtforms import HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from storefront.infra.forms import UNREADABLE, DayField, ShopForm, minor_of
from storefront.payments.models import RefundReason

WHOLE, LINES, AMOUNT = "tout", "articles", "montant"

REASON_NAMES = {
    RefundReason.WITHDRAWAL: "Rétractation",
    RefundReason.NOT_SUPPLIED: "Non fourni",
    RefundReason.FAULTY: "Défaut ou non-conformité",
    RefundReason.NOT_DUE: "Somme qui n’était pas due",
    RefundReason.GOODWILL: "Geste commercial",
}


class RefundForm(ShopForm):
    """What goes back of an order, and why."""

    demande = HiddenField()
    scope = RadioField(
        "Que rendre ?",
        [InputRequired("Choisissez ce qui est rendu.")],
        choices=[
            (WHOLE, "Tout ce qui reste"),
            (LINES, "Des articles"),
            (AMOUNT, "Un montant, réparti sur toute la commande"),
        ],
    )
    amount = StringField("Montant TTC", [Optional()])
    reason = SelectField(
        "Motif",
        [DataRequired("Choisissez un motif : le client le lira.")],
        choices=[("", "Choisir"), *((one.value, name) for one, name in REASON_NAMES.items())],
    )
    words = TextAreaField(
        "Note pour l’équipe",
        [Optional(), Length(max=500, message="Au plus 500 caractères.")],
    )
    due_on = DayField("À rendre au plus tard le", None)

    @property
    def request_id(self) -> uuid.UUID:
        """One per form that was opened: a second click is the same request."""
        try:
            return uuid.UUID(self.text("demande"))
        except ValueError:
            return uuid.uuid4()


class TransferForm(ShopForm):
    """Money that staff sent back themselves."""

    sent_on = DayField("Envoyé le", None)

    reference = StringField(
        "Référence du virement", [Optional(), Length(max=120, message="Au plus 120 caractères.")]
    )


class LineAmounts:
    """What was typed for each order line; `errors` by position, in French."""

    def __init__(self, typed: Mapping[str, str], positions: Mapping[int, uuid.UUID]) -> None:
        self.typed = {at: typed.get(f"ligne-{at}", "").strip() for at in positions}
        self.errors: dict[int, str] = {}
        self._positions = positions

    def read(self, left: Mapping[uuid.UUID, int], currency: str) -> list[tuple[uuid.UUID, int]]:
        """The amounts in minor units; what cannot be is said in `errors`."""
        parts = []
        for at, line_id in self._positions.items():
            minor = self._minor(at, currency)
            if minor is None or minor == 0:
                continue
            if minor < 0:
                self.errors[at] = "Écrivez un montant positif."
            elif minor > left.get(line_id, 0):
                self.errors[at] = "C’est plus que ce qui reste à rendre sur cet article."
            else:
                parts.append((line_id, minor))
        return parts

    def _minor(self, at: int, currency: str) -> int | None:
        minor = minor_of(self.typed[at], currency)
        if minor is None and self.typed[at]:
            self.errors[at] = UNREADABLE
        return minor
