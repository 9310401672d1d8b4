"""Why a text cannot be published: one sentence for the command line, its facts for other words."""

from __future__ import annotations

from typing import Any, Self, cast

from storefront.kernel.errors import Refusal

SAYS = {
    "unknown": "no such parameter",
    "missing": "missing",
    "no_list": "{value!r} is not a list of at least one value",
    "no_choice": "{value!r} is not one of {choices}",
    "not_whole": "{value!r} is not a whole number",
    "out_of_bounds": "{value} is not between {low} and {high}",
    "no_sentence": "{value!r} is not a sentence",
    "more_than": "more than {other}",
    "not_after": "not after {other}",
    "not_before_end": "not before the end of {other}",
    "none_or_at_least": "0, or {least} at least",
    "not_descending": "furthest first, each once",
    "not_stated": "the text does not state it",
    "placeholder": "only placeholders like {{{{ name | filter }}}}",
    "filter": "a filter does not fit its parameter: {error}",
    "unreadable": "{error}",
    "no_entry": "no such entry",
    "bad_document": "small letters, digits and hyphens",
    "numbered": "the number at its end is given when it is published",
    "no_head": "the source must start with TOML between +++",
    "no_toml": "the TOML part cannot be read: {error}",
    "unlawful": "{rule} ({source}){found}",
}


class Problem(str):
    """What is wrong with `about`: a parameter, a line, a part of the text.

    The string itself is what commands say; `code` and `facts` word it in other places.
    """

    about: str
    code: str
    facts: dict[str, Any]

    def __new__(cls, about: str, code: str, **facts: Any) -> Self:
        said = SAYS[code].format(**facts)
        made = super().__new__(cls, f"{about}: {said}" if about else said)
        made.about, made.code, made.facts = about, code, facts
        return made


class UnpublishableTerms(Refusal):
    """The text and its parameters do not agree, or the law forbids them. Details: problems."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong, each naming the parameter or the place."""
        return cast(tuple[Problem, ...], self.details["problems"])
