"""How to pay one instalment."""

from __future__ import annotations

from wtforms import RadioField
from wtforms.validators import InputRequired

from storefront.infra.forms import ShopForm


class PayForm(ShopForm):
    """The provider, among those of this shop that take money by themselves."""

    provider = RadioField(
        "Comment voulez-vous payer ?",
        validators=[InputRequired("Choisissez comment payer.")],
    )
