"""An unpaid month of a contract that binds follows the steps of its arrears (M-05, SUB-06)."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta

from flask import Flask

from storefront import worker
from storefront.arrears import service as arrears
from storefront.arrears.events import RestFellDue
from storefront.fulfilment import queries as fulfilment
from storefront.fulfilment import service as supply
from storefront.infra.db import db, transaction
from storefront.instalments.models import InstalmentStatus
from storefront.instalments.rules import morning_of
from storefront.orders.rules import BuyerKind
from storefront.subscriptions import jobs, service
from storefront.subscriptions.models import SubscriptionStatus, SuspensionCause
from storefront.subscriptions.rules import Ground
from tests.parallel import at_once
from tests.subscriptions import running
from tests.subscriptions.running import CONTRACT, hold, live, mails, month, months, the

START = datetime.fromisoformat("2027-01-31T15:00:00+01:00")
DUE = date(2027, 2, 28)
NOTICE = DUE + timedelta(days=15)
SUSPENSION = NOTICE + timedelta(days=31)
ACCELERATED = DUE + timedelta(days=15)


def consumer() -> uuid.UUID:
    return hold(START, CONTRACT, buyer=BuyerKind.CONSUMER)


def causes(subscription_id: uuid.UUID) -> list[str]:
    line = the(subscription_id).order_line_id
    return fulfilment.causes_by_line([line]).get(line, [])


def defer(number: int, until: date, now: datetime) -> None:
    by = running.staff(now)
    with transaction():
        arrears.defer(month(number).id, until, "Convenu au téléphone.", by=by, now=now)
    worker.run_due(now)


def test_a_consumer_is_suspended_only_after_a_notice_that_stayed_without_effect(
    app: Flask,
) -> None:
    one = consumer()

    live(DUE, SUSPENSION - timedelta(days=1))
    assert the(one).status is SubscriptionStatus.PAST_DUE
    assert the(one).suspend_at is None
    assert mails("arrears_formal_notice")[0].queued_at.date() == NOTICE
    live(SUSPENSION, SUSPENSION)

    assert the(one).status is SubscriptionStatus.SUSPENDED
    assert the(one).suspended_because is SuspensionCause.ARREARS
    assert causes(one) == ["unpaid_months"]
    assert mails("subscription_suspended") == []


def test_paying_all_that_is_late_brings_it_back_by_itself_and_lifts_nothing_else(
    app: Flask,
) -> None:
    one = consumer()
    live(DUE, SUSPENSION)
    now = morning_of(SUSPENSION) + timedelta(hours=2)
    with transaction():
        supply.suspend(the(one).order_id, "dispute:1", now=now)

    running.pay_month(2, now)
    # March's month is late too: paying one of two lifts nothing.
    assert the(one).status is SubscriptionStatus.SUSPENDED
    running.pay_month(3, now)

    assert (the(one).status, the(one).suspended_because) == (SubscriptionStatus.ACTIVE, None)
    assert causes(one) == ["dispute:1"]


def test_a_deferral_stops_every_clock_of_a_month(app: Flask) -> None:
    one = consumer()
    live(DUE, NOTICE)

    defer(2, DUE + timedelta(days=60), morning_of(NOTICE) + timedelta(hours=3))

    assert the(one).status is SubscriptionStatus.ACTIVE
    live(NOTICE + timedelta(days=1), NOTICE + timedelta(days=12))
    assert the(one).status is SubscriptionStatus.ACTIVE
    assert month(2).attempts == 0


def test_a_deferral_stops_the_grace_of_a_plan_too(app: Flask) -> None:
    one = hold(START)
    live(DUE, DUE + timedelta(days=2))
    assert the(one).suspend_at is not None

    defer(2, DUE + timedelta(days=20), morning_of(DUE + timedelta(days=2)))
    live(DUE + timedelta(days=3), DUE + timedelta(days=19))

    assert (the(one).status, the(one).suspend_at) == (SubscriptionStatus.ACTIVE, None)
    # Late again on its new day: a grace of its own.
    for _ in range(2):
        worker.run_due(morning_of(DUE + timedelta(days=20)))
    assert the(one).status is SubscriptionStatus.PAST_DUE
    assert the(one).suspend_at == morning_of(DUE + timedelta(days=27))


def test_a_deferral_opens_what_its_month_had_suspended(app: Flask) -> None:
    one = hold(START)
    live(DUE, DUE + timedelta(days=8))
    assert the(one).suspended_because is SuspensionCause.GRACE
    assert causes(one) == ["unpaid_months"]

    defer(2, DUE + timedelta(days=25), morning_of(DUE + timedelta(days=8)))

    assert the(one).status is SubscriptionStatus.ACTIVE
    assert causes(one) == []


def test_the_months_left_of_a_professionals_term_fall_due_once(app: Flask) -> None:
    """S10: each is owed once, and its own day opens nothing more."""
    one = hold(START, CONTRACT)

    live(DUE, ACCELERATED)

    owed = months()
    assert [part.rank for part in owed] == list(range(2, 13))
    assert {part.due_on for part in owed[1:]} == {ACCELERATED + timedelta(days=2)}
    assert the(one).status is SubscriptionStatus.SUSPENDED
    assert the(one).periods[-1].starts_on == date(2027, 12, 31)
    assert the(one).next_period_on == the(one).committed_until == date(2028, 1, 31)
    assert jobs.open_months(morning_of(date(2027, 6, 30))) == 0
    assert len(months()) == 11


def test_it_is_suspended_until_all_that_fell_due_is_paid(app: Flask) -> None:
    one = hold(START, CONTRACT)
    live(DUE, ACCELERATED)
    for part in months()[:-1]:
        running.pay(part.id, morning_of(ACCELERATED))
    worker.run_due(morning_of(ACCELERATED))
    assert the(one).status is SubscriptionStatus.SUSPENDED

    running.pay_month(12, morning_of(ACCELERATED))

    assert the(one).status is SubscriptionStatus.ACTIVE
    assert causes(one) == []
    worker.run_due(morning_of(date(2028, 1, 31)))
    assert the(one).status is SubscriptionStatus.ENDED


def test_two_workers_open_the_rest_once(app: Flask) -> None:
    hold(START, CONTRACT)
    live(DUE, DUE)
    event = RestFellDue(month(2).id, DUE + timedelta(days=17))
    db.session.rollback()

    def open_it(_number: int) -> bool:
        with transaction():
            service.open_rest(event, now=morning_of(DUE))
        return True

    assert at_once(app, open_it, 3) == [True] * 3
    assert [part.rank for part in months()] == list(range(2, 13))


def test_the_sellers_end_cancels_what_had_fallen_due_for_later(app: Flask) -> None:
    one = hold(START, CONTRACT)
    live(DUE, ACCELERATED)
    now = morning_of(ACCELERATED) + timedelta(hours=1)
    by = running.staff(now)

    with transaction():
        service.give_notice(one, Ground.SERIOUS_FAULT, running.REASONS, recorded_by=by, now=now)

    assert the(one).status is SubscriptionStatus.ENDED
    assert [part.status for part in months()[1:]] == [InstalmentStatus.CANCELLED] * 10
    assert month(2).status is InstalmentStatus.UNPAID
