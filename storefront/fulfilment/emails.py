"""What customers are told of what they can use."""

from __future__ import annotations

from datetime import datetime

from storefront.fulfilment import queries
from storefront.fulfilment.events import AccessOpened
from storefront.fulfilment.models import Access
from storefront.infra.db import db
from storefront.notifications.service import queue


def access_opened(event: AccessOpened, *, now: datetime) -> None:
    """What an order line gives is open: its personal links, in one message a line (F-01)."""
    line = db.session.get_one(Access, event.access_id).order_line
    order = line.order
    queue(
        "access_opened",
        key=f"access_opened:{line.id}",
        recipient=order.email,
        user_id=order.user_id,
        order_id=order.id,
        subject=f"Votre accès est ouvert – {line.name}",
        context={"line": line, "accesses": queries.open_of_line(line.id), "order": order},
        now=now,
    )
