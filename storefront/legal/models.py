"""Terms that run: frozen versions with typed parameters, and who accepted which (R-01, R-03)."""

from __future__ import annotations

import secrets
import uuid
from datetime import datetime
from typing import Any

from markupsafe import Markup
from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storefront.identity.models import User
from storefront.infra.db import Base, enum_type
from storefront.infra.journal import SealedRow
from storefront.legal.rules import AcceptanceKind


class TermsVersion(Base):
    """One published version of one document. Nothing in it ever changes again (R-01)."""

    __tablename__ = "terms_versions"
    __append_only__ = True
    __table_args__ = (UniqueConstraint("document", "number"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    document: Mapped[str] = mapped_column(String(60))  # "cgv", "conditions-formation", …
    number: Mapped[int]
    title: Mapped[str] = mapped_column(String(200))
    parameters: Mapped[str]  # canonical JSON of the document's parameters
    # Long, and needed by its own page only: every order reads its version's parameters.
    # The source is Markdown with placeholders, the text has them filled in; the contents are
    # canonical JSON: [[anchor, heading], …].
    source: Mapped[str] = mapped_column(deferred=True, deferred_group="page")
    text: Mapped[str] = mapped_column(deferred=True, deferred_group="page")
    html: Mapped[str] = mapped_column(deferred=True, deferred_group="page")
    contents: Mapped[str] = mapped_column(deferred=True, deferred_group="page")
    pdf_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("documents.id", ondelete="RESTRICT"))
    pdf_sha256: Mapped[str] = mapped_column(String(64))
    published_at: Mapped[datetime] = mapped_column(index=True)

    @property
    def reference(self) -> str:
        """How people and commands name this version: `cgv-2`."""
        return f"{self.document}-{self.number}"

    @property
    def body(self) -> Markup:
        """The text as HTML that we rendered ourselves, raw HTML of the source escaped."""
        return Markup(self.html)  # noqa: S704

    def sealed_content(self) -> dict[str, Any]:
        """What the journal's seal covers: everything that was published."""
        return {
            "document": self.document,
            "number": self.number,
            "title": self.title,
            "source": self.source,
            "parameters": self.parameters,
            "text": self.text,
            "html": self.html,
            "contents": self.contents,
            "pdf_sha256": self.pdf_sha256,
            "published_at": self.published_at,
        }

    def sealed_name(self) -> str:
        """How a verification names this version."""
        return f"terms {self.reference}"


class TermsDraft(Base):
    """The next version of a document while it is written, and the day from which it holds.

    One a document. Text and parameters are kept apart, as staff edit them; the parameters are
    lawful whenever the draft is saved, the text may still be unfinished.
    """

    __tablename__ = "terms_drafts"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    document: Mapped[str] = mapped_column(String(60), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    body: Mapped[str]
    parameters: Mapped[str]  # canonical JSON, as in a version
    edited_by: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    edited_at: Mapped[datetime]
    # Planned: nothing is edited until the plan is withdrawn. Failed: the worker could not publish.
    publish_at: Mapped[datetime | None] = mapped_column(index=True)
    failed_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column()

    editor: Mapped[User] = relationship()

    # A draft that takes the place of one that was discarded is never taken for it.
    __mapper_args__ = {
        "version_id_col": version,
        "version_id_generator": lambda before: (before or secrets.randbelow(2**29)) + 1,
    }


class Acceptance(SealedRow, Base):
    """A box that a customer ticked, with everything that proves it (R-03)."""

    __tablename__ = "acceptances"
    __append_only__ = True
    __table_args__ = (UniqueConstraint("order_id", "kind", "version_id", "about"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    kind: Mapped[AcceptanceKind] = mapped_column(enum_type(AcceptanceKind))
    order_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("orders.id", ondelete="RESTRICT"))
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    version_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("terms_versions.id", ondelete="RESTRICT")
    )
    pdf_sha256: Mapped[str] = mapped_column(String(64))
    sentence: Mapped[str]
    # What of the order it is about, "change:<id>"; empty: the order as it was placed.
    about: Mapped[str] = mapped_column(String(60), default="")
    accepted_at: Mapped[datetime]
    ip: Mapped[str] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(500))

    version: Mapped[TermsVersion] = relationship()

    def sealed_name(self) -> str:
        """How a verification names this acceptance."""
        return f"acceptance {self.id}"
