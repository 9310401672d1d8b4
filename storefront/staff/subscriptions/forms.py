"""How the list of subscriptions is narrowed."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from wtforms import SelectField, StringField
from wtforms.validators import Length, Optional

from storefront.infra.forms import ShopForm
from storefront.subscriptions.models import SubscriptionStatus

STATUS_NAMES = {
    SubscriptionStatus.ACTIVE: "En cours",
    SubscriptionStatus.PAST_DUE: "Paiement en retard",
    SubscriptionStatus.SUSPENDED: "Suspendu",
    SubscriptionStatus.ENDED: "Terminé",
}


FILTERS = ("q", "etat", "offre", "famille")


class SearchForm(ShopForm):
    """Which subscriptions; read from the address, so that a list can be kept as a bookmark."""

    class Meta(ShopForm.Meta):
        csrf = False

    q = StringField("Nom, e-mail ou commande", [Optional(), Length(max=120)])
    etat = SelectField("État")
    offre = SelectField("Offre")
    famille = SelectField("Famille")

    def __init__(
        self, args: Any, plans: Sequence[tuple[uuid.UUID, str]], families: Sequence[str]
    ) -> None:
        super().__init__(args)
        self.etat.choices = [("", "Tous"), *((one.value, name) for one, name in states())]
        self.offre.choices = [("", "Toutes"), *((str(key), name) for key, name in plans)]
        self.famille.choices = [("", "Toutes"), *((name, name) for name in families)]

    @property
    def status(self) -> SubscriptionStatus | None:
        """The chosen state; an unknown one chooses nothing."""
        try:
            return SubscriptionStatus(self.text("etat"))
        except ValueError:
            return None

    @property
    def product_id(self) -> uuid.UUID | None:
        """The chosen plan; an unknown one chooses nothing."""
        return known_id(self.text("offre"))

    @property
    def narrowed(self) -> dict[str, str]:
        """What narrows the list, as it stands in addresses."""
        return {
            name: self.text(name) for name in ("q", "etat", "offre", "famille") if self[name].data
        }


def states() -> list[tuple[SubscriptionStatus, str]]:
    """Every state with its words."""
    return [(one, STATUS_NAMES.get(one, one.value)) for one in SubscriptionStatus]


def known_id(text: str) -> uuid.UUID | None:
    """An id as it stands in an address; None for anything else."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
