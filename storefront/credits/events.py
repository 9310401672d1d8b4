"""What happens to hours."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date

from storefront.kernel.events import Event


@dataclass(frozen=True)
class HoursExpiring(Event):
    """A lot with something left expires in `days` days, at the end of `expires_on` (K-02)."""

    lot_id: uuid.UUID
    days: int
    expires_on: date


@dataclass(frozen=True)
class HoursExpired(Event):
    """What was left of a lot is lost: `minutes`, 0 for an unused one-shot pack."""

    lot_id: uuid.UUID
    minutes: int
    expires_on: date
