"""What was written to the customer, and every document that is kept about the order."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from sqlalchemy import select

from storefront.documents.models import StoredDocument
from storefront.documents.queries import with_content
from storefront.evidence.queries.items import Exhibit, File, Item, items
from storefront.evidence.rules import safe_name
from storefront.infra.db import db
from storefront.infra.journal import batches
from storefront.notifications.models import Email
from storefront.notifications.rules import EmailStatus
from storefront.notifications.service import compose


def messages(order_id: uuid.UUID) -> Exhibit:
    """Every e-mail about it: its exact bytes, whether and when it left, after how many tries."""
    sent = select(Email).where(Email.order_id == order_id).order_by(Email.queued_at, Email.id)
    return Exhibit("messages", items(sent, lambda row: f"{row.subject} ({row.recipient})", _eml))


def _eml(number: int, email: Email) -> dict[str, File]:
    """The bytes that left, whose hash the journal has; of another message, those that would."""
    key = "message_sha256" if email.status is EmailStatus.SENT else "message"
    path = f"messages/{number:03d}-{email.kind}.eml"
    return {key: File(path, lambda: bytes(compose(email.id)))}


def documents(about: Iterable[uuid.UUID], named: Iterable[uuid.UUID]) -> Exhibit:
    """The documents about any of these rows, and those that they name: PDFs, calendars, files."""
    found: dict[uuid.UUID, StoredDocument] = {}
    for column, values in ((StoredDocument.subject_id, about), (StoredDocument.id, named)):
        for portion in batches(list(values)):
            for document in db.session.scalars(select(StoredDocument).where(column.in_(portion))):
                found[document.id] = document
    ordered = sorted(found.values(), key=lambda one: (one.created_at, one.filename, str(one.id)))
    return Exhibit(
        "documents",
        [
            Item(document, document.filename, _bytes(number, document))
            for number, document in enumerate(ordered, start=1)
        ],
    )


def _bytes(number: int, document: StoredDocument) -> dict[str, File]:
    def read() -> bytes:
        content = with_content(document.id).content
        db.session.expire(document, ["content"])
        return content

    return {"sha256": File(f"documents/{number:03d}-{safe_name(document.filename)}", read)}
