"""The end of a committed term: announced in the law's window, refused or asked for (B-09)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from storefront.kernel.calendar import add_months
from storefront.subscriptions.rules.months import Renewal

# Code de la consommation, art. L215-1: between three months and one month before the opt-out ends.
EARLIEST_MONTHS, LATEST_MONTHS = 3, 1
# The same article: what was paid ahead goes back within thirty days of the end.
ADVANCES_WITHIN = timedelta(days=30)


class Answer(StrEnum):
    """What its holder said of the next term."""

    YES = "yes"
    NO = "no"


class Outcome(StrEnum):
    """What becomes of a contract at its term. FREE: renewed, and ended at any time at no cost;
    OVERDUE: it would be renewed, but for what its holder owes."""

    ENDS = "ends"
    OVERDUE = "overdue"
    RENEWED = "renewed"
    FREE = "free"


@dataclass(frozen=True)
class Window:
    """The days on which the renewal is announced, both included, and the last one to say no."""

    opens_on: date
    closes_on: date
    opt_out_until: date


def window(term_ends_on: date, opt_out_days: int) -> Window:
    """The law's window before a tacit renewal (L215-1, SUB-02).

    It is counted from the end of the period in which one can say no, not from the term. Term on
    31 March, thirty days: no until 1 March, told from 1 December to 1 February.
    """
    until = term_ends_on - timedelta(days=opt_out_days)
    return Window(add_months(until, -EARLIEST_MONTHS), add_months(until, -LATEST_MONTHS), until)


def ask_on(renewal: Renewal, term_ends_on: date, opt_out_days: int) -> date:
    """When the holder is written to: as the window opens, or ahead of an express renewal."""
    if renewal is Renewal.EXPRESS:
        return term_ends_on - timedelta(days=opt_out_days)
    return window(term_ends_on, opt_out_days).opens_on


def asked_on(renewal: Renewal, term: date | None, term_months: int, days: int) -> date | None:
    """When the holder is to be written to about the term that runs; None: it is not renewed.

    `days`: until how long before the term the holder can say no.
    """
    if term is None or renewal is Renewal.NONE or not term_months:
        return None
    return ask_on(renewal, term, days)


def is_asked(renewal: Renewal, term: date | None, ends_on: date | None) -> bool:
    """Whether a term is asked about: what has an end is not renewed, unless only its holder's
    word is missing."""
    ends_later = ends_on is None or (term is not None and ends_on > term)
    return ends_later or renewal is Renewal.EXPRESS


def answer_until(renewal: Renewal, term_ends_on: date, opt_out_days: int) -> date:
    """The last day on which the holder can say, or change, what they want."""
    if renewal is Renewal.EXPRESS:
        return term_ends_on - timedelta(days=1)
    return window(term_ends_on, opt_out_days).opt_out_until


def told_in_time(sent_on: date | None, law: Window) -> bool:
    """Whether the message left in the law's window; a Paris day, None when it never left."""
    return sent_on is not None and law.opens_on <= sent_on <= law.closes_on


def outcome(
    renewal: Renewal, answer: Answer | None, *, in_time: bool, protected: bool, owes: bool
) -> Outcome:
    """What happens at the term (SUB-02, O-07).

    `protected`: a consumer or a non-professional (L215-3), who may leave a contract that was
    renewed without a word of it in time. `owes`: something of its holder is overdue or disputed,
    and who owes renews nothing.
    """
    asked_for = renewal is not Renewal.EXPRESS or answer is Answer.YES
    if renewal is Renewal.NONE or answer is Answer.NO or not asked_for:
        return Outcome.ENDS
    if owes:
        return Outcome.OVERDUE
    if renewal is Renewal.EXPRESS:
        return Outcome.RENEWED
    return Outcome.RENEWED if in_time or not protected else Outcome.FREE


@dataclass(frozen=True)
class Told:
    """What a holder was told of one end of a term, and said. `on`: the day the message left."""

    law: Window
    on: date | None = None
    answer: Answer | None = None


def outcome_on(
    day: date, term: date | None, renewal: Renewal, told: Told, *, protected: bool, owes: bool
) -> Outcome | None:
    """What becomes of a term on the day that a period would begin; None while it is not over, and
    for a contract whose terms are not renewed."""
    if term is None or day < term or renewal is Renewal.NONE:
        return None
    in_time = told_in_time(told.on, told.law)
    return outcome(renewal, told.answer, in_time=in_time, protected=protected, owes=owes)


class Bound(NamedTuple):
    """Until when a contract binds, and its first day without service; None: neither."""

    term: date | None
    ends_on: date | None


def renewed(decided: Outcome, renewal: Renewal, anchor: date, months: int, now: Bound) -> Bound:
    """A contract after its term: bound for another one, or free to leave for want of a notice.

    One that is renewed by its holder's word ends with the next term, unless asked again.
    """
    if decided is Outcome.FREE or now.term is None:
        return Bound(None, now.ends_on)
    term = next_term(anchor, now.term, months)
    ends = term if renewal is Renewal.EXPRESS and now.ends_on is None else now.ends_on
    return Bound(term, ends)


def next_term(anchor: date, term_ends_on: date, term_months: int) -> date:
    """The end of the term that follows, counted from the anchor so that the 31st comes back."""
    months = (term_ends_on.year - anchor.year) * 12 + term_ends_on.month - anchor.month
    return add_months(anchor, months + term_months)
