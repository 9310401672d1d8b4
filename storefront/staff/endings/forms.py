"""What staff write down of an end or a pause."""

from __future__ import annotations

from wtforms import RadioField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length

from storefront.infra.forms import DayField, ShopForm
from storefront.subscriptions.rules import STATEMENT_AT_LEAST, Ground

GROUND_NAMES = {
    Ground.WISH: "Décision du client",
    Ground.LEGITIMATE_REASON: "Motif légitime du client",
    Ground.SELLER_BREACH: "Notre manquement, signalé par le client",
    Ground.CLOSURE: "Nous arrêtons, sans faute du client",
    Ground.MISCONDUCT: "Manquement du client aux conditions",
    Ground.SERIOUS_FAULT: "Faute grave du client",
    Ground.BREACH: "Manquement grave du client, qui peut être réparé",
}
NOTICES = tuple(ground for ground in GROUND_NAMES if not ground.chosen)
TOO_SHORT = f"Écrivez les faits et les raisons : {STATEMENT_AT_LEAST} caractères au moins."


class HolderEndForm(ShopForm):
    """The end that a customer asked for by e-mail or by post (B-03)."""

    received_on = DayField("Reçue le", "Indiquez le jour où la demande est arrivée.")
    how = TextAreaField(
        "Comment elle est arrivée",
        validators=[
            DataRequired("Dites comment la demande est arrivée : c’en est la preuve."),
            Length(max=2000, message="Au plus 2 000 caractères."),
        ],
        render_kw={"rows": "3", "maxlength": "2000"},
    )


class NoticeForm(ShopForm):
    """Why the contract ends, in words that the customer reads (B-05, B-08)."""

    ground = RadioField(
        "Motif",
        choices=[(ground.value, GROUND_NAMES[ground]) for ground in NOTICES],
        validators=[InputRequired("Choisissez un motif.")],
    )
    statement = TextAreaField(
        "Exposé des motifs",
        validators=[
            DataRequired(TOO_SHORT),
            Length(min=STATEMENT_AT_LEAST, message=TOO_SHORT),
            Length(max=5000, message="Au plus 5 000 caractères."),
        ],
        render_kw={"rows": "6", "maxlength": "5000"},
    )

    received_on = DayField("Signalé par le client le", None)


class PauseForm(ShopForm):
    """Since when nothing can be supplied, and why, in words that the customer reads (B-08)."""

    starts_on = DayField("Interrompu depuis le", "Indiquez le premier jour sans service.")
    reason = TextAreaField(
        "Raison",
        validators=[
            DataRequired("Écrivez la raison : le client la lit."),
            Length(max=1000, message="Au plus 1 000 caractères."),
        ],
        render_kw={"rows": "3", "maxlength": "1000"},
    )
