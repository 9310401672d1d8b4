"""A form that shows how forms look, on the style guide only."""

from __future__ import annotations

from wtforms import (
    EmailField,
    FileField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import DataRequired, Optional

from storefront.infra.forms import ConsentField, ShopForm


class SampleForm(ShopForm):
    """One field of each sort; shown empty and refused, so that the errors are seen too."""

    email = EmailField("Adresse e-mail", [DataRequired("Saisissez votre adresse e-mail.")])
    city = StringField("Ville", [Optional()])
    country = SelectField("Pays", choices=[("FR", "France"), ("BE", "Belgique")])
    amount = IntegerField("Durée", [Optional()])
    message = TextAreaField("Votre message", [Optional()])
    attachment = FileField("Pièce jointe", [Optional()])
    delivery = RadioField(
        "Comment voulez-vous payer ?",
        choices=[
            ("card", "Par carte"),
            ("several", "En quatre fois"),
            ("transfer", "Par virement"),
        ],
        validators=[DataRequired("Choisissez comment payer.")],
    )
    terms = ConsentField("J’ai lu et j’accepte les conditions générales de vente.")
    early_start = ConsentField("Je demande que le service commence tout de suite.")
