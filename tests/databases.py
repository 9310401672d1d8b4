"""A shop's settings and database for tests: on SQLite, or on PostgreSQL where a server is named."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from storefront.app import create_app
from storefront.infra.config import Settings, load_settings
from storefront.infra.db import db

# A plain Tuesday in Paris, 10:00, far from any change of clocks.
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)

POSTGRES = os.environ.get("STOREFRONT_TEST_DATABASE_URL")


def make_settings(instance: Path, database_url: str) -> Settings:
    """Test settings, the clock at `NOW`."""
    settings = load_settings(
        {
            "STOREFRONT_ENV": "test",
            "STOREFRONT_INSTANCE": str(instance),
            "STOREFRONT_DATABASE_URL": database_url,
            "STOREFRONT_SECRET_KEY": "test-secret-key-of-no-value-whatsoever",
        }
    )
    return replace(settings, now=NOW)


def _create_schema(settings: Settings) -> None:
    app = create_app(settings)
    with app.app_context():
        db.create_all()
        db.session.remove()
        db.engine.dispose()


def _postgres(statement: str) -> None:
    assert POSTGRES
    engine = create_engine(POSTGRES, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()


def _address(name: str) -> str:
    assert POSTGRES
    return make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)


@contextmanager
def empty_template(folder: Path) -> Iterator[str]:
    """An empty shop's database, to be copied: its file, or its name on the server."""
    if not POSTGRES:
        path = folder / "template.sqlite3"
        _create_schema(make_settings(folder, f"sqlite:///{path}"))
        yield str(path)
        return
    name = f"template_{uuid.uuid4().hex[:12]}"
    _postgres(f"CREATE DATABASE {name}")
    _create_schema(make_settings(folder, _address(name)))
    yield name
    _postgres(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def copied(template: str, folder: Path) -> Iterator[str]:
    """The address of a copy of the template, for one test or one module."""
    if not POSTGRES:
        path = folder / "shop.sqlite3"
        shutil.copy(template, path)
        yield f"sqlite:///{path}"
        return
    name = f"test_{uuid.uuid4().hex[:12]}"
    _postgres(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    yield _address(name)
    _postgres(f"DROP DATABASE {name} WITH (FORCE)")
