"""The outbox: events saved with the change that caused them, reacted to afterwards.

One row per reaction, marked done in the transaction in which the reaction writes. A few share a
transaction; when one of them fails, each has its own, and the failed one is retried alone with
back-off. A reaction is idempotent, and knows nothing of those beside it.
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
from sqlalchemy import Index, Select, String, func, select
from sqlalchemy.orm import Mapped, mapped_column

from storefront.infra import journal
from storefront.infra.db import Base, db, enum_type, transaction
from storefront.kernel.events import Event, from_payload, to_payload

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 8
FIRST_RETRY = timedelta(seconds=30)
# Reactions in one transaction: enough to share its cost, few enough to keep nobody waiting.
TOGETHER = 20
FOR_A_REQUEST = 50

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
        g.setdefault("outbox_since", now)


def hurry() -> None:
    """React before this request answers, whoever published what is due."""
    g.outbox_since = None


def drain_request(now: datetime) -> None:
    """React to what this request published, before it answers; the worker takes the rest."""
    if "outbox_since" in g:
        drain(now, FOR_A_REQUEST, since=g.pop("outbox_since"))


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


def drain(now: datetime, limit: int = 500, *, since: datetime | None = None) -> int:
    """React to what is due at `now`; returns how many reactions ran. Never raises for one.

    `since` leaves what was published before to the worker: a request answers for its own events.
    """
    ran = 0
    while ran < limit and (some := _run_some(now, min(TOGETHER, limit - ran), since)):
        ran += some
    return ran


def next_due() -> datetime | None:
    """When the next pending reaction is due."""
    return db.session.scalar(
        select(func.min(OutboxEntry.due_at)).where(OutboxEntry.status == OutboxStatus.PENDING)
    )


def _due(now: datetime, limit: int, since: datetime | None) -> Select[uuid.UUID]:
    wanted = (
        select(OutboxEntry.id)
        .where(OutboxEntry.status == OutboxStatus.PENDING, OutboxEntry.due_at <= now)
        .order_by(OutboxEntry.due_at, OutboxEntry.published_at)
        .limit(limit)
    )
    return wanted if since is None else wanted.where(OutboxEntry.published_at >= since)


def _run_some(now: datetime, limit: int, since: datetime | None) -> int:
    """A few reactions in one transaction; each alone when one of them fails."""
    # A plain read first: polling an empty outbox must not take the write lock.
    due = list(db.session.scalars(_due(now, limit, since)))
    db.session.rollback()
    if not due:
        return 0
    try:
        with transaction():
            return _react_to(due, now)
    except Exception:
        return sum(_run_alone(entry_id, now) for entry_id in due)


def _run_alone(entry_id: uuid.UUID, now: datetime) -> int:
    try:
        with transaction():
            return _react_to([entry_id], now)
    except Exception as error:
        _put_off(entry_id, now, error)
    return 1


def _react_to(entry_ids: Sequence[uuid.UUID], now: datetime) -> int:
    """React to those of these entries that nobody else has in hand; says how many that is.

    What one reaction read is forgotten before the next: each decides on the present.
    """
    session = db.session()
    entries = session.scalars(
        select(OutboxEntry)
        .where(OutboxEntry.id.in_(entry_ids), OutboxEntry.status == OutboxStatus.PENDING)
        .order_by(OutboxEntry.due_at, OutboxEntry.published_at)
        .with_for_update(skip_locked=True)
    ).all()
    for entry in entries:
        entry.status, entry.done_at = OutboxStatus.DONE, now
    todo = [(entry.event, entry.reaction, entry.payload) for entry in entries]
    for event, reaction, payload in todo:
        subscription = _subscription(event)
        if subscription is None or reaction not in subscription.reactions:
            raise LookupError(f"nobody answers to {reaction}")
        subscription.reactions[reaction](from_payload(subscription.event_type, payload), now=now)
        session.flush()
        session.expire_all()
    return len(todo)


def _put_off(entry_id: uuid.UUID, now: datetime, error: Exception) -> None:
    with transaction() as session:
        entry = session.get_one(OutboxEntry, entry_id)
        entry.attempts += 1
        entry.last_error = f"{type(error).__name__}: {error}"[:2000]
        entry.due_at = now + FIRST_RETRY * 2 ** (entry.attempts - 1)
        if entry.attempts >= MAX_ATTEMPTS:
            entry.status = OutboxStatus.FAILED
        log.error("reaction %s failed (attempt %d)", entry.reaction, entry.attempts, exc_info=error)
