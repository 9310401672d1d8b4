"""Deadlines, windows, quarters of an hour, urgency."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import pytest

from storefront.kernel.calendar import OpeningHours
from storefront.tickets import rules
from storefront.tickets.rules import Due, TicketStatus, Urgency

DAY = ((time(9), time(12, 30)), (time(14), time(18)))
HOURS = OpeningHours(weekly=dict.fromkeys(range(5), DAY))
TUESDAY = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)  # 10:00 in Paris


@dataclass(frozen=True)
class Terms:
    reply_business_days: int = 1
    intervention_min_hours: int = 24
    intervention_max_hours: int = 72


def test_an_answer_is_counted_in_opening_hours_and_an_intervention_in_hours_of_the_clock():
    friday = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
    promised = rules.deadlines(friday, Terms(), HOURS, None)
    assert promised.reply_due_at == datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
    assert promised.intervention_from == friday + timedelta(hours=24)
    assert promised.intervention_due_at == friday + timedelta(hours=72)


def test_the_terms_decide_the_deadlines():
    promised = rules.deadlines(TUESDAY, Terms(2, 12, 48), HOURS, None)
    assert promised.reply_due_at == datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
    assert promised.intervention_due_at == TUESDAY + timedelta(hours=48)


def test_the_window_waits_for_the_end_of_the_withdrawal_period():
    promised = rules.deadlines(TUESDAY, Terms(), HOURS, date(2026, 12, 9))
    assert promised.intervention_from == datetime(2026, 12, 8, 23, 0, tzinfo=UTC)
    assert promised.intervention_due_at == datetime(2026, 12, 10, 23, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("until", "asked", "today", "earliest"),
    [
        (date(2026, 12, 8), False, date(2026, 11, 24), date(2026, 12, 9)),
        (date(2026, 12, 8), False, date(2026, 12, 8), date(2026, 12, 9)),
        (date(2026, 12, 8), False, date(2026, 12, 9), None),
        (date(2026, 12, 8), True, date(2026, 11, 24), None),
        (None, False, date(2026, 11, 24), None),
    ],
)
def test_a_service_begins_in_the_withdrawal_period_at_the_consumer_s_request_only(
    until: date | None, asked: bool, today: date, earliest: date | None
):
    assert rules.earliest_day(until, asked, today) == earliest


def test_an_appointment_takes_every_quarter_that_it_touches():
    assert rules.cells(TUESDAY, 45) == [TUESDAY + timedelta(minutes=15 * n) for n in range(3)]
    assert len(rules.cells(TUESDAY, 46)) == 4
    assert rules.cells(TUESDAY + timedelta(minutes=7), 15) == [
        TUESDAY,
        TUESDAY + timedelta(minutes=15),
    ]


def test_the_two_ends_of_the_window_are_inside():
    end = TUESDAY + timedelta(hours=48)
    assert rules.within_window(TUESDAY, TUESDAY, end)
    assert rules.within_window(end, TUESDAY, end)
    assert not rules.within_window(end + timedelta(minutes=15), TUESDAY, end)


def test_worked_time_is_the_sum_of_its_stretches_and_a_minute_begun_counts():
    spans = [
        (TUESDAY, TUESDAY + timedelta(minutes=20, seconds=20)),
        (TUESDAY + timedelta(hours=1), TUESDAY + timedelta(hours=1, minutes=10, seconds=30)),
    ]
    assert rules.worked_minutes(spans) == 31
    assert rules.worked_minutes([]) == 0


def test_the_time_the_seller_lost_is_given_back_in_days():
    opened, today = date(2026, 11, 20), date(2026, 11, 30)
    assert rules.usable_until(date(2026, 11, 25), opened, today) == date(2026, 12, 10)
    assert rules.usable_until(date(2027, 11, 25), opened, today) == date(2027, 11, 25)


def test_cancelling_is_free_until_the_hour_the_terms_say():
    starts = TUESDAY + timedelta(hours=24)
    assert not rules.is_late_cancellation(starts, TUESDAY, 24)
    assert rules.is_late_cancellation(starts, TUESDAY + timedelta(seconds=1), 24)


def step(now: datetime = TUESDAY, **changed: object) -> rules.NextStep | None:
    facts = {
        "status": TicketStatus.OPEN,
        "reply_owed": True,
        "reply_due_at": TUESDAY + timedelta(hours=24),
        "intervention_due_at": TUESDAY + timedelta(hours=72),
        "offered_in_time": False,
        "appointment_at": None,
        **changed,
    }
    return rules.next_step(now=now, **facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("hours", "urgency"),
    [(0, Urgency.ON_TIME), (21, Urgency.AT_RISK), (25, Urgency.OVERDUE)],
)
def test_an_answer_becomes_urgent_then_late(hours: int, urgency: Urgency):
    found = step(TUESDAY + timedelta(hours=hours))
    assert found is not None
    assert (found.due, found.urgency) == (Due.ANSWER, urgency)


def test_after_the_answer_the_appointment_is_what_is_owed():
    found = step(reply_owed=False, status=TicketStatus.ANSWERED)
    assert found is not None
    assert (found.due, found.at) == (Due.APPOINTMENT, TUESDAY + timedelta(hours=72))


def test_a_time_offered_inside_the_window_keeps_the_promise():
    assert step(reply_owed=False, status=TicketStatus.PROPOSED, offered_in_time=True) is None


def test_an_agreed_intervention_is_next_and_then_its_report():
    at = TUESDAY + timedelta(hours=48)
    agreed = step(reply_owed=False, status=TicketStatus.SCHEDULED, appointment_at=at)
    begun = step(reply_owed=False, status=TicketStatus.IN_PROGRESS, appointment_at=at)
    assert agreed is not None
    assert begun is not None
    assert (agreed.due, agreed.at) == (Due.INTERVENTION, at)
    assert begun.due is Due.REPORT


@pytest.mark.parametrize("status", [TicketStatus.CLOSED, TicketStatus.REFUSED])
def test_nothing_is_owed_on_a_ticket_that_ended(status: TicketStatus):
    assert step(status=status) is None
