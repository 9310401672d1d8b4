"""When a change may hold and when a renewal is announced, as dates (R-06, MRE-05, SUB-02)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefront.kernel.calendar import add_months
from storefront.subscriptions import rules
from storefront.subscriptions.rules import Answer, Course, NotTold, Outcome, Renewal

pytestmark = pytest.mark.once

MONTHLY = Course(
    anchor_on=date(2027, 1, 31),
    every=1,
    next_period_on=date(2027, 4, 30),
    committed_until=None,
    term_months=0,
    renewal=Renewal.NONE,
    ends_on=None,
)
YEAR = replace(
    MONTHLY,
    anchor_on=date(2027, 1, 10),
    next_period_on=date(2027, 4, 10),
    committed_until=date(2028, 1, 10),
    term_months=12,
    renewal=Renewal.TACIT,
)


@pytest.mark.parametrize(
    ("told_on", "on"),
    [
        # Thirty days before 30 April is 31 March; the next day it is twenty-nine.
        (date(2027, 3, 31), date(2027, 4, 30)),
        (date(2027, 4, 1), date(2027, 5, 31)),
        # The period of the day itself is opened already.
        (date(2027, 1, 1), date(2027, 4, 30)),
    ],
)
def test_a_change_holds_from_the_first_period_thirty_days_on(told_on: date, on: date) -> None:
    assert rules.applies_on(MONTHLY, told_on, 30) == on


def test_a_committed_term_is_never_changed_in_its_middle() -> None:
    """SUB-05: from its end, or from the end of the next when that is too near."""
    assert rules.applies_on(YEAR, date(2027, 3, 1), 30) == date(2028, 1, 10)
    assert rules.applies_on(YEAR, date(2027, 12, 11), 30) == date(2028, 1, 10)
    assert rules.applies_on(YEAR, date(2027, 12, 12), 30) == date(2029, 1, 10)
    term = date(2028, 1, 10)
    assert not rules.may_apply(date(2027, 12, 10), date(2027, 3, 1), 30, committed_until=term)
    assert rules.may_apply(term, date(2027, 3, 1), 30, committed_until=term)


def test_a_year_paid_up_front_changes_with_its_next_year() -> None:
    paid = replace(YEAR, every=12, next_period_on=date(2028, 1, 10))

    assert rules.applies_on(paid, date(2027, 3, 1), 30) == date(2028, 1, 10)
    assert rules.applies_on(paid, date(2028, 1, 2), 30) == date(2029, 1, 10)


def test_what_is_better_waits_for_nothing() -> None:
    assert rules.applies_on(YEAR, date(2027, 4, 9), 30, better=True) == date(2027, 4, 10)
    term = date(2028, 1, 10)
    assert rules.may_apply(
        date(2027, 4, 10), date(2027, 4, 9), 30, committed_until=term, better=True
    )


def test_who_is_not_told_and_why() -> None:
    contract = rules.contract_of({})
    plain = {"gross_minor": 1900, "to_price": 2100, "to": contract, "newer": True}

    assert rules.can_follow(MONTHLY, **plain) is None
    assert rules.can_follow(MONTHLY, **{**plain, "newer": False}) is NotTold.NEWER
    assert rules.can_follow(MONTHLY, **{**plain, "gross_minor": 0}) is NotTold.FREE
    yearly = rules.contract_of({"billing_interval": "year"})
    assert rules.can_follow(MONTHLY, **{**plain, "to": yearly}) is NotTold.RHYTHM
    term = date(2028, 1, 10)
    ending = replace(YEAR, ends_on=term)
    assert rules.not_told(ending, term) is NotTold.ENDING
    assert rules.not_told(replace(ending, renewal=Renewal.NONE), term) is NotTold.COMMITTED
    assert rules.not_told(replace(ending, renewal=Renewal.EXPRESS), term) is None
    assert rules.not_told(YEAR, term) is None


@pytest.mark.parametrize(
    ("new", "better"),
    [
        ({}, True),
        ({"price": 1800}, True),
        ({"price": 1901}, False),
        ({"entitlements": ["page"]}, False),
        ({"entitlements": ["page", "messaging", "more"]}, True),
        ({"limits": {"photos": 11}}, False),
        ({"limits": {"photos": None}}, True),
        ({"limits": {}}, False),
        # A limit where there was none named: what was free is counted now.
        ({"limits": {"photos": 12, "invites": 3}}, False),
        ({"included_minutes": 30}, False),
    ],
)
def test_what_takes_something_away_is_not_better(new: dict, better: bool) -> None:
    old = {
        "entitlements": ["page", "messaging"],
        "limits": {"photos": 12},
        "included_minutes": 60,
    }
    price = new.pop("price", 1900)

    found = rules.is_better(1900, rules.contract_of(old), price, rules.contract_of({**old, **new}))

    assert found is better


courses = st.builds(
    lambda anchor, every, opened, term: Course(
        anchor_on=anchor,
        every=every,
        next_period_on=add_months(anchor, opened * every),
        committed_until=add_months(anchor, (opened // term + 1) * term * every) if term else None,
        term_months=term * every,
        renewal=Renewal.TACIT,
        ends_on=None,
    ),
    st.dates(date(2025, 1, 1), date(2028, 12, 31)),
    st.sampled_from([1, 12]),
    st.integers(1, 20),
    st.sampled_from([0, 1, 3, 12]),
)


@given(courses, st.integers(0, 800), st.integers(30, 60))
def test_nobody_pays_a_price_that_they_were_not_told_of_thirty_days_before(
    course: Course, days: int, notice: int
) -> None:
    """The first period that may follow a change is the one that was announced, and none before."""
    told_on = course.anchor_on + timedelta(days=days)
    on = rules.applies_on(course, told_on, notice)
    starts = course.next_period_on
    term = course.committed_until
    while not rules.may_apply(starts, told_on, notice, committed_until=term):
        assert starts < on
        following = rules.first_start(course.anchor_on, course.every, starts + timedelta(days=1))
        if term is not None and starts >= term:  # renewed
            term = rules.next_term(course.anchor_on, term, course.term_months)
        starts = following

    assert starts == on
    assert starts - told_on >= timedelta(days=notice)


@pytest.mark.parametrize(
    ("term", "days", "opens", "closes", "until"),
    [
        (date(2027, 3, 31), 30, date(2026, 12, 1), date(2027, 2, 1), date(2027, 3, 1)),
        (date(2028, 3, 31), 30, date(2027, 12, 1), date(2028, 2, 1), date(2028, 3, 1)),
        # 30 March less thirty days: the 28th, or the 29th of a leap year.
        (date(2027, 3, 30), 30, date(2026, 11, 28), date(2027, 1, 28), date(2027, 2, 28)),
        (date(2028, 3, 30), 30, date(2027, 11, 29), date(2028, 1, 29), date(2028, 2, 29)),
        (date(2027, 6, 30), 30, date(2027, 2, 28), date(2027, 4, 30), date(2027, 5, 31)),
        (date(2028, 1, 10), 60, date(2027, 8, 11), date(2027, 10, 11), date(2027, 11, 11)),
    ],
)
def test_a_renewal_is_announced_before_the_opt_out_ends_not_before_the_term(
    term: date, days: int, opens: date, closes: date, until: date
) -> None:
    """SUB-02: three months to one month before the last day to say no."""
    assert rules.window(term, days) == rules.Window(opens, closes, until)


def test_told_in_time_is_both_ends_included() -> None:
    law = rules.window(date(2027, 3, 31), 30)

    for on, in_time in [
        (date(2026, 11, 30), False),
        (date(2026, 12, 1), True),
        (date(2027, 2, 1), True),
        (date(2027, 2, 2), False),
        (None, False),
    ]:
        assert rules.told_in_time(on, law) is in_time


@pytest.mark.parametrize(
    ("renewal", "answer", "in_time", "protected", "outcome"),
    [
        (Renewal.TACIT, None, True, True, Outcome.RENEWED),
        (Renewal.TACIT, Answer.NO, True, True, Outcome.ENDS),
        (Renewal.TACIT, Answer.NO, False, True, Outcome.ENDS),
        (Renewal.TACIT, None, False, True, Outcome.FREE),
        (Renewal.TACIT, Answer.YES, False, True, Outcome.FREE),
        (Renewal.TACIT, None, False, False, Outcome.RENEWED),
        (Renewal.EXPRESS, None, True, True, Outcome.ENDS),
        (Renewal.EXPRESS, Answer.NO, True, False, Outcome.ENDS),
        (Renewal.EXPRESS, Answer.YES, False, True, Outcome.RENEWED),
        (Renewal.NONE, Answer.YES, True, True, Outcome.ENDS),
    ],
)
def test_what_becomes_of_a_term(
    renewal: Renewal, answer: Answer | None, in_time: bool, protected: bool, outcome: Outcome
) -> None:
    facts = {"in_time": in_time, "protected": protected}
    assert rules.outcome(renewal, answer, owes=False, **facts) is outcome
    # O-07: who owes something renews nothing, and a no stays a no.
    owing = Outcome.ENDS if outcome is Outcome.ENDS else Outcome.OVERDUE
    assert rules.outcome(renewal, answer, owes=True, **facts) is owing


def test_terms_follow_one_another_from_the_anchor() -> None:
    leap = date(2028, 2, 29)

    one = rules.next_term(leap, add_months(leap, 12), 12)
    assert (add_months(leap, 12), one) == (date(2029, 2, 28), date(2030, 2, 28))
    assert rules.next_term(leap, date(2031, 2, 28), 12) == date(2032, 2, 29)


@pytest.mark.parametrize(
    ("left_on", "back"),
    [
        (date(2027, 1, 1), 36500),
        (date(2027, 1, 2), 36400),
        (date(2027, 12, 31), 100),
        (date(2028, 1, 1), 0),
        (date(2028, 6, 1), 0),
    ],
)
def test_days_paid_ahead_and_not_supplied_go_back(left_on: date, back: int) -> None:
    assert rules.unused_minor(36500, date(2027, 1, 1), date(2028, 1, 1), left_on) == back


def test_a_cent_that_does_not_divide_is_the_customers() -> None:
    assert rules.unused_minor(1000, date(2027, 1, 1), date(2027, 2, 1), date(2027, 1, 2)) == 968
