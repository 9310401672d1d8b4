"""What falls due here."""

from __future__ import annotations

from datetime import datetime

from storefront.catalogue import service
from storefront.catalogue.queries import next_hold_expiry, variants_with_expired_holds
from storefront.infra.db import transaction
from storefront.infra.jobs import Job


def release_expired_holds(now: datetime) -> int:
    """Give back the seats and stock that nobody paid in time, one variant a transaction."""
    released = 0
    for variant_id in variants_with_expired_holds(now):
        with transaction():
            released += service.release_expired([variant_id], now=now)
    return released


JOBS: tuple[Job, ...] = (
    Job("catalogue.release_expired_holds", release_expired_holds, next_hold_expiry),
)
