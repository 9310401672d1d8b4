"""What is to come of one contract, from facts alone: pure functions (X-03, X-04).

Each room says in its own rules what its facts lead to, by the functions that its jobs go by; here
they are put in one row. docs/adr/0008-the-future-is-computed.md says why.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import groupby
from typing import NamedTuple

from storefront.arrears.rules import DunningStep
from storefront.credits import rules as credits
from storefront.credits.rules import Hours
from storefront.fulfilment import rules as fulfilment
from storefront.instalments import rules as instalments
from storefront.instalments.rules import Owed
from storefront.kernel.calendar import add_months, end_of_day, paris_date
from storefront.kernel.moments import By, Moment
from storefront.orders import rules as orders
from storefront.refunds import rules as refunds
from storefront.subscriptions import rules as subscriptions
from storefront.subscriptions.rules import Running
from storefront.tickets import rules as tickets
from storefront.withdrawals import rules as withdrawals

MONTHS_AHEAD = 24

# Who makes each kind of moment happen, in the order in which one instant is told. Their French
# stands in templates/timeline/words.html.
BY: Mapping[StrEnum, By] = {
    orders.Happens.PLACED: By.CUSTOMER,
    orders.Happens.CONFIRMED: By.SOFTWARE,
    orders.Happens.ENDED: By.SOFTWARE,
    orders.Happens.WITHDRAWAL_END: By.TIME,
    orders.Happens.SESSION: By.STAFF,
    **dict.fromkeys(subscriptions.Happens, By.SOFTWARE),
    subscriptions.Happens.RENEWAL_ANSWER: By.CUSTOMER,
    instalments.Happens.ANNOUNCEMENT: By.SOFTWARE,
    instalments.Happens.DEBIT: By.SOFTWARE,
    instalments.Happens.RETRY: By.SOFTWARE,
    instalments.Happens.TO_PAY: By.CUSTOMER,
    instalments.Happens.REFUSED: By.SOFTWARE,
    **dict.fromkeys(DunningStep, By.SOFTWARE),
    credits.Happens.GRANTED: By.SOFTWARE,
    credits.Happens.REMINDER: By.SOFTWARE,
    credits.Happens.LAST_DAY: By.TIME,
    credits.Happens.EXPIRY: By.SOFTWARE,
    fulfilment.Happens.OPENING: By.SOFTWARE,
    fulfilment.Happens.TO_DELIVER: By.STAFF,
    fulfilment.Happens.SHIPPED: By.STAFF,
    fulfilment.Happens.DELIVERED: By.STAFF,
    tickets.Happens.PROPOSAL_EXPIRY: By.SOFTWARE,
    tickets.Happens.SILENCE: By.SOFTWARE,
    tickets.Happens.APPOINTMENT: By.STAFF,
    tickets.Happens.TO_ANSWER: By.STAFF,
    tickets.Happens.TO_PROPOSE: By.STAFF,
    tickets.Happens.TO_REPORT: By.STAFF,
    withdrawals.Happens.WITHDRAWN: By.CUSTOMER,
    withdrawals.Happens.TO_DECIDE: By.STAFF,
    refunds.Happens.TO_REFUND: By.STAFF,
    refunds.Happens.REFUNDED: By.STAFF,
}


@dataclass(frozen=True)
class Facts:
    """What is known of a contract, as far as its future depends on it.

    `stated` are moments that its rows state as they are: a session, the end of a period, a step.
    """

    owed: Sequence[Owed] = ()
    hours: Sequence[Hours] = ()
    running: Sequence[Running] = ()
    stated: Sequence[Moment] = ()


def coming(facts: Facts, now: datetime, until: datetime) -> list[Moment]:
    """All that is to come after `now` and up to `until`, in order of time.

    As if every debit were accepted, every message left, and nobody decided anything. What should
    have been done before, and was not, comes first.
    """
    found = [*facts.stated]
    for owed in facts.owed:
        found += instalments.coming(owed)
    for hours in facts.hours:
        found += credits.coming(hours)
    for running in facts.running:
        found += subscriptions.coming(running, until)
    return in_order(one for one in found if one.at <= until and (one.at > now or _waits(one)))


def _waits(moment: Moment) -> bool:
    """Whether a moment that is over is still to be done: a day that is over needs nobody."""
    return BY[moment.kind] is not By.TIME


def in_order(moments: Iterable[Moment]) -> list[Moment]:
    """The first first; several files of one purchase that open together are one moment."""
    kinds = list(BY)
    return sorted(
        dict.fromkeys(moments),
        key=lambda one: (one.at, kinds.index(one.kind), one.name, one.number or 0),
    )


class Entry(NamedTuple):
    """A moment and the reference of the order that it is of."""

    moment: Moment
    reference: str

    @property
    def by(self) -> By:
        """Who makes it happen."""
        return BY[self.moment.kind]


class Day(NamedTuple):
    """What stands on one day; `late`: it should have been done by now."""

    day: date
    entries: Sequence[Entry]
    late: bool = False


def by_day(entries: Iterable[Entry], now: datetime | None = None) -> list[Day]:
    """Moments day by day; with `now` they are to come, and may be late.

    A day that ends, and the midnight that follows, are two days.
    """
    rows = sorted(entries, key=lambda entry: (entry.moment.day, entry.moment.at))
    days = [(day, list(some)) for day, some in groupby(rows, key=lambda row: row.moment.day)]
    return [Day(day, some, late=now is not None and some[0].moment.at <= now) for day, some in days]


def next_of_each(entries: Iterable[Entry]) -> list[Entry]:
    """The first of what comes back month after month, and every part of a price."""
    seen = set[tuple[object, ...]]()
    found = []
    for entry in entries:
        moment = entry.moment
        one_of = moment.number if moment.amount and not moment.name else None
        key = (entry.reference, moment.kind, moment.name, one_of)
        if key not in seen:
            seen.add(key)
            found.append(entry)
    return found


def horizon(now: datetime, months: int = MONTHS_AHEAD) -> datetime:
    """How far a simulation looks: to the end of the same day, months later."""
    return end_of_day(add_months(paris_date(now), months))
