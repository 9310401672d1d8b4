"""Events: facts a room publishes upwards, and their form in the outbox.

An event is a frozen dataclass of plain values. Its payload is JSON without floats; reading it back
gives an equal event or raises, never something nearly the same.
"""

from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields
from datetime import UTC, date, datetime
from types import NoneType, UnionType
from typing import TypeAlias, TypeVar, Union, cast, get_args, get_origin, get_type_hints
from uuid import UUID

JSON: TypeAlias = "str | int | bool | list[JSON] | dict[str, JSON] | None"


@dataclass(frozen=True)
class Event:
    """Base of every event. Fields hold UUID, int, str, bool, date, datetime, `X | None`, tuples."""


E = TypeVar("E", bound=Event)


class MalformedPayload(ValueError):
    """A payload does not fit the event it is read as, or a value does not fit its field."""


def to_payload(event: Event) -> dict[str, JSON]:
    """Return the event as JSON values, one key a field; instants become UTC.

    Raises `MalformedPayload` when a value is not what its field declares (a naive datetime
    included) and `TypeError` when a field declares a type events cannot carry.
    """
    hints = _hints(type(event))
    return {
        field.name: _encode(getattr(event, field.name), hints[field.name], field.name)
        for field in fields(event)
    }


def from_payload(cls: type[E], payload: Mapping[str, JSON]) -> E:
    """Return the event whose payload this is.

    A missing key takes the field's default, so that rows written before a field was added still
    read. Raises `MalformedPayload` for unknown keys, missing ones without default, values of
    another type and datetimes without offset.
    """
    hints = _hints(cls)
    declared = {field.name: field for field in fields(cls)}
    if unknown := payload.keys() - declared.keys():
        raise MalformedPayload(f"{cls.__name__} has no {sorted(unknown)}")
    missing = [
        name for name, field in declared.items() if name not in payload and not _has_default(field)
    ]
    if missing:
        raise MalformedPayload(f"{cls.__name__} needs {missing}")
    return cls(**{name: _decode(value, hints[name], name) for name, value in payload.items()})


_known_hints: dict[type[Event], dict[str, object]] = {}  # slow to work out, and never another


def _hints(cls: type[Event]) -> dict[str, object]:
    if cls not in _known_hints:
        _known_hints[cls] = get_type_hints(cls)
    return _known_hints[cls]


def _has_default(field: "Field[object]") -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING


def _encode(value: object, hint: object, name: str) -> JSON:
    if (optional := _optional(hint)) is not None:
        return None if value is None else _encode(value, optional, name)
    if get_origin(hint) is tuple:
        if not isinstance(value, tuple):
            raise _misfit(value, hint, name)
        items = _item_hints(hint, len(value), name)
        return [
            _encode(item, item_hint, name) for item, item_hint in zip(value, items, strict=True)
        ]
    # The exact type: a bool is no int here, a datetime is no date.
    if type(value) is not _scalar(hint):
        raise _misfit(value, hint, name)
    if isinstance(value, datetime):
        return _aware(value, name).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    return cast(JSON, value)


def _decode(value: JSON, hint: object, name: str) -> object:
    if (optional := _optional(hint)) is not None:
        return None if value is None else _decode(value, optional, name)
    if get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise _misfit(value, hint, name)
        items = _item_hints(hint, len(value), name)
        return tuple(
            _decode(item, item_hint, name) for item, item_hint in zip(value, items, strict=True)
        )
    scalar = _scalar(hint)
    if scalar in (UUID, date, datetime):
        return _decode_text(value, scalar, name)
    if type(value) is not scalar:
        raise _misfit(value, hint, name)
    return value


def _decode_text(value: JSON, scalar: type, name: str) -> object:
    if not isinstance(value, str):
        raise _misfit(value, scalar, name)
    try:
        if scalar is UUID:
            return UUID(value)
        if scalar is date:
            return date.fromisoformat(value)
        instant = datetime.fromisoformat(value)
    except ValueError as error:
        raise _misfit(value, scalar, name) from error
    return _aware(instant, name)


def _aware(instant: datetime, name: str) -> datetime:
    if instant.tzinfo is None:
        raise MalformedPayload(f"{name}: {instant.isoformat()} carries no timezone")
    return instant.astimezone(UTC)


def _optional(hint: object) -> object | None:
    """Return X for a field declared `X | None`, None for any other field."""
    if get_origin(hint) not in (Union, UnionType):
        return None
    others = [argument for argument in get_args(hint) if argument is not NoneType]
    if len(others) != 1:
        # str | date could not be read back with certainty.
        raise TypeError(f"an event field is of one type, or of one type or None: {hint}")
    return cast(object, others[0])


def _item_hints(hint: object, length: int, name: str) -> tuple[object, ...]:
    """Return the declared type of each item of a tuple of this length."""
    declared = get_args(hint)
    if len(declared) == 2 and declared[1] is Ellipsis:
        return (declared[0],) * length
    if len(declared) != length:
        raise MalformedPayload(f"{name}: {len(declared)} items are declared, not {length}")
    return declared


def _scalar(hint: object) -> type:
    if isinstance(hint, type) and hint in (UUID, int, str, bool, date, datetime):
        return hint
    raise TypeError(f"an event field cannot be of type {hint}")


def _misfit(value: object, hint: object, name: str) -> MalformedPayload:
    return MalformedPayload(f"{name}: {value!r} is no {getattr(hint, '__name__', hint)}")
