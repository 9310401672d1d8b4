"""The yardstick of a batch: the database alone, given the very rows that the batch wrote."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from sqlalchemy import Table, func, select, text
from sqlalchemy.orm import Session

from storefront.infra.db import Base, db

Counts = Mapping[str, int]


def tables() -> Sequence[Table]:
    """Every table of the shop, a table after those that it points to."""
    return Base.registry.metadata.sorted_tables


def counted() -> Counts:
    """How many rows each table has."""
    db.session.rollback()
    counts = {
        table.name: db.session.scalar(select(func.count()).select_from(table)) or 0
        for table in tables()
    }
    db.session.rollback()
    return counts


def insert_again(before: Counts) -> tuple[int, float]:
    """Insert again, a set a table, as many rows as each table gained since `before`.

    Into copies of the tables with their indexes, checks and foreign keys, in one transaction; the
    copies are gone afterwards. Returns rows and seconds.
    """
    session = db.session()
    gained = {name: now - before[name] for name, now in counted().items() if now > before[name]}
    for name in gained:
        _copy_empty(session, name)
    session.commit()  # the copies stand before the clock starts
    started = time.monotonic()
    for name, rows in gained.items():
        session.execute(text(f"INSERT INTO same_{name} SELECT * FROM {name} LIMIT {rows}"))
    session.commit()
    seconds = time.monotonic() - started
    for name in gained:
        session.execute(text(f"DROP TABLE same_{name}"))
    session.commit()
    return sum(gained.values()), seconds


def _copy_empty(session: Session, name: str) -> None:
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f"CREATE TABLE same_{name} (LIKE {name} INCLUDING ALL)"))
        # LIKE leaves out the foreign keys, which the shop's own rows were checked against too.
        points_to = text(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE contype = 'f' AND conrelid = to_regclass(:name)"
        )
        for foreign_key in session.scalars(points_to, {"name": name}).all():
            session.execute(text(f"ALTER TABLE same_{name} ADD {foreign_key}"))
        return
    made = session.execute(
        text(
            "SELECT type, name, sql FROM sqlite_master WHERE tbl_name = :name AND sql IS NOT NULL"
        ),
        {"name": name},
    ).all()
    for row in sorted(made, key=lambda row: row.type != "table"):
        if row.type in ("table", "index"):
            sql = row.sql.replace(f" {name} ", f" same_{name} ", 1)
            sql = sql.replace(f"INDEX {row.name}", f"INDEX same_{row.name}")
            sql = sql.replace(f"TABLE {name}", f"TABLE same_{name}").replace(
                f"ON {name}", f"ON same_{name}"
            )
            session.execute(text(sql))
