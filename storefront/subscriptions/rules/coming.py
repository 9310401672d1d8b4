"""What becomes of a subscription that nobody touches: periods, debits, hours, terms, its end.

The days are those by which the jobs open, ask and end: this module only puts them in a row, each
from the one before (B-01 to B-04, B-09). See docs/timeline.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from storefront.credits import rules as credits
from storefront.instalments import rules as instalments
from storefront.instalments.rules import Owed, morning_of
from storefront.kernel.calendar import paris_date
from storefront.kernel.moments import Moment
from storefront.kernel.money import Money
from storefront.subscriptions.rules.months import (
    Month,
    Renewal,
    goes_on,
    month,
    next_start,
    number_of,
)
from storefront.subscriptions.rules.pauses import RunningDays
from storefront.subscriptions.rules.renewals import (
    Bound,
    Outcome,
    Told,
    answer_until,
    asked_on,
    is_asked,
    outcome_on,
    renewed,
    window,
)

ONE_DAY = timedelta(days=1)


class Happens(StrEnum):
    """What happens to a subscription by the calendar."""

    RENEWAL = "renewal"
    CHANGE = "change"
    PERIOD = "period"
    RENEWAL_NOTICE = "renewal_notice"
    RENEWAL_ANSWER = "renewal_answer"
    GRACE_END = "grace_end"
    END_KNOWN = "end_known"
    END = "subscription_end"


@dataclass(frozen=True)
class Price:
    """What a period costs and gives from a day on: minor units, minutes a month."""

    from_on: date
    gross_minor: int
    minutes: int


@dataclass(frozen=True)
class Running:
    """A subscription that runs, as far as its moments depend on it.

    `since`: nothing can happen before. `days` are its next period and its ends, `notice_on` when
    its holder is written to. `stops_at`: an end or a suspension that is announced for an instant.
    `debited`: its debits are taken; what nobody takes gives no hours. `by_hand`: its holder sends
    the money. `owes`: something stays unpaid or disputed, if nobody does anything. `credit_minor`
    is what outages took off the periods to come.
    """

    name: str
    currency: str
    since: datetime
    anchor_on: date
    days: RunningDays
    term_months: int
    renewal: Renewal
    prices: Sequence[Price]
    opt_out_days: int
    notice_days: int
    protected: bool
    anchor_number: int = 1
    every: int = 1
    notice_on: date | None = None
    told: Mapping[date, Told] = field(default_factory=dict)
    credit_minor: int = 0
    stops_at: datetime | None = None
    stops_as: Happens = Happens.END
    debited: bool = True
    by_hand: bool = False
    owes: bool = False

    def price_on(self, day: date) -> Price:
        """What the period that starts on this day costs and gives."""
        return [one for one in self.prices if one.from_on <= day][-1]


def coming(running: Running, until: datetime) -> list[Moment]:
    """Every moment up to `until`, not in order: as if each debit were accepted, each message left
    and nobody decided anything."""
    return _Life(running).until(until)


class _Life:
    """A subscription that is lived through, from one morning with something to do to the next."""

    def __init__(self, facts: Running) -> None:
        self.facts = facts
        self.since = facts.since
        self.next_on = facts.days.next_period_on
        self.bound = Bound(facts.days.committed_until, facts.days.ends_on)
        self.notice_on = facts.notice_on
        self.told = dict(facts.told)
        self.credit = facts.credit_minor
        self.price = facts.prices[0]
        self.over = False
        self.moments: list[Moment] = []

    def until(self, last: datetime) -> list[Moment]:
        """A morning opens its periods before it writes about terms, like the jobs."""
        if self.notice_on is None and self.bound.term in self.told:
            self._awaits_answer(self.bound.term)
        while not self.over:
            opening, asking = morning_of(self.next_on), self._asking()
            first = min(opening, asking or opening)
            if self.facts.stops_at is not None and self.facts.stops_at <= first:
                self._add(self.facts.stops_at, self.facts.stops_as)
                break
            if first > last:
                break
            if asking is not None and asking < opening:
                self._ask(asking)
            else:
                self._open(opening)
        return self.moments

    def _add(self, when: date | datetime, kind: StrEnum, number: int | None = None) -> None:
        self.moments.append(Moment(when, kind, self.facts.name, number=number))

    def _asking(self) -> datetime | None:
        if self.notice_on is None:
            return None
        asked = is_asked(self.facts.renewal, self.bound.term, self.bound.ends_on)
        return max(morning_of(self.notice_on), self.since) if asked else None

    def _ask(self, at: datetime) -> None:
        self._add(at, Happens.RENEWAL_NOTICE)
        self.notice_on = None
        if self.bound.term is not None:
            self.told[self.bound.term] = replace(self._told(self.bound.term), on=paris_date(at))
            self._awaits_answer(self.bound.term)

    def _awaits_answer(self, term: date) -> None:
        until = answer_until(self.facts.renewal, term, self.facts.opt_out_days)
        self._add(until, Happens.RENEWAL_ANSWER)

    def _told(self, term: date) -> Told:
        return self.told.get(term) or Told(window(term, self.facts.opt_out_days))

    def _open(self, at: datetime) -> None:
        """The period of this morning, or the end in its place."""
        facts, starts_on, bound = self.facts, self.next_on, self.bound
        decided = None
        if bound.term is not None and facts.term_months:
            told = self._told(bound.term)
            decided = outcome_on(
                starts_on,
                bound.term,
                facts.renewal,
                told,
                protected=facts.protected,
                owes=facts.owes,
            )
        over = decided in (Outcome.ENDS, Outcome.OVERDUE)
        if over or not goes_on(bound.ends_on, starts_on):
            self._add(at, Happens.END)
            self.over = True
            return
        price = facts.price_on(starts_on)
        if price != self.price:
            self._add(at, Happens.CHANGE)
            self.price = price
        if decided is not None:
            self._renew(decided, at)
        number = number_of(facts.anchor_on, starts_on, first=facts.anchor_number, every=facts.every)
        period = month(facts.anchor_on, number, first=facts.anchor_number, every=facts.every)
        self._add(at, Happens.PERIOD, number)
        self._pay(period, price, at)
        self.next_on = next_start(self.bound.ends_on, period.ends_on)
        self.since = at

    def _renew(self, decided: Outcome, at: datetime) -> None:
        facts = self.facts
        self._add(at, Happens.RENEWAL)
        self.bound = renewed(decided, facts.renewal, facts.anchor_on, facts.term_months, self.bound)
        self.notice_on = asked_on(
            facts.renewal, self.bound.term, facts.term_months, facts.opt_out_days
        )

    def _pay(self, period: Month, price: Price, at: datetime) -> None:
        """The debit of a period, less what outages took off it, and the hours that it gives."""
        facts = self.facts
        taken_off = min(self.credit, price.gross_minor)
        self.credit -= taken_off
        owed = price.gross_minor - taken_off
        if owed:
            days = instalments.days_of(
                period.starts_on, paris_date(at), facts.notice_days, by_hand_month=facts.by_hand
            )
            amount = Money(owed, facts.currency)
            part = Owed(facts.name, period.number, amount, *days, at, debited=not facts.by_hand)
            self.moments += instalments.coming(part) if facts.debited else ()
        paid = not owed or (facts.debited and not facts.by_hand)
        if price.minutes and price.gross_minor and paid:
            self._add(at, credits.Happens.GRANTED, price.minutes * facts.every)
            hours = credits.granted(facts.name, paris_date(at), period.ends_on - ONE_DAY, ())
            self.moments += credits.coming(hours)
