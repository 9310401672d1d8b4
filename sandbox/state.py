"""Everything the sandbox remembers: JSON documents in one SQLite file.

Documents are what the providers' APIs answer, nearly as they are. One connection and one lock serve
all threads: a request reads and writes within `Store.transaction()`, so that it is whole or absent.
"""

import json
import secrets
import sqlite3
import string
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Doc = dict[str, Any]

_TABLES = """
CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, UNIQUE (kind, id)
);
CREATE TABLE IF NOT EXISTS answers (
    provider TEXT NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL,
    created INTEGER NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL, request_id TEXT NOT NULL,
    PRIMARY KEY (provider, key)
);
CREATE TABLE IF NOT EXISTS deliveries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    provider TEXT NOT NULL, event_id TEXT NOT NULL, state TEXT NOT NULL,
    due REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, note TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS deliveries_by_state ON deliveries (state, due);
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


def new_id(prefix: str, length: int = 24) -> str:
    """A fresh identifier in Stripe's manner: a prefix and random letters and digits."""
    alphabet = string.ascii_letters + string.digits
    return prefix + "".join(secrets.choice(alphabet) for _ in range(length))


class NotThere(LookupError):
    """No document of this kind has this id."""


class Store:
    """Documents by kind and id, kept answers, webhook deliveries and settings."""

    def __init__(self, path: Path | str) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.executescript(_TABLES)

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the lock and write all or nothing; transactions may be nested."""
        with self._lock:
            outermost = self._depth == 0
            if outermost:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if outermost:
                    self._connection.execute("ROLLBACK")
                raise
            self._depth -= 1
            if outermost:
                self._connection.execute("COMMIT")

    def sql(self, statement: str, *values: Any) -> list[sqlite3.Row]:
        with self._lock:
            return self._connection.execute(statement, values).fetchall()

    # Documents

    def put(self, kind: str, doc: Doc) -> Doc:
        """Insert or replace the document of this kind with `doc["id"]`."""
        self.sql(
            "INSERT INTO objects (kind, id, body) VALUES (?, ?, ?)"
            " ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body",
            kind,
            doc["id"],
            json.dumps(doc, ensure_ascii=False),
        )
        return doc

    def get(self, kind: str, id: str) -> Doc | None:
        rows = self.sql("SELECT body FROM objects WHERE kind = ? AND id = ?", kind, id)
        return _doc(rows[0]) if rows else None

    def need(self, kind: str, id: str) -> Doc:
        """The document, which must exist. Raises NotThere."""
        doc = self.get(kind, id)
        if doc is None:
            raise NotThere(f"{kind} {id}")
        return doc

    def delete(self, kind: str, id: str) -> None:
        self.sql("DELETE FROM objects WHERE kind = ? AND id = ?", kind, id)

    def find(self, kind: str, **fields: Any) -> list[Doc]:
        """Documents of a kind, newest first, whose named top-level fields have these values."""
        where = "".join(f" AND json_extract(body, '$.{name}') = ?" for name in fields)
        statement = f"SELECT body FROM objects WHERE kind = ?{where} ORDER BY seq DESC"  # noqa: S608
        return [_doc(row) for row in self.sql(statement, kind, *fields.values())]

    # Settings

    def setting(self, name: str, default: Any = None) -> Any:
        rows = self.sql("SELECT value FROM settings WHERE name = ?", name)
        return json.loads(rows[0]["value"]) if rows else default

    def set(self, name: str, value: Any) -> None:
        self.sql(
            "INSERT INTO settings (name, value) VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            name,
            json.dumps(value),
        )

    def clear(self, keep_settings: tuple[str, ...]) -> None:
        """Forget everything but the named settings."""
        with self.transaction():
            for table in ("objects", "answers", "deliveries"):
                self.sql(f"DELETE FROM {table}")  # noqa: S608
            marks = ",".join("?" * len(keep_settings))
            self.sql(f"DELETE FROM settings WHERE name NOT IN ({marks})", *keep_settings)  # noqa: S608


def _doc(row: sqlite3.Row) -> Doc:
    doc: Doc = json.loads(row["body"])
    return doc
