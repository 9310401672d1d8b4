"""Finding stored documents."""

from __future__ import annotations

import uuid

from sqlalchemy import select
from sqlalchemy.orm import undefer

from storefront.documents.models import StoredDocument
from storefront.documents.rules import DocumentKind
from storefront.infra.db import db


def find(kind: DocumentKind, subject_id: uuid.UUID, *, revision: int = 0) -> StoredDocument | None:
    """The document of this kind about this subject, without its bytes; None when not made yet."""
    return db.session.scalar(
        select(StoredDocument).where(
            StoredDocument.kind == kind,
            StoredDocument.subject_id == subject_id,
            StoredDocument.revision == revision,
        )
    )


def with_content(document_id: uuid.UUID) -> StoredDocument:
    """A document and its bytes. Raises NoResultFound for an unknown id."""
    return db.session.execute(
        select(StoredDocument)
        .where(StoredDocument.id == document_id)
        .options(undefer(StoredDocument.content))
    ).scalar_one()
