"""What falls due here."""

from __future__ import annotations

from storefront.infra.jobs import Job

JOBS: tuple[Job, ...] = ()
