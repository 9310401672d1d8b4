"""What happens to invoices and credit notes."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from storefront.kernel.events import Event


@dataclass(frozen=True)
class InvoiceIssued(Event):
    """Numbered and frozen; its PDF is still to be made."""

    invoice_id: uuid.UUID


@dataclass(frozen=True)
class InvoiceStored(Event):
    """Its PDF is stored and can be sent."""

    invoice_id: uuid.UUID


@dataclass(frozen=True)
class CreditNoteIssued(Event):
    """Numbered and frozen; its PDF is still to be made."""

    credit_note_id: uuid.UUID


@dataclass(frozen=True)
class CreditNoteStored(Event):
    """Its PDF is stored and can be sent."""

    credit_note_id: uuid.UUID


@dataclass(frozen=True)
class NothingToCredit(Event):
    """Money went back that no invoice had asked for: there is no credit note."""

    refund_id: uuid.UUID
