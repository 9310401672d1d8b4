"""What happens to what was bought."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from storefront.kernel.events import Event


@dataclass(frozen=True)
class AccessOpened(Event):
    """A download or a course can be used from now on."""

    access_id: uuid.UUID
