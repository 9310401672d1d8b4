"""What of each line was supplied, asked for and confirmed until a declaration, from the logs."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from storefront.catalogue.rules import KIND_FACTS, ProductKind, WithdrawalKind
from storefront.credits import queries as credits
from storefront.credits.models import CreditEntry
from storefront.credits.rules import EntryKind
from storefront.fulfilment.models import Access, AccessEvent
from storefront.infra.db import db
from storefront.kernel.calendar import paris_date
from storefront.kernel.money import Money, share
from storefront.legal.queries import acceptances_of
from storefront.legal.rules import AcceptanceKind
from storefront.notifications.models import Email
from storefront.orders.models import Order, OrderLine
from storefront.subscriptions import queries as subscriptions
from storefront.tickets.models import Intervention
from storefront.tickets.rules import InterventionStatus
from storefront.withdrawals import rules
from storefront.withdrawals.rules import Part, Unit

NOT_WORKED = (InterventionStatus.CONFIRMED, InterventionStatus.CANCELLED)
FINISHED = (InterventionStatus.REPORTED, InterventionStatus.DONE)


@dataclass(frozen=True)
class Consents:
    """What an order's customer asked for, and when it was confirmed on a durable medium."""

    early_start: bool
    digital_waiver: bool
    confirmed_at: datetime | None

    def given_for(self, regime: WithdrawalKind) -> bool:
        """Whether the express request of this regime was recorded."""
        content = regime is WithdrawalKind.DIGITAL_CONTENT
        return self.digital_waiver if content else self.early_start

    def confirmed_before(self, instant: datetime) -> bool:
        """Whether the customer had the confirmation by then (L221-13)."""
        return self.confirmed_at is not None and self.confirmed_at <= instant


def consents_of(order: Order) -> Consents:
    """From the acceptances and the confirmation that was really sent."""
    given = {acceptance.kind for acceptance in acceptances_of(order.id)}
    confirmed_at = db.session.scalar(
        select(func.min(Email.sent_at)).where(
            Email.order_id == order.id, Email.kind == "order_confirmation"
        )
    )
    return Consents(
        AcceptanceKind.EARLY_START in given, AcceptanceKind.DIGITAL_WAIVER in given, confirmed_at
    )


def parts_of(line: OrderLine, until: datetime) -> tuple[Part, ...]:
    """The parts of a line's price, each with how much of it was supplied until this instant."""
    if line.kind is None:
        return ()
    facts = KIND_FACTS[line.kind]
    if facts.is_subscription:
        return _periods(line, until)
    if facts.grants_minutes:
        return (_hours(line, until),)
    if line.session_starts_at is not None:
        return (_sessions(line, line.session_starts_at, until),)
    return _lessons(line, until)


def _hours(line: OrderLine, until: datetime) -> Part:
    lots = credits.of_order_line(line.id)
    ledgers = credits.entries_of(lot.id for lot in lots)
    own = [entry for lot in lots for entry in ledgers[lot.id]]
    done = _interventions(own)
    if line.kind is ProductKind.ONE_SHOT_PACK:
        return _one_shot(line, done, until)
    granted = sum(entry.minutes for entry in own if entry.kind is EntryKind.GRANTED)
    worked = sum(_worked_on(one, own, until) for one in done)
    return Part(line.gross_minor, Unit.MINUTES, min(worked, granted), granted)


def _interventions(entries: Iterable[CreditEntry]) -> Sequence[Intervention]:
    """The work that these movements were for, as far as any was done."""
    causes = {entry.cause_id for entry in entries}
    return db.session.scalars(
        select(Intervention)
        .where(Intervention.id.in_(causes), Intervention.status.not_in(NOT_WORKED))
        .options(selectinload(Intervention.spans))
        .order_by(Intervention.starts_at)
    ).all()


def _worked_on(one: Intervention, own: Sequence[CreditEntry], until: datetime) -> int:
    """The minutes of an intervention that were worked on these lots, of all that it took from."""
    kind = EntryKind.USED if one.status in FINISHED else EntryKind.HELD
    taken = [entry for entry in credits.movements_of(one.id) if entry.kind is kind]
    spread = rules.spread_over([-entry.minutes for entry in taken], _worked(one, until))
    mine = {entry.id for entry in own}
    return sum(part for entry, part in zip(taken, spread, strict=True) if entry.id in mine)


def _worked(one: Intervention, until: datetime) -> int:
    spans = [(span.started_at, span.stopped_at) for span in one.spans]
    return rules.worked_until(spans, one.worked_minutes, until)


def _one_shot(line: OrderLine, done: Sequence[Intervention], until: datetime) -> Part:
    """A pack of one intervention is used up by its report; before, by what was planned for it."""
    for one in done:
        worked = _worked(one, until)
        reported = one.reported_at is not None and one.reported_at <= until
        whole = worked if reported else max(worked, one.planned_minutes)
        if worked:
            return Part(line.gross_minor, Unit.MINUTES, worked, whole)
    return Part(line.gross_minor, Unit.MINUTES, 0, 1)


def _periods(line: OrderLine, until: datetime) -> tuple[Part, ...]:
    """The paid periods and upgrades of a subscription; a day that has begun was supplied."""
    subscription = subscriptions.of_line(line.id)
    if subscription is None:
        return (Part(line.gross_minor, Unit.DAYS, 0, 1),)
    first_unused = paris_date(until) + timedelta(days=1)
    parts = []
    for period in subscription.periods:
        if period.paid_at is None:
            continue
        price = line.gross_minor if period.instalment_id is None else period.gross_minor
        spans = [(price, period.starts_on)]
        spans += [
            (change.gross_minor, paris_date(change.counted_from))
            for change in subscriptions.paid_within(period.id)
        ]
        for minor, starts_on in spans:
            whole = (period.ends_on - starts_on).days
            supplied = (min(first_unused, period.ends_on) - starts_on).days
            parts.append(Part(minor, Unit.DAYS, max(supplied, 0), whole))
    return tuple(parts)


def _sessions(line: OrderLine, starts_at: datetime, until: datetime) -> Part:
    """A training of several days is supplied day by day, each from the hour at which it begins."""
    days = (paris_date(line.session_ends_at or starts_at) - paris_date(starts_at)).days + 1
    held = sum(starts_at + timedelta(days=day) <= until for day in range(days))
    return Part(line.gross_minor, Unit.SESSIONS, held, days)


def _lessons(line: OrderLine, until: datetime) -> tuple[Part, ...]:
    """Lessons opened of all; a bundle's products each have their share of its price."""
    opened = opened_items(line.id, until)
    items = line.features.get("items") or [
        {"price_minor": 1, "lessons": line.features.get("lessons", [])}
    ]
    weights = [item["price_minor"] for item in items]
    prices = share(Money(line.gross_minor, line.order.currency), weights)
    return tuple(
        Part(
            price.minor,
            Unit.LESSONS,
            sum(lesson in opened for lesson in item["lessons"]),
            len(item["lessons"]),
        )
        for item, price in zip(items, prices, strict=True)
    )


def opened_items(order_line_id: uuid.UUID, until: datetime) -> set[str]:
    """The files and lessons of a line that were opened before this instant (W-03)."""
    found = db.session.scalars(
        select(Access.item)
        .join(AccessEvent, AccessEvent.access_id == Access.id)
        .where(Access.order_line_id == order_line_id, AccessEvent.at <= until)
    )
    return set(found)
