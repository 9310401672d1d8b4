"""The ledger: every movement of every lot."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, Protocol

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from storefront.credits import queries, rules
from storefront.credits.events import HoursExpired, HoursExpiring
from storefront.credits.models import CreditEntry, HourLot
from storefront.credits.rules import Available, EntryKind, InsufficientCredit, LotUnusable
from storefront.infra import journal
from storefront.infra.db import db
from storefront.infra.outbox import publish
from storefront.kernel.calendar import paris_date

_BY_LOT = {"synchronize_session": False}
_SPENT = (EntryKind.RELEASED, EntryKind.USED)


class GrantingLine(Protocol):
    """What is read of the order line that brings hours."""

    @property
    def id(self) -> uuid.UUID: ...
    @property
    def order_id(self) -> uuid.UUID: ...
    @property
    def name(self) -> str: ...
    @property
    def features(self) -> dict[str, Any]: ...


def grant(
    line: GrantingLine,
    user_id: uuid.UUID,
    *,
    minutes: int,
    expires_on: date,
    slice_minutes: int,
    reminder_days: Sequence[int],
    now: datetime,
    period_number: int = 0,
    single_use: bool = False,
) -> HourLot:
    """Credit the hours of an order line, usable until the end of `expires_on` (K-01, K-02).

    Slice, reminders and validity come from the terms that the order accepted, limits of use a
    month (K-04) from what the line sold. A one-shot pack (`single_use`) is granted 0 minutes.
    Granting the same line and period again changes nothing.
    """
    existing = queries.of_line(line.id, period_number)
    if existing is not None:
        return existing
    lot = HourLot(
        id=uuid.uuid4(),
        user_id=user_id,
        order_id=line.order_id,
        order_line_id=line.id,
        period_number=period_number,
        name=line.name,
        granted_at=now,
        expires_on=expires_on,
        slice_minutes=slice_minutes,
        single_use=single_use,
        monthly_minutes=line.features.get("monthly_minutes"),
        monthly_interventions=line.features.get("monthly_interventions"),
        reminder_days=list(reminder_days),
        next_reminder_on=rules.next_reminder(expires_on, reminder_days, paris_date(now)),
        version=0,
    )
    try:
        with db.session.begin_nested():
            db.session.add(lot)
    except IntegrityError:
        found = queries.of_line(line.id, period_number)
        if found is None:
            raise
        return found
    move(lot, [], EntryKind.GRANTED, minutes, line.id, reason=line.name, now=now)
    return lot


def hold(
    lots: Sequence[HourLot],
    minutes: int,
    cause_id: uuid.UUID,
    *,
    on: date,
    reason: str,
    now: datetime,
) -> None:
    """Keep minutes for an intervention on the day `on`, first what expires first (K-04).

    A one-shot pack serves alone and whole: name no other lot with it. The hold outlives the
    expiry of its lot. Raises `InsufficientCredit` when the lots together have too little left
    (K-05) and `LotUnusable` when the only lot is expired or suspended. A cause holds once: what
    it gave up or used it cannot hold again, which raises `ValueError`.
    """
    ledger = locked([*queries.holding(cause_id), *lots])
    if any(rules.held_by(entries, cause_id) is not None for _, entries in ledger):
        return
    if any(known_of(entries, kind, cause_id) for _, entries in ledger for kind in _SPENT):
        raise ValueError(f"{cause_id} held or used hours before")
    if len(ledger) == 1 and (reason_not := _unusable(ledger[0][0], now)):
        raise LotUnusable(lot=ledger[0][0], reason=reason_not)
    for lot, entries, part in _parts(ledger, minutes, cause_id, on=on, now=now):
        move(lot, entries, EntryKind.HELD, part, cause_id, used_on=on, reason=reason, now=now)


def release(
    cause_id: uuid.UUID,
    *,
    reason: str,
    now: datetime,
    usable_until: date | None = None,
) -> None:
    """Give back what an intervention holds; nothing held changes nothing.

    `usable_until`: the seller could not do the work, so the lots stay usable at least until
    this day. Otherwise minutes that come back to an expired lot are lost at once.
    """
    for lot, entries in locked(queries.holding(cause_id)):
        part = rules.held_by(entries, cause_id)
        if part is None:
            continue
        _give_up(lot, entries, part, cause_id, reason=reason, now=now)
        if usable_until is not None and usable_until > lot.expires_on:
            extend(lot, usable_until, now)
        _write_off(lot, entries, cause_id, now)


def use(
    lots: Sequence[HourLot],
    minutes: int,
    cause_id: uuid.UUID,
    *,
    on: date,
    reason: str,
    now: datetime,
) -> None:
    """Take the billed minutes of an intervention and release what it held, as one act (I-05).

    What it held is taken first; more than that comes from `lots`, within what is left of them.
    Raises `InsufficientCredit` when all of it together is too little; nothing moved then.
    """
    ledger = locked([*queries.holding(cause_id), *lots])
    if any(_used(entries, cause_id) for _, entries in ledger):
        return
    parts = _parts(ledger, minutes, cause_id, on=on, now=now)
    for lot, entries in ledger:
        kept = rules.held_by(entries, cause_id)
        if kept is not None:
            _give_up(lot, entries, kept, cause_id, reason=reason, now=now)
    for lot, entries, part in parts:
        move(lot, entries, EntryKind.USED, part, cause_id, used_on=on, reason=reason, now=now)
    for lot, entries in ledger:
        _write_off(lot, entries, cause_id, now)


def deduct(
    lot: HourLot, minutes: int, cause_id: uuid.UUID, *, reason: str, now: datetime
) -> CreditEntry | None:
    """Take minutes for what is no intervention (K-06, K-07, a withdrawal); once a cause.

    Raises `InsufficientCredit` when less is left.
    """
    ((lot, entries),) = locked([lot])
    left = rules.balance(entries)
    if known_of(entries, EntryKind.DEDUCTED, cause_id):
        return None
    if minutes > left:
        raise InsufficientCredit(needed=minutes, available=left, lots=[lot], limit=None)
    return move(lot, entries, EntryKind.DEDUCTED, minutes, cause_id, reason=reason, now=now)


def give_back(
    lot: HourLot, minutes: int, cause_id: uuid.UUID, *, reason: str, now: datetime
) -> CreditEntry | None:
    """Put minutes back that were used or deducted wrongly; once a cause."""
    ((lot, entries),) = locked([lot])
    if known_of(entries, EntryKind.GIVEN_BACK, cause_id):
        return None
    return move(lot, entries, EntryKind.GIVEN_BACK, minutes, cause_id, reason=reason, now=now)


def remind(lot_id: uuid.UUID, *, now: datetime) -> bool:
    """Publish the reminder that is due on a lot; True when this call was the one (K-02).

    After a stop of the worker one reminder is sent, of the days truly left; with nothing left
    to lose, none.
    """
    today = paris_date(now)
    lot = db.session.get_one(HourLot, lot_id)
    seen = lot.next_reminder_on
    if seen is None or seen > today:
        return False
    claim = (
        update(HourLot)
        .where(HourLot.id == lot_id, HourLot.next_reminder_on == seen)
        .values(
            version=HourLot.version + 1,
            next_reminder_on=rules.next_reminder(lot.expires_on, lot.reminder_days, today),
        )
        .returning(HourLot.id)
    )
    if db.session.scalar(claim.execution_options(**_BY_LOT)) is None:
        return False
    db.session.refresh(lot)
    entries = queries.entries_of([lot_id])[lot_id]
    if rules.is_over(lot.expires_on, today) or not is_lost(lot, entries):
        return False
    days = (lot.expires_on - today).days
    publish(HoursExpiring(lot_id=lot_id, days=days, expires_on=lot.expires_on), now=now)
    journal.record("credits.reminded", lot, {"days": days, "left": rules.balance(entries)}, now=now)
    return True


def expire(lot_id: uuid.UUID, *, now: datetime) -> bool:
    """Write off what is left of a lot from the day after its last (K-02); holds stay.

    True when this call was the one that did it. The customer is told, unless the lot is one that
    nobody is reminded of: a month of a contract, followed by the next.
    """
    claim = (
        update(HourLot)
        .where(
            HourLot.id == lot_id,
            HourLot.expired_at.is_(None),
            HourLot.expires_on < paris_date(now),
        )
        .values(version=HourLot.version + 1, expired_at=now)
        .returning(HourLot.id)
    )
    if db.session.scalar(claim.execution_options(**_BY_LOT)) is None:
        return False
    lot = db.session.get_one(HourLot, lot_id, populate_existing=True)
    entries = queries.entries_of([lot_id])[lot_id]
    # A lot that was prolonged can expire twice: once for each of its last days.
    cause_id = uuid.uuid5(lot_id, lot.expires_on.isoformat())
    _write_off(lot, entries, cause_id, now, tell=bool(lot.reminder_days))
    return True


def locked(lots: Iterable[HourLot]) -> list[tuple[HourLot, list[CreditEntry]]]:
    """The lots as they are now, locked, with their ledgers, in the order of use (K-04)."""
    ids = sorted({lot.id for lot in lots}, key=str)
    for lot_id in ids:
        lock = update(HourLot).where(HourLot.id == lot_id).values(version=HourLot.version + 1)
        db.session.execute(lock, execution_options=_BY_LOT)
    found = db.session.scalars(
        select(HourLot).where(HourLot.id.in_(ids)).execution_options(populate_existing=True)
    ).all()
    ledgers = queries.entries_of(ids)
    return [(lot, ledgers[lot.id]) for lot in rules.order_of_use(found)]


def _unusable(lot: HourLot, now: datetime) -> str | None:
    if rules.is_over(lot.expires_on, paris_date(now)):
        return "expired"
    if lot.revoked_at is not None:
        return "revoked"
    return "suspended" if lot.suspended_at is not None else None


def _offer(
    lot: HourLot, entries: list[CreditEntry], cause_id: uuid.UUID, on: date, now: datetime
) -> Available:
    """What this cause can take: its hold in any case, more only while the lot can be used."""
    if _unusable(lot, now):
        return Available(rules.held_by(entries, cause_id) or 0)
    return rules.available(lot, entries, on, cause_id)


def _parts(
    ledger: list[tuple[HourLot, list[CreditEntry]]],
    minutes: int,
    cause_id: uuid.UUID,
    *,
    on: date,
    now: datetime,
) -> list[tuple[HourLot, list[CreditEntry], int]]:
    """What each lot gives. Raises `InsufficientCredit` when all of them give too little."""
    lots = [lot for lot, _ in ledger]
    for lot, entries in ledger:
        holds = rules.held_by(entries, cause_id) is not None
        if lot.single_use and (holds or len(ledger) == 1):
            if not holds and not rules.serves(entries, cause_id):
                raise InsufficientCredit(needed=minutes, available=0, lots=lots, limit=None)
            return [(lot, entries, 0)]
    timed = [(lot, entries) for lot, entries in ledger if not lot.single_use]
    offers = [_offer(lot, entries, cause_id, on, now) for lot, entries in timed]
    shares = rules.share(minutes, offers)
    if shares is None:
        raise InsufficientCredit(
            needed=minutes,
            available=sum(offer.minutes for offer in offers),
            lots=lots,
            limit=next((offer.limit for offer in offers if offer.limit), None),
        )
    return [
        (lot, entries, part) for (lot, entries), part in zip(timed, shares, strict=True) if part
    ]


def move(
    lot: HourLot,
    entries: list[CreditEntry],
    kind: EntryKind,
    minutes: int,
    cause_id: uuid.UUID,
    *,
    reason: str,
    now: datetime,
    used_on: date | None = None,
) -> CreditEntry:
    """Append one movement to a locked lot and to `entries`; the journal tells of it."""
    entry = CreditEntry(
        id=uuid.uuid4(),
        lot_id=lot.id,
        number=len(entries) + 1,
        kind=kind,
        minutes=rules.signed(kind, minutes),
        at=now,
        cause_id=cause_id,
        used_on=used_on,
        reason=reason,
    )
    entries.append(entry)
    db.session.add(entry)
    journal.record(
        f"credits.{kind.value}",
        entry,
        {"lot": lot.id, "minutes": entry.minutes, "cause": cause_id},
        now=now,
    )
    return entry


def _give_up(
    lot: HourLot,
    entries: list[CreditEntry],
    minutes: int,
    cause_id: uuid.UUID,
    *,
    reason: str,
    now: datetime,
) -> None:
    """Release a hold, in the month it was made for."""
    month = next(
        entry.used_on
        for entry in entries
        if entry.cause_id == cause_id and entry.kind is EntryKind.HELD
    )
    move(lot, entries, EntryKind.RELEASED, minutes, cause_id, used_on=month, reason=reason, now=now)


def is_lost(lot: HourLot, entries: list[CreditEntry]) -> bool:
    """Whether something would go if this lot ended now."""
    return rules.serves(entries) if lot.single_use else rules.balance(entries) > 0


def _write_off(
    lot: HourLot,
    entries: list[CreditEntry],
    cause_id: uuid.UUID,
    now: datetime,
    *,
    tell: bool = False,
) -> None:
    """Expire what is left of a lot whose expiry was done; before that the job will see it."""
    if lot.expired_at is None or not is_lost(lot, entries):
        return
    left = rules.balance(entries)
    move(lot, entries, EntryKind.EXPIRED, left, cause_id, reason=lot.name, now=now)
    if tell:
        publish(HoursExpired(lot_id=lot.id, minutes=left, expires_on=lot.expires_on), now=now)


def extend(lot: HourLot, until: date, now: datetime) -> None:
    """Make a locked lot usable until the end of another day."""
    journal.record("credits.prolonged", lot, {"from": lot.expires_on, "until": until}, now=now)
    lot.expires_on, lot.expired_at = until, None
    lot.next_reminder_on = rules.next_reminder(until, lot.reminder_days, paris_date(now))


def _used(entries: list[CreditEntry], cause_id: uuid.UUID) -> bool:
    return known_of(entries, EntryKind.USED, cause_id)


def known_of(entries: list[CreditEntry], kind: EntryKind, cause_id: uuid.UUID) -> bool:
    """Whether this cause made this movement before."""
    return any(entry.kind is kind and entry.cause_id == cause_id for entry in entries)
