"""What happens to orders."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from storefront.kernel.events import Event


@dataclass(frozen=True)
class OrderConfirmed(Event):
    """Its first instalment is paid: the contract runs."""

    order_id: uuid.UUID


@dataclass(frozen=True)
class OrderCancelled(Event):
    """It was never paid, or ended before it began."""

    order_id: uuid.UUID
