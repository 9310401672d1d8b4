"""What the overview says, gathered from the rooms below: the contract's clock (X-03)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from storefront.credits import queries as credits
from storefront.credits.queries import LotView
from storefront.fulfilment import queries as fulfilment
from storefront.fulfilment.models import Access
from storefront.instalments import queries as instalments
from storefront.instalments.models import Instalment, InstalmentStatus
from storefront.kernel.calendar import paris_date, start_of_day
from storefront.orders import queries as orders
from storefront.orders.models import Order, OrderStatus
from storefront.subscriptions import queries as subscriptions
from storefront.subscriptions.models import (
    Incident,
    Subscription,
    SubscriptionStatus,
    VersionNotice,
)
from storefront.subscriptions.queries import outages
from storefront.subscriptions.rules import Renewal
from storefront.tickets import queries as tickets
from storefront.tickets.models import Intervention, Proposal
from storefront.tickets.rules import InterventionStatus

# The customer must act: nothing is tried again, or only later.
OWING = (InstalmentStatus.UNPAID, InstalmentStatus.FAILED)
SHOWN = 8


@dataclass(frozen=True)
class Moment:
    """Something that happens by itself at `at`, or until when one can act; worded by `kind`."""

    kind: str
    at: date | datetime
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def instant(self) -> datetime:
        """When it stands in the order of things: a civil date from its midnight in Paris."""
        return self.at if isinstance(self.at, datetime) else start_of_day(self.at)


@dataclass(frozen=True)
class Overview:
    """What needs the customer, what comes by itself, what can be used now."""

    owing: Sequence[Instalment]
    unpaid_orders: Sequence[Order]
    proposals: Sequence[Proposal]
    reports: Sequence[Intervention]
    clock: Sequence[Moment]
    later: int  # how many moments come after those shown
    lots: Sequence[LotView]
    accesses: Sequence[Access]
    incidents: Sequence[Incident]  # under way, about what the customer has

    @property
    def ready(self) -> list[list[Access]]:
        """What can be opened, purchase by purchase."""
        purchases: dict[uuid.UUID, list[Access]] = {}
        for access in self.accesses:
            purchases.setdefault(access.order_line_id, []).append(access)
        return list(purchases.values())

    @property
    def needs(self) -> int:
        """How many things the customer is waited for."""
        return sum(
            len(things) for things in (self.owing, self.unpaid_orders, self.proposals, self.reports)
        )

    @property
    def empty(self) -> bool:
        """Whether this customer has nothing here yet."""
        return not (self.needs or self.clock or self.lots or self.accesses)


def overview(user_id: uuid.UUID, now: datetime) -> Overview:
    """Everything that the first page of the account shows."""
    today = paris_date(now)
    unsettled = instalments.unsettled_of_user(user_id)
    owed = [part for part in unsettled if part.order.status is OrderStatus.CONFIRMED]
    lots = credits.available_lots(user_id, today)
    accesses = fulfilment.accesses_of(user_id)
    work = tickets.interventions_of(user_id)
    running = subscriptions.running_of_user(user_id)
    changes = list(subscriptions.changes_of_user(user_id)) if running else []
    moments = [
        *_debits(owed),
        *_hours(lots),
        *_openings(accesses),
        *_lines(user_id, now),
        *_months(running, changes),
        *_terms(running, today),
        *_changes(changes),
        *_appointments(work),
    ]
    moments.sort(key=lambda moment: moment.instant)
    return Overview(
        owing=[part for part in owed if part.status in OWING],
        unpaid_orders=[part.order for part in unsettled if part not in owed and part.rank == 1],
        proposals=tickets.proposals_to_answer(user_id, now),
        reports=[one for one in work if one.status is InterventionStatus.REPORTED],
        clock=moments[:SHOWN],
        later=len(moments[SHOWN:]),
        lots=lots,
        accesses=[one for one in accesses if one.usable],
        incidents=outages.under_way_about(running),
    )


def _debits(owed: Sequence[Instalment]) -> Iterator[Moment]:
    """The next debit of each order; the whole schedule stands on its own page."""
    seen = set[tuple[uuid.UUID, str]]()
    for part in owed:
        schedule = (part.order_id, part.schedule)
        if part.status is InstalmentStatus.SCHEDULED and schedule not in seen:
            seen.add(schedule)
            yield Moment("debit", part.due_on, {"instalment": part})
        elif part.status is InstalmentStatus.FAILED:
            yield Moment("retry", part.next_attempt_on, {"instalment": part})


def _hours(lots: Sequence[LotView]) -> Iterator[Moment]:
    for view in lots:
        yield Moment("hours_end", view.lot.expires_on, {"view": view})


def _openings(accesses: Sequence[Access]) -> Iterator[Moment]:
    """One line a purchase, however many files it opens."""
    seen = set[uuid.UUID]()
    for access in accesses:
        if access.opened_at is None and access.opens_at and access.order_line_id not in seen:
            seen.add(access.order_line_id)
            yield Moment("opening", access.opens_at, {"access": access})


def _lines(user_id: uuid.UUID, now: datetime) -> Iterator[Moment]:
    today = paris_date(now)
    withdrawals: dict[date, list[Order]] = {}
    for line in orders.lines_ahead(user_id, now):
        if line.session_starts_at and line.session_starts_at >= now:
            yield Moment("session", line.session_starts_at, {"line": line})
        if line.withdrawal_until and line.withdrawal_until >= today:
            on_that_day = withdrawals.setdefault(line.withdrawal_until, [])
            if line.order not in on_that_day:
                on_that_day.append(line.order)
    for until, of_orders in withdrawals.items():
        yield Moment("withdrawal_end", until, {"orders": of_orders})


def _appointments(work: Sequence[Intervention]) -> Iterator[Moment]:
    for one in work:
        if one.status is not InterventionStatus.REPORTED:
            yield Moment("appointment", one.starts_at, {"work": one})


def _months(running: Sequence[Subscription], changes: Sequence[VersionNotice]) -> Iterator[Moment]:
    left = outages.left_of(running)
    for subscription in running:
        facts = {"subscription": subscription}
        if subscription.ends_on:
            yield Moment("subscription_end", subscription.ends_on, facts)
        elif subscription.committed_until and subscription.renewal is Renewal.NONE:
            yield Moment("commitment_end", subscription.committed_until, facts)
        next_on = subscription.next_period_on
        due = next_on != subscription.ends_on and not subscription.paused_on
        if next_on and due and (subscription.gross_minor or subscription.coming):
            told = [one for one in changes if one.subscription_id == subscription.id]
            gross = subscriptions.gross_on(subscription, next_on, told)
            owed = max(gross - left.get(subscription.id, 0), 0)
            yield Moment("month", next_on, {**facts, "owed": owed})
        graced = subscription.status is SubscriptionStatus.PAST_DUE and not subscription.paused_on
        if subscription.suspend_at and graced:
            yield Moment("suspension", subscription.suspend_at, facts)


def _terms(running: Sequence[Subscription], today: date) -> Iterator[Moment]:
    """Ends of terms that are renewed or asked about, and until when to answer (B-09)."""
    for term in subscriptions.terms_ahead(running, today):
        yield Moment(term.kind, term.on, {"subscription": term.subscription})


def _changes(changes: Sequence[VersionNotice]) -> Iterator[Moment]:
    """What was announced: a new price, new terms (R-06)."""
    for notice in changes:
        if notice.applies_on is not None:
            facts = {"subscription": notice.subscription, "notice": notice}
            yield Moment("change", notice.applies_on, facts)
