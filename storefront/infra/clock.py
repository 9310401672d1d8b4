"""The shop's clock: the one place that asks the machine what time it is (X-04)."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask import Flask, current_app


class Clock:
    """The real time, shifted by `STOREFRONT_NOW` and by what the demo was moved forward.

    The demo's shift is kept in a file, so that web, worker and commands tell the same time.
    """

    def __init__(self, starts_at: datetime | None, shift_file: Path | None) -> None:
        self._start_shift = starts_at - datetime.now(UTC) if starts_at else timedelta(0)
        self._shift_file = shift_file

    def now(self) -> datetime:
        """The shop's present instant, aware UTC."""
        return datetime.now(UTC) + self._start_shift + self._moved()

    def move_to(self, instant: datetime) -> None:
        """Make `instant` the present. Raises ValueError when that would go back in time."""
        if self._shift_file is None:
            raise ValueError("this shop's clock cannot be moved")
        moved = instant - datetime.now(UTC) - self._start_shift
        if moved < self._moved():
            raise ValueError("the clock only moves forward")
        self._shift_file.parent.mkdir(parents=True, exist_ok=True)
        draft = self._shift_file.with_suffix(".new")
        draft.write_text(json.dumps({"shift_seconds": moved.total_seconds()}))
        draft.replace(self._shift_file)

    def _moved(self) -> timedelta:
        if self._shift_file is None:
            return timedelta(0)
        try:
            shift = json.loads(self._shift_file.read_text())
        except FileNotFoundError:
            return timedelta(0)
        return timedelta(seconds=shift["shift_seconds"])


def init_app(app: Flask) -> None:
    """Give the app its clock; only a demo or a test can be moved in time."""
    settings = app.config["SETTINGS"]
    movable = settings.env != "production"
    app.extensions["clock"] = Clock(
        settings.now if movable else None, settings.instance / "clock.json" if movable else None
    )


def now() -> datetime:
    """The shop's present instant, aware UTC; called by entry points only."""
    clock: Clock = current_app.extensions["clock"]
    return clock.now()
