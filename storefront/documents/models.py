"""Stored documents: bytes that were made once and never change."""

from __future__ import annotations

import hashlib
import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, deferred, mapped_column

from storefront.documents.rules import DocumentKind
from storefront.infra.db import Base, enum_type


class StoredDocument(Base):
    """The bytes of one document about one subject, with their SHA-256 (V-04, INV-10)."""

    __tablename__ = "documents"
    __append_only__ = True
    __table_args__ = (UniqueConstraint("kind", "subject_id", "revision"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    kind: Mapped[DocumentKind] = mapped_column(enum_type(DocumentKind))
    subject_id: Mapped[uuid.UUID] = mapped_column(index=True)
    revision: Mapped[int] = mapped_column(default=0)
    filename: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(80))
    content: Mapped[bytes] = deferred(mapped_column(LargeBinary))
    sha256: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    kept_until: Mapped[date | None]

    def sealed_content(self) -> dict[str, Any]:
        """What the journal's seal covers: the bytes, by computing their hash again."""
        return {"filename": self.filename, "sha256": hashlib.sha256(self.content).hexdigest()}

    def sealed_name(self) -> str:
        """How a verification names this document."""
        return f"document {self.filename}"
