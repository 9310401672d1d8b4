"""An evidence file: a ZIP with every row and file, the chain's part, the verifier, a manifest."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from flask import render_template

from storefront import VERSION
from storefront.evidence import queries, rules
from storefront.evidence.queries import Chain, Exhibit, described
from storefront.evidence.rules import Hashed
from storefront.evidence.service.summary import summary
from storefront.infra import journal
from storefront.infra.db import db
from storefront.infra.journal import LINKS, JournalEntry
from storefront.infra.seller import seller
from storefront.kernel.calendar import PARIS
from storefront.orders.models import Order

VERIFIER = Path(__file__).parents[1] / rules.VERIFIER


@dataclass(frozen=True)
class Evidence:
    """What was made: whoever has the hash of its manifest knows whether a copy is whole."""

    order_id: uuid.UUID
    filename: str
    manifest_sha256: str
    files: int
    entries: int
    last_seq: int


class Archive:
    """A ZIP that is written file by file, each hashed on its way; its own instant is `now`, so
    that the same state makes the same bytes."""

    def __init__(self, out: IO[bytes], now: datetime) -> None:
        self._zip = ZipFile(out, "w", ZIP_DEFLATED)
        self._stamp = now.astimezone(PARIS).timetuple()[:6]
        self.hashes: dict[str, Hashed] = {}

    def add(self, path: str, content: bytes) -> None:
        """Write one file."""
        self._write(path, content)
        self.hashes[path] = Hashed(hashlib.sha256(content).hexdigest(), len(content))

    def close(self, manifest: bytes) -> str:
        """Write the manifest last and end the ZIP; returns the manifest's SHA-256."""
        self._write(rules.MANIFEST, manifest)
        self._zip.close()
        return hashlib.sha256(manifest).hexdigest()

    def _write(self, path: str, content: bytes) -> None:
        info = ZipInfo(path, self._stamp)
        info.compress_type, info.external_attr = ZIP_DEFLATED, 0o644 << 16
        self._zip.writestr(info, content)


def write(order: Order, out: IO[bytes], *, now: datetime) -> Evidence:
    """Write everything that proves an order into `out` (X-01), from one state of the database:
    call it within `snapshot()`. One file is in memory at a time."""
    found = [exhibit for exhibit in queries.exhibits(order) if exhibit.items]
    chain = queries.chain(item.row.id for exhibit in found for item in exhibit.items)
    archive = Archive(out, now)
    archive.add(rules.README, _readme(order, now))
    archive.add(rules.SUMMARY, summary(order, found, chain, now=now))
    archive.add(rules.VERIFIER, VERIFIER.read_bytes())
    for path, content in (*_exhibits(found), *_chain(chain)):
        archive.add(path, content)
    manifest = rules.manifest(
        order=order.reference,
        shop=seller().name,
        software=f"storefront {VERSION}",
        made_at=now,
        end=(chain.last_seq, chain.last_hash),
        entries=[(entry.seq, entry.hash) for entry in chain.entries],
        files=archive.hashes,
    )
    return Evidence(
        order_id=order.id,
        filename=f"preuves-{order.reference}-{now.astimezone(PARIS):%Y-%m-%d-%H%M%S}.zip",
        manifest_sha256=archive.close(manifest),
        files=len(archive.hashes),
        entries=len(chain.entries),
        last_seq=chain.last_seq,
    )


def note(made: Evidence, *, now: datetime) -> None:
    """Tell the journal which file was made: its manifest cannot be replaced unseen."""
    facts = {
        "manifest_sha256": made.manifest_sha256,
        "files": made.files,
        "entries": made.entries,
        "chain": made.last_seq,
    }
    journal.record(queries.MADE, db.session.get_one(Order, made.order_id), facts, now=now)


def _exhibits(found: Sequence[Exhibit]) -> Iterator[tuple[str, bytes]]:
    for exhibit in found:
        yield exhibit.path, rules.readable([described(item) for item in exhibit.items])
        for file in exhibit.files():
            yield file.path, file.read()


def _chain(chain: Chain) -> Iterator[tuple[str, bytes]]:
    columns = [column.key for column in JournalEntry.__table__.columns]
    entries = [{name: getattr(entry, name) for name in columns} for entry in chain.entries]
    links = [
        {
            "seq": entry.seq,
            "content_hash": entry.content_hash,
            **{name: getattr(entry, name) for name in LINKS if name != "hash"},
        }
        for entry in chain.links
    ]
    yield rules.ENTRIES, rules.readable(entries)
    yield rules.LINKS, rules.readable(links)


def _readme(order: Order, now: datetime) -> bytes:
    text = render_template("evidence/LISEZMOI.txt", order=order, made_at=now, seller=seller())
    return text.encode()
