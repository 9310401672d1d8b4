"""What is owed, by whom, when."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, case, func, not_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, contains_eager

from storefront.infra.db import db
from storefront.infra.journal import JournalEntry
from storefront.instalments.models import PRICE, Instalment, InstalmentStatus
from storefront.instalments.rules import morning_of
from storefront.kernel.calendar import start_of_day
from storefront.kernel.money import Money
from storefront.orders.models import Order, OrderStatus
from storefront.payments.models import Payment, PaymentStatus
from storefront.payments.providers.offline import OFFLINE
from storefront.payments.queries import UNDECIDED, orders_in_dispute

TO_TAKE = (InstalmentStatus.SCHEDULED, InstalmentStatus.FAILED)
UNSETTLED = (*TO_TAKE, InstalmentStatus.CHARGING, InstalmentStatus.UNPAID)


def billable() -> tuple[ColumnElement[bool], ...]:
    """Not taken yet, on a contract that runs: the first part of a price is paid at order.

    Nothing is taken while a payment of the order is contested (M-10), once its customer has
    withdrawn (W-08), or while what it pays for cannot be supplied (B-08), nor ever of what
    nobody owes.
    """
    return (
        Instalment.status.in_(TO_TAKE),
        Instalment.voluntary.is_(False),
        Instalment.held_at.is_(None),
        Instalment.order_id == Order.id,
        Order.status == OrderStatus.CONFIRMED,
        Order.debits_stopped_at.is_(None),
        Order.id.not_in(orders_in_dispute()),
    )


def of_order(order_id: uuid.UUID) -> Sequence[Instalment]:
    """The instalments of an order, in order of their dates."""
    return db.session.scalars(
        select(Instalment)
        .where(Instalment.order_id == order_id)
        .order_by(Instalment.due_on, Instalment.rank)
    ).all()


def of_user(user_id: uuid.UUID) -> Sequence[Instalment]:
    """What a customer owes or paid on orders that run, next due first."""
    return db.session.scalars(
        select(Instalment)
        .join(Instalment.order)
        .options(contains_eager(Instalment.order))
        .where(
            Order.user_id == user_id,
            Order.status == OrderStatus.CONFIRMED,
            Instalment.voluntary.is_(False) | (Instalment.status == InstalmentStatus.PAID),
        )
        .order_by(Instalment.due_on, Order.placed_at, Instalment.rank)
    ).all()


def unsettled_of_user(user_id: uuid.UUID) -> Sequence[Instalment]:
    """What a customer still owes, with its order, on contracts that run or wait to begin."""
    return db.session.scalars(
        select(Instalment)
        .join(Instalment.order)
        .options(contains_eager(Instalment.order))
        .where(
            Order.user_id == user_id,
            Order.status.in_((OrderStatus.CONFIRMED, OrderStatus.AWAITING_PAYMENT)),
            Instalment.status.in_(UNSETTLED),
            Instalment.voluntary.is_(False),
        )
        .order_by(Instalment.due_on, Order.placed_at, Instalment.rank)
    ).all()


def paid_of_orders(order_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, int]:
    """What was paid of the price of each of these orders, in minor units."""
    rows = db.session.execute(
        select(Instalment.order_id, func.sum(Instalment.amount_minor))
        .where(
            Instalment.order_id.in_(list(order_ids)),
            Instalment.schedule == PRICE,
            Instalment.status == InstalmentStatus.PAID,
        )
        .group_by(Instalment.order_id)
    )
    return {order_id: int(paid) for order_id, paid in rows}


def overdue(limit: int = 50) -> Sequence[Instalment]:
    """What customers must act on to be paid, oldest first, with its order (staff)."""
    return db.session.scalars(
        select(Instalment)
        .join(Instalment.order)
        .options(contains_eager(Instalment.order))
        .where(
            Order.status == OrderStatus.CONFIRMED,
            Instalment.status.in_((InstalmentStatus.UNPAID, InstalmentStatus.FAILED)),
        )
        .order_by(Instalment.due_on)
        .limit(limit)
    ).all()


def to_charge(day: date) -> Sequence[uuid.UUID]:
    """What must be taken by `day`, overdue included: all of it, so that what cannot be taken
    hides nothing behind it. Who pays by their own means has that whole day."""
    by_hand = Order.payment_provider.in_(OFFLINE)
    return db.session.scalars(
        select(Instalment.id)
        .where(
            *billable(),
            or_(
                Instalment.next_attempt_on < day,
                and_(Instalment.next_attempt_on == day, not_(by_hand)),
            ),
        )
        .order_by(Instalment.next_attempt_on)
    ).all()


def to_announce(day: date, limit: int = 500) -> Sequence[uuid.UUID]:
    """Debits whose announcement is due by `day` and was not made."""
    return db.session.scalars(
        select(Instalment.id)
        .where(
            *billable(),
            Instalment.status == InstalmentStatus.SCHEDULED,
            Instalment.announced_at.is_(None),
            Instalment.announce_on <= day,
        )
        .order_by(Instalment.announce_on)
        .limit(limit)
    ).all()


def next_charge_at() -> datetime | None:
    """When the next debit is due."""
    by_hand = Order.payment_provider.in_(OFFLINE)
    first = select(func.min(Instalment.next_attempt_on)).where(*billable())
    debit, sent = (
        db.session.scalar(first.where(not_(by_hand))),
        db.session.scalar(first.where(by_hand)),
    )
    days = [debit] if debit else []
    if sent:
        days.append(sent + timedelta(days=1))
    return morning_of(min(days)) if days else None


def next_announcement_at() -> datetime | None:
    """When the next announcement is due."""
    day = db.session.scalar(
        select(func.min(Instalment.announce_on)).where(
            *billable(),
            Instalment.status == InstalmentStatus.SCHEDULED,
            Instalment.announced_at.is_(None),
        )
    )
    return morning_of(day) if day else None


# What the billing run did, day by day

NO_METHOD = "no_method"


@dataclass
class BillingDay:
    """What was to be debited on one day (Paris), counted from the attempts themselves.

    `refused`: the bank said no. `needs_customer`: it wants its customer, or there was nothing to
    debit. `in_doubt`: asked, not answered yet. `left`: not asked yet. `began_at`: the first
    attempt of the day.
    """

    day: date
    taken: int = 0
    refused: int = 0
    needs_customer: int = 0
    in_doubt: int = 0
    left: int = 0
    money: Counter[str] = field(default_factory=Counter)  # taken, minor units by currency
    began_at: datetime | None = None

    @property
    def answered(self) -> int:
        """Of how many the end is known."""
        return self.taken + self.refused + self.needs_customer

    @property
    def due(self) -> int:
        """How many there were to take."""
        return self.answered + self.in_doubt + self.left

    @property
    def over(self) -> bool:
        """Whether nothing more comes of it."""
        return self.answered == self.due

    @property
    def amounts(self) -> list[Money]:
        """What was taken, a sum a currency."""
        return [Money(minor, currency) for currency, minor in sorted(self.money.items())]


def billing_days(today: date, count: int = 30) -> list[BillingDay]:
    """The debits of today and of the days before, today first; what waits belongs to today.

    Three statements, however many there are.
    """
    days = [BillingDay(today - timedelta(days=back)) for back in range(count)]
    _count_attempts(days)
    _count_without_method(days)
    waiting = select(func.count()).where(*billable(), Instalment.next_attempt_on <= today)
    days[0].left = db.session.scalar(waiting) or 0
    return days


def _count_attempts(days: Sequence[BillingDay]) -> None:
    # Saved before and debited without its owner: a page that keeps a card is no debit.
    on = _which(days, Payment.created_at)
    rows = db.session.execute(
        select(
            on,
            Payment.status,
            Payment.currency,
            func.count(),
            func.sum(Payment.amount_minor),
            func.min(Payment.created_at),
        )
        .where(
            Payment.created_at >= start_of_day(days[-1].day),
            Payment.saved_method_id.is_not(None),
            Payment.save_method.is_(False),
            Payment.page_reference.is_(None),
        )
        .group_by(on, Payment.status, Payment.currency)
    )
    for at, status, currency, number, amount, began_at in rows:
        day = days[at]
        day.began_at = min(day.began_at or began_at, began_at)
        if status is PaymentStatus.SUCCEEDED:
            day.taken += number
            day.money[currency] += int(amount)
        elif status is PaymentStatus.NEEDS_CUSTOMER:
            day.needs_customer += number
        elif status in UNDECIDED:
            day.in_doubt += number
        else:
            day.refused += number


def _count_without_method(days: Sequence[BillingDay]) -> None:
    """Nobody was asked for these: only the journal knows the day."""
    on = _which(days, JournalEntry.at)
    rows = db.session.execute(
        select(on, func.count())
        .where(
            JournalEntry.kind == f"instalment.{InstalmentStatus.UNPAID}",
            JournalEntry.at >= start_of_day(days[-1].day),
            JournalEntry.payload.contains(f'"code":"{NO_METHOD}"'),
        )
        .group_by(on)
    )
    for at, number in rows:
        days[at].needs_customer += number


def _which(days: Sequence[BillingDay], instant: InstrumentedAttribute[datetime]) -> Any:
    """The position of the day on which something was, Paris time."""
    begun = [(instant >= start_of_day(one.day), position) for position, one in enumerate(days)]
    return case(*begun, else_=len(days) - 1)


class Wait(StrEnum):
    """Which payments by hand are looked for; worded in templates/staff/arrivals/states.html."""

    AWAITED = "awaited"
    ARRIVED = "arrived"
    GIVEN_UP = "given_up"


STATUS_OF = {
    Wait.AWAITED: PaymentStatus.OPEN,
    Wait.ARRIVED: PaymentStatus.SUCCEEDED,
    Wait.GIVEN_UP: PaymentStatus.CANCELLED,
}


def by_hand(
    *,
    wait: Wait | None,
    text: str = "",
    amount_minor: int | None = None,
    after: str = "",
    limit: int = 50,
) -> Sequence[Row[Payment, Instalment, Order]]:
    """Payments by hand with what they pay, the oldest first: pages by key, `after` is a payment's
    id.

    Each word of `text` stands in the reference to quote, the order's, its buyer's name, company or
    e-mail; or it is the amount asked, or missing, in minor units.
    """
    found = (
        select(Payment, Instalment, Order)
        .join(Instalment, Instalment.id == Payment.instalment_id)
        .join(Order, Order.id == Payment.order_id)
        .where(Payment.provider.in_(OFFLINE), Payment.amount_minor > 0)
        .order_by(Payment.created_at, Payment.id)
        .limit(limit)
    )
    if wait is not None:
        found = found.where(Payment.status == STATUS_OF[wait])
    words = [_holds(word) for word in text.split()]
    if words and amount_minor is not None:
        asked = or_(
            Payment.amount_minor == amount_minor,
            Payment.amount_minor - Payment.taken_minor == amount_minor,
        )
        found = found.where(or_(asked, and_(*words)))
    elif words:
        found = found.where(*words)
    if (mark := _payment_named(after)) is not None:
        same = and_(Payment.created_at == mark.created_at, Payment.id > mark.id)
        found = found.where(or_(Payment.created_at > mark.created_at, same))
    return db.session.execute(found).all()


def _holds(word: str) -> ColumnElement[bool]:
    columns = (Payment.page_reference, Order.reference, Order.name, Order.company, Order.email)
    return or_(*(column.icontains(word, autoescape=True) for column in columns))


def _payment_named(key: str) -> Payment | None:
    try:
        return db.session.get(Payment, uuid.UUID(key))
    except ValueError:
        return None
