"""Accesses that open when the withdrawal period has ended (W-03)."""

from __future__ import annotations

from datetime import datetime

from storefront.fulfilment import queries, service
from storefront.infra.db import transaction
from storefront.infra.jobs import Job


def open_waiting(now: datetime) -> int:
    """Open what has waited long enough; one transaction an access."""
    opened = 0
    for access_id in queries.to_open(now):
        with transaction():
            opened += service.open_access(access_id, now=now)
    return opened


JOBS: tuple[Job, ...] = (Job("fulfilment.open", open_waiting, queries.next_opening_at),)
