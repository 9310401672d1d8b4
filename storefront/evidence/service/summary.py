"""The summary that a person reads first: who, what, which terms, every event with its proof."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, cast

from flask import current_app

from storefront.documents.models import StoredDocument
from storefront.documents.service import render_pdf
from storefront.evidence.queries import Chain, Exhibit, Item
from storefront.infra.journal import JournalEntry
from storefront.infra.seller import seller
from storefront.infra.templating import country_fr, date_short_fr, datetime_fr, money_fr
from storefront.kernel.calendar import PARIS
from storefront.legal.models import Acceptance, TermsVersion
from storefront.orders.models import Order


def summary(order: Order, found: Sequence[Exhibit], chain: Chain, *, now: datetime) -> bytes:
    """Draw it; times are those of Paris."""
    data = {
        "shop": {"name": seller().name, "email": seller().email},
        "order": _contract(order),
        "terms": [_version(item) for item in _of(found, TermsVersion)],
        "acceptances": [_acceptance(item.row) for item in _of(found, Acceptance)],
        "contents": [{"folder": one.folder, "count": len(one.items)} for one in found],
        "events": _events(order, found, chain),
        "made_at": _instant(now),
        "chain": {"seq": chain.last_seq, "hash": chain.last_hash},
    }
    title = f"Dossier de preuves de la commande {order.reference}"
    return render_pdf("evidence", data, title=title, now=now)


def event_names() -> dict[str, str]:
    """What happened, in French, by the journal's kind of event."""
    template = current_app.jinja_env.get_template("components/events.html")
    return cast("dict[str, str]", template.module.event_names)  # type: ignore[attr-defined]


def _of(found: Iterable[Exhibit], model: type[Any]) -> list[Item]:
    return [item for exhibit in found for item in exhibit.items if isinstance(item.row, model)]


def _instant(at: datetime) -> str:
    return f"{date_short_fr(at)}, {at.astimezone(PARIS):%H:%M:%S}"


def _contract(order: Order) -> dict[str, Any]:
    return {
        "reference": order.reference,
        "placed_at": datetime_fr(order.placed_at),
        "status": order.status.value,
        "ended_at": datetime_fr(order.ended_at) if order.ended_at else None,
        "buyer": [
            *(order.name, order.company, order.street, order.street_2),
            *(f"{order.postcode} {order.city}", country_fr(order.country)),
            *(order.email, order.phone),
        ],
        "professional": order.buyer_kind.value == "professional",
        "lines": [
            {
                "name": line.name,
                "quantity": line.quantity,
                "gross": money_fr(line.gross_minor, order.currency),
            }
            for line in order.lines
        ],
        "total": money_fr(order.total),
        "instalments": order.instalment_count,
    }


def _version(item: Item) -> dict[str, Any]:
    version = item.row
    return {
        "title": version.title,
        "reference": version.reference,
        "published_at": _instant(version.published_at),
        "sha256": version.pdf_sha256,
        "path": item.path,
    }


def _acceptance(row: Acceptance) -> dict[str, Any]:
    return {
        "kind": row.kind.value,
        "sentence": row.sentence,
        "at": _instant(row.accepted_at),
        "ip": row.ip,
        "agent": row.user_agent,
        "version": row.version.reference,
    }


def _events(order: Order, found: Sequence[Exhibit], chain: Chain) -> list[dict[str, Any]]:
    names = event_names()
    about = {item.row.id: item for exhibit in found for item in exhibit.items}
    places = _places(found)
    return [
        {
            "at": _instant(entry.at),
            "what": names.get(entry.kind, entry.kind),
            "name": about[entry.subject_id].name,
            "by": _whom(entry, order),
            "place": places[entry.subject_id],
            "seq": entry.seq,
        }
        for entry in chain.entries
    ]


def _places(found: Sequence[Exhibit]) -> dict[uuid.UUID, str]:
    """By row, the file that shows it: its own, the document about it, or the list it stands in."""
    places: dict[uuid.UUID, str] = {}
    for exhibit in found:
        for item in exhibit.items:
            places[item.row.id] = item.path or exhibit.path
    for item in _of(found, StoredDocument):
        if item.row.subject_id in places and item.path:
            places[item.row.subject_id] = item.path
    return places


def _whom(entry: JournalEntry, order: Order) -> str:
    """Who did it: customer, staff, visitor, or the shop by itself."""
    if entry.actor in ("system", "anonymous"):
        return entry.actor
    return "customer" if entry.actor == f"user:{order.user_id}" else "staff"
