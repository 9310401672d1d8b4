"""The hours of one order line as a whole: stopped, open again, taken back, usable for longer."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta

from storefront.credits import queries, rules
from storefront.credits.rules import EntryKind
from storefront.credits.service.ledger import extend, is_lost, known_of, locked, move
from storefront.infra import journal
from storefront.kernel.calendar import paris_date


def suspend(order_line_id: uuid.UUID, *, now: datetime) -> None:
    """Nothing more can be held of a line's hours until `resume` (M-04); holds stay."""
    _suspension(order_line_id, now, "credits.suspended", now=now)


def resume(order_line_id: uuid.UUID, *, now: datetime) -> None:
    """A suspended line's hours can be held again."""
    _suspension(order_line_id, None, "credits.resumed", now=now)


def prolong(
    order_line_id: uuid.UUID,
    days: int,
    cause_id: uuid.UUID,
    *,
    since: date,
    reason: str,
    now: datetime,
) -> None:
    """Make a line's hours usable so many days longer: nobody could use them from `since` (B-08).

    What expired meanwhile is given back, once a cause; a lot that was over before is left alone.
    """
    for lot, entries in locked(queries.of_order_line(order_line_id)):
        if lot.expires_on < since or lot.revoked_at is not None:
            continue
        lost = sum(
            -entry.minutes
            for entry in entries
            if entry.kind is EntryKind.EXPIRED and paris_date(entry.at) > since
        )
        if lost and not known_of(entries, EntryKind.GIVEN_BACK, cause_id):
            move(lot, entries, EntryKind.GIVEN_BACK, lost, cause_id, reason=reason, now=now)
        extend(lot, lot.expires_on + timedelta(days=days), now)


def revoke(order_line_id: uuid.UUID, cause_id: uuid.UUID, *, reason: str, now: datetime) -> None:
    """Deduct what is left of a line's hours, for good; the same cause does it once.

    What an appointment holds stays held: it can still be worked, and what it gives back is not
    usable by anything else.
    """
    for lot, entries in locked(queries.of_order_line(order_line_id)):
        if lot.revoked_at is not None:
            continue
        lot.revoked_at = now
        if is_lost(lot, entries):
            left = rules.balance(entries)
            move(lot, entries, EntryKind.DEDUCTED, left, cause_id, reason=reason, now=now)
        journal.record("credits.revoked", lot, {"cause": cause_id}, now=now)


def _suspension(order_line_id: uuid.UUID, at: datetime | None, kind: str, *, now: datetime) -> None:
    for lot, _ in locked(queries.of_order_line(order_line_id)):
        if (lot.suspended_at is None) != (at is None):
            lot.suspended_at = at
            journal.record(kind, lot, {}, now=now)
