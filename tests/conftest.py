"""A migrated shop per test, on SQLite or PostgreSQL, with a clock that the test moves."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from sandbox.testing import RunningSandbox, running_sandbox
from storefront.app import create_app
from storefront.infra.config import Settings, load_settings
from storefront.infra.db import db

# A plain Tuesday in Paris, 10:00, far from any change of clocks.
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)

POSTGRES = os.environ.get("STOREFRONT_TEST_DATABASE_URL")


def _settings(instance: Path, database_url: str) -> Settings:
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


@pytest.fixture(scope="session")
def template_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An empty migrated database, made once, that every test starts from a copy of."""
    folder = tmp_path_factory.mktemp("template")
    if not POSTGRES:
        path = folder / "template.sqlite3"
        _create_schema(_settings(folder, f"sqlite:///{path}"))
        yield str(path)
        return
    name = f"template_{uuid.uuid4().hex[:12]}"
    _postgres(f"CREATE DATABASE {name}")
    url = make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
    _create_schema(_settings(folder, url))
    yield name
    _postgres(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database_url(template_database: str, tmp_path: Path) -> Iterator[str]:
    """This test's own database."""
    if not POSTGRES:
        path = tmp_path / "shop.sqlite3"
        shutil.copy(template_database, path)
        yield f"sqlite:///{path}"
        return
    name = f"test_{uuid.uuid4().hex[:12]}"
    _postgres(f"CREATE DATABASE {name} TEMPLATE {template_database}")
    yield make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
    _postgres(f"DROP DATABASE {name} WITH (FORCE)")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where to keep every request that the tests send to the providers' stand-in."""
    parser.addoption("--sandbox-log", type=Path, help="append the sandbox's request logs here")


@pytest.fixture
def sandbox(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[RunningSandbox]:
    """The providers' stand-in, at the test's hour; the shop of this test talks to it."""
    log = request.config.getoption("--sandbox-log")
    folder = tmp_path / "sandbox"
    folder.mkdir()
    with running_sandbox(folder, log=log.absolute() if log else None) as running:
        running.control("clock", now=NOW.isoformat())
        yield running


@pytest.fixture
def settings(database_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Settings:
    """Test settings: their own database and instance folder, the clock at `NOW`."""
    settings = _settings(tmp_path, database_url)
    if "sandbox" not in request.fixturenames:
        return settings
    base = request.getfixturevalue("sandbox").base_url
    return replace(settings, stripe_api_base=base, paypal_api_base=base)


class Browser(FlaskClient):
    """A visitor's browser: what one request left in `g` (who is signed in) is not the next's."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        """Send one request."""
        for name in list(g):
            g.pop(name)
        return super().open(*args, **kwargs)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The shop, inside an application context."""
    app = create_app(settings)
    app.test_client_class = Browser
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A visitor's browser."""
    return app.test_client()


@pytest.fixture
def now() -> datetime:
    """The instant at which the test's shop starts."""
    return NOW
