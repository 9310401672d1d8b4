"""The providers' stand-in, as the demo uses it: told the time, and asked to be quiet.

It is a program of its own and is reached over HTTP, like the providers that it stands in for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import requests
from flask import current_app

from storefront.infra.config import Settings

TIMEOUT_SECONDS = 10

_http = requests.Session()


class StandInSilent(Exception):
    """The stand-in does not answer; the message says how to start it."""

    def __init__(self, base: str) -> None:
        port = base.rpartition(":")[2]
        super().__init__(
            f"The stand-in for the payment providers does not answer at {base}.\n"
            "./run starts it together with the shop. By hand, in another terminal:\n"
            f"  .venv/bin/python -m sandbox --port {port} --state instance/sandbox.sqlite3"
        )


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings


def _control(path: str, body: dict[str, Any] | None = None) -> Any:
    """One of its controls: asked without a body, told with one."""
    base = _settings().stripe_api_base
    try:
        answer = _http.request(
            "GET" if body is None else "POST",
            f"{base}/_sandbox/{path}",
            json=body,
            timeout=TIMEOUT_SECONDS,
        )
    except requests.ConnectionError as error:
        raise StandInSilent(base) from error
    answer.raise_for_status()
    return answer.json()


def set_clock(instant: datetime) -> None:
    """Make `instant` the stand-in's present too; real providers keep their own time."""
    if _settings().sandboxed:
        _control("clock", {"now": instant.isoformat()})


@contextmanager
def webhooks(**mode: bool) -> Iterator[None]:
    """Deliver webhooks in this mode meanwhile (`drop`, `hold`), and as before afterwards.

    What was held goes out at the end. Raises `StandInSilent`.
    """
    if not _settings().sandboxed:
        yield
        return
    before = _control("webhooks")["mode"]
    _control("webhooks", mode)
    try:
        yield
    finally:
        _control("webhooks", before)
        _control("webhooks/release", {})
