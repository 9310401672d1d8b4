"""What a subscription and hours come to, from facts alone."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

import pytest

from storefront.credits import rules as credits
from storefront.instalments.rules import Happens as Debts
from storefront.instalments.rules import morning_of
from storefront.kernel.calendar import paris_instant, start_of_day
from storefront.kernel.moments import Moment
from storefront.kernel.money import Money
from storefront.subscriptions.rules import (
    Answer,
    Happens,
    Price,
    Renewal,
    Running,
    RunningDays,
    Told,
    coming,
)
from storefront.subscriptions.rules.renewals import window
from storefront.timeline import rules
from storefront.timeline.rules import BY, Entry, Facts

START = paris_instant(date(2027, 1, 31), time(10))
FAR = start_of_day(date(2029, 1, 31))
FREE = [Price(date.min, 0, 0)]


def running(**changed: Any) -> Running:
    """Somebody's plan at 31 EUR, whose second month is to come; changed facts."""
    facts: dict[str, Any] = {
        "name": "Plan",
        "currency": "EUR",
        "since": START,
        "anchor_on": date(2027, 1, 31),
        "days": RunningDays(date(2027, 2, 28), None, None),
        "term_months": 0,
        "renewal": Renewal.NONE,
        "prices": [Price(date.min, 3100, 0)],
        "opt_out_days": 30,
        "notice_days": 2,
        "protected": True,
    }
    return Running(**(facts | changed))


def days(moments: list[Moment], kind: object) -> list[date]:
    return [one.day for one in moments if one.kind is kind]


def test_months_are_counted_from_the_anchor_so_that_the_31st_comes_back() -> None:
    found = days(coming(running(), FAR), Happens.PERIOD)

    assert found[:3] == [date(2027, 2, 28), date(2027, 3, 31), date(2027, 4, 30)]
    assert date(2028, 2, 29) in found


def test_each_month_is_debited_on_its_morning_under_its_number() -> None:
    (debit, *_) = [one for one in coming(running(), FAR) if one.kind is Debts.DEBIT]

    assert debit.when == morning_of(date(2027, 2, 28))
    assert (debit.amount, debit.number) == (Money(3100), 2)


def test_what_is_free_is_opened_and_never_debited() -> None:
    found = coming(running(prices=FREE), FAR)

    assert days(found, Happens.PERIOD)
    assert not days(found, Debts.DEBIT)


def test_a_credit_reduces_the_debits_that_follow_until_it_is_used_up() -> None:
    found = coming(running(credit_minor=4000), FAR)
    amounts = [one.amount for one in found if one.kind is Debts.DEBIT]

    assert amounts[:2] == [Money(2200), Money(3100)]
    assert days(found, Debts.DEBIT)[0] == date(2027, 3, 31)


def test_an_announced_price_holds_from_its_day() -> None:
    prices = [Price(date.min, 3100, 0), Price(date(2027, 4, 30), 3500, 0)]
    found = coming(running(prices=prices), FAR)
    amounts = [one.amount for one in found if one.kind is Debts.DEBIT]

    assert amounts[:3] == [Money(3100), Money(3100), Money(3500)]
    assert days(found, Happens.CHANGE) == [date(2027, 4, 30)]


def test_an_announced_end_stops_everything_at_its_instant() -> None:
    at = start_of_day(date(2027, 4, 30))
    found = coming(running(stops_at=at), FAR)

    assert found[-1] == Moment(at, Happens.END, "Plan")
    assert days(found, Happens.PERIOD) == [date(2027, 2, 28), date(2027, 3, 31)]


TERM = date(2028, 1, 31)
BOUND = {"days": RunningDays(date(2027, 2, 28), TERM, None), "term_months": 12}


def test_a_contract_that_nobody_refuses_is_renewed_after_its_holder_was_told() -> None:
    found = coming(running(**BOUND, renewal=Renewal.TACIT, notice_on=date(2027, 10, 1)), FAR)

    assert days(found, Happens.RENEWAL_NOTICE)[0] == date(2027, 10, 1)
    assert days(found, Happens.RENEWAL_ANSWER)[0] == date(2028, 1, 1)
    assert days(found, Happens.RENEWAL) == [TERM]


@pytest.mark.parametrize(("answer", "ends"), [(Answer.YES, []), (None, [TERM])])
def test_a_contract_on_request_goes_on_at_its_holders_word_alone(
    answer: Answer | None, ends: list[date]
) -> None:
    told = {TERM: Told(window(TERM, 30), date(2028, 1, 1), answer)}
    until = None if answer else TERM
    found = coming(
        running(
            days=RunningDays(date(2027, 2, 28), TERM, until),
            term_months=12,
            renewal=Renewal.EXPRESS,
            told=told,
        ),
        start_of_day(date(2028, 3, 1)),
    )

    assert days(found, Happens.END) == ends


def test_told_too_late_a_consumer_is_free_and_asked_no_more() -> None:
    """The second term is never asked about: there is none (L215-1)."""
    late = {TERM: Told(window(TERM, 30), date(2027, 12, 31))}
    found = coming(running(**BOUND, renewal=Renewal.TACIT, told=late), FAR)

    assert days(found, Happens.RENEWAL) == [TERM]
    assert not days(found, Happens.RENEWAL_NOTICE)


def test_what_waits_for_a_person_stays_when_it_is_late_and_a_date_does_not() -> None:
    now = start_of_day(date(2027, 6, 1))
    stated = [
        Moment(date(2027, 5, 1), kind, "x") for kind in (credits.Happens.LAST_DAY, Debts.TO_PAY)
    ]

    assert [one.kind for one in rules.coming(Facts(stated=stated), now, FAR)] == [Debts.TO_PAY]


def test_what_comes_back_is_named_once_and_every_part_of_a_price_is() -> None:
    months = [Moment(START, Debts.DEBIT, "Plan", Money(3100), number) for number in (2, 3)]
    parts = [Moment(START, Debts.DEBIT, "", Money(5000), rank) for rank in (2, 3)]
    entries = [Entry(one, "CMD-1") for one in (*months, *parts)]

    assert [one.moment for one in rules.next_of_each(entries)] == [months[0], *parts]


def test_the_end_of_a_day_and_the_midnight_after_it_are_two_days() -> None:
    midnight = Moment(start_of_day(date(2027, 1, 2)), Happens.END)
    last_day = Moment(date(2027, 1, 1), credits.Happens.LAST_DAY)
    found = rules.by_day([Entry(midnight, ""), Entry(last_day, "")])

    assert [(one.day, [entry.moment for entry in one.entries]) for one in found] == [
        (date(2027, 1, 1), [last_day]),
        (date(2027, 1, 2), [midnight]),
    ]


def test_no_two_kinds_share_a_name() -> None:
    assert len({kind.value for kind in BY}) == len(BY) > 30


def test_a_simulation_looks_to_the_end_of_a_day_whatever_the_clocks_do() -> None:
    assert rules.horizon(datetime.fromisoformat("2026-02-28T23:30+01:00"), 1) == start_of_day(
        date(2026, 3, 29)
    )
