"""What happens to invoices."""

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
