"""The worker: does what is due, in order, until nothing is."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from storefront.infra import jobs, outbox

MAX_ROUNDS = 1000


def run_due(now: datetime) -> Counter[str]:
    """Do everything that is due at `now`, and what that makes due; returns how often per job."""
    done: Counter[str] = Counter()
    for _ in range(MAX_ROUNDS):
        before = done.total()
        done["outbox"] += outbox.drain(now)
        for job in jobs.registered():
            done[job.name] += job.run(now)
        if done.total() == before:
            break
    return +done


def next_due() -> datetime | None:
    """The earliest instant at which anything will be due."""
    instants = [outbox.next_due(), *(job.next_due() for job in jobs.registered())]
    return min((instant for instant in instants if instant is not None), default=None)
