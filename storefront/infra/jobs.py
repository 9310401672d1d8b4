"""What falls due: each room's jobs, run by the worker and by the demo's time travel."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from flask import Flask, current_app

from storefront.infra.db import transaction

Subject = TypeVar("Subject")


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


def one_by_one(subjects: Iterable[Subject], act: Callable[[Subject], int]) -> int:
    """Act on each in a transaction of its own, whatever happens to the others.

    Returns how much was done. Once all were tried, raises ExceptionGroup with what went wrong:
    a row that nobody foresaw is seen, and holds up nobody.
    """
    done = 0
    failed: list[Exception] = []
    for subject in subjects:
        try:
            with transaction():
                done += act(subject)
        except Exception as error:
            failed.append(error)
    if failed:
        raise ExceptionGroup(f"{len(failed)} failed", failed)
    return done
