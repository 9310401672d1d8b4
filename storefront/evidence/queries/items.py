"""What an evidence file is made of: rows as they stand, and the files that show them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, inspect

from storefront.infra.db import Base, db
from storefront.infra.journal import Sealed

# Keys that open something, and what stands in a file of its own.
WITHHELD = {
    "orders": {"token"},
    "payments": {"page_url"},
    "emails": {"text", "html"},
    "documents": {"content"},
}
# Of a person, what the contract knows: no secret of their account.
SHOWN = {"users": {"id", "name", "email", "phone", "created_at", "email_confirmed_at"}}


@dataclass(frozen=True)
class File:
    """A file of its own, read when it is written down, so that one is in memory at a time."""

    path: str
    read: Callable[[], bytes]


@dataclass(frozen=True)
class Item:
    """A row; `name`: what a person knows it by. A file is known by what of the row it shows: a
    key of its sealed content, or of what the journal said of it."""

    row: Any
    name: str = ""
    files: Mapping[str, File] = field(default_factory=dict)

    @property
    def path(self) -> str | None:
        """The file that a person opens to see it."""
        return next((file.path for file in self.files.values()), None)


@dataclass(frozen=True)
class Exhibit:
    """One kind of proof, in a folder of its own."""

    folder: str
    items: Sequence[Item]

    @property
    def path(self) -> str:
        """The file that lists its rows."""
        return f"{self.folder}/lignes.json"

    def files(self) -> Iterator[File]:
        """Every file of its items."""
        for item in self.items:
            yield from item.files.values()


def items(
    statement: Select[Any],
    name: Callable[[Any], str] = lambda row: "",
    files: Callable[[int, Any], Mapping[str, File]] = lambda number, row: {},
) -> list[Item]:
    """The rows of a statement, in its order; `files` gets their numbers, from 1."""
    rows = db.session.scalars(statement).all()
    return [Item(row, name(row), files(number, row)) for number, row in enumerate(rows, start=1)]


def described(item: Item) -> dict[str, Any]:
    """A row as the evidence file tells it: what the journal seals, and apart from it the rest."""
    row, table = item.row, item.row.__tablename__
    sealed = row.sealed_content() if isinstance(row, Sealed) else {}
    known = {*sealed, *(key for part in sealed.values() if isinstance(part, dict) for key in part)}
    told: dict[str, Any] = {
        "table": table,
        "id": row.id,
        "name": item.name,
        "sealed": sealed or None,
        "append_only": row.__append_only__,
        "other": {key: getattr(row, key) for key in _shown(row) if key not in known},
        "files": {key: file.path for key, file in item.files.items()},
    }
    _forget_bytes(row)
    return told


def _shown(row: Base) -> list[str]:
    table = row.__tablename__
    keys = [column.key for column in row.__table__.columns]
    return [key for key in keys if key in SHOWN.get(table, keys) and key not in _withheld(table)]


def _withheld(table: str) -> set[str]:
    return WITHHELD.get(table, set())


def _forget_bytes(row: Base) -> None:
    """What is heavy is read again when it is written down, not kept until then."""
    heavy = [prop.key for prop in inspect(type(row)).column_attrs if prop.deferred]
    if heavy:
        db.session.expire(row, heavy)
