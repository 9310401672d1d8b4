"""A small language to say which parameters an address takes, and the check that refuses the rest.

Both providers use it: Stripe's form values arrive as text (`coerce`), PayPal's JSON is typed.
A schema is a tree of the types below; `check` returns the values in their Python types or raises
`Problem`, which each provider words in its own way.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(eq=False)
class Problem(Exception):
    """A parameter that cannot be accepted. `kind` is unknown, missing, empty, or says what it is
    not: integer, boolean, choice, string, object, list, too_long, syntax, too_many."""

    path: tuple[str, ...]
    kind: str
    value: Any = None
    detail: str = ""


@dataclass(frozen=True)
class Text:
    max: int = 5000
    pattern: str | None = None
    may_be_empty: bool = False


@dataclass(frozen=True)
class Whole:
    min: int | None = None
    max: int | None = None


@dataclass(frozen=True)
class Flag:
    pass


@dataclass(frozen=True)
class Choice:
    values: tuple[str, ...]


@dataclass(frozen=True)
class Metadata:
    """Up to 50 of the caller's own keys (40 characters) and values (500 characters)."""


@dataclass(frozen=True)
class Many:
    item: "Type"
    max: int = 100


@dataclass(frozen=True)
class Object:
    fields: Mapping[str, "Type"]
    required: frozenset[str] = field(default_factory=frozenset)


Type = Text | Whole | Flag | Choice | Metadata | Many | Object


def choice(*values: str) -> Choice:
    return Choice(values)


def obj(required: str = "", /, **fields: Type) -> Object:
    """An object with these fields; the names in `required` (separated by spaces) must be there."""
    return Object(fields, frozenset(required.split()))


def check(schema: Type, value: Any, *, coerce: bool, path: tuple[str, ...] = ()) -> Any:
    """The value in its Python types. Raises `Problem` at the first thing that is wrong.

    With `coerce`, numbers and booleans are read from text, as in a form body.
    """
    match schema:
        case Object():
            return _check_object(schema, value, coerce, path)
        case Many():
            if not isinstance(value, list):
                raise Problem(path, "list", value)
            if len(value) > schema.max:
                raise Problem(path, "too_many", value, str(schema.max))
            return [
                check(schema.item, item, coerce=coerce, path=(*path, str(number)))
                for number, item in enumerate(value)
            ]
        case Metadata():
            return _check_metadata(value, path)
        case Whole():
            return _check_whole(schema, value, coerce, path)
        case Flag():
            if coerce and value in ("true", "false"):
                return value == "true"
            if coerce or not isinstance(value, bool):
                raise Problem(path, "boolean", value)
            return value
        case Choice():
            if not isinstance(value, str) or value not in schema.values:
                raise Problem(path, "choice", value, ", ".join(schema.values))
            return value
        case Text():
            return _check_text(schema, value, path)


def _check_object(schema: Object, value: Any, coerce: bool, path: tuple[str, ...]) -> Any:
    if not isinstance(value, dict):
        raise Problem(path, "object", value)
    for name in value:
        if name not in schema.fields:
            raise Problem((*path, name), "unknown", value[name])
    for name in sorted(schema.required):
        if name not in value:
            raise Problem((*path, name), "missing")
    return {
        name: check(schema.fields[name], inner, coerce=coerce, path=(*path, name))
        for name, inner in value.items()
    }


def _check_metadata(value: Any, path: tuple[str, ...]) -> dict[str, str]:
    if value == "":
        return {}
    if not isinstance(value, dict):
        raise Problem(path, "object", value)
    if len(value) > 50:
        raise Problem(path, "too_many", value, "50")
    for key, text in value.items():
        if not isinstance(text, str):
            raise Problem((*path, key), "string", text)
        if len(key) > 40 or len(text) > 500:
            raise Problem((*path, key), "too_long", text, "40" if len(key) > 40 else "500")
    return value


def _check_whole(schema: Whole, value: Any, coerce: bool, path: tuple[str, ...]) -> int:
    if coerce:
        if not isinstance(value, str) or not re.fullmatch(r"-?[0-9]{1,18}", value):
            raise Problem(path, "integer", value)
        value = int(value)
    elif not isinstance(value, int) or isinstance(value, bool):
        raise Problem(path, "integer", value)
    if schema.min is not None and value < schema.min:
        raise Problem(path, "too_small", value, str(schema.min))
    if schema.max is not None and value > schema.max:
        raise Problem(path, "too_large", value, str(schema.max))
    number: int = value
    return number


def _check_text(schema: Text, value: Any, path: tuple[str, ...]) -> str:
    if not isinstance(value, str):
        raise Problem(path, "string", value)
    if value == "" and not schema.may_be_empty:
        raise Problem(path, "empty", value)
    if len(value) > schema.max:
        raise Problem(path, "too_long", value, str(schema.max))
    if schema.pattern is not None and value and not re.fullmatch(schema.pattern, value):
        raise Problem(path, "syntax", value)
    return value
