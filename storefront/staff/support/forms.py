"""The support desk's forms. Each says which version of the ticket its page showed."""

from __future__ import annotations

import uuid
from datetime import date, datetime, time
from typing import Any

from wtforms import (
    Field,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    TextAreaField,
    ValidationError,
)
from wtforms.validators import AnyOf, DataRequired, InputRequired, Length, NumberRange, Optional

from storefront.infra.forms import ClockField, DayField, ShopForm
from storefront.kernel.calendar import paris_instant
from storefront.kernel.errors import DateOutOfRange, NonexistentTime
from storefront.tickets.rules import LONGEST_PROPOSAL_MINUTES, RefusalReason

LONGEST_TEXT = 8000
_TOO_LONG = "Ce texte est trop long : 8 000 signes au plus."


class SeenForm(ShopForm):
    """A form about a ticket as its page showed it; somebody else's change makes it stale."""

    seen = HiddenField()
    once = HiddenField()

    def version(self) -> int:
        """The version that the page showed; none, when it was altered."""
        text = self.seen.data or ""
        return int(text) if text.isdecimal() and len(text) < 10 else -1

    def key(self) -> uuid.UUID:
        """The id that the page gave to what this form makes; a new one when it was altered."""
        try:
            return uuid.UUID(self.once.data or "")
        except ValueError:
            return uuid.uuid4()

    def renew(self, version: int) -> None:
        """Prepare the form for a page that shows this version."""
        self.seen.data, self.once.data = str(version), str(uuid.uuid4())


class WholeMinutes(IntegerField):
    """A number of minutes, with a message that says what is meant."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read a whole number."""
        if valuelist and not str(valuelist[0]).strip():
            self.data = None
            return
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError("Donnez un nombre entier de minutes, par exemple 90.") from None


class NoteForm(SeenForm):
    """A note for colleagues."""

    remark = TextAreaField(
        "Note interne",
        validators=[
            DataRequired("Écrivez d’abord la note."),
            Length(max=LONGEST_TEXT, message=_TOO_LONG),
        ],
    )


class MessageForm(SeenForm):
    """A reply to the client."""

    body = TextAreaField(
        "Réponse au client",
        validators=[
            DataRequired("Écrivez d’abord le texte."),
            Length(max=LONGEST_TEXT, message=_TOO_LONG),
        ],
    )


class ProposalForm(SeenForm):
    """A date, a time, a duration, a technician, and what will be done (I-03)."""

    day = DayField("Date", "Choisissez la date.")
    at = ClockField("Heure de Paris", validators=[InputRequired("Choisissez l’heure.")])
    minutes = WholeMinutes(
        "Durée prévue, en minutes",
        default=60,
        validators=[
            InputRequired("Donnez la durée prévue."),
            NumberRange(
                15, LONGEST_PROPOSAL_MINUTES, "Une intervention dure de 15 minutes à 8 heures."
            ),
        ],
    )
    technician = SelectField("Technicien", coerce=str, validate_choice=False)
    description = TextAreaField(
        "Ce qui sera fait",
        validators=[
            DataRequired("Dites au client ce qui sera fait."),
            Length(max=LONGEST_TEXT, message=_TOO_LONG),
        ],
    )

    def validate_at(self, field: Field) -> None:
        """Appointments start on a quarter of an hour, at a time that exists that day."""
        if field.data is None or self.day.data is None:
            return
        if field.data.minute % 15:
            raise ValidationError("Les rendez-vous commencent au quart d’heure : 9:00, 9:15, 9:30…")
        try:
            paris_instant(self.day.data, field.data)
        except NonexistentTime:
            raise ValidationError(
                "Cette heure n’existe pas ce jour-là : les horloges avancent de 2 h à 3 h. "
                "Choisissez une heure avant 2 h ou à partir de 3 h."
            ) from None
        except DateOutOfRange:
            raise ValidationError("Cette date est hors du calendrier.") from None

    def validate_technician(self, field: SelectField) -> None:
        """Somebody who works here."""
        if field.data not in {value for value, *_ in field.iter_choices()}:
            raise ValidationError("Choisissez un technicien de la liste.")

    def starts_at(self) -> datetime:
        """The instant that was chosen, once the form is valid."""
        day, at = self.day.data, self.at.data
        return paris_instant(day or date.min, at or time.min)


class ReasonForm(SeenForm):
    """Why an appointment is cancelled."""

    reason = TextAreaField(
        "Motif, que le client lira",
        validators=[
            DataRequired("Donnez le motif : le client le lira."),
            Length(max=2000, message="Ce texte est trop long : 2 000 signes au plus."),
        ],
    )


class RefusalForm(SeenForm):
    """Why the work is refused or stopped: a reason of the terms, and an explanation (I-06)."""

    ground = RadioField(
        "Motif prévu par les conditions générales",
        choices=[
            (RefusalReason.NOT_AS_PLANNED.value, "Pas ce qui était prévu"),
            (RefusalReason.ILLEGAL_SOFTWARE.value, "Logiciels sans licence"),
            (RefusalReason.AGAINST_THE_LAW.value, "Contraire à la loi"),
        ],
        validate_choice=False,
        validators=[
            AnyOf(list(RefusalReason), "Choisissez l’un des motifs des conditions générales.")
        ],
    )
    explanation = TextAreaField(
        "Explication, que le client lira",
        validators=[
            DataRequired("Expliquez le refus : le client le lira."),
            Length(max=LONGEST_TEXT, message=_TOO_LONG),
        ],
    )


class ReportForm(SeenForm):
    """What was done, and the time when it is not what the clock says (I-05)."""

    report = TextAreaField(
        "Ce qui a été fait",
        validators=[
            DataRequired("Écrivez ce qui a été fait : c’est le compte rendu du client."),
            Length(max=LONGEST_TEXT, message=_TOO_LONG),
        ],
    )
    corrected = WholeMinutes(
        "Temps passé corrigé, en minutes",
        validators=[Optional(), NumberRange(0, 1440, "De 0 à 1 440 minutes.")],
    )
    why = TextAreaField(
        "Motif de la correction, que le client lira",
        validators=[Length(max=2000, message="Ce texte est trop long : 2 000 signes au plus.")],
    )

    def validate_why(self, field: Field) -> None:
        """A correction is explained to the client."""
        if self.corrected.data is not None and not field.data:
            raise ValidationError("Dites pourquoi le temps est corrigé : le client le lira.")
