"""E-mails as rendered rows: the durable proof of what was said, when, to whom."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storefront.documents.models import StoredDocument
from storefront.infra.db import Base, enum_type
from storefront.kernel.states import Lifecycle
from storefront.notifications.rules import EmailStatus

EMAIL_LIFECYCLE = Lifecycle(
    "email",
    {
        EmailStatus.QUEUED: {EmailStatus.SENDING},
        # From SENDING to SENDING: taken over from a sender that died.
        EmailStatus.SENDING: {
            EmailStatus.SENDING,
            EmailStatus.SENT,
            EmailStatus.QUEUED,
            EmailStatus.FAILED,
        },
        EmailStatus.SENT: set(),
        EmailStatus.FAILED: {EmailStatus.QUEUED},
    },
)


class Email(Base):
    """One message, rendered when queued, sent by the worker."""

    __tablename__ = "emails"
    __table_args__ = (Index("ix_emails_due", "status", "due_at"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    kind: Mapped[str] = mapped_column(String(60))
    # One effect, one e-mail: the same key queued again changes nothing.
    key: Mapped[str] = mapped_column(String(200), unique=True)
    recipient: Mapped[str] = mapped_column(String(254))
    user_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("users.id"), index=True)
    order_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("orders.id"), index=True)
    subject: Mapped[str] = mapped_column(String(300))
    text: Mapped[str]
    html: Mapped[str]
    status: Mapped[EmailStatus] = mapped_column(enum_type(EmailStatus), default=EmailStatus.QUEUED)
    queued_at: Mapped[datetime]
    # QUEUED: when it is sent or tried again. SENDING: when its sender counts as dead.
    due_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    # The headers under which it left: the shop can change its name and addresses later.
    sent_from: Mapped[str | None] = mapped_column(String(400))
    reply_to: Mapped[str | None] = mapped_column(String(400))
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None]

    attachments: Mapped[list[EmailAttachment]] = relationship(order_by="EmailAttachment.position")


class EmailAttachment(Base):
    """A stored document sent with a message, by reference."""

    __tablename__ = "email_attachments"

    email_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("emails.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    document_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("documents.id"))

    document: Mapped[StoredDocument] = relationship()
