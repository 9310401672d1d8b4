"""Months counted from the anchor day, commitment and grace (B-01, B-02, B-04)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from storefront.kernel.calendar import PARIS, add_months


class Renewal(StrEnum):
    """What happens at the end of a committed term (B-09, SUB-02).

    NONE: it ends. TACIT: it goes on for another term unless its holder says no. EXPRESS: it ends
    unless its holder says yes.
    """

    NONE = "none"
    TACIT = "tacit"
    EXPRESS = "express"


@dataclass(frozen=True)
class Contract:
    """What a monthly product promises, read from its features (C-08, B-02).

    `billing_months` is 12 for a year that is paid up front. `limits` gives a number a name; None:
    without limit. `included_minutes` is what each month gives.
    """

    entitlements: frozenset[str]
    limits: Mapping[str, int | None]
    term_months: int
    billing_months: int
    renewal: Renewal
    included_minutes: int
    family: str | None
    rank: int


def contract_of(features: Mapping[str, Any]) -> Contract:
    """The promises that a product's or a version's features state.

    A limit that is no number ("unlimited") is none. Raises ValueError for an unknown renewal.
    """
    return Contract(
        entitlements=frozenset(features.get("entitlements", ())),
        limits={
            name: most if isinstance(most, int) else None
            for name, most in features.get("limits", {}).items()
        },
        term_months=features.get("commitment_months", 0),
        billing_months=12 if features.get("billing_interval") == "year" else 1,
        renewal=Renewal(features.get("renewal", "none")),
        included_minutes=features.get("included_minutes", 0),
        family=features.get("family"),
        rank=features.get("rank", 0),
    )


@dataclass(frozen=True)
class Month:
    """One period: number from 1, first day, first day of the next."""

    number: int
    starts_on: date
    ends_on: date


def month(anchor: date, number: int, *, first: int = 1, every: int = 1) -> Month:
    """The period `number` of a subscription, always counted from its anchor (SUB-03).

    31 January, 28 February, 31 March: a short month does not move the ones after it. `first` is
    the number of the period that starts on the anchor, `every` the months of a period.
    """
    steps = (number - first) * every
    return Month(number, add_months(anchor, steps), add_months(anchor, steps + every))


def number_of(anchor: date, starts_on: date, *, first: int = 1, every: int = 1) -> int:
    """The number of the period that starts on this day: `month` the other way round."""
    months = (starts_on.year - anchor.year) * 12 + starts_on.month - anchor.month
    return first + months // every


def committed_until(anchor: date, months: int) -> date | None:
    """The first day on which a committed contract may end; None without commitment (B-02).

    Twelve months from 10 January: debits 10 January to 10 December, end on 10 January.
    """
    return add_months(anchor, months) if months else None


def goes_on(ends_on: date | None, starts_on: date) -> bool:
    """Whether a month that starts on this day is still part of the subscription."""
    return ends_on is None or starts_on < ends_on


def next_start(ends_on: date | None, after: date) -> date:
    """Where the next period is due once one ends on `after`; at a known end, that end."""
    return after if goes_on(ends_on, after) or ends_on is None else ends_on


def first_end(contract: Contract, anchor: date) -> date | None:
    """The end that a contract has from its first day: its term, unless it is renewed tacitly
    (SUB-02)."""
    if contract.renewal is Renewal.TACIT:
        return None
    return committed_until(anchor, contract.term_months)


def ends_on(
    anchor: date,
    next_period_on: date,
    committed_until: date | None,
    *,
    notified_on: date,
    wanted_on: date | None = None,
    every: int = 1,
) -> date:
    """The first day without service after its holder ended it on `notified_on` (B-02, B-03).

    The end of the period that was under way, or of the commitment, or of the period that the
    wanted day falls in, whichever is last. A period that was not opened yet on its first day never
    is. `every` is the months of a period, counted from `anchor`; an anchor that is still to come
    is the end of a period that a pause made longer.
    """
    unopened = next_period_on <= notified_on
    soonest = notified_on if unopened else notified_on + timedelta(days=1)
    floor = max(soonest, committed_until or soonest, wanted_on or soonest, anchor)
    months = (floor.year - anchor.year) * 12 + floor.month - anchor.month
    number = months // every
    end = add_months(anchor, number * every)
    return end if end >= floor else add_months(anchor, (number + 1) * every)


def debits_left(
    next_period_on: date | None, committed_until: date | None, *, every: int = 1
) -> int | None:
    """How many debits are still to come before the end of the running term (B-02).

    Twelve months from 10 January: on 15 March nine are left, the next one on 10 April. None
    without a term, or once it is over.
    """
    if next_period_on is None or committed_until is None or next_period_on > committed_until:
        return None
    months = (committed_until.year - next_period_on.year) * 12
    months += committed_until.month - next_period_on.month
    return months // every


def suspends_at(past_due_since: datetime, grace_days: int) -> datetime:
    """When an unpaid service stops: the same time of day, grace days later (B-04, MRE-02).

    A failure on 28 February at 18:00 suspends on 7 March at 18:00, in Paris.
    """
    wall = past_due_since.astimezone(PARIS) + timedelta(days=grace_days)
    return wall.astimezone(past_due_since.tzinfo)


def made_up_until(ended_on: date, suspended_on: date, paid_on: date) -> date:
    """The first day after a month that was paid once it was over: as many days from `paid_on` as
    its suspension had taken of it (B-04).

    A month to 10 March, suspended on 17 February and paid on 20 March goes on until 11 April.
    """
    return paid_on + max(ended_on - suspended_on, timedelta(days=1))


def schedule_name(order_line_id: uuid.UUID) -> str:
    """The schedule that a subscription's months after the first are owed on."""
    return f"line:{order_line_id}"
