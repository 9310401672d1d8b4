"""What falls due here."""

from __future__ import annotations

from storefront.infra.jobs import Job

JOBS: tuple[Job, ...] = ()


def init_app(app: object) -> None:
    """Build the providers from the settings."""
