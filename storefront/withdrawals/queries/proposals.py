"""What is due back of a matched withdrawal, line by line, as it would be decided now (W-02..W-08).

Computed from rows alone, so that it comes out the same whoever asks, and is computed again under
the order's lock before anything is done.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import or_, select

from storefront.catalogue.rules import WithdrawalKind, is_subscription
from storefront.fulfilment.queries import shipments_of
from storefront.infra.db import db
from storefront.instalments.models import PRICE, Instalment
from storefront.kernel.calendar import informed_last_day, paris_date
from storefront.kernel.money import Money
from storefront.legal.queries import parameters_of
from storefront.orders.models import Order, OrderLine, OrderStatus
from storefront.orders.queries import ENDED
from storefront.orders.rules import BuyerKind
from storefront.payments import queries as payments
from storefront.payments.models import Payment, PaymentStatus
from storefront.refunds.queries import GOING, given_by_line, takes_of_lines
from storefront.subscriptions import queries as subscriptions
from storefront.withdrawals import rules
from storefront.withdrawals.models import (
    DecidedLine,
    GoodsProof,
    WithdrawalDecision,
    WithdrawalMatch,
    WithdrawalRequest,
)
from storefront.withdrawals.queries.declarations import delays
from storefront.withdrawals.queries.supplied import Consents, consents_of, opened_items, parts_of
from storefront.withdrawals.rules import DueBack, Line, LinePeriod, Timing


@dataclass(frozen=True)
class Row:
    """One line of the proposal. `facts` are the figures of its sentence; `waits`: its goods are
    not back yet, nor seen to be on their way; `decided`: by an earlier act."""

    line: OrderLine
    result: DueBack
    facts: dict[str, Any]
    declared: bool
    waits: bool
    refund_by: date
    decided: DecidedLine | None

    @property
    def left_minor(self) -> int:
        """What was paid for the line and is still here: at most this can go back."""
        return self.result.due_minor + self.result.kept_minor

    @property
    def ended(self) -> bool:
        """Whether an earlier act ended its contract."""
        return self.decided is not None and self.decided.ends_contract

    @property
    def chosen(self) -> bool:
        """Whether staff are proposed to decide on it now."""
        return self.decided is None and self.declared and not self.waits


@dataclass(frozen=True)
class Proposal:
    """Every line of the order, and the goods that were seen."""

    order: Order
    rows: tuple[Row, ...]
    proofs: tuple[GoodsProof, ...]
    decisions: tuple[WithdrawalDecision, ...]

    @property
    def open_rows(self) -> list[Row]:
        """What can still be decided; nothing of an order that has ended."""
        over = self.order.status in ENDED
        return [row for row in self.rows if row.decided is None and not over]

    @property
    def total(self) -> Money:
        """What is proposed to go back now."""
        minor = sum(row.result.due_minor for row in self.open_rows if row.chosen)
        return Money(minor, self.order.currency)

    @property
    def waits(self) -> bool:
        """Whether goods are awaited that the customer withdraws from."""
        return any(row.waits and row.declared and row.decided is None for row in self.rows)

    @property
    def has_goods(self) -> bool:
        """Whether something was sent that has to come back."""
        return any(row.facts["goods"] and row.facts["sent"] for row in self.rows)


def proposal(request: WithdrawalRequest, order: Order) -> Proposal:
    """The proposal for a declaration that was matched to this order."""
    proofs = proofs_of(request.id)
    decided = _decided(request.id, [line.id for line in order.lines])
    money = _money_by_line(order, [row for row in decided.values() if row.ends_contract])
    consents = consents_of(order)
    sent = {one.order_line_id for one in shipments_of(order.id) if one.shipped_at is not None}
    seen_on = min((proof.seen_on for proof in proofs), default=None)
    refund_by = rules.refund_by(request.received_at, delays(request.declared_at, order).refund)
    rows: list[Row] = []
    # The delivery comes last: it follows the goods.
    for line in sorted(order.lines, key=lambda line: (line.withdrawal_kind is None, line.position)):
        goods = line.withdrawal_kind is WithdrawalKind.GOODS
        rule, facts = _line(line, request, consents, money[line.id], _kept_goods(rows))
        result = rules.due_back(rule)
        away = line.id in sent if goods else any(row.facts["sent"] for row in rows)
        moving = goods or line.withdrawal_kind is None
        facts |= {"goods": goods, "sent": away and moving, "worth": result.worth_minor}
        rows.append(
            Row(
                line=line,
                result=result,
                facts=facts,
                declared=_declared(line, request, rows),
                waits=moving and away and result.ends_contract and seen_on is None,
                refund_by=max(refund_by, seen_on) if moving and away and seen_on else refund_by,
                decided=decided.get(line.id),
            )
        )
    return Proposal(order, tuple(rows), tuple(proofs), tuple(decisions_of(request.id)))


def _declared(line: OrderLine, request: WithdrawalRequest, before: Sequence[Row]) -> bool:
    """The delivery is, when anything of the parcel is."""
    if line.withdrawal_kind is None:
        return any(row.facts["goods"] and row.declared for row in before)
    return request.covers(line.id)


def _kept_goods(before: Sequence[Row]) -> bool:
    """Whether something of the parcel stays with the customer."""
    return any(
        row.facts["goods"] and not (row.ended or (row.declared and row.result.ends_contract))
        for row in before
    )


def proofs_of(request_id: uuid.UUID) -> Sequence[GoodsProof]:
    """What staff saw of the goods of a withdrawal."""
    return db.session.scalars(
        select(GoodsProof)
        .where(GoodsProof.request_id == request_id)
        .order_by(GoodsProof.seen_on, GoodsProof.proof)
    ).all()


def decisions_of(request_id: uuid.UUID) -> Sequence[WithdrawalDecision]:
    """What staff decided on a withdrawal, the first act first."""
    return db.session.scalars(
        select(WithdrawalDecision)
        .where(WithdrawalDecision.request_id == request_id)
        .order_by(WithdrawalDecision.decided_at)
    ).all()


def others_open(order_id: uuid.UUID, request_id: uuid.UUID) -> bool:
    """Whether another withdrawal from this order still waits for its decision."""
    final = select(WithdrawalDecision.request_id).where(WithdrawalDecision.final)
    found = db.session.scalar(
        select(WithdrawalMatch.id)
        .where(
            WithdrawalMatch.order_id == order_id,
            WithdrawalMatch.request_id != request_id,
            WithdrawalMatch.request_id.not_in(final),
        )
        .limit(1)
    )
    return found is not None


def _decided(request_id: uuid.UUID, line_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, DecidedLine]:
    """What was decided of these lines: on this declaration, or for good on another."""
    found = db.session.scalars(
        select(DecidedLine).where(
            DecidedLine.order_line_id.in_(line_ids),
            or_(DecidedLine.request_id == request_id, DecidedLine.ends_contract),
        )
    )
    return {row.order_line_id: row for row in found}


def withdrawable(order: Order, now: datetime) -> list[OrderLine]:
    """What its customer can choose to withdraw from: what is in its period and not ended yet.

    When nothing is, everything that was sold: a late declaration is received too (WDR-04).
    """
    ended = ended_lines(order.id)
    sold = [line for line in order.lines if line.kind is not None and line.id not in ended]
    open_ = (Timing.IN_TIME, Timing.NOT_STARTED)
    in_time = [
        line
        for line in sold
        if rules.timing(LinePeriod(line.name, line.withdrawal_kind, line.withdrawal_until), now)
        in open_
    ]
    return in_time or sold


def ended_lines(order_id: uuid.UUID) -> set[uuid.UUID]:
    """The lines of an order whose contract a withdrawal ended."""
    found = db.session.scalars(
        select(DecidedLine.order_line_id)
        .join(OrderLine, OrderLine.id == DecidedLine.order_line_id)
        .where(OrderLine.order_id == order_id, DecidedLine.ends_contract)
    )
    return set(found)


@dataclass(frozen=True)
class _Paid:
    """What came for a line, and what went back or is on its way back (minor units).

    `of_price` is what came with the price of the order; the rest are a subscription's periods.
    """

    came: int
    given: int
    of_price: int


def _money_by_line(order: Order, ended: Sequence[DecidedLine]) -> dict[uuid.UUID, _Paid]:
    """By line: of the price that came, its share; of a subscription, its other periods too.

    What came after a line ended was for the others alone: the rest of the price is less by it.
    """
    came = _price_payments(order)
    paid = Money(sum(_kept(one) for one in came), order.currency)
    prices = [line.gross_minor for line in order.lines]
    deferred = [_is_deferred(line) for line in order.lines]
    known = {row.order_line_id: int(row.facts["of_price"]) for row in ended}
    still = [0 if line.id in known else line.gross_minor for line in order.lines]
    left = Money(max(paid.minor - sum(known.values()), 0), order.currency)
    shares = rules.paid_by_line(left, still, deferred)
    rest = Money(_unassigned(order, {one.id for one in came}), order.currency)
    given = given_by_line(order)
    found = {}
    unassigned = rules.paid_by_line(rest, prices, deferred)
    for line, share, other in zip(order.lines, shares, unassigned, strict=True):
        more = _later_periods(line)
        of_price = known.get(line.id, share)
        found[line.id] = _Paid(
            of_price + sum(_kept(one) for one in more),
            given[line.id] + other + sum(one.refunded_minor for one in more),
            of_price,
        )
    return found


def _is_deferred(line: OrderLine) -> bool:
    """Whether nothing of it may be asked for before its withdrawal period is over (FOR-03)."""
    consumer = line.order.buyer_kind is BuyerKind.CONSUMER
    return consumer and line.withdrawal_kind is WithdrawalKind.TRAINING


def _kept(payment: Payment) -> int:
    return min(payment.taken_minor, payment.amount_minor) - payment.taken_back_minor


def _price_payments(order: Order) -> list[Payment]:
    """The payments that paid the price of an order, or parts of it."""
    found = db.session.scalars(
        select(Payment)
        .join(Instalment, Instalment.id == Payment.instalment_id)
        .where(
            Payment.order_id == order.id,
            Payment.status == PaymentStatus.SUCCEEDED,
            Instalment.schedule == PRICE,
        )
    )
    return [one for one in found if payments.settles_its_instalment(one)]


def _unassigned(order: Order, payment_ids: set[uuid.UUID]) -> int:
    """What is on its way back of the price, of no line in particular."""
    return sum(
        refund.amount_minor
        for refund in payments.refunds_of_order(order.id)
        if refund.payment_id in payment_ids
        and refund.status in GOING
        and takes_of_lines(refund)
        and not refund.parts
    )


def _later_periods(line: OrderLine) -> list[Payment]:
    """The payments of a subscription's periods after the first, and of its upgrades."""
    if not is_subscription(line.kind):
        return []
    subscription = subscriptions.of_line(line.id)
    periods = subscription.periods if subscription is not None else []
    found = [subscriptions.payment_of(one) for one in periods if one.instalment_id is not None]
    for period in periods:
        found += [
            subscriptions.payment_of_change(one) for one in subscriptions.paid_within(period.id)
        ]
    return [one for one in found if one is not None]


def _line(
    line: OrderLine, request: WithdrawalRequest, consents: Consents, paid: _Paid, kept_goods: bool
) -> tuple[Line, dict[str, Any]]:
    """What the rule is asked of a line, and the figures that its sentence names."""
    order, until, regime = line.order, request.declared_at, line.withdrawal_kind
    consumer = order.buyer_kind is BuyerKind.CONSUMER
    timing, extended = _timing(line, request, consents, consumer=consumer)
    subscription = subscriptions.of_line(line.id)
    terms = parameters_of(order.terms_version)
    content = regime is WithdrawalKind.DIGITAL_CONTENT
    parts = () if regime in (None, WithdrawalKind.GOODS) or content else parts_of(line, until)
    rule = Line(
        regime=regime,
        timing=timing,
        paid_minor=paid.came,
        given_back_minor=paid.given,
        consumer=consumer,
        consented=regime is not None and consents.given_for(regime),
        informed=consents.confirmed_before(until),
        begun=content and bool(opened_items(line.id, until)),
        continues=subscription is not None,
        parts=parts,
        contractual=terms.pro_withdrawal == "contractual",
        used=_used(subscription, request),
        kept_goods=kept_goods,
    )
    facts = {
        "price": line.gross_minor,
        "paid": paid.came,
        "of_price": paid.of_price,
        "given_back": paid.given,
        "last_day": line.withdrawal_until.isoformat() if line.withdrawal_until else None,
        "extended_to": extended.isoformat() if extended else None,
        "parts": [{**asdict(part), "worth_minor": part.worth_minor} for part in parts],
    }
    return rule, facts


def _used(subscription: Any, request: WithdrawalRequest) -> bool:
    """Whether a plan's paid functions were used before the declaration (MRE-07)."""
    first = subscription.first_used_at if subscription is not None else None
    return first is not None and first <= request.declared_at


def _timing(
    line: OrderLine, request: WithdrawalRequest, consents: Consents, *, consumer: bool
) -> tuple[Timing, date | None]:
    """Where the declaration stands; and the last day that counts, when it is a later one."""
    if consumer and line.order.status is OrderStatus.AWAITING_PAYMENT:
        return Timing.IN_TIME, None
    period = LinePeriod(line.name, line.withdrawal_kind, line.withdrawal_until)
    timing = rules.timing(period, request.declared_at)
    if timing is not Timing.LATE or not consumer or line.withdrawal_until is None:
        return timing, None
    told = consents.confirmed_at if consents.confirmed_before(request.declared_at) else None
    days = parameters_of(line.order.terms_version).withdrawal_days
    last = informed_last_day(line.withdrawal_until, paris_date(told) if told else None, days)
    if paris_date(request.declared_at) > last:
        return timing, None
    return Timing.IN_TIME, last
