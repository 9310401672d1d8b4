"""What was done, read back from the journal as the moments that had been foreseen."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from storefront.arrears.models import DunningAct
from storefront.credits import rules as credits
from storefront.credits.models import CreditEntry, HourLot
from storefront.fulfilment import rules as fulfilment
from storefront.fulfilment.models import Access, Shipment
from storefront.infra.db import db
from storefront.infra.journal import JournalEntry
from storefront.instalments import rules as instalments
from storefront.instalments.models import Instalment
from storefront.kernel.moments import Moment
from storefront.kernel.money import Money
from storefront.orders import rules as orders
from storefront.orders.models import Order
from storefront.payments.models import Refund
from storefront.refunds import rules as refunds
from storefront.subscriptions import rules as subscriptions
from storefront.subscriptions.models import (
    PlanChange,
    RenewalNotice,
    Subscription,
    SubscriptionPeriod,
    Termination,
)
from storefront.tickets import rules as tickets
from storefront.tickets.models import TicketMessage
from storefront.timeline.queries.facts import dated, schedule_names
from storefront.timeline.queries.rows import Rows
from storefront.timeline.rules import in_order
from storefront.withdrawals import rules as withdrawals
from storefront.withdrawals.models import WithdrawalRequest

Reader = Callable[[Any, datetime, dict[str, Any], Rows], Iterable[Moment]]


def past(contracts: Sequence[Rows], now: datetime) -> list[list[Moment]]:
    """What was done about each contract up to `now`, and the days that are over; one statement."""
    of = {row_id: rows for rows in contracts for row_id in rows.by_id}
    entries = db.session.execute(
        select(JournalEntry.at, JournalEntry.kind, JournalEntry.subject_id, JournalEntry.payload)
        .where(JournalEntry.subject_id.in_(of), JournalEntry.kind.in_(RECORDED))
        .order_by(JournalEntry.seq)
    )
    found = {rows.order.id: dated(rows) for rows in contracts}
    for at, kind, subject_id, payload in entries:
        rows = of[subject_id]
        done = RECORDED[kind](rows.by_id[subject_id], at, json.loads(payload), rows)
        found[rows.order.id] += done
    return [in_order(one for one in moments if one.at <= now) for moments in found.values()]


def _placed(order: Order, at: datetime, _: dict[str, Any], __: Rows) -> Iterator[Moment]:
    yield Moment(at, orders.Happens.PLACED)


def _confirmed(order: Order, at: datetime, _: dict[str, Any], __: Rows) -> Iterator[Moment]:
    yield Moment(at, orders.Happens.CONFIRMED)


def _ended(order: Order, at: datetime, facts: dict[str, Any], _: Rows) -> Iterator[Moment]:
    yield Moment(at, orders.Happens.ENDED, order.end_reason or "")


def _of_part(part: Instalment, kind: instalments.Happens, at: datetime, rows: Rows) -> Moment:
    name = schedule_names(rows).get(part.schedule, part.label)
    return Moment(at, kind, name, Money(part.amount_minor, part.currency), part.rank)


def _announced(part: Instalment, at: datetime, _: dict[str, Any], rows: Rows) -> Iterator[Moment]:
    yield _of_part(part, instalments.Happens.ANNOUNCEMENT, at, rows)


def _paid(part: Instalment, at: datetime, _: dict[str, Any], rows: Rows) -> Iterator[Moment]:
    again = part.attempts > 0
    kind = instalments.Happens.RETRY if again else instalments.Happens.DEBIT
    yield _of_part(part, kind, at, rows)


def _refused(part: Instalment, at: datetime, _: dict[str, Any], rows: Rows) -> Iterator[Moment]:
    yield _of_part(part, instalments.Happens.REFUSED, at, rows)


def _step(act: DunningAct, at: datetime, _: dict[str, Any], __: Rows) -> Iterator[Moment]:
    yield Moment(at, act.step)


def _lot_of(entry: CreditEntry, rows: Rows) -> HourLot:
    return next(lot for lot in rows.lots if lot.id == entry.lot_id)


def _granted(entry: CreditEntry, at: datetime, _: dict[str, Any], rows: Rows) -> Iterator[Moment]:
    name = _lot_of(entry, rows).name
    yield Moment(at, credits.Happens.GRANTED, name, number=entry.minutes)


def _reminded(lot: HourLot, at: datetime, facts: dict[str, Any], _: Rows) -> Iterator[Moment]:
    yield Moment(at, credits.Happens.REMINDER, lot.name, number=facts["days"])


def _expired(entry: CreditEntry, at: datetime, _: dict[str, Any], rows: Rows) -> Iterator[Moment]:
    """What is lost was usable for the last time on the day before."""
    lot = _lot_of(entry, rows)
    if lot.reminder_days:
        yield Moment(credits.last_day_of(at), credits.Happens.LAST_DAY, lot.name)
    yield Moment(at, credits.Happens.EXPIRY, lot.name)


def _opened(access: Access, at: datetime, _: dict[str, Any], __: Rows) -> Iterator[Moment]:
    yield Moment(at, fulfilment.Happens.OPENING, access.order_line.name)


def _shipped(parcel: Shipment, at: datetime, _: dict[str, Any], __: Rows) -> Iterator[Moment]:
    yield Moment(at, fulfilment.Happens.SHIPPED, parcel.order_line.name)


def _delivered(parcel: Shipment, at: datetime, _: dict[str, Any], __: Rows) -> Iterator[Moment]:
    yield Moment(at, fulfilment.Happens.DELIVERED, parcel.order_line.name)


def _period(
    period: SubscriptionPeriod, at: datetime, _: dict[str, Any], __: Rows
) -> Iterator[Moment]:
    name = period.subscription.name
    yield Moment(at, subscriptions.Happens.PERIOD, name, number=period.number)


def _asked(notice: RenewalNotice, at: datetime, _: dict[str, Any], __: Rows) -> Iterator[Moment]:
    name = notice.subscription.name
    yield Moment(at, subscriptions.Happens.RENEWAL_NOTICE, name)
    yield Moment(notice.opt_out_until, subscriptions.Happens.RENEWAL_ANSWER, name)


def _of_subscription(kind: subscriptions.Happens) -> Reader:
    def read(one: Subscription, at: datetime, _: dict[str, Any], __: Rows) -> Iterator[Moment]:
        yield Moment(at, kind, one.name)

    return read


def _end_known(
    end: Termination | Subscription, at: datetime, _: dict[str, Any], __: Rows
) -> Iterator[Moment]:
    """Announced with its notice; or its holder leaves for want of one (L215-1)."""
    one = end.subscription if isinstance(end, Termination) else end
    yield Moment(at, subscriptions.Happens.END_KNOWN, one.name)


def _changed(choice: PlanChange, at: datetime, _: dict[str, Any], __: Rows) -> Iterator[Moment]:
    yield Moment(at, subscriptions.Happens.CHANGE, choice.subscription.name)


def _suspended(one: Subscription, at: datetime, facts: dict[str, Any], _: Rows) -> Iterator[Moment]:
    """After its grace days; the steps of an unpaid sum have a moment of their own."""
    if facts["because"] == "grace":
        yield Moment(at, subscriptions.Happens.GRACE_END, one.name)


def _of_ticket(kind: tickets.Happens) -> Reader:
    def read(event: TicketMessage, at: datetime, _: dict[str, Any], __: Rows) -> Iterator[Moment]:
        yield Moment(at, kind, event.ticket.subject)

    return read


def _withdrawn(
    request: WithdrawalRequest, at: datetime, _: dict[str, Any], __: Rows
) -> Iterator[Moment]:
    yield Moment(at, withdrawals.Happens.WITHDRAWN, request.reference)


def _refunded(refund: Refund, at: datetime, _: dict[str, Any], __: Rows) -> Iterator[Moment]:
    yield Moment(at, refunds.Happens.REFUNDED, amount=refund.amount)


RECORDED: Mapping[str, Reader] = {
    "order.placed": _placed,
    "order.confirmed": _confirmed,
    "order.cancelled": _ended,
    "order.refused": _ended,
    "instalment.announced": _announced,
    "instalment.paid": _paid,
    "instalment.failed": _refused,
    "instalment.unpaid": _refused,
    "arrears.step": _step,
    "credits.granted": _granted,
    "credits.reminded": _reminded,
    "credits.expired": _expired,
    "fulfilment.opened": _opened,
    "fulfilment.shipped": _shipped,
    "fulfilment.delivered": _delivered,
    "subscription.month_opened": _period,
    "subscription.version_applied": _of_subscription(subscriptions.Happens.CHANGE),
    "subscription.renewed": _of_subscription(subscriptions.Happens.RENEWAL),
    "subscription.suspended": _suspended,
    "subscription.end_scheduled": _end_known,
    "plan_change.done": _changed,
    "subscription.ended": _of_subscription(subscriptions.Happens.END),
    "renewal.near": _asked,
    "ticket.proposal_expired": _of_ticket(tickets.Happens.PROPOSAL_EXPIRY),
    "ticket.silence_confirmed": _of_ticket(tickets.Happens.SILENCE),
    "withdrawal.declared": _withdrawn,
    "refund.succeeded": _refunded,
}
