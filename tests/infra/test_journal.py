"""The journal: whoever rewrites history is found, and where (X-02)."""

import uuid
from datetime import datetime
from itertools import pairwise

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DatabaseError

from storefront.documents import service as documents
from storefront.documents.models import StoredDocument
from storefront.documents.rules import DocumentKind
from storefront.infra import journal
from storefront.infra.db import db, transaction
from storefront.infra.guards import append_only_tables
from storefront.infra.journal import JournalEntry, JournalHead
from tests.parallel import at_once
from tests.tampering import tamper

ENTRIES = JournalEntry.__table__
HEAD = JournalHead.__table__


def store(now: datetime, content: bytes = b"content") -> uuid.UUID:
    with transaction():
        return documents.store(
            DocumentKind.ATTACHMENT, uuid.uuid4(), "note.txt", "text/plain", content, now=now
        ).id


@pytest.fixture
def five(app: Flask, now: datetime) -> list[uuid.UUID]:
    """Five events about five sealed documents, entries 1 to 5."""
    return [store(now) for _ in range(5)]


def verified(app: Flask) -> tuple[int, str]:
    """What the command says, and its exit code."""
    db.session.remove()
    done = app.test_cli_runner().invoke(args=["journal", "verify"])
    return done.exit_code, done.output


def test_an_untouched_journal_holds(app: Flask, five: list[uuid.UUID]):
    code, said = verified(app)
    assert code == 0
    assert said.startswith("5 entries")


def test_an_empty_journal_holds(app: Flask):
    assert verified(app)[0] == 0


@pytest.mark.parametrize(
    "changed",
    [
        {"payload": "{}"},
        {"kind": "document.forged"},
        {"actor": "user:nobody"},
        {"subject_id": uuid.UUID(int=7)},
        {"seal": "0" * 64},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_an_altered_entry_is_named(app: Flask, five: list[uuid.UUID], changed: dict[str, object]):
    tamper(update(ENTRIES).where(ENTRIES.c.seq == 3).values(changed))
    code, said = verified(app)
    assert code == 1
    assert "first at entry 3" in said
    assert "entry 3: content was altered" in said
    assert "entry 2" not in said


def test_an_altered_instant_is_named(app: Flask, five: list[uuid.UUID], now: datetime):
    tamper(update(ENTRIES).where(ENTRIES.c.seq == 2).values(at=now.replace(year=2020)))
    assert "first at entry 2" in verified(app)[1]


def test_a_removed_entry_is_named(app: Flask, five: list[uuid.UUID]):
    tamper(delete(ENTRIES).where(ENTRIES.c.seq == 3))
    code, said = verified(app)
    assert code == 1
    assert "first at entry 3" in said
    assert "entry 3: entry is missing" in said


def test_a_removed_end_is_named(app: Flask, five: list[uuid.UUID]):
    tamper(delete(ENTRIES).where(ENTRIES.c.seq == 5))
    code, said = verified(app)
    assert code == 1
    assert "does not end where it was left" in said


def test_an_entry_altered_with_its_own_hash_breaks_the_one_after(app: Flask, five: list[uuid.UUID]):
    db.session.rollback()
    entry = db.session.get_one(JournalEntry, 3)
    row = {column.key: getattr(entry, column.key) for column in ENTRIES.columns}
    row["payload"] = "{}"
    forged = journal._hash(row)
    tamper(update(ENTRIES).where(ENTRIES.c.seq == 3).values(payload="{}", hash=forged))
    code, said = verified(app)
    assert code == 1
    assert "first at entry 4" in said


def test_an_altered_document_is_named_with_the_entry_that_sealed_it(
    app: Flask, five: list[uuid.UUID]
):
    table = StoredDocument.__table__
    tamper(update(table).where(table.c.id == five[1]).values(content=b"c0ntent"))
    code, said = verified(app)
    assert code == 1
    assert "entry 2: document note.txt was altered after document.stored" in said


def test_a_deleted_document_is_named_with_the_entry_that_sealed_it(
    app: Flask, five: list[uuid.UUID]
):
    table = StoredDocument.__table__
    tamper(delete(table).where(table.c.id == five[3]))
    code, said = verified(app)
    assert code == 1
    assert f"entry 4: documents {five[3]} was deleted" in said


def test_a_document_slipped_in_past_the_journal_is_named(
    app: Flask, five: list[uuid.UUID], now: datetime
):
    table = StoredDocument.__table__
    forged = uuid.uuid4()
    row = db.session.execute(select(table).where(table.c.id == five[0])).one()._asdict()
    tamper(table.insert().values(row | {"id": forged, "subject_id": forged}))
    code, said = verified(app)
    assert code == 1
    assert "document note.txt was never recorded" in said


def test_writers_at_the_same_time_make_one_chain(app: Flask, now: datetime):
    at_once(app, lambda _: [store(now) for _ in range(5)], 8)
    code, said = verified(app)
    assert code == 0
    assert said.startswith("40 entries")


def test_the_payload_says_what_happened_and_to_which_row(app: Flask, five: list[uuid.UUID]):
    entry = db.session.get_one(JournalEntry, 1)
    assert entry.subject_table == "documents"
    assert entry.subject_id == five[0]
    assert '"kind":"attachment"' in entry.payload
    assert entry.actor == "system"


def test_every_append_only_table_has_its_two_guards(app: Flask):
    names = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal",
    }
    triggers = set(db.session.scalars(text(names[db.engine.dialect.name])))
    tables = {table.name for table in append_only_tables()}
    assert {"journal", "documents", "terms_versions", "acceptances", "invoices"} <= tables
    wanted = {f"{table}_refuses_{verb}" for table in tables for verb in ("update", "delete")}
    assert not wanted - triggers


@pytest.mark.parametrize(
    "statement",
    [
        update(ENTRIES).values(payload="{}"),
        delete(ENTRIES),
        update(StoredDocument.__table__).values(sha256="0"),
        delete(StoredDocument.__table__),
    ],
    ids=["update journal", "delete journal", "update documents", "delete documents"],
)
def test_the_database_itself_refuses_to_rewrite(five: list[uuid.UUID], statement: object):
    db.session.rollback()
    with pytest.raises(DatabaseError, match="append-only"):
        db.session.execute(statement)


# The way from the end to any entry


@given(st.integers(1, 10**7), st.data())
def test_a_few_links_lead_from_the_end_to_any_entry(end: int, data: st.DataObject):
    to = data.draw(st.integers(1, end))
    way = list(journal.way(end, to))
    assert (way[0], way[-1]) == (end, to)
    assert all(two in (one - 1, journal.earlier(one)) for one, two in pairwise(way))
    digits = end.bit_length()
    assert len(way) <= digits * (digits + 1) // 2 + 1


def test_each_entry_holds_on_to_its_earlier_one(app: Flask, five: list[uuid.UUID]):
    db.session.rollback()
    entries = {entry.seq: entry for entry in journal.numbered(range(1, 6))}
    held = {seq: entry.earlier_hash for seq, entry in entries.items()}
    assert held[3] == entries[2].hash
    assert held[5] == entries[4].hash
    assert held[1] == held[2] == held[4] == journal.GENESIS


def test_a_history_that_was_rewritten_without_its_long_links_is_found(
    app: Flask, now: datetime, five: list[uuid.UUID]
):
    """Somebody forges entry 4 and hangs entry 5 on it, but forgets what else holds on to 4."""
    store(now)
    db.session.rollback()
    rows = [
        {column.key: getattr(entry, column.key) for column in ENTRIES.columns}
        for entry in journal.numbered(range(4, 7))
    ]
    rows[0]["payload"] = "{}"
    for one, two in pairwise(rows):
        one["hash"] = journal._hash(one)
        two["previous_hash"] = one["hash"]
    rows[2]["hash"] = journal._hash(rows[2])
    tamper(
        *(update(ENTRIES).where(ENTRIES.c.seq == row["seq"]).values(row) for row in rows),
        update(HEAD).values(hash=rows[2]["hash"]),
    )
    said = verified(app)[1]
    assert "first at entry 5" in said
    assert "entry 6: does not hold on to entry 4" in said
