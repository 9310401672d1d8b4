"""What happens to hours."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from storefront.kernel.events import Event


@dataclass(frozen=True)
class HoursExpiring(Event):
    """A lot with minutes left expires in `days` days (K-02)."""

    lot_id: uuid.UUID
    days: int


@dataclass(frozen=True)
class HoursExpired(Event):
    """What was left of a lot is lost."""

    lot_id: uuid.UUID
    minutes: int
