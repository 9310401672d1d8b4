"""What proves one order: exhibit by exhibit, then the journal's entries about all of it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from storefront.evidence.queries import contract, money, papers, running, supply
from storefront.evidence.queries.items import Exhibit, File, Item, described
from storefront.infra import journal
from storefront.infra.db import db
from storefront.infra.journal import JournalEntry
from storefront.orders.models import Order

MADE = "evidence.made"

# In the order in which a reader wants them.
EXHIBITS = (
    contract.contract,
    contract.terms,
    contract.acceptances,
    money.invoices,
    money.instalments,
    money.payments,
    supply.accesses,
    supply.hours,
    supply.support,
    running.subscriptions,
    contract.declarations,
    papers.messages,
)

__all__ = ["MADE", "Chain", "Exhibit", "File", "Item", "Made", "chain", "described", "exhibits"]


@dataclass(frozen=True)
class Chain:
    """Entries of the journal, the end of the whole chain, and the links that lead from this end
    to each of them: entries of which only hashes are told, since they are about others."""

    entries: Sequence[JournalEntry]
    links: Sequence[JournalEntry]
    last_seq: int
    last_hash: str


@dataclass(frozen=True)
class Made:
    """An evidence file that was made: when, by whom, and the hash of its manifest."""

    at: datetime
    actor: str
    manifest_sha256: str


def exhibits(order: Order) -> list[Exhibit]:
    """Everything that proves an order, and at the end the documents about any of it."""
    found = [collect(order.id) for collect in EXHIBITS]
    rows = [item.row for exhibit in found for item in exhibit.items]
    named = (getattr(row, column, None) for row in rows for column in ("pdf_id", "document_id"))
    return [*found, papers.documents((row.id for row in rows), (one for one in named if one))]


def chain(subject_ids: Iterable[uuid.UUID]) -> Chain:
    """The journal's entries about these rows, and what proves them to be of the one chain."""
    entries = journal.about(subject_ids)
    last_seq, last_hash = journal.end()
    links = {seq for entry in entries for seq in journal.way(last_seq, entry.seq)}
    return Chain(entries, journal.numbered(links), last_seq, last_hash)


def made_of(order_id: uuid.UUID) -> list[Made]:
    """The evidence files that were made of an order, the last one first."""
    entries = db.session.scalars(
        select(JournalEntry)
        .where(JournalEntry.subject_id == order_id, JournalEntry.kind == MADE)
        .order_by(JournalEntry.seq.desc())
    )
    return [
        Made(entry.at, entry.actor, json.loads(entry.payload)["manifest_sha256"])
        for entry in entries
    ]
