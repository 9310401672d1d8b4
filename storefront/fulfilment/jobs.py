"""Accesses that open when the withdrawal period has ended (W-03)."""

from __future__ import annotations

from datetime import datetime

from storefront.fulfilment import queries, service
from storefront.infra.jobs import Job, one_by_one


def open_waiting(now: datetime) -> int:
    """Open what has waited long enough; one transaction an access."""
    return one_by_one(queries.to_open(now), lambda one: service.open_access(one, now=now))


JOBS: tuple[Job, ...] = (Job("fulfilment.open", open_waiting, queries.next_opening_at),)
