"""What follows an unpaid sum, when, and what it bears. Pure functions (M-04, M-05, SUB-06, LAT).

Civil dates are those of Paris. See docs/algorithms/late-interest.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from storefront.catalogue.rules import KIND_FACTS, ProductKind
from storefront.instalments.rules import morning_of
from storefront.kernel.moments import Moment
from storefront.kernel.money import Money
from storefront.legal.rules import TermsParameters
from storefront.legal.rules.interest import LateInterest, known_until, late_interest

ONE_DAY = timedelta(days=1)
LONGEST_DEFERRAL = timedelta(days=365)


class DunningStep(StrEnum):
    """What is done about an unpaid sum, in this order; not every buyer sees every step."""

    REMINDER = "reminder"
    FORMAL_NOTICE = "formal_notice"  # consumers: on a durable medium, with time to pay
    SUSPENSION = "suspension"
    ACCELERATION_NOTICE = "acceleration_notice"
    ACCELERATION = "acceleration"  # the rest of the plan falls due


class Outcome(StrEnum):
    """How a case ended."""

    PAID = "paid"
    DEFERRED = "deferred"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Pause:
    """A step, and how many days after the one before (the first: after the day it was owed)."""

    step: DunningStep
    days: int


def dunning(parameters: TermsParameters, *, professional: bool, graced: bool) -> tuple[Pause, ...]:
    """What the accepted terms say of this buyer's unpaid sum.

    A consumer has a formal notice before anything is stopped, and the whole last day of its time
    to pay (SUB-06). `graced`: the month of a plan that does not bind is stopped by its own grace
    days (B-04), so only the words come from here; a contract that binds is treated like a price
    in parts (M-05).
    """
    terms = parameters
    steps = [Pause(DunningStep.REMINDER, terms.late_reminder_days)]
    if professional:
        acceleration: str = terms.professional_acceleration
        to_suspension = terms.professional_suspension_days - terms.late_reminder_days
    else:
        acceleration = terms.consumer_acceleration
        to_notice = terms.formal_notice_days - terms.late_reminder_days
        steps.append(Pause(DunningStep.FORMAL_NOTICE, to_notice))
        to_suspension = terms.consumer_notice_days + 1
    if graced:
        return tuple(steps)
    steps.append(Pause(DunningStep.SUSPENSION, to_suspension))
    if acceleration == "after_notice":
        steps.append(Pause(DunningStep.ACCELERATION_NOTICE, 0))
        steps.append(Pause(DunningStep.ACCELERATION, terms.acceleration_notice_days + 1))
    elif acceleration == "at_once" and professional:
        steps.append(Pause(DunningStep.ACCELERATION, 0))
    return tuple(steps)


@dataclass(frozen=True)
class Planned:
    """A step with its day; `done` when it was made on that day."""

    step: DunningStep
    on: date
    done: bool


def timeline(
    pauses: Sequence[Pause], owed_on: date, done: Mapping[DunningStep, date], waited: int = 0
) -> tuple[Planned, ...]:
    """Every step with its day, each counted from the one before as it was truly made.

    After a stop of the worker nothing is caught up in one go: a customer always has the time
    between two steps that the first of them promised. `waited` days stood still since the last
    step that was made (B-08).
    """
    day, planned = owed_on, []
    for pause in pauses:
        if pause.step in done:
            day = done[pause.step]
        else:
            day, waited = day + timedelta(days=pause.days + waited), 0
        planned.append(Planned(pause.step, day, pause.step in done))
    return tuple(planned)


def next_step(steps: Sequence[Planned]) -> Planned | None:
    """The first step that was not made; None when all were."""
    return next((one for one in steps if not one.done), None)


def coming(steps: Iterable[Planned], before: date | None = None) -> list[Moment]:
    """The steps that follow while nothing is paid; `before`: the day of a debit that ends them."""
    return [
        Moment(morning_of(one.on), one.step)
        for one in steps
        if not one.done and (before is None or one.on < before)
    ]


def answer_by(steps: Sequence[Planned], step: DunningStep) -> date | None:
    """The last day to pay before what follows this step; None when nothing follows later."""
    position = [one.step for one in steps].index(step)
    later = [one.on for one in steps[position + 1 :] if one.on > steps[position].on]
    return later[0] - ONE_DAY if later else None


@dataclass(frozen=True)
class Debt:
    """An unpaid sum, as far as its interest and fee depend on it.

    `notice_ended_on`: the last day that a formal notice gave to pay, None without one.
    `invoice`: sums of one invoice bear one fee.
    """

    principal: Money
    owed_on: date
    professional: bool
    annual_contract: bool
    notice_ended_on: date | None
    invoice: object


@dataclass(frozen=True)
class Claim:
    """What is due for one sum today. `stops_on`: no rate is known from that day on."""

    principal: Money
    fee: Money
    interest: LateInterest
    stops_on: date | None

    @property
    def total(self) -> Money:
        """All of it."""
        return self.principal + self.fee + self.interest.total


def interest_from(debt: Debt) -> date | None:
    """The first day of interest: the next one for a professional, the one after the time that a
    notice gave for a consumer (C. civ. 1231-6, M-05); None while there was no such notice."""
    if debt.professional:
        return debt.owed_on + ONE_DAY
    return debt.notice_ended_on + ONE_DAY if debt.notice_ended_on else None


def claim(debt: Debt, parameters: TermsParameters, today: date, *, with_fee: bool) -> Claim:
    """What this sum has borne up to `today`, itself excluded: one can still pay today.

    A professional's rate is the multiple that the accepted terms state (LAT-01) and there is a
    fee an invoice (D441-5), a consumer's is the legal rate and there is none (LAT-02). The fee
    is a sum in EUR that is not converted: on a debt in another currency none is claimed.
    """
    starts_on = interest_from(debt)
    until = min(today, known_until())
    interest = late_interest(
        debt.principal,
        starts_on or until,
        until,
        multiplier=parameters.professional_interest_multiplier if debt.professional else 1,
        contract_bp=(
            parameters.annual_contract_interest_bp
            if debt.professional and debt.annual_contract
            else 0
        ),
    )
    late = today > debt.owed_on
    bears_fee = with_fee and debt.professional and late and debt.principal.currency == "EUR"
    fee = parameters.recovery_fee_minor if bears_fee else 0
    return Claim(
        debt.principal,
        Money(fee, debt.principal.currency),
        interest,
        until if starts_on is not None and until < today else None,
    )


def is_service(kind: ProductKind) -> bool:
    """Whether somebody with arrears cannot buy it (O-07): neither goods nor a file to keep."""
    facts = KIND_FACTS[kind]
    return not facts.needs_shipping and not facts.digital_waiver_applies


def deferral_bounds(owed_on: date, today: date) -> tuple[date, date]:
    """The first and the last day that a deferral can name: later than it was, a year at most."""
    return max(owed_on, today) + ONE_DAY, today + LONGEST_DEFERRAL


AGES = (15, 30, 60, 90)


def age_band(days: int) -> int:
    """Which of the bands up to 15, 30, 60, 90 days and more this lateness falls into, from 0."""
    return sum(days > limit for limit in AGES)
