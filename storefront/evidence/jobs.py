"""Making an evidence file when somebody asks: read in one snapshot, then told to the journal."""

from __future__ import annotations

from datetime import datetime
from typing import IO

from storefront.evidence import service
from storefront.evidence.service import Evidence
from storefront.infra.db import snapshot, transaction
from storefront.orders import queries as orders


def export(reference: str, out: IO[bytes], now: datetime) -> Evidence | None:
    """Write the evidence file of an order into `out`; None for an unknown reference.

    Nothing is locked while it is written. It counts as made once the journal knows its manifest.
    """
    with snapshot():
        order = orders.by_reference(reference)
        if order is None:
            return None
        made = service.write(order, out, now=now)
    with transaction():
        service.note(made, now=now)
    return made
