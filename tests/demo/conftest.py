"""One demo for all tests of this folder: loaded once, in two goes, against a stand-in.

The tests of the loading come first, by name; those of the travel move its clock for good.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import pytest
from flask import Flask

from sandbox.testing import RunningSandbox, running_sandbox
from storefront.app import create_app
from storefront.demo.load import load
from storefront.infra import clock
from storefront.infra.db import db
from tests.conftest import Browser
from tests.databases import NOW, copied, make_settings

FIRST_STEPS = 30


class Complaints(logging.Handler):
    """Keeps what the shop logs as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(self.format(record))


@dataclass(frozen=True)
class Demo:
    """A loaded demo and what it said meanwhile."""

    app: Flask
    sandbox: RunningSandbox
    said: str
    complaints: Complaints

    def run(self, *arguments: str) -> str:
        """The output of one of the shop's commands, which must succeed."""
        done = self.app.test_cli_runner().invoke(args=arguments)
        assert done.exit_code == 0, done.output
        return done.output


@pytest.fixture(scope="package")
def demo(
    template_database: str,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[Demo]:
    """A demo whose loading was interrupted once and taken up again."""
    folder = tmp_path_factory.mktemp("demo")
    log: Path | None = request.config.getoption("--sandbox-log")
    complaints = Complaints()
    logging.getLogger().addHandler(complaints)
    with (
        running_sandbox(folder, log=log.absolute() if log else None) as sandbox,
        copied(template_database, folder) as url,
    ):
        base = sandbox.base_url
        app = create_app(
            replace(make_settings(folder, url), stripe_api_base=base, paypal_api_base=base)
        )
        app.config["WTF_CSRF_ENABLED"] = False
        app.test_client_class = Browser
        with app.app_context():
            assert abs(clock.now() - NOW).total_seconds() < 60
            started = load(clock.now)
            assert len(list(islice(started, FIRST_STEPS))) == FIRST_STEPS
            started.close()
            done = app.test_cli_runner().invoke(args=["demo", "load"])
            assert done.exit_code == 0, done.output
            yield Demo(app, sandbox, done.output, complaints)
            db.session.remove()
            db.engine.dispose()
    logging.getLogger().removeHandler(complaints)
