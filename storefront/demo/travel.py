"""Time travel: the shop lives through the days between, it does not skip them (X-04)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

import requests
from flask import current_app

from storefront import worker
from storefront.infra.clock import Clock
from storefront.infra.db import db

SANDBOX_TIMEOUT = 5


class NotInTheDemo(Exception):
    """Only a demo or a test travels."""


def advance_to(target: datetime) -> Iterator[tuple[datetime, Counter[str]]]:
    """Move the clock to `target`, doing on the way, in order of time, all that falls due.

    Yields each instant at which something was done. Raises `NotInTheDemo` in production and
    ValueError when `target` is in the past.
    """
    settings = current_app.config["SETTINGS"]
    if settings.env == "production":
        raise NotInTheDemo
    clock: Clock = current_app.extensions["clock"]
    if target < clock.now():
        raise ValueError("the clock only moves forward")
    instant: datetime | None = clock.now()
    while instant is not None and instant < target:
        _set_clocks(clock, instant)
        if done := worker.run_due(instant):
            yield instant, done
        instant = worker.next_due(instant)
        db.session.rollback()
    _set_clocks(clock, target)
    if done := worker.run_due(target):
        yield target, done


def _set_clocks(clock: Clock, instant: datetime) -> None:
    """The shop and the providers' stand-in tell the same time."""
    if instant > clock.now():
        clock.move_to(instant)
    settings = current_app.config["SETTINGS"]
    if settings.sandboxed:
        requests.post(
            f"{settings.stripe_api_base}/_sandbox/clock",
            json={"now": instant.isoformat()},
            timeout=SANDBOX_TIMEOUT,
        ).raise_for_status()
