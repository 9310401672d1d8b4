"""Database triggers that refuse to rewrite legal proof, whoever asks."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table, event

from storefront.infra.db import Base

SQLITE = """CREATE TRIGGER {table}_refuses_{verb} BEFORE {VERB} ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"""

POSTGRES_FUNCTION = """CREATE OR REPLACE FUNCTION refuse_rewriting() RETURNS trigger AS $$
BEGIN RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' is append-only'; END $$ LANGUAGE plpgsql"""

POSTGRES = """CREATE TRIGGER {table}_refuses_{verb} BEFORE {VERB} ON {table}
FOR EACH ROW EXECUTE FUNCTION refuse_rewriting()"""


def guard_statements(dialect: str, table: str) -> list[str]:
    """The statements that make `table` append-only on this dialect; used by migrations."""
    template = SQLITE if dialect == "sqlite" else POSTGRES
    statements = [] if dialect == "sqlite" else [POSTGRES_FUNCTION]
    for verb in ("update", "delete"):
        statements.append(template.format(table=table, verb=verb, VERB=verb.upper()))
    return statements


def append_only_tables() -> list[Table]:
    """Every table whose entity says `__append_only__`."""
    return [
        mapper.local_table
        for mapper in Base.registry.mappers
        if mapper.class_.__append_only__ and isinstance(mapper.local_table, Table)
    ]


def attach_guards() -> None:
    """Create the triggers with the tables, for a database made from the metadata."""
    for table in append_only_tables():
        event.listen(table, "after_create", _create_guards)


def _create_guards(target: Table, connection: Any, **_: object) -> None:
    for statement in guard_statements(connection.dialect.name, target.name):
        connection.exec_driver_sql(statement)
