"""What staff say when they act on an order."""

from __future__ import annotations

from wtforms import SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length, Optional

from storefront.infra.forms import ShopForm
from storefront.orders.models import OrderStatus

STATUS_NAMES = {
    OrderStatus.AWAITING_PAYMENT: "Attend son paiement",
    OrderStatus.CONFIRMED: "Confirmée",
    OrderStatus.CANCELLED: "Annulée",
    OrderStatus.REFUSED: "Refusée",
}


class SearchForm(ShopForm):
    """Which orders; read from the address, so that a list can be kept as a bookmark."""

    class Meta(ShopForm.Meta):
        csrf = False

    q = StringField("Référence, nom ou e-mail", [Optional(), Length(max=120)])
    etat = SelectField(
        "État",
        choices=[
            ("", "Toutes"),
            *((status.value, name) for status, name in STATUS_NAMES.items()),
        ],
    )

    @property
    def status(self) -> OrderStatus | None:
        """The chosen status; an unknown one chooses nothing."""
        try:
            return OrderStatus(self.text("etat"))
        except ValueError:
            return None


class ShipForm(ShopForm):
    """A parcel that leaves."""

    tracking = StringField(
        "Numéro de suivi",
        [Optional(), Length(max=60, message="Au plus 60 caractères : vérifiez le numéro.")],
    )


class RefuseForm(ShopForm):
    """Why an order is refused: the customer reads it (R-07)."""

    reason = TextAreaField(
        "Motif",
        [
            DataRequired("Écrivez le motif : le client le lira."),
            Length(max=500, message="Au plus 500 caractères."),
        ],
    )
