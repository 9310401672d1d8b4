"""The shop's own commands as processes, on the test's database and at an hour of its choosing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from storefront.infra.config import Settings

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def flask(
    settings: Settings, *arguments: str, at: datetime | None = None
) -> Iterator[subprocess.Popen[str]]:
    """Start `flask …`, with the clock at `at` where it is given; dead at the end of the block."""
    environment = {
        "PATH": os.environ["PATH"],
        "STOREFRONT_ENV": settings.env,
        "STOREFRONT_INSTANCE": str(settings.instance),
        "STOREFRONT_DATABASE_URL": settings.database_url,
        "STOREFRONT_SECRET_KEY": settings.secret_key,
        "STOREFRONT_STRIPE_API_BASE": settings.stripe_api_base,
        "STOREFRONT_PAYPAL_API_BASE": settings.paypal_api_base,
    }
    if at is not None:
        environment["STOREFRONT_NOW"] = at.isoformat()
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "--app", "wsgi", *arguments],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def finished(process: subprocess.Popen[str], seconds: float = 120) -> str:
    """What it said, once it has succeeded."""
    said, _ = process.communicate(timeout=seconds)
    assert process.returncode == 0, said
    return said
