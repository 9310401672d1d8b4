"""Who is known here."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import select

from storefront.identity.models import Role, User
from storefront.identity.rules import normal_email
from storefront.infra.db import db


def by_email(email: str) -> User | None:
    """The person with this address, however it is typed."""
    return db.session.scalars(select(User).where(User.email == normal_email(email))).first()


def by_session_id(session_id: str) -> User | None:
    """The person a session cookie names; None when that session was ended since."""
    identifier, _, epoch = session_id.partition(".")
    try:
        user = db.session.get(User, uuid.UUID(identifier))
    except ValueError:
        return None
    if user is None or not user.is_active or str(user.session_epoch) != epoch:
        return None
    return user


def staff() -> Sequence[User]:
    """Everybody who works here."""
    return db.session.scalars(
        select(User).where(User.role != Role.CUSTOMER, User.closed_at.is_(None)).order_by(User.name)
    ).all()
