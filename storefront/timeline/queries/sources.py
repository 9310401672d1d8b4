"""What stands in the queue of deadlines: one line a kind, by the conditions of the jobs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, or_, select
from sqlalchemy.orm import contains_eager, joinedload

from storefront.arrears.models import ArrearsCase
from storefront.arrears.queries import may_follow
from storefront.arrears.rules import DunningStep
from storefront.credits import rules as credits
from storefront.credits.models import CreditEntry, HourLot
from storefront.fulfilment import rules as fulfilment
from storefront.fulfilment.models import Access, Shipment
from storefront.fulfilment.queries import STOPPED
from storefront.instalments import rules as instalments
from storefront.instalments.models import PRICE, Instalment, InstalmentStatus
from storefront.instalments.queries import billable
from storefront.instalments.rules import morning_of
from storefront.kernel.calendar import end_of_day
from storefront.kernel.moments import Moment
from storefront.kernel.money import Money
from storefront.orders import rules as orders
from storefront.orders.models import Order, OrderLine, OrderStatus
from storefront.orders.queries import ENDED as ORDERS_ENDED
from storefront.payments.models import Refund
from storefront.payments.providers.offline import OFFLINE
from storefront.refunds import rules as refunds
from storefront.subscriptions import queries as subscriptions
from storefront.subscriptions import rules as subscription_rules
from storefront.subscriptions.models import RenewalNotice, Subscription, Termination
from storefront.tickets import rules as tickets
from storefront.tickets.models import Intervention, Proposal, Ticket
from storefront.tickets.queries import ENDED
from storefront.tickets.rules import InterventionStatus, ProposalStatus, TicketStatus
from storefront.timeline.queries.facts import NOT_SENT
from storefront.timeline.queries.queue import Source
from storefront.withdrawals import rules as withdrawals
from storefront.withdrawals.models import WithdrawalDecision, WithdrawalMatch, WithdrawalRequest

Debt, Hours, Supply = instalments.Happens, credits.Happens, fulfilment.Happens
Months, Support = subscription_rules.Happens, tickets.Happens
Rows = Select[Any, Any]


def _part(kind: instalments.Happens) -> Any:
    """The moment of a part: announced, tried, or to be paid by its customer."""

    def moment(part: Instalment) -> Moment:
        amount = Money(part.missing_minor, part.currency)
        name = "" if part.schedule == PRICE else part.label
        if kind is Debt.ANNOUNCEMENT:
            return Moment(morning_of(part.announce_on), kind, name, amount, part.rank)
        if kind is not Debt.TO_PAY:
            return Moment(morning_of(part.next_attempt_on), kind, name, amount, part.rank)
        unpaid = part.status is InstalmentStatus.UNPAID
        day = part.owed_on if unpaid else part.next_attempt_on
        return Moment(day, kind, name, amount, part.rank)

    return moment


def _owed(status: InstalmentStatus, *conditions: ColumnElement[bool]) -> Rows:
    return select(Instalment, Order).where(*billable(), Instalment.status == status, *conditions)


SCHEDULED, FAILED = InstalmentStatus.SCHEDULED, InstalmentStatus.FAILED


def _unpaid() -> Rows:
    return select(Instalment, Order).where(
        Instalment.order_id == Order.id,
        Instalment.status == InstalmentStatus.UNPAID,
        Instalment.held_at.is_(None),
        Order.status == OrderStatus.CONFIRMED,
    )


def _step(step: DunningStep) -> Source:
    return Source(
        step,
        lambda: select(ArrearsCase, Order).where(*may_follow(), ArrearsCase.next_step == step),
        ArrearsCase,
        ArrearsCase.next_on,
        lambda case: Moment(morning_of(case.next_on), step),
        at=morning_of,
    )


def _left() -> Rows:
    """Lots of which something is left to lose."""
    used = CreditEntry.lot_id == HourLot.id
    balance = select(func.sum(CreditEntry.minutes)).where(used).scalar_subquery()
    return (
        select(HourLot, Order)
        .join(Order, Order.id == HourLot.order_id)
        .where(
            HourLot.expired_at.is_(None),
            HourLot.revoked_at.is_(None),
            or_(HourLot.single_use, balance > 0),
        )
    )


def _of_lines(model: Any, *conditions: ColumnElement[bool]) -> Rows:
    """What lines give that nothing stops."""
    return (
        select(model, Order)
        .join(model.order_line)
        .join(Order, Order.id == OrderLine.order_id)
        .options(contains_eager(model.order_line))
        .where(
            Order.status == OrderStatus.CONFIRMED, OrderLine.fulfilment.not_in(STOPPED), *conditions
        )
    )


def _lines(*conditions: ColumnElement[bool]) -> Rows:
    return (
        select(OrderLine, Order)
        .join(OrderLine.order)
        .where(Order.status == OrderStatus.CONFIRMED, *conditions)
    )


def _subscriptions(*conditions: ColumnElement[bool]) -> Rows:
    return (
        select(Subscription, Order)
        .join(Order, Order.id == Subscription.order_id)
        .where(*conditions)
    )


def _months(*, last: bool) -> Rows:
    """Periods that begin; or, without an end that was announced, the day on which none does."""
    over = Subscription.next_period_on == Subscription.ends_on
    announced = exists().where(*subscriptions.due_ends())
    if last:
        return _subscriptions(*subscriptions.opens(), over, ~announced)
    return _subscriptions(*subscriptions.opens(), or_(Subscription.ends_on.is_(None), ~over))


def _ends() -> Rows:
    return (
        select(Termination, Order)
        .join(Subscription, Subscription.id == Termination.subscription_id)
        .join(Order, Order.id == Subscription.order_id)
        .where(*subscriptions.due_ends())
        .options(joinedload(Termination.subscription))
    )


def _answers() -> Rows:
    """Holders who were written to, and have said nothing."""
    return (
        select(RenewalNotice, Order)
        .join(RenewalNotice.subscription)
        .join(Order, Order.id == Subscription.order_id)
        .options(contains_eager(RenewalNotice.subscription))
        .where(
            RenewalNotice.outcome.is_(None),
            RenewalNotice.answer.is_(None),
            RenewalNotice.email_id.is_not(None),
            Subscription.status.in_(subscriptions.RUNNING),
        )
    )


def _tickets(*conditions: ColumnElement[bool]) -> Rows:
    joined = select(Ticket, Order).join(Order, Order.id == Ticket.order_id)
    return joined.where(Ticket.status.not_in(ENDED), *conditions)


def _proposals() -> Rows:
    return (
        select(Proposal, Order)
        .join(Proposal.ticket)
        .join(Order, Order.id == Ticket.order_id)
        .options(contains_eager(Proposal.ticket))
        .where(Proposal.status == ProposalStatus.PROPOSED)
    )


def _work(*statuses: InterventionStatus) -> Rows:
    return (
        select(Intervention, Order)
        .join(Intervention.ticket)
        .join(Order, Order.id == Ticket.order_id)
        .options(contains_eager(Intervention.ticket))
        .where(Intervention.status.in_(statuses))
    )


def _money_back() -> Rows:
    joined = select(Refund, Order).join(Order, Order.id == Refund.order_id)
    return joined.where(Refund.status.in_(NOT_SENT))


def _withdrawn() -> Rows:
    """Declarations on which staff have still to decide."""
    final = select(WithdrawalDecision.request_id).where(WithdrawalDecision.final)
    return (
        select(WithdrawalRequest, Order)
        .join(WithdrawalMatch, WithdrawalMatch.request_id == WithdrawalRequest.id)
        .join(Order, Order.id == WithdrawalMatch.order_id)
        .where(WithdrawalRequest.id.not_in(final), Order.status.not_in(ORDERS_ENDED))
    )


def _lot(kind: credits.Happens, lot: HourLot) -> Moment:
    if kind is Hours.EXPIRY or lot.next_reminder_on is None:
        return Moment(credits.expiry_instant(lot.expires_on), Hours.EXPIRY, lot.name)
    left = (lot.expires_on - lot.next_reminder_on).days
    return Moment(credits.reminder_instant(lot.next_reminder_on), kind, lot.name, number=left)


def _named(kind: Any, on: str, *, morning: bool = False) -> Any:
    """The moment of a row that has a name, and a column with its time."""

    def moment(row: Any) -> Moment:
        value = getattr(row, on)
        return Moment(morning_of(value) if morning else value, kind, row.name)

    return moment


def _period(one: Subscription) -> Moment:
    day = one.next_period_on or one.anchor_on
    number = subscription_rules.number_of(
        one.anchor_on, day, first=one.anchor_number, every=one.billing_months
    )
    return Moment(morning_of(day), Months.PERIOD, one.name, number=number)


def _of_ticket(kind: tickets.Happens, on: str, after: timedelta = timedelta(0)) -> Any:
    def moment(row: Any) -> Moment:
        ticket = row if isinstance(row, Ticket) else row.ticket
        return Moment(getattr(row, on) + after, kind, ticket.subject)

    return moment


# How long after its appointment a report is owed, as in `tickets.rules.next_step`.
REPORTED_WITHIN = timedelta(days=1)
REFUNDED_WITHIN = timedelta(days=withdrawals.LEGAL_REFUND_DAYS)
TO_AGREE = (TicketStatus.OPEN, TicketStatus.ANSWERED)
AT_WORK = (InterventionStatus.RUNNING, InterventionStatus.STOPPED)

SOURCES = (
    Source(
        Debt.ANNOUNCEMENT,
        lambda: _owed(SCHEDULED, Instalment.announced_at.is_(None)),
        Instalment,
        Instalment.announce_on,
        _part(Debt.ANNOUNCEMENT),
        at=morning_of,
    ),
    Source(
        Debt.DEBIT,
        lambda: _owed(SCHEDULED, Order.payment_provider.not_in(OFFLINE)),
        Instalment,
        Instalment.next_attempt_on,
        _part(Debt.DEBIT),
        at=morning_of,
    ),
    Source(
        Debt.RETRY,
        lambda: _owed(FAILED),
        Instalment,
        Instalment.next_attempt_on,
        _part(Debt.RETRY),
        at=morning_of,
    ),
    Source(
        Debt.TO_PAY,
        lambda: _owed(SCHEDULED, Order.payment_provider.in_(OFFLINE)),
        Instalment,
        Instalment.next_attempt_on,
        _part(Debt.TO_PAY),
        at=end_of_day,
    ),
    Source(
        Debt.TO_PAY,
        _unpaid,
        Instalment,
        func.coalesce(Instalment.moved_to, Instalment.due_on),
        _part(Debt.TO_PAY),
        at=end_of_day,
    ),
    *(_step(step) for step in DunningStep),
    Source(
        Hours.REMINDER,
        lambda: _left().where(HourLot.next_reminder_on.is_not(None)),
        HourLot,
        HourLot.next_reminder_on,
        lambda lot: _lot(Hours.REMINDER, lot),
        at=credits.reminder_instant,
    ),
    Source(
        Hours.EXPIRY,
        _left,
        HourLot,
        HourLot.expires_on,
        lambda lot: _lot(Hours.EXPIRY, lot),
        at=credits.expiry_instant,
    ),
    Source(
        Supply.OPENING,
        lambda: _of_lines(Access, Access.opens_at.is_not(None), Access.opened_at.is_(None)),
        Access,
        Access.opens_at,
        lambda access: Moment(access.opens_at, Supply.OPENING, access.title),
    ),
    Source(
        Supply.TO_DELIVER,
        lambda: _of_lines(Shipment, Shipment.delivered_at.is_(None)),
        Shipment,
        Order.confirmed_at,
        lambda one: Moment(
            one.order_line.order.confirmed_at + fulfilment.DELIVERED_WITHIN,
            Supply.TO_DELIVER,
            one.order_line.name,
        ),
        after=fulfilment.DELIVERED_WITHIN,
    ),
    Source(
        orders.Happens.ENDED,
        lambda: select(Order, Order).where(
            Order.status == OrderStatus.AWAITING_PAYMENT, Order.held_until.is_not(None)
        ),
        Order,
        Order.held_until,
        lambda order: Moment(order.held_until, orders.Happens.ENDED, "unpaid"),
    ),
    Source(
        orders.Happens.WITHDRAWAL_END,
        lambda: _lines(OrderLine.withdrawal_until.is_not(None)),
        OrderLine,
        OrderLine.withdrawal_until,
        _named(orders.Happens.WITHDRAWAL_END, "withdrawal_until"),
        at=end_of_day,
        ahead_only=True,
    ),
    Source(
        orders.Happens.SESSION,
        lambda: _lines(OrderLine.session_starts_at.is_not(None)),
        OrderLine,
        OrderLine.session_starts_at,
        _named(orders.Happens.SESSION, "session_starts_at"),
        ahead_only=True,
    ),
    Source(
        Months.PERIOD,
        lambda: _months(last=False),
        Subscription,
        Subscription.next_period_on,
        _period,
        at=morning_of,
    ),
    Source(
        Months.END,
        lambda: _months(last=True),
        Subscription,
        Subscription.next_period_on,
        _named(Months.END, "next_period_on", morning=True),
        at=morning_of,
    ),
    Source(
        Months.END,
        _ends,
        Termination,
        Termination.effective_at,
        lambda one: Moment(one.effective_at, Months.END, one.subscription.name),
    ),
    Source(
        Months.RENEWAL_NOTICE,
        lambda: _subscriptions(
            subscriptions.is_to_ask(), Subscription.renewal_notice_on.is_not(None)
        ),
        Subscription,
        Subscription.renewal_notice_on,
        _named(Months.RENEWAL_NOTICE, "renewal_notice_on", morning=True),
        at=morning_of,
    ),
    Source(
        Months.RENEWAL_ANSWER,
        _answers,
        RenewalNotice,
        RenewalNotice.opt_out_until,
        lambda one: Moment(one.opt_out_until, Months.RENEWAL_ANSWER, one.subscription.name),
        at=end_of_day,
        ahead_only=True,
    ),
    Source(
        Months.GRACE_END,
        lambda: _subscriptions(*subscriptions.graced(), Subscription.suspend_at.is_not(None)),
        Subscription,
        Subscription.suspend_at,
        _named(Months.GRACE_END, "suspend_at"),
    ),
    Source(
        Support.TO_ANSWER,
        lambda: _tickets(Ticket.reply_owed.is_(True)),
        Ticket,
        Ticket.reply_due_at,
        _of_ticket(Support.TO_ANSWER, "reply_due_at"),
    ),
    Source(
        Support.TO_PROPOSE,
        lambda: _tickets(Ticket.status.in_(TO_AGREE)),
        Ticket,
        Ticket.intervention_due_at,
        _of_ticket(Support.TO_PROPOSE, "intervention_due_at"),
    ),
    Source(
        Support.PROPOSAL_EXPIRY,
        _proposals,
        Proposal,
        Proposal.expires_at,
        _of_ticket(Support.PROPOSAL_EXPIRY, "expires_at"),
    ),
    Source(
        Support.APPOINTMENT,
        lambda: _work(InterventionStatus.CONFIRMED),
        Intervention,
        Intervention.starts_at,
        _of_ticket(Support.APPOINTMENT, "starts_at"),
    ),
    Source(
        Support.TO_REPORT,
        lambda: _work(*AT_WORK),
        Intervention,
        Intervention.starts_at,
        _of_ticket(Support.TO_REPORT, "starts_at", REPORTED_WITHIN),
        after=REPORTED_WITHIN,
    ),
    Source(
        Support.SILENCE,
        lambda: _work(InterventionStatus.REPORTED).where(Intervention.confirmed_until.is_not(None)),
        Intervention,
        Intervention.confirmed_until,
        _of_ticket(Support.SILENCE, "confirmed_until"),
    ),
    Source(
        refunds.Happens.TO_REFUND,
        lambda: _money_back().where(Refund.due_on.is_not(None)),
        Refund,
        Refund.due_on,
        lambda one: Moment(one.due_on, refunds.Happens.TO_REFUND, amount=one.amount),
        at=end_of_day,
    ),
    Source(
        withdrawals.Happens.TO_DECIDE,
        _withdrawn,
        WithdrawalRequest,
        WithdrawalRequest.received_at,
        lambda one: Moment(
            one.received_at + REFUNDED_WITHIN, withdrawals.Happens.TO_DECIDE, one.reference
        ),
        after=REFUNDED_WITHIN,
    ),
)
