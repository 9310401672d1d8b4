"""Links that prove an address."""

from __future__ import annotations

from datetime import datetime

from storefront.identity import service
from storefront.identity.models import User
from storefront.notifications.service import queue


def choose_password(user: User, *, now: datetime) -> None:
    """The link by which a person chooses a password: first one, or forgotten."""
    token = service.password_token(user, now=now)
    queue(
        "choose_password",
        key=f"choose_password:{token}",
        recipient=user.email,
        user_id=user.id,
        order_id=None,
        subject="Choisissez votre mot de passe",
        context={"user": user, "token": token, "hours": service.TOKEN_LIFETIME.days * 24},
        documents=[],
        now=now,
    )
