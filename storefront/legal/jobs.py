"""What falls due here."""

from __future__ import annotations

from datetime import datetime

from storefront.infra.jobs import Job, one_by_one
from storefront.legal import queries, service


def publish_planned(now: datetime) -> int:
    """Publish the drafts whose day has come, each in a transaction of its own."""
    return one_by_one(
        queries.due_releases(now), lambda draft: service.publish_planned(draft, now=now)
    )


JOBS: tuple[Job, ...] = (Job("legal.publish_planned", publish_planned, queries.next_release),)
