"""What falls due: each room's jobs, run by the worker and by the demo's time travel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import Flask, current_app


@dataclass(frozen=True)
class Job:
    """One kind of due work.

    `run(now)` does everything due at `now`, in its own transactions, safe to run twice and
    at the same time, and returns how many things it did. `next_due()` is the earliest instant
    at which it will have something to do, or None.
    """

    name: str
    run: Callable[[datetime], int]
    next_due: Callable[[], datetime | None]


def register(app: Flask, *jobs: Job) -> None:
    """Add jobs to the worker's list; called by the composition root."""
    app.extensions.setdefault("jobs", []).extend(jobs)


def registered() -> list[Job]:
    """The jobs of the current app, in the order in which they were registered."""
    jobs: list[Job] = current_app.extensions.get("jobs", [])
    return jobs
