"""Invoices and credit notes: numbered without gaps, then never changed (V-01, INV-01, INV-02)."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from storefront.infra.db import Base
from storefront.kernel.money import Money

ORDER = "order"


def period_cause(period_id: uuid.UUID) -> str:
    """The cause of the invoice of a period of a subscription."""
    return f"period:{period_id}"


def _columns(row: Base) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in row.__table__.columns}


class Invoice(Base):
    """Parties, lines and mentions as they were on the day of issue. Amounts in minor units."""

    __tablename__ = "invoices"
    __append_only__ = True
    __table_args__ = (
        UniqueConstraint("series", "sequence"),
        UniqueConstraint("order_id", "cause"),
        CheckConstraint("net_minor + vat_minor = total_minor", name="adds_up"),
        Index("ix_invoices_user", "user_id", "issued_on"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    number: Mapped[str] = mapped_column(String(35), unique=True)  # F-2026-000012
    series: Mapped[str] = mapped_column(String(12))  # "F-2026"
    sequence: Mapped[int]
    order_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("orders.id", ondelete="RESTRICT"))
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    # What is invoiced, once: "order", "period:<id>", a month of a subscription, or
    # "change:<id>", a change of plan within one.
    cause: Mapped[str] = mapped_column(String(60))
    # The instalment that a month's invoice is paid by; None: the schedule of the order's price.
    instalment_id: Mapped[uuid.UUID | None] = mapped_column(
        ForeignKey("instalments.id", ondelete="RESTRICT"), index=True
    )
    issued_on: Mapped[date]
    issued_at: Mapped[datetime]
    supplied_on: Mapped[date]
    currency: Mapped[str] = mapped_column(String(3))
    net_minor: Mapped[int]
    vat_minor: Mapped[int]
    total_minor: Mapped[int]
    seller: Mapped[str]  # canonical JSON
    buyer: Mapped[str]  # canonical JSON
    mentions: Mapped[str]  # canonical JSON: {mention: the sentence as it was that day}
    schedule: Mapped[str]  # canonical JSON: [{rank, due_on, amount_minor, paid_on}, …]

    lines: Mapped[list[InvoiceLine]] = relationship(order_by="InvoiceLine.position")

    @property
    def is_of_order(self) -> bool:
        """Whether it invoices the order itself, not a later month."""
        return self.cause == ORDER

    @property
    def total(self) -> Money:
        """What it amounts to, tax included."""
        return Money(self.total_minor, self.currency)

    def sealed_content(self) -> dict[str, Any]:
        """What the journal's seal covers: every column and every line."""
        return {"invoice": _columns(self), "lines": [_columns(line) for line in self.lines]}

    def sealed_name(self) -> str:
        """How a verification names this invoice."""
        return f"invoice {self.number}"


class InvoiceLine(Base):
    """One line, with its own rate or exemption."""

    __tablename__ = "invoice_lines"
    __append_only__ = True
    __table_args__ = (UniqueConstraint("invoice_id", "position"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    invoice_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("invoices.id", ondelete="RESTRICT"))
    position: Mapped[int]
    name: Mapped[str] = mapped_column(String(250))
    # Both days included; None: on the day of the invoice's `supplied_on`.
    supplied_from: Mapped[date | None]
    supplied_to: Mapped[date | None]
    quantity: Mapped[int]
    unit_net_minor: Mapped[int]
    vat_rate_bp: Mapped[int]
    exemption: Mapped[str] = mapped_column(String(40), default="")  # a code of rules.Mention
    net_minor: Mapped[int]
    vat_minor: Mapped[int]
    gross_minor: Mapped[int]


class CreditNote(Base):
    """What an invoice asked for and is not due any more (INV-02). Amounts in minor units, positive:
    it is their document that says on which side they stand."""

    __tablename__ = "credit_notes"
    __append_only__ = True
    __table_args__ = (
        UniqueConstraint("series", "sequence"),
        UniqueConstraint("invoice_id", "cause"),
        CheckConstraint("net_minor + vat_minor = total_minor", name="adds_up"),
        CheckConstraint("total_minor > 0", name="amount"),
        Index("ix_credit_notes_user", "user_id", "issued_on"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    number: Mapped[str] = mapped_column(String(35), unique=True)  # A-2026-000003
    series: Mapped[str] = mapped_column(String(12))  # "A-2026"
    sequence: Mapped[int]
    invoice_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("invoices.id", ondelete="RESTRICT"))
    order_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("orders.id", ondelete="RESTRICT"), index=True
    )
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="RESTRICT"))
    # Why, once: "refund:<id>", "dispute:<id>", or "rest": what will not be paid any more.
    cause: Mapped[str] = mapped_column(String(60))
    issued_on: Mapped[date]
    issued_at: Mapped[datetime]
    currency: Mapped[str] = mapped_column(String(3))
    net_minor: Mapped[int]
    vat_minor: Mapped[int]
    total_minor: Mapped[int]
    seller: Mapped[str]  # canonical JSON
    buyer: Mapped[str]  # canonical JSON
    mentions: Mapped[str]  # canonical JSON: {mention: the sentence as it was that day}

    invoice: Mapped[Invoice] = relationship()
    lines: Mapped[list[CreditNoteLine]] = relationship(order_by="CreditNoteLine.position")

    @property
    def total(self) -> Money:
        """What it amounts to, tax included."""
        return Money(self.total_minor, self.currency)

    def sealed_content(self) -> dict[str, Any]:
        """What the journal's seal covers: every column and every line."""
        return {"credit_note": _columns(self), "lines": [_columns(line) for line in self.lines]}

    def sealed_name(self) -> str:
        """How a verification names this credit note."""
        return f"credit note {self.number}"


class CreditNoteLine(Base):
    """What is credited of one line of the invoice, at that line's rate."""

    __tablename__ = "credit_note_lines"
    __append_only__ = True
    __table_args__ = (
        UniqueConstraint("credit_note_id", "position"),
        CheckConstraint("net_minor + vat_minor = gross_minor", name="adds_up"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    credit_note_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("credit_notes.id", ondelete="RESTRICT")
    )
    invoice_line_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("invoice_lines.id", ondelete="RESTRICT"), index=True
    )
    position: Mapped[int]
    name: Mapped[str] = mapped_column(String(250))
    vat_rate_bp: Mapped[int]
    exemption: Mapped[str] = mapped_column(String(40), default="")
    net_minor: Mapped[int]
    vat_minor: Mapped[int]
    gross_minor: Mapped[int]
