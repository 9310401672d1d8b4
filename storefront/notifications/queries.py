"""What was said to whom."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import defer, selectinload

from storefront.infra.db import db
from storefront.notifications.models import Email
from storefront.notifications.rules import EmailStatus

WAITING = (EmailStatus.QUEUED, EmailStatus.SENDING)


def by_key(key: str) -> Email | None:
    """The message queued under this key."""
    return db.session.scalar(select(Email).where(Email.key == key))


def of_order(order_id: uuid.UUID) -> Sequence[Email]:
    """Every message about one order, oldest first."""
    return _listed(Email.order_id == order_id)


def of_user(user_id: uuid.UUID) -> Sequence[Email]:
    """Every message to one person, oldest first."""
    return _listed(Email.user_id == user_id)


def undelivered() -> Sequence[Email]:
    """What staff must look at: given up, or still waiting after an error; oldest first."""
    retried = Email.status.in_(WAITING) & (Email.last_error.is_not(None))
    return _listed(or_(Email.status == EmailStatus.FAILED, retried))


def get(email_id: uuid.UUID) -> Email | None:
    """One message with its attachments."""
    return db.session.get(Email, email_id)


def search(
    *,
    text: str = "",
    status: EmailStatus | None = None,
    before: uuid.UUID | None = None,
    limit: int = 50,
) -> Sequence[Email]:
    """Messages whose recipient or subject holds `text`, the last one first, without their bodies.

    `before` is the id of the message after which to go on: pages by key.
    """
    found = (
        select(Email)
        .options(defer(Email.text), defer(Email.html), selectinload(Email.attachments))
        .order_by(Email.queued_at.desc(), Email.id.desc())
        .limit(limit)
    )
    if status is not None:
        found = found.where(Email.status == status)
    for word in text.split():
        found = found.where(
            or_(
                Email.recipient.icontains(word, autoescape=True),
                Email.subject.icontains(word, autoescape=True),
            )
        )
    if before is not None:
        key = select(Email.queued_at).where(Email.id == before).scalar_subquery()
        same_instant = and_(Email.queued_at == key, Email.id < before)
        found = found.where(or_(Email.queued_at < key, same_instant))
    return db.session.scalars(found).all()


def next_due() -> datetime | None:
    """When the next message is to be sent, tried again or taken over."""
    return db.session.scalar(select(func.min(Email.due_at)).where(Email.status.in_(WAITING)))


def due(now: datetime) -> Any:
    """The statement that finds the message that has waited longest."""
    return (
        select(Email)
        .where(Email.status.in_(WAITING), Email.due_at <= now)
        .order_by(Email.due_at, Email.queued_at)
        .limit(1)
    )


def _listed(condition: ColumnElement[bool]) -> Sequence[Email]:
    statement = select(Email).where(condition).options(selectinload(Email.attachments))
    return db.session.scalars(statement.order_by(Email.queued_at, Email.id)).all()
