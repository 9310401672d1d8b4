"""Which order a declaration is about."""

from __future__ import annotations

from wtforms import StringField
from wtforms.validators import DataRequired, Length

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
