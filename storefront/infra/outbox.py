"""The outbox: events saved with the change that caused them, reacted to afterwards.

One row per reaction, marked done in the transaction in which the reaction writes. A few share a
transaction; when one of them fails, each has its own, and the failed one is retried alone with
back-off. A reaction is idempotent, and knows nothing of those beside it. One that thousands of
events may come to at once takes many of them in one call; one event is then a list of one.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from itertools import groupby, islice
from typing import Any

from flask import Flask, current_app, g, has_request_context
from sqlalchemy import Index, Row, Select, String, func, select, update
from sqlalchemy.orm import Mapped, mapped_column

from storefront.infra import journal
from storefront.infra.db import Base, db, enum_type, transaction
from storefront.kernel.events import Event, from_payload, to_payload

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 8
FIRST_RETRY = timedelta(seconds=30)
# Reactions in one transaction: enough to share its cost, few enough to keep nobody waiting.
TOGETHER = 20
# The same of a reaction that takes many events in one call, which costs each of them little.
MANY = 200
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
    many: set[str]  # of the reactions, those that take many events in one call


def subscribe(
    app: Flask, event_type: type[Event], *reactions: Reaction, many: bool = False
) -> None:
    """Name who reacts to an event; called by the composition root only.

    A reaction is given the event, or with `many` a list of them, and `now`.
    """
    table: dict[str, _Subscription] = app.extensions.setdefault("reactions", {})
    subscription = table.setdefault(event_type.__name__, _Subscription(event_type, {}, set()))
    for reaction in reactions:
        name = f"{reaction.__module__}.{reaction.__qualname__}"
        subscription.reactions[name] = reaction
        if many:
            subscription.many.add(name)


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
        OutboxEntry(
            id=uuid.uuid4(),
            event=name,
            reaction=reaction,
            payload=payload,
            status=OutboxStatus.PENDING,
            published_at=now,
            due_at=now,
            attempts=0,
        )
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
    while ran < limit and (some := _run_some(now, min(MANY, limit - ran), since)):
        ran += some
    return ran


def next_due() -> datetime | None:
    """When the next pending reaction is due."""
    return db.session.scalar(
        select(func.min(OutboxEntry.due_at)).where(OutboxEntry.status == OutboxStatus.PENDING)
    )


def _due(now: datetime, limit: int, since: datetime | None) -> Select[uuid.UUID, str, str]:
    wanted = (
        select(OutboxEntry.id, OutboxEntry.event, OutboxEntry.reaction)
        .where(OutboxEntry.status == OutboxStatus.PENDING, OutboxEntry.due_at <= now)
        .order_by(OutboxEntry.due_at, OutboxEntry.published_at)
        .limit(limit)
    )
    return wanted if since is None else wanted.where(OutboxEntry.published_at >= since)


def _run_some(now: datetime, limit: int, since: datetime | None) -> int:
    """A few reactions in one transaction; each alone when one of them fails."""
    # A plain read first: polling an empty outbox must not take the write lock.
    due = _of_one_kind(db.session.execute(_due(now, limit, since)).all())
    db.session.rollback()
    if not due:
        return 0
    try:
        with transaction():
            return _react_to(due, now)
    except Exception:
        return sum(_run_alone(entry_id, now) for entry_id in due)


def _of_one_kind(due: Sequence[Row[uuid.UUID, str, str]]) -> list[uuid.UUID]:
    """Of these entries, those to react to together with the first one."""
    if not due:
        return []
    first = due[0]
    if _takes_many(first.event, first.reaction):
        return [one.id for one in due if one.reaction == first.reaction]
    alone = (one.id for one in due if not _takes_many(one.event, one.reaction))
    return list(islice(alone, TOGETHER))


def _takes_many(event: str, reaction: str) -> bool:
    subscription = _subscription(event)
    return subscription is not None and reaction in subscription.many


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
    free = (
        select(OutboxEntry.id)
        .where(OutboxEntry.id.in_(entry_ids), OutboxEntry.status == OutboxStatus.PENDING)
        .with_for_update(skip_locked=True)
    )
    entries = session.execute(
        update(OutboxEntry)
        .where(OutboxEntry.id.in_(free))
        .values(status=OutboxStatus.DONE, done_at=now)
        .returning(OutboxEntry.id, OutboxEntry.event, OutboxEntry.reaction, OutboxEntry.payload)
        .execution_options(synchronize_session=False)
    ).all()
    position = {entry_id: at for at, entry_id in enumerate(entry_ids)}
    for react in _calls(sorted(entries, key=lambda entry: position[entry.id])):
        react(now=now)
        session.flush()
        session.expire_all()
    return len(entries)


def _calls(entries: Sequence[Row[uuid.UUID, str, str, dict[str, Any]]]) -> Iterator[Reaction]:
    """The reactions with what each is given: an event, or all those that are there for it."""
    for (event, reaction), some in groupby(entries, key=lambda one: (one.event, one.reaction)):
        subscription = _subscription(event)
        if subscription is None or reaction not in subscription.reactions:
            raise LookupError(f"nobody answers to {reaction}")
        react = subscription.reactions[reaction]
        events = [from_payload(subscription.event_type, one.payload) for one in some]
        given = [events] if reaction in subscription.many else events
        yield from (partial(react, one) for one in given)


def _put_off(entry_id: uuid.UUID, now: datetime, error: Exception) -> None:
    with transaction() as session:
        entry = session.get_one(OutboxEntry, entry_id)
        entry.attempts += 1
        entry.last_error = f"{type(error).__name__}: {error}"[:2000]
        entry.due_at = now + FIRST_RETRY * 2 ** (entry.attempts - 1)
        if entry.attempts >= MAX_ATTEMPTS:
            entry.status = OutboxStatus.FAILED
        log.error("reaction %s failed (attempt %d)", entry.reaction, entry.attempts, exc_info=error)
