"""Balances and statements, always computed from the ledger."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import contains_eager

from storefront.credits import rules
from storefront.credits.models import CreditEntry, HourLot
from storefront.credits.rules import MORNING, EntryKind
from storefront.infra.db import db
from storefront.kernel.calendar import paris_date, paris_instant


@dataclass(frozen=True)
class LotView:
    """A lot as a page shows it. Minutes; `state`: usable, empty, expired, suspended or
    revoked."""

    lot: HourLot
    granted: int
    left: int
    held: int
    used: int
    lost: int
    month_left: int | None  # what the limit of this calendar month leaves, None without limit
    month_interventions_left: int | None
    state: str

    @property
    def usable(self) -> bool:
        """Whether an intervention can be asked for on it today."""
        return self.state == "usable"


@dataclass(frozen=True)
class StatementLine:
    """One movement and what was left after it: in its lot, and in all lots together."""

    entry: CreditEntry
    lot: HourLot
    lot_balance: int
    balance: int


def get(lot_id: uuid.UUID) -> HourLot | None:
    """The lot of this id."""
    return db.session.get(HourLot, lot_id)


def of_line(order_line_id: uuid.UUID, period_number: int = 0) -> HourLot | None:
    """The lot that this order line granted, for its period."""
    return db.session.scalar(
        select(HourLot).where(
            HourLot.order_line_id == order_line_id, HourLot.period_number == period_number
        )
    )


def last_of_line(order_line_id: uuid.UUID) -> HourLot | None:
    """The lot that this order line granted last."""
    return db.session.scalars(
        select(HourLot)
        .where(HourLot.order_line_id == order_line_id)
        .order_by(HourLot.period_number.desc())
    ).first()


def of_order_line(order_line_id: uuid.UUID) -> Sequence[HourLot]:
    """Every lot of this order line, one a period."""
    return db.session.scalars(select(HourLot).where(HourLot.order_line_id == order_line_id)).all()


def holding(cause_id: uuid.UUID) -> Sequence[HourLot]:
    """The lots in which this cause ever held anything."""
    return db.session.scalars(
        select(HourLot)
        .join(CreditEntry)
        .where(CreditEntry.cause_id == cause_id, CreditEntry.kind == EntryKind.HELD)
    ).all()


def entries_of(lot_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[CreditEntry]]:
    """The ledgers of these lots, each in its order."""
    ledgers: dict[uuid.UUID, list[CreditEntry]] = {lot_id: [] for lot_id in lot_ids}
    rows = db.session.scalars(
        select(CreditEntry)
        .where(CreditEntry.lot_id.in_(ledgers))
        .order_by(CreditEntry.lot_id, CreditEntry.number)
    )
    for entry in rows:
        ledgers[entry.lot_id].append(entry)
    return ledgers


def balance(lot_id: uuid.UUID) -> int:
    """The minutes of a lot that can still be held or used: the sum of its entries (K-01)."""
    total = select(func.coalesce(func.sum(CreditEntry.minutes), 0)).where(
        CreditEntry.lot_id == lot_id
    )
    # PostgreSQL's sum of whole numbers is a decimal one.
    return int(db.session.scalar(total) or 0)


def lots_of(user_id: uuid.UUID, today: date) -> list[LotView]:
    """Every lot of a customer, usable ones first, in the order in which they are used."""
    lots = db.session.scalars(select(HourLot).where(HourLot.user_id == user_id)).all()
    ledgers = entries_of(lot.id for lot in lots)
    views = [_view(lot, ledgers[lot.id], today) for lot in rules.order_of_use(lots)]
    return sorted(views, key=lambda view: not view.usable)


def available_lots(user_id: uuid.UUID, today: date) -> list[LotView]:
    """The lots on which an intervention can be asked for today, first to use first (K-04)."""
    return [view for view in lots_of(user_id, today) if view.usable]


def view_of(lot: HourLot, today: date) -> LotView:
    """One lot as a page shows it."""
    return _view(lot, entries_of([lot.id])[lot.id], today)


def statement(user_id: uuid.UUID) -> list[StatementLine]:
    """Every movement on a customer's hours, newest first, with what was left after each."""
    rows = db.session.scalars(
        select(CreditEntry)
        .join(CreditEntry.lot)
        .options(contains_eager(CreditEntry.lot))
        .where(HourLot.user_id == user_id)
        .order_by(CreditEntry.at, CreditEntry.lot_id, CreditEntry.number)
    )
    total, by_lot, lines = 0, dict[uuid.UUID, int](), []
    for entry in rows:
        total += entry.minutes
        by_lot[entry.lot_id] = by_lot.get(entry.lot_id, 0) + entry.minutes
        lines.append(StatementLine(entry, entry.lot, by_lot[entry.lot_id], total))
    return lines[::-1]


def movements_of(cause_id: uuid.UUID) -> Sequence[CreditEntry]:
    """What one cause (an intervention) moved, in order, with the lots."""
    return db.session.scalars(
        select(CreditEntry)
        .join(CreditEntry.lot)
        .options(contains_eager(CreditEntry.lot))
        .where(CreditEntry.cause_id == cause_id)
        .order_by(CreditEntry.at, CreditEntry.lot_id, CreditEntry.number)
    ).all()


def _view(lot: HourLot, entries: list[CreditEntry], today: date) -> LotView:
    def total(*kinds: EntryKind) -> int:
        return abs(sum(entry.minutes for entry in entries if entry.kind in kinds))

    month_left = month_interventions_left = None
    if lot.monthly_minutes is not None:
        month_left = max(lot.monthly_minutes - rules.minutes_of_month(entries, today), 0)
    if lot.monthly_interventions is not None:
        done = rules.interventions(entries, today)
        month_interventions_left = max(lot.monthly_interventions - done, 0)
    return LotView(
        lot=lot,
        granted=total(EntryKind.GRANTED),
        left=rules.balance(entries),
        held=rules.held(entries),
        used=total(EntryKind.USED) + total(EntryKind.DEDUCTED) - total(EntryKind.GIVEN_BACK),
        lost=total(EntryKind.EXPIRED),
        month_left=month_left,
        month_interventions_left=month_interventions_left,
        state=_state(lot, entries, today),
    )


def _state(lot: HourLot, entries: list[CreditEntry], today: date) -> str:
    if rules.is_over(lot.expires_on, today):
        return "expired"
    if lot.revoked_at is not None:
        return "revoked"
    if lot.suspended_at is not None:
        return "suspended"
    left = rules.serves(entries) if lot.single_use else rules.balance(entries) > 0
    return "usable" if left else "empty"


def to_remind(now: datetime, limit: int = 500) -> Sequence[uuid.UUID]:
    """Lots whose next reminder is due."""
    return db.session.scalars(
        select(HourLot.id)
        .where(HourLot.next_reminder_on <= _morning_passed(now))
        .order_by(HourLot.next_reminder_on)
        .limit(limit)
    ).all()


def to_expire(now: datetime, limit: int = 500) -> Sequence[uuid.UUID]:
    """Lots past their last day that were not written off."""
    return db.session.scalars(
        select(HourLot.id)
        .where(HourLot.expired_at.is_(None), HourLot.expires_on < _morning_passed(now))
        .order_by(HourLot.expires_on)
        .limit(limit)
    ).all()


def next_reminder_at() -> datetime | None:
    """When the next reminder is due."""
    day = db.session.scalar(select(func.min(HourLot.next_reminder_on)))
    return rules.reminder_instant(day) if day else None


def next_expiry_at() -> datetime | None:
    """When the next lot is written off."""
    day = db.session.scalar(
        select(func.min(HourLot.expires_on)).where(HourLot.expired_at.is_(None))
    )
    return rules.expiry_instant(day) if day else None


def _morning_passed(now: datetime) -> date:
    """Today once its morning has come, yesterday before."""
    today = paris_date(now)
    if now >= paris_instant(today, MORNING):
        return today
    return date.fromordinal(today.toordinal() - 1)
