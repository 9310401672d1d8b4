"""The client's forms: a need, a message, an answer to a proposed time."""

from __future__ import annotations

import uuid

from wtforms import HiddenField, RadioField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length

from storefront.infra.forms import ConsentField, ShopForm, Ticked
from storefront.tickets.rules import Declaration

LONGEST_TEXT = 8000


class OnceForm(ShopForm):
    """A form that acts once: its page names what it will make, so that a second click is known."""

    once = HiddenField()

    def key(self) -> uuid.UUID:
        """The id that the page gave to what this form makes; a new one when it was altered."""
        try:
            return uuid.UUID(self.once.data or "")
        except ValueError:
            return uuid.uuid4()

    def renew(self) -> None:
        """Name something new, for a form that is shown for the first time."""
        self.once.data = str(uuid.uuid4())


class NewTicketForm(OnceForm):
    """On which hours, about what (I-01). The view fills the choices of `lot`."""

    lot = RadioField(
        "Sur quel forfait ou contrat",
        choices=[],
        coerce=str,
        validate_choice=False,
        validators=[DataRequired("Choisissez le forfait ou le contrat à utiliser.")],
    )
    subject = StringField(
        "Objet",
        validators=[
            DataRequired("Dites en quelques mots de quoi il s’agit."),
            Length(max=160, message="Gardez l’objet court : 160 signes au plus."),
        ],
    )
    description = TextAreaField(
        "Ce qui se passe",
        validators=[
            DataRequired("Décrivez ce qui se passe : c’est ce que lira le technicien."),
            Length(max=LONGEST_TEXT, message="Ce texte est trop long : 8 000 signes au plus."),
        ],
    )


class MessageForm(OnceForm):
    """A message to the other side."""

    body = TextAreaField(
        "Votre message",
        validators=[
            DataRequired("Écrivez votre message avant de l’envoyer."),
            Length(max=LONGEST_TEXT, message="Ce texte est trop long : 8 000 signes au plus."),
        ],
    )


class RefusalForm(ShopForm):
    """Why the client does not want this intervention."""

    answer = TextAreaField(
        "Pourquoi, si vous voulez le dire",
        validators=[Length(max=2000, message="Ce texte est trop long : 2 000 signes au plus.")],
    )


class OtherTimeForm(ShopForm):
    """When the client would prefer it."""

    wish = TextAreaField(
        "Quand seriez-vous disponible",
        validators=[
            DataRequired("Dites-nous quels jours et à quelles heures vous convenez."),
            Length(max=2000, message="Ce texte est trop long : 2 000 signes au plus."),
        ],
    )


_TICK = "Cochez cette déclaration : nous en avons besoin avant de fixer le rendez-vous."


class AcceptForm(ShopForm):
    """What is declared before an appointment: one box each, never ticked in advance (I-04)."""

    own_equipment = ConsentField("L’équipement concerné m’appartient.", [Ticked(_TICK)])
    legal_licences = ConsentField(
        "Les logiciels qui y sont installés sont utilisés légalement.", [Ticked(_TICK)]
    )
    backup_made = ConsentField("J’ai sauvegardé mes données.", [Ticked(_TICK)])
    guarantees_checked = ConsentField(
        "J’ai vérifié que l’intervention est compatible avec les garanties de tiers "
        "(constructeur, vendeur, assureur).",
        [Ticked(_TICK)],
    )

    def declared(self) -> dict[Declaration, str]:
        """The sentence beside each box that was ticked."""
        boxes = {declaration: self[declaration.value] for declaration in Declaration}
        return {one: field.label.text for one, field in boxes.items() if field.data}
