"""A draft of terms as it is typed: its text, and one field for each of its parameters."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from wtforms import Field, HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]
from wtforms.validators import DataRequired, Length, ValidationError

from storefront.infra.forms import ConsentField, DayField, ShopForm, minor_of
from storefront.kernel.money import Money
from storefront.legal import rules
from storefront.legal.forms import GROUPS, LABELS, UNITS
from storefront.legal.rules import Parameters, Problem, Shape, TermsSource, UnpublishableTerms
from storefront.legal.service import Edit

LONGEST_TEXT = 200_000
BETWEEN = re.compile(r"[\s,;/]+(?:et\s+)?")
HUNDREDTHS = ("money", "percent")  # typed as 99,5, kept as 9950
WORDS = {
    **rules.ACCELERATIONS,
    **rules.INTERVALS,
    "none": "aucune : la loi n’en prévoit pas",
    "contractual": "celle d’un consommateur, tant que rien n’a été utilisé",
}
PREFIX = "p_"

NOT_WHOLE = "écrivez un nombre entier."
NOT_WHOLES = "écrivez des nombres entiers séparés par des virgules, comme 60, 30, 7."
NOT_HUNDREDTHS = "écrivez un nombre comme 40 ou 99,5."


def problem_message(problem: Problem) -> str:
    """What keeps a text from being published, and what to do."""
    facts, name = problem.facts, problem.about
    label = LABELS.get(name, name)
    line = f"Ligne {name.removeprefix('line ')} : " if name.startswith("line ") else ""
    match problem.code:
        case "missing" | "no_list" | "no_sentence":
            return "À remplir."
        case "out_of_bounds":
            low, high = (rules.show_value(name, facts[bound]) for bound in ("low", "high"))
            return f"Entre {low} et {high}{' (' + facts['law'] + ')' if facts['law'] else ''}."
        case "no_choice":
            return "Choisissez dans la liste."
        case "more_than":
            return f"Pas plus que « {LABELS[facts['other']]} »."
        case "not_after":
            return f"Plus tard que « {LABELS[facts['other']]} »."
        case "not_before_end":
            return f"Moins que « {LABELS[facts['other']]} »."
        case "none_or_at_least":
            return f"écrivez 0, ou {facts['least']} au moins (règlement (UE) 2019/1150, article 4)."
        case "not_descending":
            return "Du plus lointain au plus proche, chacun une fois."
        case "not_stated":
            return f"Le texte ne dit nulle part « {label} » : écrivez-y {{{{ {name} }}}}."
        case "unknown":
            return f"{{{{ {name} }}}} ne nomme rien que ce texte puisse dire."
        case "placeholder":
            return (
                f"{line}seul un emplacement comme {{{{ nom }}}} ou {{{{ nom | filtre }}}} convient."
            )
        case "filter":
            return f"Un filtre ne convient pas à ce qu’il met en forme ({facts['error']})."
        case _:
            return f"{line}un emplacement ne peut pas être lu ({facts.get('error', problem)})."


class DraftForm(ShopForm):
    """The text of a draft; `draft_form` adds the parameters of its document."""

    kind: type[Parameters]
    seen = HiddenField()
    title = StringField(
        "Titre",
        [
            DataRequired("Donnez un titre au document."),
            Length(max=200, message="Au plus 200 caractères."),
        ],
    )
    body = TextAreaField(
        "Texte",
        [
            DataRequired("Écrivez le texte du document."),
            Length(
                max=LONGEST_TEXT, message="Ce texte est trop long : 200 000 caractères au plus."
            ),
        ],
    )

    @property
    def groups(self) -> list[tuple[str, list[tuple[Field, str]]]]:
        """The fields of the parameters under their headings, each with its hint."""
        shapes = rules.shapes(self.kind)
        found = [
            (
                heading,
                [
                    (self[PREFIX + name], _hint(name, shapes[name]))
                    for name in names
                    if name in shapes
                ],
            )
            for heading, names in GROUPS.items()
        ]
        return [(heading, fields) for heading, fields in found if fields]

    def show(self, source: TermsSource, seen: int) -> None:
        """What the draft says now, or the version that it goes on from."""
        self.seen.data, self.title.data, self.body.data = str(seen), source.title, source.body
        for name, shape in rules.shapes(self.kind).items():
            self[PREFIX + name].data = _typed_form(name, shape, getattr(source.parameters, name))

    def edit(self) -> Edit | None:
        """What was typed, when all of it can be read and is lawful; the errors stand beside it."""
        given: dict[str, Any] = {}
        for name, shape in rules.shapes(self.kind).items():
            field = self[PREFIX + name]
            try:
                given[name] = _read(name, shape, self.text(PREFIX + name))
            except ValueError as error:
                field.errors = [f"{LABELS[name]} : {error}"]
        parameters = None
        try:
            parameters = rules.read_parameters(self.kind, given)
        except UnpublishableTerms as refused:
            for problem in refused.problems:
                field = self[PREFIX + problem.about]
                if not field.errors:
                    said = problem_message(problem)
                    field.errors = [f"{LABELS[problem.about]} : {said[:1].lower()}{said[1:]}"]
        if self.errors or parameters is None:
            return None
        body = self.text("body").replace("\r\n", "\n")
        return Edit(self.text("title"), body, parameters)

    @property
    def seen_version(self) -> int:
        """The version that the page showed; one that nobody gave is none."""
        return whole(self.text("seen"))


def draft_form(kind: type[Parameters], **arguments: Any) -> DraftForm:
    """The form of a document with these parameters."""
    fields = {PREFIX + name: _field(name, shape) for name, shape in rules.shapes(kind).items()}
    form: DraftForm = type("ThisDraftForm", (DraftForm,), {**fields, "kind": kind})(**arguments)
    return form


def _field(name: str, shape: Shape) -> Any:
    if shape.choices:
        choices = [
            SelectChoice(one, WORDS[one][:1].upper() + WORDS[one][1:]) for one in shape.choices
        ]
        # What is not a choice is told of with everything else, by `edit`.
        return SelectField(LABELS[name], choices=choices, validate_choice=False)
    if shape.bounds is None:
        return TextAreaField(LABELS[name], render_kw={"rows": 5 if shape.many else 4})
    mode = "decimal" if rules.unit_of(name) in HUNDREDTHS else "numeric"
    size = {"inputmode": mode, "size": 12 if shape.many else 8, "autocomplete": "off"}
    return StringField(LABELS[name], render_kw=size)


def _hint(name: str, shape: Shape) -> str:
    """The unit, the bounds and the article that sets one."""
    if shape.bounds is None:
        return "Un par ligne." if shape.many else ""
    low, high = (
        str(bound) if rules.unit_of(name) not in HUNDREDTHS else _hundredths(bound)
        for bound in (shape.bounds.low, shape.bounds.high)
    )
    words = [UNITS.get(rules.unit_of(name), ""), f"de {low} à {high}", shape.bounds.law]
    said = ", ".join(word for word in words if word)
    return f"{said[:1].upper()}{said[1:]}."


def _typed_form(name: str, shape: Shape, value: Any) -> str:
    if shape.many:
        return ("\n" if shape.bounds is None else ", ").join(map(str, value))
    return _hundredths(value) if rules.unit_of(name) in HUNDREDTHS else str(value)


def _hundredths(value: int) -> str:
    return Money(value).major_string().replace(".", ",").removesuffix(",00")


def _read(name: str, shape: Shape, text: str) -> Any:
    if shape.bounds is None:
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return tuple(lines) if shape.many else text.replace("\r\n", "\n")
    if rules.unit_of(name) in HUNDREDTHS:
        value = minor_of(text.replace("%", ""), "EUR")
        if value is None:
            raise ValueError(NOT_HUNDREDTHS)
        return value
    parts = [part for part in BETWEEN.split(text.strip()) if part] if shape.many else [text]
    if not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
        raise ValueError(NOT_WHOLES if shape.many else NOT_WHOLE)
    return tuple(map(int, parts)) if shape.many else int(text)


def whole(text: str) -> int:
    """A whole number that a page sent back; 0 when it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


class BeginForm(ShopForm):
    """Particular terms that there were none of yet (R-04)."""

    document = StringField(
        "Nom dans l’adresse",
        [
            DataRequired("Donnez un nom, par exemple conditions-atelier."),
            Length(max=60, message="Au plus 60 caractères."),
        ],
    )
    title = StringField(
        "Titre",
        [
            DataRequired("Donnez un titre au document."),
            Length(max=200, message="Au plus 200 caractères."),
        ],
    )

    def validate_document(self, field: Any) -> None:
        """As the address of a page can be."""
        if not rules.is_document_name(field.data):
            raise ValidationError(
                "Des minuscules sans accent, des chiffres et des traits d’union, sans numéro à la "
                "fin, comme conditions-atelier."
            )


NOW, LATER = "maintenant", "date"


class ReleaseForm(ShopForm):
    """When a draft is published, and with which risks."""

    seen = HiddenField()
    over = HiddenField()
    when = RadioField(
        "Quand publier ?",
        choices=[SelectChoice(NOW, "Tout de suite"), SelectChoice(LATER, "À une date")],
        validators=[DataRequired("Dites quand publier.")],
    )
    day = DayField("Date de publication", missing=None)
    accepted = ConsentField("J’ai lu les risques signalés et je publie ce texte malgré eux.")

    @property
    def on(self) -> date | None:
        """The day that was chosen; None: at once."""
        day: date | None = self.day.data
        return day if self.when.data == LATER else None

    def is_complete(self) -> bool:
        """Whether all that is needed was given; what is missing stands at its field."""
        valid: bool = self.validate_on_submit()
        if valid and self.when.data == LATER and self.on is None:
            self.day.errors = ["Choisissez le jour de la publication."]
        return valid and not self.errors
