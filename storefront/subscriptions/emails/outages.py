"""What subscribers are told of an outage: what it gives them, and how that was computed."""

from __future__ import annotations

import uuid
from datetime import datetime

from storefront.notifications.service import queue
from storefront.subscriptions.models import OutageCreditStatus
from storefront.subscriptions.queries import outages


def tell_credit(incident_id: uuid.UUID, subscription_id: uuid.UUID, *, now: datetime) -> int:
    """One message for all that an outage gives a subscription; says whether there was any."""
    found = outages.untold(incident_id, subscription_id)
    if not found:
        return 0
    for credit in found:
        credit.told_at = now
    subscription = found[0].subscription
    queue(
        "outage_credit",
        key=f"outage_credit:{found[0].id}",
        recipient=subscription.order.email,
        user_id=subscription.user_id,
        order_id=subscription.order_id,
        subject=f"Interruption de service : votre avoir – {subscription.name}",
        context={
            "incident": found[0].incident,
            "subscription": subscription,
            "credits": found,
            "total_minor": sum(credit.gross_minor for credit in found),
            "refunded": any(one.status is OutageCreditStatus.REFUNDED for one in found),
        },
        documents=[],
        now=now,
    )
    return 1
