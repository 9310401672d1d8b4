"""The base of every form: French messages, CSRF, and consents that only a tick gives."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, DateField, StringField, TimeField
from wtforms.meta import DefaultMeta
from wtforms.validators import DataRequired, InputRequired, Optional

from storefront.kernel.errors import Refusal
from storefront.kernel.money import Money


class ShopForm(FlaskForm):  # type: ignore[misc]
    """A form whose errors are in French and whose typed values are always kept."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]
        locales = ("fr_FR", "fr")

        def get_translations(self, form: Any) -> Any:
            """WTForms' own French: Flask-WTF asks Flask-Babel, and without it speaks English."""
            return DefaultMeta.get_translations(self, form)

        def bind_field(self, form: Any, unbound_field: Any, options: Any) -> Any:
            """Strip surrounding spaces from everything that is typed."""
            if issubclass(unbound_field.field_class, StringField):
                filters = unbound_field.kwargs.setdefault("filters", [])
                if _stripped not in filters:
                    unbound_field.kwargs["filters"] = [*filters, _stripped]
            return unbound_field.bind(form=form, **options)

    def text(self, name: str) -> str:
        """What was typed in a field; empty when nothing was."""
        return self[name].data or ""


class DayField(DateField):
    """A day, as `2027-02-15`, what a browser sends, or as `15/02/2027`.

    `missing` is what is said when there is none; None: it may be left out.
    """

    def __init__(self, label: str, missing: str | None, **kwargs: Any) -> None:
        super().__init__(
            label,
            format=["%Y-%m-%d", "%d/%m/%Y"],
            validators=[InputRequired(missing) if missing else Optional()],
            render_kw={"type": "date"},
            **kwargs,
        )

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Say what is wrong with a day that does not exist."""
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError("Cette date n’existe pas. Écrivez-la comme 15/02/2027.") from None


class ClockField(TimeField):
    """A time of day, as `14:30`, what a browser sends."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Say what is wrong with a time that does not exist."""
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError("Cette heure n’existe pas. Écrivez-la comme 14:30.") from None


def _stripped(value: Any) -> Any:
    # No database stores a NUL, and nobody types one.
    return value.replace("\0", "").strip() if isinstance(value, str) else value


class ConsentField(BooleanField):
    """A box that is never pre-ticked (PRE-04): only the value that our own page sends is a yes."""

    YES = "oui"

    def process_data(self, value: Any) -> None:
        """A consent never comes from a default or a stored object."""
        self.data = False

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Anything but the box's own value (`false`, `0`, an empty string) is a no."""
        self.data = valuelist == [self.YES]

    def _value(self) -> str:
        return self.YES


class Ticked(DataRequired):
    """The box must be ticked; `InputRequired` would take a posted `false` for a yes."""


UNREADABLE = "Écrivez un montant comme 12,50."


def minor_of(text: str, currency: str) -> int | None:
    """An amount as it was typed, in minor units; None when it is none."""
    plain = text.replace("€", "").replace("\u202f", "").replace("\u00a0", "").replace(" ", "")
    try:
        return Money.from_major_string(plain, currency).minor
    except Refusal:
        return None
