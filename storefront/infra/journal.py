"""The journal: every business event in one hash chain; tampering is found and located (X-02).

Entries are written last in their transaction, under one lock, so that the order of the chain
is the order of the commits. Personal data is never in a payload, only the ids of rows: erasure
leaves the chain whole (law.md DAT-03). An entry about a sealed row carries the hash of that
row's content; `verify` computes it again.

Each entry holds on to two: the one before it, and an `earlier` one far behind. So a few dozen
links lead from the end of the chain to any entry of it, and prove it to somebody who may read
only that one (docs/algorithms/journal.md).
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, ClassVar, Protocol, cast, runtime_checkable

from flask import g, has_request_context
from sqlalchemy import String, insert, inspect, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from storefront.infra.db import Base, before_commit, db

GENESIS = "0" * 64
FORMAT = 1
AT_ONCE = 1000  # values in a statement


class JournalHead(Base):
    """The one row that a transaction locks to add to the chain."""

    __tablename__ = "journal_head"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))


class JournalEntry(Base):
    """One business event; `hash` covers every other column, two other entries' hashes included."""

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
    earlier_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))

    @property
    def content_hash(self) -> str:
        """What stands for this entry where it is a link only: its hash, without what it says."""
        return _content_hash(_columns(self))


LINKS = ("previous_hash", "earlier_hash", "hash")


class Subject(Protocol):
    """What a journal entry can be about: an entity with an id."""

    __tablename__: Any
    id: Any


@runtime_checkable
class Sealed(Protocol):
    """An entity whose content the journal keeps the hash of.

    An append-only row can never change: every entry about it seals the same content. Any other
    is held to what the last entry about it sealed.
    """

    def sealed_content(self) -> dict[str, Any]: ...
    def sealed_name(self) -> str: ...


class SealedRow:
    """An entity of which columns are sealed: those of `__sealed__`, or every one where it is None.

    The journal itself keeps a hash only.
    """

    __sealed__: ClassVar[tuple[str, ...] | None] = None

    def sealed_content(self) -> dict[str, Any]:
        """What the journal's seal covers."""
        columns = _columns(self)
        return {name: columns[name] for name in self.__sealed__ or columns}

    def sealed_name(self) -> str:
        """How a verification names this row."""
        return f"{self.__tablename__} {self.id}"  # type: ignore[attr-defined]


def _columns(row: Any) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in row.__table__.columns}


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
    return _sha256(canonical(row.sealed_content()))


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
    first = head_seq - count + 1
    hashes = _hashes_before(session, first, head_seq)
    rows = []
    for seq, item in enumerate(pending, start=first):
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
            "earlier_hash": hashes[earlier(seq)] if earlier(seq) != seq - 1 else previous,
        }
        row["hash"] = hashes[seq] = previous = _hash(row)
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


def _hashes_before(session: Session, first: int, last: int) -> dict[int, str]:
    """What new entries hold on to, of those that stand already."""
    wanted = {earlier(seq) for seq in range(first, last + 1) if earlier(seq) != seq - 1}
    stored = [seq for seq in wanted if 0 < seq < first]
    hashes = {0: GENESIS}
    if stored:
        entries = select(JournalEntry.seq, JournalEntry.hash).where(JournalEntry.seq.in_(stored))
        hashes.update((seq, hash_) for seq, hash_ in session.execute(entries))
    return hashes


def earlier(seq: int) -> int:
    """The entry that entry `seq` holds on to besides the one before it; 0: the beginning.

    Its number without its lowest bit: 12 (1100) holds on to 8 (1000), and 8 to the beginning.
    """
    return seq & (seq - 1)


def way(head: int, to: int) -> Iterator[int]:
    """The entries that lead from `head` down to entry `to`, both included: each holds on to the
    next. Of a million entries they are two hundred or so at most, and mostly far fewer."""
    seq = head
    while seq > to:
        yield seq
        seq = earlier(seq) if earlier(seq) >= to else seq - 1
    yield to


def _content_hash(row: dict[str, Any]) -> str:
    content = {key: value for key, value in row.items() if key not in LINKS}
    return _sha256(canonical({"format": FORMAT, **content}))


def _hash(row: dict[str, Any]) -> str:
    return _sha256(row["previous_hash"] + row["earlier_hash"] + _content_hash(row))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def length() -> int:
    """How many entries the chain has."""
    return end()[0]


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


def end() -> tuple[int, str]:
    """Where the chain ends: the number of its last entry and that entry's hash."""
    row = db.session.get(JournalHead, 1)
    return (row.seq, row.hash) if row else (0, GENESIS)


def about(subject_ids: Iterable[uuid.UUID]) -> Sequence[JournalEntry]:
    """Every entry about any of these rows, oldest first."""
    return _found(JournalEntry.subject_id, subject_ids)


def numbered(seqs: Iterable[int]) -> Sequence[JournalEntry]:
    """The entries of these numbers, oldest first."""
    return _found(JournalEntry.seq, seqs)


def _found(column: Any, values: Iterable[Any]) -> Sequence[JournalEntry]:
    """In portions: a statement takes so many values and no more."""
    found: list[JournalEntry] = []
    for portion in batches(list(values)):
        found += db.session.scalars(select(JournalEntry).where(column.in_(portion)))
    return sorted(found, key=lambda entry: entry.seq)


def batches(values: list[Any]) -> Iterator[list[Any]]:
    """The values in portions that one statement takes."""
    return (values[start : start + AT_ONCE] for start in range(0, len(values), AT_ONCE))


def verify() -> Iterator[Break]:
    """Compute the whole chain and every seal again; yields each place that does not hold.

    Of one state of the database: call it within `snapshot()` while the shop is open.
    """
    session = db.session()
    models = {mapper.local_table.name: mapper.class_ for mapper in Base.registry.mappers}  # type: ignore[attr-defined]
    previous, expected, hashes = GENESIS, 1, {0: GENESIS}
    last_seals: dict[uuid.UUID, JournalEntry] = {}
    entries = session.scalars(select(JournalEntry).order_by(JournalEntry.seq)).yield_per(AT_ONCE)
    for portion in entries.partitions():
        sealing = [one for one in portion if one.seal and one.subject_table in models]
        frozen = {one.seq: one for one in sealing if models[one.subject_table].__append_only__}
        last_seals.update((one.subject_id, one) for one in sealing if one.seq not in frozen)
        rows = _rows_of(frozen.values(), models)
        for entry in portion:
            yield from _verify_links(entry, expected, previous, hashes)
            if entry.seq in frozen:
                yield from _verify_seal(entry, rows)
            hashes[entry.seq] = entry.hash
            hashes = {seq: hashes[seq] for seq in _still_needed(entry.seq) if seq in hashes}
            previous, expected = entry.hash, entry.seq + 1
    for portion in batches(list(last_seals.values())):
        rows = _rows_of(portion, models)
        for entry in portion:
            yield from _verify_seal(entry, rows)
    if end() != (expected - 1, previous):
        yield Break(expected - 1, "the chain does not end where it was left")
    for table, model in models.items():
        if hasattr(model, "sealed_content"):
            yield from _verify_all_known(session, table, model, expected)


def _still_needed(seq: int) -> Iterator[int]:
    """The entries up to `seq` that later ones can hold on to."""
    while seq:
        yield seq
        seq = earlier(seq)
    yield 0


def _verify_links(
    entry: JournalEntry, expected: int, previous: str, hashes: Mapping[int, str]
) -> Iterator[Break]:
    if entry.seq != expected:
        yield Break(expected, "entry is missing")
    if entry.previous_hash != previous:
        yield Break(entry.seq, "does not follow the entry before it")
    elif entry.earlier_hash != hashes.get(earlier(entry.seq), entry.earlier_hash):
        yield Break(entry.seq, f"does not hold on to entry {earlier(entry.seq)}")
    if _hash(_columns(entry)) != entry.hash:
        yield Break(entry.seq, "content was altered")


def _rows_of(
    entries: Iterable[JournalEntry], models: Mapping[str, type[Any]]
) -> dict[uuid.UUID, Any]:
    """The rows that entries seal, asked for together."""
    wanted: dict[str, set[uuid.UUID]] = {}
    for entry in entries:
        wanted.setdefault(entry.subject_table, set()).add(entry.subject_id)
    return {
        row.id: row
        for table, ids in wanted.items()
        for row in db.session.scalars(select(models[table]).where(models[table].id.in_(ids)))
    }


def _verify_seal(entry: JournalEntry, rows: Mapping[uuid.UUID, Any]) -> Iterator[Break]:
    row = rows.get(entry.subject_id)
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
