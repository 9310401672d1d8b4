"""Journeys: a shop served for real, and people who cross it in a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.journeys.live_shop import LiveShop, Serving, serve, stock
from tests.journeys.visitor import DESK, Visitor

# A Tuesday in Paris, 10:00: the desk is open, and no change of clocks is near.
OPENING = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Stocked:
    """A shop of which every module serves a copy."""

    folder: Path
    secrets: dict[str, str]


@pytest.fixture(scope="session")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Stocked:
    """The shop as on its first day."""
    folder = tmp_path_factory.mktemp("stocked")
    return Stocked(folder, stock(folder, OPENING))


@pytest.fixture(scope="session")
def serving(
    stocked: Stocked, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Serving:
    """Serve another copy of the stocked shop; at its end its logs hold no error."""
    chosen = request.config.getoption("--sandbox-log")
    log = chosen.absolute() if chosen else None

    @contextmanager
    def serve_one() -> Iterator[LiveShop]:
        folder = tmp_path_factory.mktemp("shop") / "instance"
        with serve(stocked.folder, folder, stocked.secrets, OPENING, log) as shop:
            yield shop
            assert not shop.complaints(), shop.last_lines()

    return serve_one


@pytest.fixture(scope="session")
def shop(serving: Serving) -> Iterator[LiveShop]:
    """The shop of all journeys that stay in their day; the others serve one of their own."""
    with serving() as shop:
        yield shop


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        yield browser
        browser.close()


@pytest.fixture
def visit(
    browser: Browser, shop: LiveShop, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Visitor]]:
    """People, each with a browser of their own; keywords go to the browser context."""
    pictures = request.config.getoption("--screenshots")
    visitors: list[Visitor] = []

    def come(**options: Any) -> Visitor:
        context = browser.new_context(
            **{"viewport": DESK, "locale": "fr-FR", "reduced_motion": "reduce", **options}
        )
        context.set_default_timeout(20_000)
        looks = options.get("java_script_enabled", True)
        scheme = options.get("color_scheme", "light")
        visitors.append(Visitor(context, shop, pictures, looks=looks, scheme=scheme))
        return visitors[-1]

    yield come
    for visitor in visitors:
        visitor.context.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Show what the shop's processes wrote when a journey fails."""
    report = yield
    shop = getattr(item, "funcargs", {}).get("shop")
    if report.failed and isinstance(shop, LiveShop):
        report.sections.append(("the shop's logs", shop.last_lines()))
    return report
