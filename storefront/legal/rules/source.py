"""The source of a document: TOML parameters between `+++` lines, then Markdown with placeholders.

A placeholder is `{{ name }}` or `{{ name | filter }}` and nothing else: no condition and no loop,
so that a parameter which stands in the source stands in the text that the customer reads.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, UndefinedError, nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from storefront.infra.templating import NO_BREAK_SPACE, money_fr, percent_fr
from storefront.legal.rules.documents import facts_of
from storefront.legal.rules.parameters import Parameters, read_parameters, restore_parameters
from storefront.legal.rules.problems import Problem, UnpublishableTerms

FENCE = "+++"
DOCUMENT = re.compile(r"[a-z][a-z0-9-]{0,58}(?<!-)")
NUMBERED = re.compile(r"-\d+$")

# What a value could do to the text around it.
MARKUP = re.compile(r"[\\`*_\[\]<>&|~#]")
LINE_ENDS = re.compile(r"[\r\n\t]+")

INTERVALS = {"month": "chaque mois"}
ACCELERATIONS = {
    "never": "ne devient jamais exigible d’avance",
    "after_notice": "ne devient exigible d’avance qu’après une mise en demeure distincte",
    "at_once": "devient exigible le jour où l’accès est suspendu",
}


@dataclass(frozen=True)
class TermsSource:
    """A source that was read and whose parameters are lawful."""

    document: str
    title: str
    parameters: Parameters
    body: str


def read_source(text: str) -> TermsSource:
    """Take a source apart. Raises `UnpublishableTerms` with every problem of its first part."""
    head, fence, body = text.removeprefix("\ufeff").lstrip().partition(f"\n{FENCE}\n")
    if not head.startswith(f"{FENCE}\n") or not fence:
        raise UnpublishableTerms(problems=(Problem("", "no_head"),))
    try:
        facts = tomllib.loads(head.removeprefix(FENCE))
    except tomllib.TOMLDecodeError as error:
        problem = Problem("", "no_toml", error=error)
        raise UnpublishableTerms(problems=(problem,)) from error
    document, title = facts.get("document"), facts.get("title")
    problems = [Problem(name, "no_entry") for name in facts.keys() - _ENTRIES]
    if not isinstance(document, str) or not DOCUMENT.fullmatch(document):
        problems.append(Problem("document", "bad_document"))
    elif NUMBERED.search(document):
        problems.append(Problem("document", "numbered"))
    if not isinstance(title, str) or not title.strip():
        problems.append(Problem("title", "missing"))
    if problems or not isinstance(document, str) or not isinstance(title, str):
        raise UnpublishableTerms(problems=tuple(problems))
    kind = facts_of(document).parameters
    parameters = read_parameters(kind, facts.get("parameters", {}))
    return TermsSource(document, title.strip(), parameters, body.strip() + "\n")


def is_document_name(text: str) -> bool:
    """Whether a document can be called so: by commands, and in the address of its page."""
    return bool(DOCUMENT.fullmatch(text)) and not NUMBERED.search(text)


_ENTRIES = {"document", "title", "parameters"}


def reread_source(text: str) -> TermsSource:
    """The source of a published version, to go on from: bounds set since do not reach back."""
    head, _, body = text.removeprefix("\ufeff").lstrip().partition(f"\n{FENCE}\n")
    facts = tomllib.loads(head.removeprefix(f"{FENCE}\n"))
    kind = facts_of(facts["document"]).parameters
    parameters = restore_parameters(kind, json.dumps(facts.get("parameters", {})))
    return TermsSource(facts["document"], facts["title"].strip(), parameters, body.strip() + "\n")


def write_source(source: TermsSource) -> str:
    """The file that `read_source` reads back as the same source."""
    head = {"document": source.document, "title": source.title}
    lines = [f"{name} = {_toml(value)}" for name, value in head.items()]
    if own := vars(source.parameters):
        lines += ["", "[parameters]", *(f"{name} = {_toml(value)}" for name, value in own.items())]
    return "\n".join([FENCE, *lines, FENCE, "", source.body.strip(), ""])


def _toml(value: int | str | tuple[int | str, ...]) -> str:
    # What JSON writes of these, TOML reads; except for DEL, which JSON leaves as it is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def fill_in(source: TermsSource, facts: Mapping[str, Any]) -> tuple[TermsSource, str]:
    """The text that the customer reads, and the source with its own sentences filled in.

    `facts` are what every text may name besides its parameters: `seller`, `base_url`. A sentence
    among the parameters may name other parameters. Raises `UnpublishableTerms` for a parameter
    that the text does not state, for a placeholder that names nothing, and for anything but
    placeholders.
    """
    environment = _environment()
    own = {name: getattr(source.parameters, name) for name in _names(source.parameters)}
    sentences: dict[str, Any] = {
        name: value for name, value in own.items() if isinstance(value, str)
    }
    values = {**facts, **{name: own[name] for name in own.keys() - sentences.keys()}}
    problems, stated = _read_placeholders(environment, source.body, {**values, **sentences})
    for sentence in sentences.values():
        problems += _read_placeholders(environment, sentence, values)[0]
    problems += [Problem(name, "not_stated") for name in own if name not in stated]
    if problems:
        raise UnpublishableTerms(problems=tuple(problems))
    plain = _environment(finalize=None)
    sentences = {name: _render(plain, text, values) for name, text in sentences.items()}
    filled = replace(source, parameters=replace(source.parameters, **sentences))
    return filled, _render(environment, source.body, {**values, **sentences})


def _names(parameters: object) -> list[str]:
    return list(vars(parameters))


def _read_placeholders(
    environment: ImmutableSandboxedEnvironment, text: str, known: Mapping[str, Any]
) -> tuple[list[Problem], set[str]]:
    """The problems of a text's placeholders, and the names that it states."""
    problems = []
    try:
        tree = _parsed(environment, text)
        for node in _descendants(tree):
            if not isinstance(node, _ALLOWED) or (isinstance(node, nodes.Filter) and node.args):
                problems.append(Problem(f"line {node.lineno}", "placeholder"))
        if not problems:
            # Compiling works sums out: nothing but what is allowed comes to it.
            _compiled(environment, text)
    except TemplateSyntaxError as error:
        return [Problem(f"line {error.lineno}", "unreadable", error=error.message)], set()
    stated = {name.name for name in tree.find_all(nodes.Name)}
    problems += [Problem(name, "unknown") for name in sorted(stated - known.keys())]
    return problems, stated


_ALLOWED = (nodes.Output, nodes.TemplateData, nodes.Name, nodes.Getattr, nodes.Filter)


# A text is published again and again while it is written, with the same sentences in it.
@lru_cache(maxsize=256)
def _parsed(environment: ImmutableSandboxedEnvironment, text: str) -> nodes.Template:
    return environment.parse(text)


@lru_cache(maxsize=256)
def _compiled(environment: ImmutableSandboxedEnvironment, text: str) -> Template:
    return environment.from_string(text)


def _descendants(node: nodes.Node) -> Iterator[nodes.Node]:
    for child in node.iter_child_nodes():
        yield child
        yield from _descendants(child)


def _render(
    environment: ImmutableSandboxedEnvironment, text: str, values: Mapping[str, Any]
) -> str:
    try:
        return _compiled(environment, text).render(values)
    except (UndefinedError, SecurityError) as error:
        problem = Problem("", "unreadable", error=error)
        raise UnpublishableTerms(problems=(problem,)) from error
    except (TypeError, KeyError, ValueError) as error:
        problem = Problem("", "filter", error=error)
        raise UnpublishableTerms(problems=(problem,)) from error


def _literally(value: Any) -> Any:
    """A value as plain text of the Markdown around it: it can add no heading, link or emphasis."""
    if isinstance(value, StrictUndefined):
        return value
    return MARKUP.sub(r"\\\g<0>", LINE_ENDS.sub(" ", str(value)))


@lru_cache
def _environment(finalize: Any = _literally) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True, finalize=finalize
    )
    environment.globals.clear()
    environment.filters = dict(FILTERS)
    return environment


def _counted(one: str, several: str) -> Any:
    def counted(number: int) -> str:
        # French: 0 and 1 are singular.
        return f"{number + 0}{NO_BREAK_SPACE}{several if number > 1 else one}"

    return counted


def _enumerated(items: Iterable[Any]) -> str:
    """`60, 30 et 7`; items that hold commas themselves are told apart by semicolons."""
    *others, last = [str(item) for item in items]
    if not others:
        return last
    mark = f"{NO_BREAK_SPACE}; " if any("," in item for item in (*others, last)) else ", "
    return f"{mark.join(others)} et {last}"


def _platform_notice(days: int) -> str:
    if not days:
        return "est le même"
    return f"est porté à {_counted('jour', 'jours')(days)}"


PRO_WITHDRAWALS = {
    "none": "il en va de même",
    "contractual": (
        "nous vous accordons cependant le délai d’un consommateur, à compter de la souscription, "
        "tant que vous n’avez utilisé aucune fonction payante"
    ),
}

FILTERS: dict[str, Any] = {
    "minutes": _counted("minute", "minutes"),
    "hours": _counted("heure", "heures"),
    "days": _counted("jour", "jours"),
    "business_days": _counted("jour ouvré", "jours ouvrés"),
    "months": _counted("mois", "mois"),
    "years": _counted("an", "ans"),
    "money": money_fr,
    "percent": percent_fr,
    "enumerate": _enumerated,
    "interval": INTERVALS.__getitem__,
    "acceleration": ACCELERATIONS.__getitem__,
    "platform_notice": _platform_notice,
    "pro_withdrawal": PRO_WITHDRAWALS.__getitem__,
}

# "Units are in the names": what follows the last of these words.
UNITS = {
    "business_days": "business_days",
    "minutes": "minutes",
    "hours": "hours",
    "days": "days",
    "months": "months",
    "years": "years",
    "minor": "money",
    "bp": "percent",
    "acceleration": "acceleration",
    "interval": "interval",
}


def unit_of(name: str) -> str:
    """The filter that sets a parameter of this name with its unit; empty: it has none."""
    return next((unit for end, unit in UNITS.items() if name.endswith(f"_{end}")), "")


def show_value(name: str, value: Any) -> str:
    """A parameter's value as the text would say it: `12 mois`, `40,00 €`, `90, 60 et 30 jours`."""
    setter = FILTERS.get(unit_of(name), str)
    if isinstance(value, list | tuple):
        *others, last = value
        words = [str(item) for item in others]
        return _enumerated([*words, str(setter(last))])
    return str(setter(value))
