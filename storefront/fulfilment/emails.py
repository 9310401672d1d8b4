"""What customers are told of what they can use."""

from __future__ import annotations

from datetime import datetime

from storefront.fulfilment.events import AccessOpened
from storefront.fulfilment.models import Access
from storefront.infra.db import db
from storefront.notifications.service import queue


def access_opened(event: AccessOpened, *, now: datetime) -> None:
    """The access is open: its personal link and its nominative code (F-01)."""
    access = db.session.get_one(Access, event.access_id)
    order = access.order_line.order
    queue(
        "access_opened",
        key=f"access_opened:{access.id}",
        recipient=order.email,
        user_id=access.user_id,
        order_id=order.id,
        subject=f"Votre accès est ouvert – {access.title}",
        context={"access": access, "order": order},
        documents=[],
        now=now,
    )
