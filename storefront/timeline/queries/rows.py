"""Every row that the dates of some contracts are read from, in as many statements as tables."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from sqlalchemy import Select, select
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from storefront.arrears.models import ArrearsCase
from storefront.credits.models import HourLot
from storefront.fulfilment.models import Access, Shipment
from storefront.infra.db import Base, db
from storefront.instalments.models import Instalment, InstalmentStatus
from storefront.orders.models import Order, OrderLine
from storefront.payments.models import Refund
from storefront.payments.queries import orders_in_dispute
from storefront.subscriptions.models import (
    PlanChange,
    RenewalNotice,
    Subscription,
    Termination,
    VersionNotice,
)
from storefront.subscriptions.queries import OPEN, outages
from storefront.tickets.models import Ticket, TicketMessage
from storefront.withdrawals.models import WithdrawalDecision, WithdrawalMatch, WithdrawalRequest

Row = TypeVar("Row", bound=Base)


@dataclass
class Rows:
    """One contract with everything that it led to. `disputed`: a payment of it is contested."""

    order: Order
    disputed: bool = False
    credit_minor: dict[uuid.UUID, int] = field(default_factory=dict)  # by subscription
    parts: list[Instalment] = field(default_factory=list)
    lots: list[HourLot] = field(default_factory=list)
    accesses: list[Access] = field(default_factory=list)
    shipments: list[Shipment] = field(default_factory=list)
    cases: list[ArrearsCase] = field(default_factory=list)
    subscriptions: list[Subscription] = field(default_factory=list)
    renewals: list[RenewalNotice] = field(default_factory=list)
    changes: list[VersionNotice] = field(default_factory=list)
    ends: list[Termination] = field(default_factory=list)
    choices: list[PlanChange] = field(default_factory=list)
    tickets: list[Ticket] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    withdrawals: list[WithdrawalRequest] = field(default_factory=list)
    decided: set[uuid.UUID] = field(default_factory=set)  # of the withdrawals, for good

    @cached_property
    def by_id(self) -> dict[uuid.UUID, Base]:
        """What the journal can speak of, by its id."""
        found: list[Base] = [self.order, *self.parts, *self.lots, *self.accesses, *self.shipments]
        found += [*self.subscriptions, *self.renewals, *self.tickets, *self.refunds]
        found += [*self.withdrawals, *self.ends, *self.choices]
        found += [period for one in self.subscriptions for period in one.periods]
        found += [act for case in self.cases for act in case.acts]
        found += [entry for lot in self.lots for entry in lot.entries]
        found += [message for ticket in self.tickets for message in ticket.messages]
        return {row.id: row for row in found}  # type: ignore[attr-defined]


def rows_of(orders: Select[Order]) -> list[Rows]:
    """The contracts that a statement finds, the first placed first."""
    found = db.session.scalars(
        orders.options(selectinload(Order.lines), joinedload(Order.terms_version)).order_by(
            Order.placed_at, Order.reference
        )
    ).all()
    ids = [order.id for order in found]
    rows = {order.id: Rows(order) for order in found}
    if ids:
        _read(rows, ids)
    return list(rows.values())


def _read(rows: dict[uuid.UUID, Rows], ids: Sequence[uuid.UUID]) -> None:
    disputed = orders_in_dispute().subquery()
    for order_id in db.session.scalars(select(disputed.c[0]).where(disputed.c[0].in_(ids))):
        rows[order_id].disputed = True
    parts = select(Instalment).where(Instalment.order_id.in_(ids))
    for part in _all(parts.order_by(Instalment.due_on, Instalment.rank)):
        # What nobody owes is no part of an order before it was paid.
        if not part.voluntary or part.status is InstalmentStatus.PAID:
            rows[part.order_id].parts.append(part)
    lots = select(HourLot).where(HourLot.order_id.in_(ids)).options(selectinload(HourLot.entries))
    for lot in _all(lots.order_by(HourLot.granted_at)):
        rows[lot.order_id].lots.append(lot)
    for access in _of_lines(Access, ids):
        rows[access.order_line.order_id].accesses.append(access)
    for shipment in _of_lines(Shipment, ids):
        rows[shipment.order_line.order_id].shipments.append(shipment)
    cases = select(ArrearsCase).where(ArrearsCase.order_id.in_(ids))
    for case in _all(cases.options(selectinload(ArrearsCase.acts))):
        rows[case.order_id].cases.append(case)
    _read_subscriptions(rows, ids)
    tickets = select(Ticket).where(Ticket.order_id.in_(ids))
    for ticket in _all(
        tickets.options(
            selectinload(Ticket.proposals),
            selectinload(Ticket.interventions),
            selectinload(Ticket.messages).load_only(TicketMessage.ticket_id),
        )
    ):
        rows[ticket.order_id].tickets.append(ticket)
    refunds = select(Refund).where(Refund.order_id.in_(ids))
    for refund in _all(refunds.order_by(Refund.asked_at)):
        rows[refund.order_id].refunds.append(refund)
    declared = (
        select(WithdrawalMatch.order_id, WithdrawalRequest)
        .join(WithdrawalRequest, WithdrawalRequest.id == WithdrawalMatch.request_id)
        .where(WithdrawalMatch.order_id.in_(ids))
    )
    for order_id, request in db.session.execute(declared):
        rows[order_id].withdrawals.append(request)
    decided = select(WithdrawalDecision.order_id, WithdrawalDecision.request_id)
    final = decided.where(WithdrawalDecision.order_id.in_(ids), WithdrawalDecision.final)
    for order_id, request_id in db.session.execute(final):
        rows[order_id].decided.add(request_id)


def _read_subscriptions(rows: dict[uuid.UUID, Rows], ids: Sequence[uuid.UUID]) -> None:
    found = _all(
        select(Subscription)
        .where(Subscription.order_id.in_(ids))
        .options(
            selectinload(Subscription.periods),
            joinedload(Subscription.version),
            joinedload(Subscription.terms_version),
            joinedload(Subscription.choice),
        )
    )
    of = {one.id: rows[one.order_id] for one in found}
    for one in found:
        rows[one.order_id].subscriptions.append(one)
    if not of:
        return
    renewals = select(RenewalNotice).where(RenewalNotice.subscription_id.in_(of))
    for renewal in _all(renewals.options(joinedload(RenewalNotice.email))):
        of[renewal.subscription_id].renewals.append(renewal)
    changes = select(VersionNotice).where(
        VersionNotice.subscription_id.in_(of), VersionNotice.status.in_(OPEN)
    )
    with_email = joinedload(VersionNotice.email)
    for change in _all(changes.options(with_email, joinedload(VersionNotice.to_version))):
        of[change.subscription_id].changes.append(change)
    for end in _all(select(Termination).where(Termination.subscription_id.in_(of))):
        of[end.subscription_id].ends.append(end)
    for choice in _all(select(PlanChange).where(PlanChange.subscription_id.in_(of))):
        of[choice.subscription_id].choices.append(choice)
    for subscription_id, left in outages.left_of(found).items():
        of[subscription_id].credit_minor[subscription_id] = left


def _all(statement: Select[Row]) -> Sequence[Row]:
    return db.session.scalars(statement).unique().all()


Supplied = TypeVar("Supplied", Access, Shipment)


def _of_lines(model: type[Supplied], order_ids: Iterable[uuid.UUID]) -> Sequence[Supplied]:
    return db.session.scalars(
        select(model)
        .join(model.order_line)
        .where(OrderLine.order_id.in_(list(order_ids)))
        .options(contains_eager(model.order_line))
        .order_by(OrderLine.position, model.id)
    ).all()
