"""What happens to instalments after the first."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from storefront.kernel.events import Event


@dataclass(frozen=True)
class InstalmentPaid(Event):
    """An instalment after the first was paid."""

    instalment_id: uuid.UUID


@dataclass(frozen=True)
class InstalmentFailed(Event):
    """An attempt failed; a retry is planned or the customer must act."""

    instalment_id: uuid.UUID


@dataclass(frozen=True)
class MoneyNotDue(Event):
    """A payment came for what was paid already, or for an order that had ended."""

    payment_id: uuid.UUID


@dataclass(frozen=True)
class PartReceived(Event):
    """A part of an instalment arrived, and the rest is waited for."""

    payment_id: uuid.UUID
    arrival_id: uuid.UUID
