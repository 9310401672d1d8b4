"""The outbox: events saved with the change that caused them, reacted to afterwards.

One row per reaction, one transaction per reaction, retried alone with back-off. A reaction is
idempotent: the row is marked done in the transaction in which the reaction writes.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from flask import Flask, current_app, g, has_request_context
from sqlalchemy import Index, String, func, select
from sqlalchemy.orm import Mapped, mapped_column

from storefront.infra import journal
from storefront.infra.db import Base, db, enum_type, transaction
from storefront.kernel.events import Event, from_payload, to_payload

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 8
FIRST_RETRY = timedelta(seconds=30)

Reaction = Callable[..., None]


class OutboxStatus(StrEnum):
    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


class OutboxEntry(Base):
    """One reaction owed to one event."""

    __tablename__ = "outbox"
    __table_args__ = (Index("ix_outbox_due", "status", "due_at"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    event: Mapped[str] = mapped_column(String(80))
    reaction: Mapped[str] = mapped_column(String(120))
    payload: Mapped[dict[str, Any]]
    status: Mapped[OutboxStatus] = mapped_column(
        enum_type(OutboxStatus), default=OutboxStatus.PENDING
    )
    published_at: Mapped[datetime]
    due_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None]


@dataclass(frozen=True)
class _Subscription:
    event_type: type[Event]
    reactions: dict[str, Reaction]


def subscribe(app: Flask, event_type: type[Event], *reactions: Reaction) -> None:
    """Name who reacts to an event; called by the composition root only."""
    table: dict[str, _Subscription] = app.extensions.setdefault("reactions", {})
    subscription = table.setdefault(event_type.__name__, _Subscription(event_type, {}))
    for reaction in reactions:
        subscription.reactions[f"{reaction.__module__}.{reaction.__qualname__}"] = reaction


def _subscription(event: str) -> _Subscription | None:
    table: dict[str, _Subscription] = current_app.extensions.get("reactions", {})
    return table.get(event)


def publish(event: Event, *, now: datetime) -> None:
    """Tell the rooms above, inside the current transaction: rolled back, nobody hears of it."""
    name = type(event).__name__
    subscription = _subscription(name)
    if subscription is None:
        return
    payload = to_payload(event)
    db.session.add_all(
        OutboxEntry(event=name, reaction=reaction, payload=payload, published_at=now, due_at=now)
        for reaction in subscription.reactions
    )
    if has_request_context():
        hurry()


def hurry() -> None:
    """React before this request answers, whoever published what is due."""
    g.outbox_published = True


def failed(limit: int = 500) -> Sequence[OutboxEntry]:
    """Reactions that were given up, oldest first: staff see to it."""
    return db.session.scalars(
        select(OutboxEntry)
        .where(OutboxEntry.status == OutboxStatus.FAILED)
        .order_by(OutboxEntry.published_at)
        .limit(limit)
    ).all()


def retry(reaction: str, *, now: datetime) -> int:
    """Give everything that one reaction gave up its tries again; returns how much that is."""
    entries = db.session.scalars(
        select(OutboxEntry)
        .where(OutboxEntry.status == OutboxStatus.FAILED, OutboxEntry.reaction == reaction)
        .order_by(OutboxEntry.published_at)
        .with_for_update()
    ).all()
    for entry in entries:
        entry.status, entry.attempts, entry.due_at = OutboxStatus.PENDING, 0, now
        journal.record("outbox.retried", entry, {"reaction": reaction}, now=now)
    if entries and has_request_context():
        hurry()
    return len(entries)


def drain(now: datetime, limit: int = 500) -> int:
    """React to what is due at `now`; returns how many reactions ran. Never raises for one."""
    ran = 0
    while ran < limit and _run_next(now):
        ran += 1
    return ran


def next_due() -> datetime | None:
    """When the next pending reaction is due."""
    return db.session.scalar(
        select(func.min(OutboxEntry.due_at)).where(OutboxEntry.status == OutboxStatus.PENDING)
    )


def _due(now: datetime) -> Any:
    return (
        select(OutboxEntry)
        .where(OutboxEntry.status == OutboxStatus.PENDING, OutboxEntry.due_at <= now)
        .order_by(OutboxEntry.due_at, OutboxEntry.published_at)
        .limit(1)
    )


def _run_next(now: datetime) -> bool:
    # A plain read first: polling an empty outbox must not take the write lock.
    if db.session.scalar(_due(now)) is None:
        db.session.rollback()
        return False
    entry_id: uuid.UUID | None = None
    try:
        with transaction() as session:
            entry = session.scalars(_due(now).with_for_update(skip_locked=True)).first()
            if entry is None:
                return False
            entry_id = entry.id
            entry.status, entry.done_at = OutboxStatus.DONE, now
            subscription = _subscription(entry.event)
            if subscription is None or entry.reaction not in subscription.reactions:
                raise LookupError(f"nobody answers to {entry.reaction}")
            event = from_payload(subscription.event_type, entry.payload)
            subscription.reactions[entry.reaction](event, now=now)
    except Exception as error:
        if entry_id is None:
            raise
        _put_off(entry_id, now, error)
    return True


def _put_off(entry_id: uuid.UUID, now: datetime, error: Exception) -> None:
    with transaction() as session:
        entry = session.get_one(OutboxEntry, entry_id)
        entry.attempts += 1
        entry.last_error = f"{type(error).__name__}: {error}"[:2000]
        entry.due_at = now + FIRST_RETRY * 2 ** (entry.attempts - 1)
        if entry.attempts >= MAX_ATTEMPTS:
            entry.status = OutboxStatus.FAILED
        log.error("reaction %s failed (attempt %d)", entry.reaction, entry.attempts, exc_info=error)
