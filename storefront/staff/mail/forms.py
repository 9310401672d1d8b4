"""Which messages to show."""

from __future__ import annotations

from wtforms import SelectField, StringField
from wtforms.validators import Length, Optional

from storefront.infra.forms import ShopForm
from storefront.notifications.rules import EmailStatus

STATUS_NAMES = {
    EmailStatus.QUEUED: "À envoyer",
    EmailStatus.SENDING: "En cours d’envoi",
    EmailStatus.SENT: "Envoyé",
    EmailStatus.FAILED: "En échec",
}


class SearchForm(ShopForm):
    """Read from the address, so that a list can be kept as a bookmark."""

    class Meta(ShopForm.Meta):
        csrf = False

    q = StringField("Destinataire ou objet", [Optional(), Length(max=120)])
    etat = SelectField(
        "État",
        choices=[
            ("", "Tous"),
            *((status.value, name) for status, name in STATUS_NAMES.items()),
        ],
    )

    @property
    def status(self) -> EmailStatus | None:
        """The chosen status; an unknown one chooses nothing."""
        try:
            return EmailStatus(self.text("etat"))
        except ValueError:
            return None
