"""What customers are told of their hours: before they expire, and when they did (K-02)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from storefront.credits import queries
from storefront.credits.events import HoursExpired, HoursExpiring
from storefront.credits.models import HourLot
from storefront.identity.models import User
from storefront.infra.db import db
from storefront.infra.templating import date_fr
from storefront.kernel.calendar import paris_date
from storefront.notifications.service import queue


def remind(event: HoursExpiring, *, now: datetime) -> None:
    """How much is left, until when, and how to use it."""
    lot = db.session.get_one(HourLot, event.lot_id)
    _queue(
        "hours_expiring",
        f"{lot.id}:{event.expires_on}:{event.days}",
        f"Vos heures d’assistance expirent le {date_fr(event.expires_on)}",
        lot,
        {"days": event.days, "expires_on": event.expires_on},
        now,
    )


def tell_expired(event: HoursExpired, *, now: datetime) -> None:
    """What was lost, and when it could last be used."""
    lot = db.session.get_one(HourLot, event.lot_id)
    _queue(
        "hours_expired",
        f"{lot.id}:{event.expires_on}",
        "Vos heures d’assistance ont expiré",
        lot,
        {"minutes": event.minutes, "expires_on": event.expires_on},
        now,
    )


def _queue(
    kind: str, key: str, subject: str, lot: HourLot, facts: dict[str, Any], now: datetime
) -> None:
    user = db.session.get_one(User, lot.user_id)
    queue(
        kind,
        key=f"{kind}:{key}",
        recipient=user.email,
        user_id=user.id,
        order_id=lot.order_id,
        subject=subject,
        context={"user": user, "view": queries.view_of(lot, paris_date(now)), **facts},
        documents=[],
        now=now,
    )
