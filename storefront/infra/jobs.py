"""What falls due: each room's jobs, run by the worker and by the demo's time travel."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from flask import Flask, current_app

from storefront.infra.db import db, transaction

log = logging.getLogger(__name__)

Subject = TypeVar("Subject")
SAY_EVERY = 100


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


def side_by_side(subjects: Sequence[Subject], act: Callable[[Subject], int], *, what: str) -> int:
    """Act on each as `one_by_one` does, several at a time: for what waits on somebody else.

    `act` opens its own transactions, in a thread that has a session of its own. Of long work the
    log says how far it is. Returns how much was done; raises ExceptionGroup likewise.
    """
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    hands: int = min(app.config["SETTINGS"].provider_connections, len(subjects))
    db.session.rollback()  # what the caller read holds no lock against the others
    done, failed = 0, []

    def alone(subject: Subject) -> int:
        with app.app_context():
            return act(subject)

    with ThreadPoolExecutor(max(hands, 1), thread_name_prefix=what) as pool:
        for count, future in enumerate(
            as_completed(pool.submit(alone, one) for one in subjects), 1
        ):
            if (error := future.exception()) is None:
                done += future.result()
            elif isinstance(error, Exception):
                failed.append(error)
            else:
                raise error
            if count % SAY_EVERY == 0:
                log.info("%s: %d of %d", what, count, len(subjects))
    if failed:
        raise ExceptionGroup(f"{len(failed)} failed", failed)
    return done
