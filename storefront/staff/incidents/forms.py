"""What staff say of an incident. Times are those of the clocks in Paris."""

from __future__ import annotations

import re
import uuid
from datetime import datetime

from wtforms import (
    HiddenField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.validators import DataRequired, InputRequired, Length, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from storefront.infra.forms import ClockField, DayField, ShopForm
from storefront.kernel.calendar import PARIS, happens_twice, paris_instant
from storefront.kernel.errors import DateOutOfRange, NonexistentTime
from storefront.subscriptions.models import Incident
from storefront.subscriptions.rules.outages import Severity
from storefront.subscriptions.service import Facts

WHY = {
    "future": "Cet instant n’est pas encore passé. Donnez une heure passée.",
    "order": "La fin doit venir après le début.",
    "length": "Un incident dure au plus un an : vérifiez les deux dates.",
}
TWICE = (
    "Cette heure existe deux fois cette nuit-là : à 3 h, les horloges reculent à 2 h. "
    "Dites laquelle des deux."
)
SKIPPED = (
    "Cette heure n’existe pas ce jour-là : les horloges avancent de 2 h à 3 h. "
    "Choisissez une heure avant 2 h ou à partir de 3 h."
)
_LONGEST = Length(max=2000, message="Ce texte est trop long : 2 000 signes au plus.")
_REASON = "Donnez le motif : il reste dans le journal."


def _passage(label: str) -> SelectField:
    return SelectField(
        label,
        choices=[
            ("", "Sans objet"),
            ("first", "La première fois (heure d’été)"),
            ("second", "La seconde fois (heure d’hiver)"),
        ],
        default="",
        validate_choice=False,
    )


class TimedForm(ShopForm):
    """A form with instants, each typed as a day, a time and, one night a year, which of two."""

    def instant(self, name: str) -> datetime | None:
        """The instant typed under this name, or None with its error in place or nothing typed."""
        day, at, passage = (self[f"{name}_{part}"] for part in ("day", "at", "passage"))
        if day.data is not None and at.data is None and not at.errors:
            at.errors = ["Indiquez aussi l’heure."]
        if at.data is not None and day.data is None and not day.errors:
            day.errors = ["Indiquez aussi le jour."]
        if day.errors or at.errors or day.data is None or at.data is None:
            return None
        try:
            if happens_twice(day.data, at.data) and passage.data not in ("first", "second"):
                passage.errors = [TWICE]
                return None
            return paris_instant(day.data, at.data, second=passage.data == "second")
        except NonexistentTime:
            at.errors = [SKIPPED]
        except (DateOutOfRange, OverflowError):
            day.errors = ["Cette date est hors du calendrier."]
        return None

    def show(self, name: str, instant: datetime | None) -> None:
        """Fill in an instant, as clocks in Paris show it."""
        if instant is not None:
            wall = instant.astimezone(PARIS)
            self[f"{name}_day"].data, self[f"{name}_at"].data = wall.date(), wall.time()
            if happens_twice(wall.date(), wall.time()):
                self[f"{name}_passage"].data = "second" if wall.fold else "first"

    def refuse(self, details: dict[str, object]) -> None:
        """Put the refusal of the times where they were typed."""
        self[f"{details['field']}_day"].errors = [WHY[str(details["why"])]]


class IncidentForm(TimedForm):
    """What does not work, since when, for whom. `once` names it, so that two clicks are one."""

    once = HiddenField()
    seen = HiddenField()
    title = StringField(
        "Ce qui ne fonctionne pas",
        validators=[
            DataRequired("Dites en une ligne ce qui ne fonctionne pas : tout le monde le lira."),
            Length(max=160, message="Au plus 160 signes."),
        ],
    )
    severity = RadioField(
        "Gravité",
        choices=[
            (Severity.OUTAGE.value, "Interruption"),
            (Severity.DEGRADED.value, "Service dégradé"),
        ],
        validate_choice=False,
    )
    start_day = DayField("Début, le", "Indiquez le jour du début.")
    start_at = ClockField(
        "à (heure de Paris)", validators=[InputRequired("Indiquez l’heure du début.")]
    )
    start_passage = _passage("Laquelle des deux heures, pour le début")
    end_day = DayField("Fin, le", None)
    end_at = ClockField("à (heure de Paris)", validators=[Optional()])
    end_passage = _passage("Laquelle des deux heures, pour la fin")
    concerns = SelectMultipleField(
        "Offres concernées",
        validate_choice=False,
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )

    def validate_severity(self, field: RadioField) -> None:
        """One of the two."""
        if field.data not in set(Severity):
            raise ValidationError("Choisissez la gravité.")

    def validate_concerns(self, field: SelectMultipleField) -> None:
        """Only what is sold."""
        if not set(field.data or ()) <= {value for value, *_ in field.iter_choices()}:
            raise ValidationError("Choisissez parmi les offres de la liste.")

    def facts(self) -> Facts | None:
        """What was said, once it holds; None with the errors in place."""
        started_at, ended_at = self.instant("start"), self.instant("end")
        if started_at is None or any(field.errors for field in self):
            return None
        return Facts(
            self.text("title"),
            Severity(self.severity.data),
            started_at,
            ended_at,
            tuple(self.concerns.data or ()),
        )

    def fill(self, incident: Incident) -> None:
        """Show an incident as it is."""
        self.title.data, self.severity.data = incident.title, incident.severity.value
        self.concerns.data = list(incident.concerns)
        self.show("start", incident.started_at)
        self.show("end", incident.ended_at)

    def key(self) -> uuid.UUID:
        """The id that the page gave to the incident; a new one when it was altered."""
        return _key(self.once.data)


class CorrectionForm(IncidentForm):
    """The same, with why."""

    reason = TextAreaField("Motif de la correction", validators=[DataRequired(_REASON), _LONGEST])


class WithdrawalForm(ShopForm):
    """Why an incident was declared by mistake."""

    seen = HiddenField()
    why = TextAreaField("Motif du retrait", validators=[DataRequired(_REASON), _LONGEST])


class CloseForm(TimedForm):
    """Since when it works again."""

    seen = HiddenField()
    end_day = DayField("Rétabli le", "Indiquez le jour.")
    end_at = ClockField("à (heure de Paris)", validators=[InputRequired("Indiquez l’heure.")])
    end_passage = _passage("Laquelle des deux heures")


class UpdateForm(ShopForm):
    """What everybody is to know."""

    once = HiddenField()
    words = TextAreaField(
        "Nouvelle publique",
        validators=[DataRequired("Écrivez d’abord la nouvelle."), _LONGEST],
    )

    def key(self) -> uuid.UUID:
        """The id that the page gave to this update; a new one when it was altered."""
        return _key(self.once.data)


class GrantForm(ShopForm):
    """All that is proposed, but for some orders."""

    seen = HiddenField()
    exceptions = TextAreaField("Sauf ces commandes", validators=[Optional(), _LONGEST])
    reason = StringField(
        "Motif des exceptions",
        validators=[Length(max=500, message="Au plus 500 signes.")],
    )

    def validate_reason(self, field: StringField) -> None:
        """Who gets nothing gets it for a reason."""
        if self.references() and not field.data:
            raise ValidationError(
                "Donnez le motif : pourquoi ces commandes n’ont-elles pas d’avoir ?"
            )

    def references(self) -> frozenset[str]:
        """The orders that were typed, one a line or with commas between."""
        return frozenset(filter(None, re.split(r"[\s,;]+", self.text("exceptions"))))


def seen_revision(text: str | None) -> int:
    """The revision that a page showed; none, when it was altered."""
    return int(text) if text and text.isdecimal() and len(text) < 10 else -1


def _key(text: str | None) -> uuid.UUID:
    try:
        return uuid.UUID(text or "")
    except ValueError:
        return uuid.uuid4()
