"""What is owed is written down, once: a price's parts, a month, what a change costs (M-02)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from storefront.infra import journal
from storefront.infra.db import db
from storefront.instalments import rules
from storefront.instalments.models import PRICE, Instalment
from storefront.kernel.calendar import paris_date
from storefront.kernel.money import Money
from storefront.legal.queries import parameters_of
from storefront.orders.models import Order


def schedule(
    order: Order, plan: Sequence[rules.PlannedInstalment], *, now: datetime
) -> list[Instalment]:
    """Write down the plan that the order accepted; it never changes after (M-02).

    Announcements follow the notice of the accepted terms.
    """
    return [
        owe(order, PRICE, part.rank, part.due_on, part.amount, label="", now=now) for part in plan
    ]


def owe(
    order: Order,
    schedule: str,
    rank: int,
    due_on: date,
    amount: Money,
    *,
    label: str,
    voluntary: bool = False,
    now: datetime,
) -> Instalment:
    """One amount due on one day; UNIQUE(order, schedule, rank) makes it due once.

    A month that begins today and is paid by hand can be paid as long as its notice lasts (M-09).
    What is `voluntary` is paid by its customer on a page, or dropped (`cancel`).
    """
    days = rules.days_of(
        due_on,
        paris_date(now),
        notice_of(order).days,
        by_hand_month=order.by_hand and schedule != PRICE,
    )
    instalment = Instalment(
        id=uuid.uuid4(),
        order_id=order.id,
        schedule=schedule,
        rank=rank,
        label=label,
        due_on=due_on,
        currency=amount.currency,
        amount_minor=amount.minor,
        next_attempt_on=days.last_day,
        announce_on=days.announce_on,
        moved_to=days.last_day if days.last_day != due_on else None,
        received_minor=0,
        voluntary=voluntary,
    )
    db.session.add(instalment)
    journal.record(
        "instalment.owed",
        instalment,
        {"order": order.id, "rank": rank, "due_on": due_on, "amount": amount.minor},
        now=now,
    )
    return instalment


def notice_of(order: Order) -> timedelta:
    """How long before its day a part is announced: a debit, or money to be sent by hand."""
    terms = parameters_of(order.terms_version)
    return timedelta(days=terms.offline_payment_days if order.by_hand else terms.debit_notice_days)
