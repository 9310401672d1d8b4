"""The journal: every business event in one hash chain; tampering is found and located (X-02).

Entries are written last in their transaction, under one lock, so that the order of the chain
is the order of the commits. Personal data is never in a payload, only the ids of rows: erasure
leaves the chain whole (law.md DAT-03). An entry about a sealed row carries the hash of that
row's content; `verify` computes it again.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Protocol, cast, runtime_checkable

from flask import g, has_request_context
from sqlalchemy import String, insert, inspect, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from storefront.infra.db import Base, before_commit, db

GENESIS = "0" * 64
FORMAT = 1


class JournalHead(Base):
    """The one row that a transaction locks to add to the chain."""

    __tablename__ = "journal_head"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))


class JournalEntry(Base):
    """One business event; `hash` covers every other column and the previous entry's hash."""

    __tablename__ = "journal"
    __append_only__ = True

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(80), index=True)
    actor: Mapped[str] = mapped_column(String(80))
    subject_table: Mapped[str] = mapped_column(String(60))
    subject_id: Mapped[uuid.UUID] = mapped_column(index=True)
    payload: Mapped[str]
    seal: Mapped[str | None] = mapped_column(String(64))
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class Subject(Protocol):
    """What a journal entry can be about: an entity with an id."""

    __tablename__: Any
    id: Any


@runtime_checkable
class Sealed(Protocol):
    """An entity whose content may never change; the journal keeps the hash of it."""

    def sealed_content(self) -> dict[str, Any]: ...
    def sealed_name(self) -> str: ...


@dataclass(frozen=True)
class Break:
    """Where the proof does not hold: the entry's number and what is wrong, in plain words."""

    seq: int
    reason: str


@dataclass(frozen=True)
class _Pending:
    kind: str
    subject: Subject
    payload: dict[str, Any]
    at: datetime
    actor: str


def canonical(content: Any) -> str:
    """One text for one content: sorted keys, no spaces, ISO instants and dates."""
    return _encoder.encode(content)


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()  # as it is read back
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    if isinstance(value, uuid.UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no canonical form")


_encoder = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain
)


def seal_of(row: Sealed) -> str:
    """SHA-256 of a sealed row's content."""
    return hashlib.sha256(canonical(row.sealed_content()).encode()).hexdigest()


def _seal_of(subject: Subject) -> str | None:
    return seal_of(cast(Sealed, subject)) if _is_sealed(type(subject)) else None


@cache
def _is_sealed(model: type[Any]) -> bool:
    return issubclass(model, Sealed)


def record(kind: str, subject: Subject, payload: dict[str, Any], *, now: datetime) -> None:
    """Add an event about `subject` to the chain when the current transaction commits.

    `payload` holds ids, amounts (minor units), dates and states; never a name or an address.
    """
    pending = db.session().info.setdefault("journal", [])
    pending.append(_Pending(kind, subject, payload, now, _actor()))


def _actor() -> str:
    return g.get("actor", "anonymous") if has_request_context() else "system"


@before_commit
def _write_pending(session: Session) -> None:
    pending: list[_Pending] = session.info.pop("journal", [])
    if not pending:
        return
    count = len(pending)
    head_seq, previous = _advance(session, count)
    rows = []
    for seq, item in enumerate(pending, start=head_seq - count + 1):
        row = {
            "seq": seq,
            "at": item.at,
            "kind": item.kind,
            "actor": item.actor,
            "subject_table": item.subject.__tablename__,
            "subject_id": _id_of(item.subject),
            "payload": canonical(item.payload),
            "seal": _seal_of(item.subject),
            "previous_hash": previous,
        }
        row["hash"] = previous = _hash(row)
        rows.append(row)
    session.execute(insert(JournalEntry), rows)
    session.execute(update(JournalHead).where(JournalHead.id == 1).values(hash=previous))


def _id_of(subject: Subject) -> uuid.UUID:
    """Its id, though what else was read of it is forgotten: no row is read again for that."""
    identity: tuple[uuid.UUID] | None = inspect(subject).identity
    found: uuid.UUID = identity[0] if identity else subject.id
    return found


def _advance(session: Session, count: int) -> tuple[int, str]:
    """Lock the head, move it by `count`: where the chain will end, and its hash until now."""
    step = (
        update(JournalHead)
        .where(JournalHead.id == 1)
        .values(seq=JournalHead.seq + count)
        .returning(JournalHead.seq, JournalHead.hash)
    )
    head = session.execute(step).one_or_none()
    if head is None:
        try:
            with session.begin_nested():
                session.execute(insert(JournalHead).values(id=1, seq=0, hash=GENESIS))
        except IntegrityError:
            pass  # another transaction wrote the very first entry meanwhile
        head = session.execute(step).one()
    return head.seq, head.hash


def _hash(row: dict[str, Any]) -> str:
    content = {"format": FORMAT, **{key: value for key, value in row.items() if key != "hash"}}
    return hashlib.sha256(canonical(content).encode()).hexdigest()


def length() -> int:
    """How many entries the chain has."""
    head = db.session.get(JournalHead, 1)
    return head.seq if head else 0


def page(
    *,
    kind: str = "",
    subject_id: uuid.UUID | None = None,
    before: int | None = None,
    limit: int = 50,
) -> Sequence[JournalEntry]:
    """The entries of a kind ("order", "order.placed") or about a row, the last one first."""
    entries = select(JournalEntry).order_by(JournalEntry.seq.desc()).limit(limit)
    if kind:
        exactly = JournalEntry.kind == kind
        entries = entries.where(exactly | JournalEntry.kind.startswith(f"{kind}.", autoescape=True))
    if subject_id is not None:
        entries = entries.where(JournalEntry.subject_id == subject_id)
    if before is not None:
        entries = entries.where(JournalEntry.seq < before)
    return db.session.scalars(entries).all()


def about(subject_ids: Iterable[uuid.UUID]) -> Sequence[JournalEntry]:
    """Every entry about any of these rows, oldest first."""
    return db.session.scalars(
        select(JournalEntry)
        .where(JournalEntry.subject_id.in_(list(subject_ids)))
        .order_by(JournalEntry.seq)
    ).all()


def verify() -> Iterator[Break]:
    """Compute the whole chain and every seal again; yields each place that does not hold."""
    session = db.session()
    models = {mapper.local_table.name: mapper.class_ for mapper in Base.registry.mappers}  # type: ignore[attr-defined]
    previous, expected = GENESIS, 1
    for entry in session.scalars(select(JournalEntry).order_by(JournalEntry.seq)).yield_per(500):
        if entry.seq != expected:
            yield Break(expected, "entry is missing")
        row = {column.key: getattr(entry, column.key) for column in JournalEntry.__table__.columns}
        if entry.previous_hash != previous:
            yield Break(entry.seq, "does not follow the entry before it")
        if _hash(row) != entry.hash:
            yield Break(entry.seq, "content was altered")
        if entry.seal is not None:
            yield from _verify_seal(session, entry, models[entry.subject_table])
        previous, expected = entry.hash, entry.seq + 1
    head = session.get(JournalHead, 1)
    if (head.seq, head.hash) != (expected - 1, previous) if head else expected != 1:
        yield Break(expected - 1, "the chain does not end where it was left")
    for table, model in models.items():
        if hasattr(model, "sealed_content"):
            yield from _verify_all_known(session, table, model, expected)


def _verify_seal(session: Session, entry: JournalEntry, model: type[Any]) -> Iterator[Break]:
    row = session.get(model, entry.subject_id)
    if row is None:
        yield Break(entry.seq, f"{entry.subject_table} {entry.subject_id} was deleted")
    elif seal_of(row) != entry.seal:
        yield Break(entry.seq, f"{row.sealed_name()} was altered after {entry.kind}")


def _verify_all_known(
    session: Session, table: str, model: type[Any], after_last: int
) -> Iterator[Break]:
    """A sealed row that no entry tells of was slipped in past the shop."""
    known = select(JournalEntry.subject_id).where(
        JournalEntry.subject_table == table, JournalEntry.seal.is_not(None)
    )
    for row in session.scalars(select(model).where(model.id.not_in(known))):
        yield Break(after_last, f"{row.sealed_name()} was never recorded")
