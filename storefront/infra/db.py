"""The database: base class, column types, and the one way to change anything."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any, ClassVar

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    JSON,
    BigInteger,
    Connection,
    Date,
    DateTime,
    Dialect,
    Engine,
    MetaData,
    Text,
    TypeDecorator,
    Uuid,
    event,
)
from sqlalchemy import Enum as SqlEnum
from sqlalchemy.orm import DeclarativeBase, Session, registry

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC instant on both databases; a naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive instant cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        instant: datetime = value
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """Every entity. `__append_only__` tables refuse UPDATE and DELETE in the database itself."""

    registry = registry(
        metadata=MetaData(naming_convention=NAMING),
        type_annotation_map={
            uuid.UUID: Uuid(),
            datetime: UtcDateTime(),
            date: Date(),
            str: Text(),
            int: BigInteger(),
            dict[str, Any]: JSON(),
            list[Any]: JSON(),
            list[str]: JSON(),
        },
    )
    __append_only__: ClassVar[bool] = False


db = SQLAlchemy(model_class=Base, disable_autonaming=True)


def enum_type(enum: type[Enum]) -> SqlEnum:
    """The column type of a status: its values as text, guarded by a CHECK."""
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", enum.__name__).lower()
    return SqlEnum(
        enum,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=40,
        values_callable=lambda members: [member.value for member in members],
    )


BeforeCommit = Callable[[Session], None]
_before_commit: list[BeforeCommit] = []


def before_commit(hook: BeforeCommit) -> BeforeCommit:
    """Register what must be written last in every transaction (the journal's chain)."""
    _before_commit.append(hook)
    return hook


@contextmanager
def transaction() -> Iterator[Session]:
    """Commit all of the block or none of it; only entry points open one.

    What was read before the block is forgotten, so that the block decides on the present:
    on SQLite the write lock is taken first (`BEGIN IMMEDIATE`), on PostgreSQL rows are locked
    by the statements themselves. Raises RuntimeError when nested.
    """
    session = db.session()
    if session.info.get("writing"):
        raise RuntimeError("transactions do not nest")
    session.rollback()
    session.info["writing"] = True
    try:
        session.connection(execution_options={"immediate": True})
        yield session
        session.flush()
        for hook in _before_commit:
            hook(session)
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info.clear()


@contextmanager
def snapshot() -> Iterator[Session]:
    """Read all of the block from one state of the database, whatever is written meanwhile."""
    session = db.session()
    session.rollback()
    same = {"isolation_level": "REPEATABLE READ"} if db.engine.dialect.name != "sqlite" else {}
    session.connection(execution_options=same)
    try:
        yield session
    finally:
        session.rollback()


def _prepare_sqlite(dbapi_connection: Any, _record: object) -> None:
    dbapi_connection.isolation_level = None
    cursor = dbapi_connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "busy_timeout=15000",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    immediate = connection.get_execution_options().get("immediate")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def prepare_engine(engine: Engine) -> None:
    """Teach SQLite durability, foreign keys and honest transactions; PostgreSQL needs nothing."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)


def init_app(app: Flask) -> None:
    """Bind the database to the app."""
    settings = app.config["SETTINGS"]
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.database_url
    if settings.database_url.startswith("postgresql"):
        app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {
            "pool_pre_ping": True,
            "pool_size": 10,
            "max_overflow": 20,
        }
    settings.instance.mkdir(parents=True, exist_ok=True)
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)
