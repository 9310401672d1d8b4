"""An order of two years ago, with everything that came since, and its evidence file."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from storefront import worker
from storefront.catalogue.rules import ProductKind
from storefront.credits import queries as credits
from storefront.credits import service as hours
from storefront.evidence import jobs
from storefront.evidence.service import Evidence
from storefront.infra.db import db, transaction
from storefront.kernel.calendar import paris_date
from storefront.legal.models import AcceptanceKind
from tests.invoicing.buying import buy

LATER = timedelta(days=730)
VERIFIER = Path(__file__).parents[2] / "storefront" / "evidence" / "verify.py"


def used_up(now: datetime) -> str:
    """Three hours of support, one of them used, the rest expired since; returns the reference."""
    invoice = buy(ProductKind.HOUR_PACK, now=now, order={"consents": (AcceptanceKind.EARLY_START,)})
    with transaction():
        lots = [credits.lots_of(invoice.user_id, paris_date(now))[0].lot]
        on = paris_date(now)
        hours.use(lots, 60, uuid.uuid4(), on=on, reason="TK-2026-000001", now=now)
    reference = str(json.loads(invoice.buyer)["reference"])
    for later in (timedelta(days=170), timedelta(days=400), LATER):
        worker.run_due(now + later)
    db.session.rollback()
    return reference


def exported(reference: str, now: datetime) -> tuple[Evidence, bytes]:
    """The evidence file of an order, and what is known of it."""
    out = io.BytesIO()
    made = jobs.export(reference, out, now)
    assert made is not None
    return made, out.getvalue()


def unpacked(content: bytes) -> dict[str, bytes]:
    """The files of a ZIP."""
    with ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(files: dict[str, bytes], path: Path) -> Path:
    """A ZIP of these files."""
    with ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def verified(path: Path, *options: str) -> tuple[int, str]:
    """What the verifier says, alone with Python's standard library, and its exit code."""
    done = subprocess.run(
        [sys.executable, "-I", str(VERIFIER), *options, str(path)],
        capture_output=True,
        text=True,
        cwd=path.parent,
        env={"PYTHONIOENCODING": "utf-8"},
    )
    return done.returncode, done.stdout + done.stderr


def rewritten(
    files: dict[str, bytes], name: str, change: Callable[[Any], None]
) -> dict[str, bytes]:
    """The same evidence file after somebody changed the JSON of one file, and the manifest with
    it, so that every file has the hash that is announced."""
    content = json.loads(files[name])
    change(content)
    new = json.dumps(content, ensure_ascii=False).encode()
    manifest = json.loads(files["manifest.json"])
    manifest["files"][name] = {"sha256": hashlib.sha256(new).hexdigest(), "size": len(new)}
    return {**files, name: new, "manifest.json": json.dumps(manifest).encode()}
