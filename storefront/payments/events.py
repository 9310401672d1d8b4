"""What the rooms above are told about money."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from storefront.kernel.events import Event


@dataclass(frozen=True)
class PaymentSucceeded(Event):
    """The provider holds the money."""

    payment_id: uuid.UUID


@dataclass(frozen=True)
class MethodSetUp(Event):
    """A means of payment is kept for what is due later; no money moved."""

    payment_id: uuid.UUID


@dataclass(frozen=True)
class PaymentFailed(Event):
    """Declined, abandoned, or refused until the customer authenticates."""

    payment_id: uuid.UUID
