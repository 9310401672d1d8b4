"""What customers correct themselves."""

from __future__ import annotations

from wtforms import TelField
from wtforms.validators import Length, Optional, Regexp

from storefront.identity.forms import name_field
from storefront.infra.forms import ShopForm


class PersonForm(ShopForm):
    """Name and telephone; the address is proven by a link, so it is changed with us."""

    name = name_field()
    phone = TelField(
        "Téléphone",
        validators=[
            Optional(),
            Length(max=30, message="Au plus 30 caractères."),
            Regexp(
                r"^\+?[\d .\-()/]{6,30}$",
                message="Saisissez un numéro avec ses chiffres, par exemple 06 12 34 56 78.",
            ),
        ],
        render_kw={"autocomplete": "tel", "inputmode": "tel"},
    )
