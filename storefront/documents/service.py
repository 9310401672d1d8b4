"""Making documents and keeping their bytes (V-04, INV-10)."""

from __future__ import annotations

import hashlib
import uuid
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import typst
from flask import current_app

from storefront.documents import queries, rules
from storefront.documents.models import StoredDocument
from storefront.documents.rules import DocumentKind
from storefront.infra import journal
from storefront.infra.db import db
from storefront.infra.seller import seller
from storefront.kernel.calendar import PARIS, paris_date

# Archival with its structure, readable by screen readers: PDF/A-3a and PDF/UA-1 (ACC-02).
STANDARDS: list[Literal["a-3a", "ua-1"]] = ["a-3a", "ua-1"]


def store(
    kind: DocumentKind,
    subject_id: uuid.UUID,
    filename: str,
    media_type: str,
    content: bytes,
    *,
    now: datetime,
    revision: int = 0,
) -> StoredDocument:
    """Keep `content` for as long as its kind says, sealed in the journal.

    The first bytes stored for a kind, subject and revision are the only ones: storing again
    returns them and changes nothing.
    """
    if (known := queries.find(kind, subject_id, revision=revision)) is not None:
        return known
    document = StoredDocument(
        kind=kind,
        subject_id=subject_id,
        revision=revision,
        filename=filename,
        media_type=media_type,
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
        created_at=now,
        kept_until=rules.kept_until(kind, paris_date(now)),
    )
    db.session.add(document)
    db.session.flush()
    journal.record(
        "document.stored",
        document,
        {"kind": kind, "subject": subject_id, "revision": revision, "sha256": document.sha256},
        now=now,
    )
    return document


def render_pdf(template: str, data: dict[str, Any], *, title: str, now: datetime) -> bytes:
    """Draw templates/documents/`template`.typ from `data`; the same input gives the same bytes.

    `data` is JSON (texts, whole numbers, lists): the template reads it as data, so nothing that a
    customer typed is ever code there. `now` dates the document. Raises `typst.TypstError` when
    the template is wrong or the page would not be accessible.
    """
    folder = Path(current_app.root_path, current_app.template_folder or "", "documents")
    made_at = now.astimezone(PARIS)
    facts = {
        "title": title,
        "seller_name": seller().name,
        "date": [made_at.year, made_at.month, made_at.day],
        **data,
    }
    return _draw(folder, template, journal.canonical(facts), int(now.timestamp()))


@lru_cache(maxsize=8)
def _draw(folder: Path, template: str, data: str, timestamp: int) -> bytes:
    """The same input gives the same bytes: what was just drawn is not drawn again."""
    pdf: bytes = typst.compile(
        str(folder / f"{template}.typ"),
        root=str(folder),
        font_paths=_fonts(folder / "fonts"),
        sys_inputs={"data": data},
        pdf_standards=[*STANDARDS],
        timestamp=timestamp,
    )
    return pdf


@lru_cache(maxsize=4)
def _fonts(folder: Path) -> typst.Fonts:
    """Our own fonts and the compiler's: the machine's would change the pages."""
    return typst.Fonts(False, True, [str(folder)])
