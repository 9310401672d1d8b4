"""Who has not paid what, what follows, what it costs today, and who may buy."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from storefront.arrears import rules
from storefront.arrears.models import ArrearsCase, Deferral, DunningAct
from storefront.arrears.rules import Claim, Debt, DunningStep, Planned
from storefront.infra.db import db
from storefront.instalments.models import PRICE, Instalment, InstalmentStatus
from storefront.instalments.rules import morning_of
from storefront.kernel.calendar import paris_date
from storefront.kernel.money import Money
from storefront.legal.queries import parameters_of
from storefront.orders.models import Order, OrderStatus
from storefront.orders.rules import BuyerKind
from storefront.payments import queries as payments
from storefront.payments.models import Dispute, Payment, PaymentStatus

LATE = (InstalmentStatus.FAILED, InstalmentStatus.UNPAID)
OVER = (InstalmentStatus.PAID, InstalmentStatus.CANCELLED)
YEAR = 12  # months
# The bank was asked and has not answered: nothing follows before it did.
IN_DOUBT = (PaymentStatus.CHARGING, PaymentStatus.PENDING)


@dataclass(frozen=True)
class Standing:
    """What keeps a customer from buying services (O-07): the one place that knows both."""

    overdue: Sequence[Instalment]
    disputed: Sequence[Dispute] = ()

    @property
    def clear(self) -> bool:
        """Whether nothing does."""
        return not self.overdue and not self.disputed


@dataclass(frozen=True)
class DueLine:
    """One overdue sum of a statement: what follows, and what it comes to today."""

    instalment: Instalment
    claim: Claim
    case: ArrearsCase | None
    steps: tuple[Planned, ...]

    @property
    def to_come(self) -> list[Planned]:
        """What follows if nothing is paid."""
        return [one for one in self.steps if not one.done]


@dataclass(frozen=True)
class Statement:
    """What a customer owes on one day, sum by sum (V-03)."""

    on: date
    lines: Sequence[DueLine]

    @property
    def totals(self) -> tuple[Money, Money, Money, Money]:
        """Principal, interest, fees and all of it. Raises IndexError when nothing is due."""
        claims = [line.claim for line in self.lines]
        nothing = claims[0].principal * 0
        return (
            sum((one.principal for one in claims), nothing),
            sum((one.interest.total for one in claims), nothing),
            sum((one.fee for one in claims), nothing),
            sum((one.total for one in claims), nothing),
        )

    @property
    def rate_stops_on(self) -> date | None:
        """The day from which no rate is known, when it came before today."""
        return next((line.claim.stops_on for line in self.lines if line.claim.stops_on), None)


def standing(user_id: uuid.UUID, now: datetime) -> Standing:
    """Whether this customer has paid all that was due before today, and disputes nothing."""
    return Standing(
        overdue_of_user(user_id, paris_date(now)), payments.open_disputes_of_user(user_id)
    )


def _owed_on() -> ColumnElement[date]:
    return func.coalesce(Instalment.moved_to, Instalment.due_on)


def _overdue(today: date) -> tuple[ColumnElement[bool], ...]:
    return (
        Order.status == OrderStatus.CONFIRMED,
        Instalment.status.in_(LATE),
        Instalment.held_at.is_(None),
        _owed_on() < today,
    )


def overdue_of_user(user_id: uuid.UUID, today: date) -> Sequence[Instalment]:
    """What a customer should have paid before today, oldest first; a deferral is no arrears."""
    return db.session.scalars(
        select(Instalment)
        .join(Instalment.order)
        .options(contains_eager(Instalment.order))
        .where(Order.user_id == user_id, *_overdue(today))
        .order_by(_owed_on(), Order.placed_at, Instalment.rank)
    ).all()


def open_case(instalment_id: uuid.UUID) -> ArrearsCase | None:
    """The case of an unpaid sum, while it is open."""
    return db.session.scalars(
        select(ArrearsCase).where(
            ArrearsCase.instalment_id == instalment_id, ArrearsCase.closed_at.is_(None)
        )
    ).one_or_none()


def with_open_case(instalment_ids: Collection[uuid.UUID]) -> Sequence[uuid.UUID]:
    """Which of these instalments a case is open about."""
    return db.session.scalars(
        select(ArrearsCase.instalment_id).where(
            ArrearsCase.instalment_id.in_(instalment_ids), ArrearsCase.closed_at.is_(None)
        )
    ).all()


def cases_of_order(order_id: uuid.UUID) -> Sequence[ArrearsCase]:
    """Every case of an order with what was done, the first one first."""
    return db.session.scalars(
        select(ArrearsCase)
        .where(ArrearsCase.order_id == order_id)
        .options(selectinload(ArrearsCase.acts), joinedload(ArrearsCase.instalment))
        .order_by(ArrearsCase.opened_at, ArrearsCase.round)
    ).all()


def deferrals_of_order(order_id: uuid.UUID) -> Sequence[Deferral]:
    """Every deferral granted on an order, the first one first."""
    return db.session.scalars(
        select(Deferral)
        .join(Deferral.instalment)
        .where(Instalment.order_id == order_id)
        .options(contains_eager(Deferral.instalment))
        .order_by(Deferral.granted_at, Deferral.number)
    ).all()


def stops(order_id: uuid.UUID, schedule: str | None = None) -> bool:
    """Whether something unpaid stops what this order sold, as of now; `schedule`: of this one.

    A part of the price stops all of it, a month only the contract that it is of (M-04).
    """
    stopping = (
        select(DunningAct.id)
        .join(DunningAct.case)
        .join(ArrearsCase.instalment)
        .where(
            ArrearsCase.order_id == order_id,
            ArrearsCase.closed_at.is_(None),
            DunningAct.step == DunningStep.SUSPENSION,
        )
    )
    if schedule is not None:
        stopping = stopping.where(Instalment.schedule == schedule)
    return db.session.scalar(stopping.limit(1)) is not None


def pauses_of(instalment: Instalment) -> tuple[rules.Pause, ...]:
    """What the terms that its order accepted say of this sum when it is unpaid."""
    order = instalment.order
    return rules.dunning(
        parameters_of(order.terms_version),
        professional=order.buyer_kind is BuyerKind.PROFESSIONAL,
        graced=instalment.schedule != PRICE and _commitment(instalment) == 0,
    )


def steps_of(
    instalment: Instalment, owed_on: date, acts: Iterable[DunningAct], waited: int = 0
) -> tuple[Planned, ...]:
    """The timeline of an unpaid sum: what was done, and what follows if nothing is paid."""
    done = {act.step: act.made_on for act in acts}
    return rules.timeline(pauses_of(instalment), owed_on, done, waited)


def timeline_of(case: ArrearsCase) -> tuple[Planned, ...]:
    """The timeline of a case."""
    return steps_of(case.instalment, case.owed_on, case.acts, case.waited_days)


def statement(user_id: uuid.UUID, today: date) -> Statement:
    """Everything that a customer should have paid, with interest to the day (V-03)."""
    return statement_of(overdue_of_user(user_id, today), today)


def statement_of(overdue: Sequence[Instalment], today: date) -> Statement:
    """These overdue sums with what they come to; one fee an invoice."""
    cases = _open_cases(part.id for part in overdue)
    lines, billed = [], set[object]()
    for part in overdue:
        case, parameters = cases.get(part.id), parameters_of(part.order.terms_version)
        debt = _debt(part, case)
        claimed = rules.claim(debt, parameters, today, with_fee=debt.invoice not in billed)
        if claimed.fee.minor:
            billed.add(debt.invoice)
        acts = case.acts if case else []
        waited = case.waited_days if case else 0
        steps = steps_of(part, case.owed_on if case else part.owed_on, acts, waited)
        lines.append(DueLine(part, claimed, case, steps))
    return Statement(today, lines)


def _open_cases(instalment_ids: Iterable[uuid.UUID]) -> Mapping[uuid.UUID, ArrearsCase]:
    found = db.session.scalars(
        select(ArrearsCase)
        .where(ArrearsCase.instalment_id.in_(list(instalment_ids)), ArrearsCase.closed_at.is_(None))
        .options(selectinload(ArrearsCase.acts))
    )
    return {case.instalment_id: case for case in found}


def _debt(part: Instalment, case: ArrearsCase | None) -> Debt:
    monthly = part.schedule != PRICE
    notice = case.act(DunningStep.FORMAL_NOTICE) if case else None
    return Debt(
        principal=Money(part.missing_minor, part.currency),
        owed_on=part.owed_on,
        professional=part.order.buyer_kind is BuyerKind.PROFESSIONAL,
        annual_contract=monthly and _commitment(part) >= YEAR,
        notice_ended_on=notice.answer_by if notice else None,
        invoice=part.id if monthly else part.order_id,
    )


def _commitment(part: Instalment) -> int:
    """For how many months the contract binds that this month is of; its schedule names the line."""
    return max(
        (
            int(line.features.get("commitment_months", 0))
            for line in part.order.lines
            if part.schedule.endswith(str(line.id))
        ),
        default=0,
    )


def may_follow() -> tuple[ColumnElement[bool], ...]:
    """Open cases that a step may follow: nobody waits for the bank's answer, for a dispute's end,
    or for what cannot be supplied; and cases that are over."""
    asked = exists().where(
        Payment.instalment_id == ArrearsCase.instalment_id, Payment.status.in_(IN_DOUBT)
    )
    return (
        ArrearsCase.closed_at.is_(None),
        ArrearsCase.instalment_id == Instalment.id,
        ArrearsCase.order_id == Order.id,
        or_(
            and_(
                Instalment.status.in_(LATE),
                Instalment.held_at.is_(None),
                ArrearsCase.next_on.is_not(None),
                ~asked,
                ArrearsCase.order_id.not_in(payments.orders_in_dispute()),
            ),
            Instalment.status.in_(OVER),
            Order.status != OrderStatus.CONFIRMED,
        ),
    )


def _due_on() -> ColumnElement[date]:
    """Cases that are over are closed at once: their day is the one they were opened for."""
    return func.coalesce(ArrearsCase.next_on, ArrearsCase.owed_on)


def to_act(day: date, limit: int = 500) -> Sequence[uuid.UUID]:
    """Cases whose next step is due by `day`, and those that are over and not closed yet."""
    return db.session.scalars(
        select(ArrearsCase.id)
        .where(
            *may_follow(),
            or_(
                ArrearsCase.next_on <= day,
                Instalment.status.in_(OVER),
                Order.status != OrderStatus.CONFIRMED,
            ),
        )
        .order_by(_due_on())
        .limit(limit)
    ).all()


def next_act_at() -> datetime | None:
    """When the next step is due."""
    day = db.session.scalar(select(func.min(_due_on())).where(*may_follow()))
    return morning_of(day) if day else None


@dataclass(frozen=True)
class OverduePage:
    """Part of the list of what is overdue; `after` is the key of the page that follows."""

    rows: Sequence[tuple[Instalment, ArrearsCase | None]]
    after: str | None


def overdue_page(
    today: date, *, step: DunningStep | None = None, after: str = "", limit: int = 50
) -> OverduePage:
    """What is overdue, longest first, with its case (staff). `step`: the last one made.

    `after` is "<day>:<instalment id>" of the row after which to go on: pages by key.
    """
    last = (
        select(DunningAct.step)
        .where(DunningAct.case_id == ArrearsCase.id)
        .order_by(DunningAct.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    joined = and_(ArrearsCase.instalment_id == Instalment.id, ArrearsCase.closed_at.is_(None))
    found = (
        select(Instalment, ArrearsCase)
        .join(Instalment.order)
        .outerjoin(ArrearsCase, joined)
        .options(contains_eager(Instalment.order), selectinload(ArrearsCase.acts))
        .where(*_overdue(today))
        .order_by(_owed_on(), Instalment.id)
        .limit(limit + 1)
    )
    if step is not None:
        found = found.where(last == step)
    if key := _key(after):
        day, instalment_id = key
        same_day = and_(_owed_on() == day, Instalment.id > instalment_id)
        found = found.where(or_(_owed_on() > day, same_day))
    rows = [(part, case) for part, case in db.session.execute(found)]
    shown = rows[:limit]
    last_part = shown[-1][0] if shown else None
    more = len(rows) > limit and last_part is not None
    return OverduePage(shown, f"{last_part.owed_on}:{last_part.id}" if more and last_part else None)


def _key(after: str) -> tuple[date, uuid.UUID] | None:
    """The key of a row; one that nobody gave begins the list."""
    day, _, instalment_id = after.partition(":")
    try:
        return date.fromisoformat(day), uuid.UUID(instalment_id)
    except ValueError:
        return None


def ages(today: date) -> list[tuple[int, int]]:
    """How many sums in EUR are overdue and how much they make, by band of `rules.AGES`."""
    bands = [(0, 0)] * (len(rules.AGES) + 1)
    rows = db.session.execute(
        select(_owed_on(), func.count(), func.sum(Instalment.amount_minor))
        .join(Instalment.order)
        .where(*_overdue(today), Instalment.currency == "EUR")
        .group_by(_owed_on())
    )
    for day, count, total in rows:
        band = rules.age_band((today - day).days)
        bands[band] = bands[band][0] + count, bands[band][1] + int(total)
    return bands
