"""What staff saw arrive."""

from __future__ import annotations

from datetime import date, timedelta

from wtforms import HiddenField, SelectField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from storefront.infra.forms import UNREADABLE, DayField, ShopForm, minor_of
from storefront.payments.models import ArrivalWay
from storefront.payments.service import Seen

WAY_NAMES = {
    ArrivalWay.TRANSFER: "Virement",
    ArrivalWay.CHEQUE: "Chèque",
    ArrivalWay.OTHER: "Autre",
}
# Older than this on the account, the year was mistyped.
OLDEST = timedelta(days=400)
# More than this was never asked; a column holds it.
LARGEST_MINOR = 100_000_000


class ArrivalForm(ShopForm):
    """How much, how and when, and what the bank writes of it."""

    number = HiddenField()
    confirmed = HiddenField()
    way = SelectField(
        "Comment",
        [DataRequired("Choisissez comment l’argent est venu.")],
        choices=[(one.value, name) for one, name in WAY_NAMES.items()],
    )
    amount = StringField("Montant reçu", [InputRequired("Écrivez le montant reçu.")])
    arrived_on = DayField("Reçu le", "Écrivez la date, comme 08/12/2026.")
    bank_label = StringField(
        "Libellé de la banque", [Optional(), Length(max=140, message="Au plus 140 caractères.")]
    )

    def seen(self, currency: str, today: date) -> Seen | None:
        """What was typed; None with its errors in place when it cannot be."""
        if not self.validate_on_submit():
            return None
        minor, day = minor_of(self.text("amount"), currency), self.arrived_on.data
        if minor is None or not 0 < minor <= LARGEST_MINOR:
            self.amount.errors = [UNREADABLE]
        if day is None or not today - OLDEST <= day <= today:
            self.arrived_on.errors = [
                "Écrivez la date à laquelle l’argent est arrivé, déjà passée."
            ]
        number = self.text("number")
        if self.errors or minor is None or day is None:
            return None
        return Seen(
            number=int(number) if number.isdecimal() and len(number) < 6 else 0,
            way=ArrivalWay(self.text("way")),
            amount_minor=minor,
            arrived_on=day,
            bank_label=self.text("bank_label"),
        )
