"""What happens to what was bought."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from storefront.kernel.events import Event


@dataclass(frozen=True)
class AccessOpened(Event):
    """A download or a course can be used from now on."""

    access_id: uuid.UUID


@dataclass(frozen=True)
class SupplySuspended(Event):
    """What was sold on an order is stopped; `cause` is a code such as "unpaid"."""

    order_id: uuid.UUID
    cause: str


@dataclass(frozen=True)
class SupplyResumed(Event):
    """A cause was lifted; another may still stop the order."""

    order_id: uuid.UUID
    cause: str


@dataclass(frozen=True)
class SupplyRevoked(Event):
    """What was sold on an order was taken back for good; `only`: of these lines, not of all."""

    order_id: uuid.UUID
    cause: str
    only: tuple[uuid.UUID, ...] | None = None
