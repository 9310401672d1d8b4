"""Force majeure: nothing supplied, nothing billed, every deadline later by the days lost (B-08)."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from storefront import worker
from storefront.arrears.models import ArrearsCase
from storefront.credits import queries as credits
from storefront.credits.models import HourLot
from storefront.infra.db import db, transaction
from storefront.instalments.models import InstalmentStatus
from storefront.instalments.rules import morning_of
from storefront.orders.rules import BuyerKind
from storefront.subscriptions import queries, service
from storefront.subscriptions.models import SubscriptionStatus
from storefront.subscriptions.rules import Ground
from storefront.subscriptions.service import AlreadyPaused, BadPauseDate, NotPaused
from tests.parallel import at_once
from tests.subscriptions import running
from tests.subscriptions.running import CONTRACT, hold, live, mails, month, months, the

# 2028 is a leap year: the months start on 31 January, 29 February, 31 March.
START = datetime.fromisoformat("2028-01-31T15:00:00+01:00")
REASON = "Notre hébergeur est privé d’électricité par la crue."


def pause(subscription_id: uuid.UUID, day: date) -> None:
    now = morning_of(day) + timedelta(hours=3)
    by = running.staff(now)
    with transaction():
        service.pause(subscription_id, day, REASON, by=by, now=now)
    worker.run_due(now)


def resume(subscription_id: uuid.UUID, day: date) -> None:
    now = morning_of(day) + timedelta(hours=3)
    by = running.staff(now)
    with transaction():
        service.resume(subscription_id, by=by, now=now)
    worker.run_due(now)


def test_nothing_is_opened_or_billed_while_it_lasts_and_the_month_is_longer_after(
    app: Flask,
) -> None:
    """From 20 February to 10 March, over 29 February: nineteen days."""
    one = hold(START)
    pause(one, date(2028, 2, 20))
    live(date(2028, 2, 28), date(2028, 3, 2))
    assert months() == []
    assert not queries.may(the(one).user_id, "messaging", morning_of(date(2028, 2, 21)))

    resume(one, date(2028, 3, 10))

    assert the(one).periods[-1].ends_on == date(2028, 3, 19)
    assert the(one).next_period_on == the(one).anchor_on == date(2028, 3, 19)
    assert queries.may(the(one).user_id, "messaging", morning_of(date(2028, 3, 11)))
    live(date(2028, 3, 19), date(2028, 3, 19))
    assert month(2).due_on == date(2028, 3, 19)
    # The clocks go forward on 26 March: still the nineteenth.
    assert the(one).next_period_on == date(2028, 4, 19)


def test_its_holder_is_told_both_times(app: Flask) -> None:
    one = hold(START)
    pause(one, date(2028, 2, 20))
    (told,) = mails("subscription_paused")
    assert REASON in told.text
    resume(one, date(2028, 2, 23))
    (told,) = mails("subscription_unpaused")
    assert "3 jours" in told.text
    assert "3 mars 2028" in told.text


def test_a_pause_over_the_thirty_first_of_january_keeps_twelve_months(app: Flask) -> None:
    """Ordered on 31 January 2027; paused in the twelfth month, on 20 January, for a month."""
    one = hold(datetime.fromisoformat("2027-01-31T15:00:00+01:00"), CONTRACT)
    while (day := the(one).next_period_on) and day < date(2028, 1, 20):
        worker.run_due(morning_of(day))
        running.pay_month(len(the(one).periods), morning_of(day))

    pause(one, date(2028, 1, 20))
    live(date(2028, 1, 31), date(2028, 2, 1))
    assert the(one).status is SubscriptionStatus.ACTIVE
    resume(one, date(2028, 2, 20))

    assert the(one).committed_until == the(one).ends_on == date(2028, 3, 2)
    live(date(2028, 3, 1), date(2028, 3, 2))
    assert the(one).status is SubscriptionStatus.ENDED
    assert len(the(one).periods) == 12


def test_the_hours_of_the_month_last_as_much_longer(app: Flask) -> None:
    """They expired while nobody could use them: they are given back."""
    one = hold(START, CONTRACT)
    pause(one, date(2028, 2, 20))
    live(date(2028, 2, 28), date(2028, 3, 2))
    lot = db.session.scalars(select(HourLot)).one()
    assert lot.suspended_at is not None

    resume(one, date(2028, 3, 10))

    db.session.rollback()
    lot = db.session.scalars(select(HourLot)).one()
    assert (lot.expires_on, lot.suspended_at) == (date(2028, 3, 18), None)
    assert credits.balance(lot.id) == 60


def test_a_pause_while_past_due_stops_the_grace(app: Flask) -> None:
    """Failed on 29 February; paused from 3 to 13 March: suspended ten days later, at its hour."""
    one = hold(START)
    live(date(2028, 2, 29), date(2028, 2, 29))
    assert the(one).suspend_at == morning_of(date(2028, 3, 7))

    pause(one, date(2028, 3, 3))
    live(date(2028, 3, 4), date(2028, 3, 12))
    assert the(one).status is SubscriptionStatus.PAST_DUE
    resume(one, date(2028, 3, 13))

    assert the(one).suspend_at == morning_of(date(2028, 3, 17))
    assert month(2).owed_on == date(2028, 3, 10)
    live(date(2028, 3, 16), date(2028, 3, 16))
    assert the(one).status is SubscriptionStatus.PAST_DUE
    live(date(2028, 3, 17), date(2028, 3, 17))
    assert the(one).status is SubscriptionStatus.SUSPENDED


def test_reminders_and_notices_wait_as_long(app: Flask) -> None:
    one = hold(START, CONTRACT, buyer=BuyerKind.CONSUMER)
    live(date(2028, 2, 29), date(2028, 3, 10))  # the reminder is sent on the tenth
    pause(one, date(2028, 3, 12))
    live(date(2028, 3, 13), date(2028, 3, 21))
    assert mails("arrears_formal_notice") == []

    resume(one, date(2028, 3, 22))

    case = db.session.scalars(select(ArrearsCase)).one()
    assert case.next_on == date(2028, 3, 25)
    live(date(2028, 3, 23), date(2028, 3, 25))
    assert mails("arrears_formal_notice")[0].queued_at.date() == date(2028, 3, 25)


def test_who_pays_during_a_pause_has_paid(app: Flask) -> None:
    one = hold(START)
    live(date(2028, 2, 29), date(2028, 2, 29))
    pause(one, date(2028, 3, 3))
    running.pay_month(2, morning_of(date(2028, 3, 5)))
    resume(one, date(2028, 3, 13))
    assert month(2).status is InstalmentStatus.PAID
    assert month(2).held_at is None
    assert the(one).status is SubscriptionStatus.ACTIVE


def test_an_end_that_was_set_moves_with_its_month(app: Flask) -> None:
    one = hold(START)
    now = morning_of(date(2028, 2, 10))
    with transaction():
        service.end_by_holder(one, notified_on=now.date(), now=now)
    pause(one, date(2028, 2, 20))
    worker.run_due(morning_of(date(2028, 3, 1)))
    assert the(one).status is SubscriptionStatus.ACTIVE

    resume(one, date(2028, 3, 10))

    assert the(one).ends_on == date(2028, 3, 19)
    live(date(2028, 3, 18), date(2028, 3, 19))
    assert the(one).status is SubscriptionStatus.ENDED
    assert months() == []


def test_the_days_to_put_a_breach_right_stand_still_too(app: Flask) -> None:
    one = hold(START)
    live(date(2028, 2, 29), date(2028, 2, 29))
    running.pay_month(2, morning_of(date(2028, 2, 29)))
    now = datetime.fromisoformat("2028-03-20T10:00:00+01:00")
    by = running.staff(now)
    with transaction():
        service.give_notice(one, Ground.BREACH, running.REASONS, recorded_by=by, now=now)
    pause(one, date(2028, 3, 22))
    resume(one, date(2028, 3, 29))  # the clocks went forward meanwhile

    (known,) = queries.announced(one)
    assert known.cure_until == date(2028, 4, 11)
    assert known.effective_at == datetime.fromisoformat("2028-04-12T00:00:00+02:00")
    assert known.notice.cure_until == date(2028, 4, 4)


def test_it_is_paused_once_and_only_what_is_paused_is_resumed(app: Flask) -> None:
    one = hold(START)
    with pytest.raises(NotPaused):
        resume(one, date(2028, 2, 20))
    pause(one, date(2028, 2, 20))
    with pytest.raises(AlreadyPaused):
        pause(one, date(2028, 2, 21))


@pytest.mark.parametrize("days", [1, -32])
def test_a_pause_begins_today_or_within_the_last_month(app: Flask, days: int) -> None:
    one = hold(START)
    today = date(2028, 2, 20)
    now = morning_of(today)
    by = running.staff(now)
    with pytest.raises(BadPauseDate), transaction():
        service.pause(one, today + timedelta(days=days), REASON, by=by, now=now)


def test_resumed_on_the_same_day_moves_nothing(app: Flask) -> None:
    one = hold(START)
    pause(one, date(2028, 2, 20))
    resume(one, date(2028, 2, 20))
    assert (the(one).next_period_on, the(one).anchor_on) == (date(2028, 2, 29), START.date())


def test_everything_of_a_product_is_paused_and_resumed_together(app: Flask) -> None:
    """It began after the day that staff say: it is paused from its own first one."""
    one = hold(START)
    product_id = the(one).version.product_id
    now = morning_of(date(2028, 2, 20))
    by = running.staff(now)
    with transaction():
        assert len(service.pause_all(product_id, date(2028, 1, 25), REASON, by=by, now=now)) == 1
    assert the(one).paused_on == START.date()
    with transaction():
        assert service.pause_all(product_id, now.date(), REASON, by=by, now=now) == []
        assert len(service.resume_all(product_id, by=by, now=now)) == 1
    assert the(one).next_period_on == date(2028, 3, 20)


def test_an_end_during_a_pause_ends_the_pause(app: Flask) -> None:
    one = hold(START)
    pause(one, date(2028, 2, 20))
    now = morning_of(date(2028, 2, 22))
    by = running.staff(now)
    with transaction():
        service.give_notice(one, Ground.SERIOUS_FAULT, running.REASONS, recorded_by=by, now=now)
    assert the(one).status is SubscriptionStatus.ENDED
    assert queries.open_pause(one) is None


def test_two_at_once_pause_it_once(app: Flask) -> None:
    one = hold(START)
    now = morning_of(date(2028, 2, 20))
    by = running.staff(now)
    db.session.rollback()

    def stop(_number: int) -> bool:
        with transaction():
            service.pause(one, now.date(), REASON, by=by, now=now)
        return True

    outcomes = at_once(app, stop, 2)
    assert [type(outcome) for outcome in outcomes if outcome is not True] == [AlreadyPaused]
