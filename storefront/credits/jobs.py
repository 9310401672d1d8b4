"""What falls due on hours: reminders before the expiry, and the expiry (K-02)."""

from __future__ import annotations

from datetime import datetime

from storefront.credits import queries, service
from storefront.infra.db import transaction
from storefront.infra.jobs import Job


def remind_due(now: datetime) -> int:
    """Remind customers of hours that expire soon; returns how many lots were looked at."""
    done = 0
    for lot_id in queries.to_remind(now):
        with transaction():
            service.remind(lot_id, now=now)
        done += 1
    return done


def expire_due(now: datetime) -> int:
    """Write off what is left of lots past their last day."""
    done = 0
    for lot_id in queries.to_expire(now):
        with transaction():
            done += service.expire(lot_id, now=now)
    return done


JOBS: tuple[Job, ...] = (
    Job("credits.remind", remind_due, queries.next_reminder_at),
    Job("credits.expire", expire_due, queries.next_expiry_at),
)
