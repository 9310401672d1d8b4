"""What falls due here."""

from __future__ import annotations

from datetime import datetime

from storefront.catalogue import queries, service
from storefront.infra.db import transaction
from storefront.infra.jobs import Job


def release_expired_holds(now: datetime) -> int:
    """Give back the seats and stock that nobody paid in time, one variant a transaction."""
    released = 0
    for variant_id in queries.variants_with_expired_holds(now):
        with transaction():
            released += service.release_expired([variant_id], now=now)
    return released


JOBS: tuple[Job, ...] = (
    Job("catalogue.release_expired_holds", release_expired_holds, queries.next_hold_expiry),
)
