"""What happens to messages."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from storefront.kernel.events import Event


@dataclass(frozen=True)
class EmailSent(Event):
    """Handed over to the mail server: from now on the customer was told (PRE-05)."""

    email_id: uuid.UUID
    kind: str
    order_id: uuid.UUID | None
