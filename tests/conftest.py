"""A migrated shop per test, on SQLite or PostgreSQL, with a clock that the test moves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache
from werkzeug.routing import Rule

from sandbox.testing import RunningSandbox, running_sandbox
from storefront.app import create_app
from storefront.infra import outbox
from storefront.infra.config import Settings
from storefront.infra.db import db
from tests.databases import NOW, copied, empty_template, make_settings

# Every test has an app of its own; its templates are compiled once for all of them, and so is the
# code by which Werkzeug builds the addresses of its rules, which is most of the work of an app.
COMPILED = FileSystemBytecodeCache()
_built: dict[object, Any] = {}
_compile_builder = Rule._compile_builder


def _compile_builder_once(rule: Rule, append_unknown: bool = True) -> Any:
    key = (append_unknown, tuple(rule._trace), repr(rule.defaults))
    if key not in _built:
        _built[key] = _compile_builder(rule, append_unknown)
    return _built[key]


Rule._compile_builder = _compile_builder_once  # type: ignore[method-assign]


@pytest.fixture(scope="session")
def template_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An empty migrated database, made once, that every test starts from a copy of."""
    with empty_template(tmp_path_factory.mktemp("template")) as template:
        yield template


@pytest.fixture
def database_url(template_database: str, tmp_path: Path) -> Iterator[str]:
    """This test's own database."""
    with copied(template_database, tmp_path) as url:
        yield url


# What these say is the same on both databases, or asks none; the rules, services and races that do
# ask one run on both.
ONE_DATABASE = {"kernel", "sandbox", "account", "staff", "identity"}
ONE_DATABASE_MODULES = {
    "test_views",
    "test_pages",
    "test_emails",
    "test_details",
    "test_order_click",
    "test_rules",
    "test_withdrawing",
    "test_paypal_provider",
    "test_paypal_webhooks",
    "test_stripe_provider",
    "test_offline_provider",
    "test_verifier",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what need not be tried on a second database."""
    for item in items:
        if item.path.parent.name in ONE_DATABASE or item.path.stem in ONE_DATABASE_MODULES:
            item.add_marker(pytest.mark.once)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where to keep every request that the tests send to the stand-in, and pictures of pages."""
    parser.addoption("--sandbox-log", type=Path, help="append the sandbox's request logs here")
    parser.addoption("--screenshots", type=Path, help="keep pictures of the journeys' pages here")


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
    settings = make_settings(tmp_path, database_url)
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
    app.jinja_env.bytecode_cache = COMPILED
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(autouse=True)
def reactions_are_done(
    caplog: pytest.LogCaptureFixture, request: pytest.FixtureRequest
) -> Iterator[None]:
    """What nobody hears of because it is tried again, an e-mail that cannot be written, is heard
    here: a test in which a reaction fails says so (`reaction_fails`), or fails itself."""
    yield
    said = [one for one in caplog.get_records("call") if one.name == outbox.__name__]
    if said and "reaction_fails" not in request.keywords:
        pytest.fail(f"{said[0].getMessage()}: {said[0].exc_info}")


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A visitor's browser."""
    return app.test_client()


@pytest.fixture
def now() -> datetime:
    """The instant at which the test's shop starts."""
    return NOW
