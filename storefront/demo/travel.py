"""Time travel: the shop lives through the days between, it does not skip them (X-04)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from flask import current_app

from storefront import worker
from storefront.demo import latecomers, stand_in
from storefront.infra.clock import Clock
from storefront.infra.db import db

Done = tuple[datetime, Counter[str]]

PAID_LATE = "people.paid_late"


class NotInTheDemo(Exception):
    """Only a demo or a test travels."""


def refuse_production() -> None:
    """Raise `NotInTheDemo` in a real shop."""
    if current_app.config["SETTINGS"].env == "production":
        raise NotInTheDemo("this is a real shop: its time is everybody's")


def live_through(start: datetime, target: datetime) -> Iterator[Done]:
    """Do in order of time, from `start` to `target`, all that falls due, each at its instant.

    Yields each instant at which something was done. The shop's clock is not touched.
    """
    instant: datetime | None = start
    while instant is not None and instant < target:
        yield from _do(instant)
        instant = _next_due(instant)
        db.session.rollback()
    yield from _do(target)


def _next_due(after: datetime) -> datetime | None:
    """When the shop, or somebody of the stories, has something to do next."""
    known = (worker.next_due(after), latecomers.next_due(after))
    return min((instant for instant in known if instant is not None), default=None)


def _do(instant: datetime) -> Iterator[Done]:
    stand_in.set_clock(instant)
    by_hand = Counter({PAID_LATE: latecomers.pay_due(instant)})
    if done := by_hand + worker.run_due(instant):
        yield instant, done


def advance_to(target: datetime) -> Iterator[Done]:
    """Move the clock to `target`, doing on the way, in order of time, all that falls due.

    Yields each instant at which something was done. Raises `NotInTheDemo` in production,
    ValueError when `target` is in the past and `StandInSilent`.
    """
    refuse_production()
    clock: Clock = current_app.extensions["clock"]
    start = clock.now()
    if target < start:
        raise ValueError("the clock only moves forward")
    with stand_in.webhooks(hold=True):
        for instant, done in live_through(start, target):
            _move(clock, instant)
            yield instant, done
        _move(clock, target)


def _move(clock: Clock, instant: datetime) -> None:
    """A web server that runs meanwhile sees the days go by."""
    if instant > clock.now():
        clock.move_to(instant)
