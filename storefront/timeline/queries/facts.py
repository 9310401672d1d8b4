"""From the rows of a contract to the facts that its future depends on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

from storefront.arrears import queries as arrears
from storefront.arrears import rules as arrears_rules
from storefront.arrears.models import ArrearsCase
from storefront.arrears.rules import DunningStep
from storefront.catalogue.rules import WithdrawalKind
from storefront.credits import rules as credits
from storefront.credits.models import HourLot
from storefront.credits.rules import Hours
from storefront.fulfilment import rules as fulfilment
from storefront.fulfilment.queries import STOPPED
from storefront.instalments.models import PRICE, Instalment, InstalmentStatus
from storefront.instalments.queries import TO_TAKE
from storefront.instalments.rules import Owed
from storefront.kernel.calendar import end_of_day, paris_date
from storefront.kernel.moments import Moment
from storefront.kernel.money import Money
from storefront.legal.queries import parameters_of
from storefront.orders import rules as orders
from storefront.orders.models import Order, OrderLine, OrderStatus
from storefront.orders.queries import ENDED
from storefront.orders.rules import Dated
from storefront.payments.models import RefundStatus
from storefront.refunds import rules as refunds
from storefront.subscriptions import queries as subscriptions
from storefront.subscriptions.models import (
    Subscription,
    SubscriptionStatus,
    TerminationStatus,
)
from storefront.subscriptions.rules import (
    Happens,
    Price,
    Running,
    RunningDays,
    schedule_name,
)
from storefront.tickets import queries as tickets
from storefront.tickets import rules as ticket_rules
from storefront.tickets.models import Ticket
from storefront.tickets.rules import InterventionStatus, ProposalStatus
from storefront.timeline.queries.rows import Rows
from storefront.timeline.rules import Facts, minutes_of
from storefront.withdrawals import rules as withdrawals

# What is sent, or in doubt, waits for nobody here.
NOT_SENT = (RefundStatus.PROPOSED, RefundStatus.REFUSED)


def facts_of(rows: Rows, now: datetime) -> Facts:
    """What comes of a contract if nobody decides anything; nothing of one that has ended, but
    what is still to be given back."""
    stated = [*_money_back(rows)]
    order = rows.order
    if order.status is OrderStatus.AWAITING_PAYMENT and order.held_until is not None:
        return Facts(stated=[*stated, Moment(order.held_until, orders.Happens.ENDED, "unpaid")])
    if order.status is not OrderStatus.CONFIRMED:
        return Facts(stated=stated)
    stated += [*dated(rows), *_openings(rows), *_parcels(rows), *_support(rows, now)]
    billable = order.debits_stopped_at is None and not rows.disputed
    return Facts(
        owed=[one for part in rows.parts if (one := _owed(part, rows))] if billable else (),
        hours=[hours_of(lot) for lot in rows.lots if _is_left(lot)],
        running=[_running(one, rows, billable) for one in rows.subscriptions if _goes_on(one)],
        stated=[*stated, *(_steps(rows) if billable else ())],
    )


def dated(rows: Rows) -> list[Moment]:
    """What the lines of an order state: the ends of withdrawal periods, sessions."""
    return orders.coming([_dated(line, rows) for line in rows.order.lines])


def _dated(line: OrderLine, rows: Rows) -> Dated:
    return Dated(
        line.name, line.withdrawal_until, line.session_starts_at, waived=_is_waived(line, rows)
    )


def _is_waived(line: OrderLine, rows: Rows) -> bool:
    """Digital content that opened within the period: its buyer gave the right up (W-03)."""
    if line.withdrawal_kind is not WithdrawalKind.DIGITAL_CONTENT or not line.withdrawal_until:
        return False
    over = end_of_day(line.withdrawal_until)
    own = (one for one in rows.accesses if one.order_line_id == line.id)
    return any(one.opened_at is not None and one.opened_at < over for one in own)


def schedule_names(rows: Rows) -> dict[str, str]:
    """What each schedule pays: a subscription's name, nothing for the price."""
    names = {schedule_name(one.order_line_id): one.name for one in rows.subscriptions}
    return {PRICE: "", **names}


def _owed(part: Instalment, rows: Rows) -> Owed | None:
    """A part that is still to be paid; None once it is decided, or while it is in doubt."""
    unpaid = part.status is InstalmentStatus.UNPAID
    if part.held_at is not None or not (unpaid or part.status in TO_TAKE):
        return None
    announced = part.announced_at is not None or part.status is not InstalmentStatus.SCHEDULED
    return Owed(
        name=schedule_names(rows).get(part.schedule, part.label),
        rank=part.rank,
        amount=Money(part.missing_minor, part.currency),
        attempt_on=part.owed_on if unpaid else part.next_attempt_on,
        announce_on=None if announced else part.announce_on,
        known_at=rows.order.confirmed_at or rows.order.placed_at,
        debited=not (unpaid or rows.order.by_hand or part.received_minor),
        failed=part.status is InstalmentStatus.FAILED,
        due_early=_due_early(part, rows),
    )


def _due_early(part: Instalment, rows: Rows) -> tuple[date, int] | None:
    """When the rest of a price falls due, because another part of it is not paid (M-05)."""
    if part.schedule != PRICE or part.status is not InstalmentStatus.SCHEDULED:
        return None
    for moment in _steps(rows):
        if moment.kind is DunningStep.ACCELERATION:
            return moment.day, notice_days(rows.order)
    return None


def notice_days(order: Order) -> int:
    """How long before its day a part of this order is announced."""
    terms = parameters_of(order.terms_version)
    return terms.offline_payment_days if order.by_hand else terms.debit_notice_days


def hours_of(lot: HourLot) -> Hours:
    """A lot, as far as its days depend on it."""
    return Hours(lot.name, lot.expires_on, tuple(lot.reminder_days), lot.next_reminder_on)


def _is_left(lot: HourLot) -> bool:
    if lot.expired_at is not None:
        return False
    entries = lot.entries
    return credits.serves(entries) if lot.single_use else credits.balance(entries) > 0


def _openings(rows: Rows) -> Iterator[Moment]:
    for access in rows.accesses:
        waits = access.opened_at is None and access.order_line.fulfilment not in STOPPED
        if waits and access.opens_at is not None:
            yield Moment(access.opens_at, fulfilment.Happens.OPENING, access.order_line.name)


def _parcels(rows: Rows) -> Iterator[Moment]:
    concluded = rows.order.confirmed_at
    for shipment in rows.shipments:
        waits = shipment.delivered_at is None and shipment.order_line.fulfilment not in STOPPED
        if waits and concluded is not None:
            by = fulfilment.deliver_by(paris_date(concluded))
            yield Moment(by, fulfilment.Happens.TO_DELIVER, shipment.order_line.name)


def _steps(rows: Rows) -> Iterator[Moment]:
    """What follows what is unpaid; a debit that is tried again ends it, as far as anybody knows."""
    for case in rows.cases:
        if case.closed_at is None and case.instalment.held_at is None:
            yield from arrears_rules.coming(arrears.timeline_of(case), _tried_on(case))


def _tried_on(case: ArrearsCase) -> date | None:
    part = case.instalment
    return part.next_attempt_on if part.status is InstalmentStatus.FAILED else None


def _goes_on(subscription: Subscription) -> bool:
    """Whether anything comes by itself: what stands still, or is stopped and does not bind, waits
    for a person."""
    stopped = subscription.status is SubscriptionStatus.SUSPENDED and not subscription.term_months
    running = subscription.status in subscriptions.RUNNING and subscription.paused_on is None
    return running and not stopped and subscription.next_period_on is not None


def _running(subscription: Subscription, rows: Rows, billable: bool) -> Running:
    order = rows.order
    stops = _stops(subscription, rows)
    return Running(
        name=subscription.name,
        currency=subscription.currency,
        since=subscription.created_at,
        anchor_on=subscription.anchor_on,
        anchor_number=subscription.anchor_number,
        every=subscription.billing_months,
        days=RunningDays(
            subscription.next_period_on or subscription.anchor_on,
            subscription.committed_until,
            subscription.ends_on,
        ),
        term_months=subscription.term_months,
        renewal=subscription.renewal,
        prices=_prices(subscription, rows),
        opt_out_days=subscriptions.opt_out_days(subscription),
        notice_days=notice_days(order),
        protected=subscriptions.is_protected(subscription),
        notice_on=subscription.renewal_notice_on,
        told={
            one.term_ends_on: subscriptions.told_by(one)
            for one in rows.renewals
            if one.subscription_id == subscription.id and one.outcome is None
        },
        credit_minor=rows.credit_minor.get(subscription.id, 0),
        stops_at=min(stops, default=None),
        stops_as=stops[min(stops)] if stops else Happens.END,
        debited=billable,
        by_hand=order.by_hand,
        owes=bool(rows.disputed) or any(p.status is InstalmentStatus.UNPAID for p in rows.parts),
    )


def _stops(subscription: Subscription, rows: Rows) -> dict[datetime, Happens]:
    """The ends that were announced, and the end of the grace days of what nobody tries again."""
    found = {
        one.effective_at: Happens.END
        for one in rows.ends
        if one.subscription_id == subscription.id and one.status is TerminationStatus.ANNOUNCED
    }
    at = subscription.suspend_at
    if at is not None and subscription.status is SubscriptionStatus.PAST_DUE:
        late = (InstalmentStatus.UNPAID, InstalmentStatus.FAILED)
        name = schedule_name(subscription.order_line_id)
        own = (one for one in rows.parts if one.schedule == name and one.status in late)
        last = paris_date(at)
        if any(one.status is InstalmentStatus.UNPAID or one.next_attempt_on > last for one in own):
            found[at] = Happens.GRACE_END
    return found


def _prices(subscription: Subscription, rows: Rows) -> list[Price]:
    """What its periods cost, now and from the days that were announced."""
    minutes = minutes_of(subscription.kind, subscription.version.features)
    found = [Price(date.min, subscription.gross_minor, minutes)]
    coming = subscription.coming
    if coming is not None:
        minutes = minutes_of(subscription.kind, coming.to_version.features)
        return [*found, Price(coming.effective_on, coming.price_gross_minor, minutes)]
    for change in rows.changes:
        to, on = change.to_version, change.applies_on
        if change.subscription_id == subscription.id and to and on and change.sent_at:
            gross = subscriptions.amounts_of(subscription, to).gross
            found.append(Price(on, gross, minutes_of(subscription.kind, to.features)))
    return sorted(found, key=lambda price: price.from_on)


def _support(rows: Rows, now: datetime) -> Iterator[Moment]:
    for ticket in rows.tickets:
        yield from _of_ticket(ticket, now)


def _of_ticket(ticket: Ticket, now: datetime) -> Iterator[Moment]:
    happens, subject = ticket_rules.Happens, ticket.subject
    for proposal in ticket.proposals:
        if proposal.status is ProposalStatus.PROPOSED:
            yield Moment(proposal.expires_at, happens.PROPOSAL_EXPIRY, subject)
    for work in ticket.interventions:
        if work.status is InterventionStatus.CONFIRMED:
            yield Moment(work.starts_at, happens.APPOINTMENT, subject)
        if work.status is InterventionStatus.REPORTED and work.confirmed_until is not None:
            yield Moment(work.confirmed_until, happens.SILENCE, subject)
    step = tickets.queue_line(ticket, now).step
    if step is not None and step.due in ticket_rules.OWED:
        yield Moment(step.at, ticket_rules.OWED[step.due], subject)


def _money_back(rows: Rows) -> Iterator[Moment]:
    """What staff owe: a decision on a withdrawal, and what is not on its way back yet."""
    for refund in rows.refunds:
        if refund.status in NOT_SENT and refund.due_on is not None:
            yield Moment(refund.due_on, refunds.Happens.TO_REFUND, amount=refund.amount)
    if rows.order.status not in ENDED:
        days = parameters_of(rows.order.terms_version).refund_days
        for request in (one for one in rows.withdrawals if one.id not in rows.decided):
            by = withdrawals.refund_by(request.received_at, days)
            yield Moment(by, withdrawals.Happens.TO_DECIDE, request.reference)
