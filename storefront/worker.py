"""The worker: does what is due, in order, until nothing is."""

from __future__ import annotations

import logging
import signal
import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from storefront.infra import heartbeat, jobs, outbox
from storefront.infra.db import db

log = logging.getLogger(__name__)

MAX_ROUNDS = 1000
PAUSE_SECONDS = 1.0
LOOK_AGAIN = timedelta(days=1)


def run_due(now: datetime) -> Counter[str]:
    """Do everything that is due at `now`, and what that makes due; returns how often per job.

    A job that fails does not keep the others from their work; once they are done, raises
    ExceptionGroup with what went wrong.
    """
    heartbeat.beat(heartbeat.WORKER, now)
    done: Counter[str] = Counter()
    failed: dict[str, Exception] = {}
    for _ in range(MAX_ROUNDS):
        before = done.total()
        done["outbox"] += outbox.drain(now)
        for job in jobs.registered():
            if job.name not in failed:
                try:
                    done[job.name] += job.run(now)
                except Exception as error:
                    db.session.rollback()
                    failed[job.name] = error
        if done.total() == before:
            break
    if failed:
        raise ExceptionGroup(f"failed: {', '.join(failed)}", list(failed.values()))
    return +done


def next_due(after: datetime) -> datetime | None:
    """The earliest instant after `after` at which anything will be due; None: nothing ever.

    What is due already and could not be done (a provider down, a page still open) hides what
    its job has later: it is looked at again a day on.
    """
    instants = [outbox.next_due(), *(job.next_due() for job in jobs.registered())]
    known = [instant for instant in instants if instant is not None]
    later = [instant if instant > after else after + LOOK_AGAIN for instant in known]
    return min(later, default=None)


def run_for_ever(now: Callable[[], datetime]) -> None:
    """Do what is due until the process is told to stop (SIGTERM, Ctrl-C).

    An error of one round is logged and the next round tries again: the worker outlives it.
    """
    stop = threading.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, lambda *_: stop.set())
    while not stop.wait(PAUSE_SECONDS):
        try:
            if done := run_due(now()):
                log.info("did %s", dict(done))
        except Exception:
            log.exception("this round failed; the next one tries again")
        finally:
            db.session.remove()
