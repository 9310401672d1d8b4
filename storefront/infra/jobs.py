"""What falls due: each room's jobs, run by the worker and by the demo's time travel."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from flask import Flask, current_app

from storefront.infra.db import db, transaction

Subject = TypeVar("Subject")
Answer = TypeVar("Answer")


class Together(Protocol):
    """Calls several functions at once: what each returned or raised, in the same order."""

    def __call__(self, calls: Sequence[Callable[[], Answer]]) -> list[Answer | Exception]: ...


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


def in_batches(
    subjects: Sequence[Subject], act: Callable[[Sequence[Subject]], int], *, size: int = 200
) -> int:
    """Act on several in one transaction, and one by one where that fails.

    What thousands share is paid for once a batch, and a row that nobody foresaw still holds up
    nobody: returns and raises as `one_by_one` does.
    """
    done = 0
    failed: list[Exception] = []
    for start in range(0, len(subjects), size):
        batch = subjects[start : start + size]
        try:
            with transaction():
                done += act(batch)
        except Exception:
            try:
                done += one_by_one(batch, lambda one: act([one]))
            except ExceptionGroup as group:
                failed.extend(group.exceptions)
    if failed:
        raise ExceptionGroup(f"{len(failed)} failed", failed)
    return done


@contextmanager
def side_by_side(what: str) -> Iterator[Together]:
    """A few hands for what waits on somebody else: as many questions at once as the settings allow.

    The hands are given functions that touch no database, and give back what each returned or
    raised, in the same order. They keep their connections as long as the block lasts.
    """
    hands: int = current_app.config["SETTINGS"].provider_connections
    with ThreadPoolExecutor(hands, thread_name_prefix=what) as pool:

        def together(calls: Sequence[Callable[[], Answer]]) -> list[Answer | Exception]:
            db.session.rollback()  # what the caller read holds no lock against the others
            return list(pool.map(_outcome_of, calls))

        yield together


def _outcome_of(call: Callable[[], Answer]) -> Answer | Exception:
    try:
        return call()
    except Exception as error:
        return error
