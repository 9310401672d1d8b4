"""How it ends: by its holder, by the seller, by a breach; taken back, cured, to the minute."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DBAPIError

from storefront import worker
from storefront.fulfilment.events import SupplyRevoked
from storefront.infra.db import db, transaction
from storefront.instalments.models import InstalmentStatus
from storefront.instalments.rules import morning_of
from storefront.orders.rules import BuyerKind
from storefront.payments.models import RefundReason, RefundStatus
from storefront.subscriptions import queries, service
from storefront.subscriptions.models import (
    SubscriptionStatus,
    Termination,
    TerminationNotice,
    TerminationStatus,
)
from storefront.subscriptions.rules import Ground
from storefront.subscriptions.service import EndAnnounced, NothingToKeep, SubscriptionOver
from tests.parallel import at_once
from tests.subscriptions import running
from tests.subscriptions.running import REASONS, hold, live, mails, month, refunds, the, travel

START = datetime.fromisoformat("2027-01-31T15:00:00+01:00")
TENTH = datetime.fromisoformat("2027-02-10T14:37:00+01:00")


def end(subscription_id: uuid.UUID, now: datetime) -> datetime:
    with transaction():
        found = service.end_by_holder(subscription_id, notified_on=now.date(), now=now)
        effective_at = found.effective_at
    worker.run_due(now)
    return effective_at


def keep(subscription_id: uuid.UUID, now: datetime) -> None:
    with transaction():
        service.take_back(subscription_id, by=the(subscription_id).user_id, now=now)
    worker.run_due(now)


def give(
    subscription_id: uuid.UUID, ground: Ground, now: datetime, *, received: date | None = None
) -> uuid.UUID:
    by = running.staff(now)
    with transaction():
        found = service.give_notice(
            subscription_id, ground, REASONS, notified_on=received, recorded_by=by, now=now
        )
        found_id = found.id
    worker.run_due(now)
    return found_id


def status_of(termination_id: uuid.UUID) -> TerminationStatus:
    db.session.rollback()
    return db.session.get_one(Termination, termination_id).status


# By its holder


def test_it_ends_with_the_month_that_is_paid_and_is_open_until_then(app: Flask) -> None:
    """B-03."""
    one = hold(START)

    end(one, TENTH)

    assert the(one).ends_on == date(2027, 2, 28)
    (told,) = mails("subscription_end")
    assert "28 février 2027" in told.text
    last = datetime.fromisoformat("2027-02-27T23:59:00+01:00")
    travel(TENTH, last)
    assert queries.may(the(one).user_id, "messaging", last)
    over = last + timedelta(minutes=1)
    assert not queries.may(the(one).user_id, "messaging", over)
    travel(last, over)
    assert the(one).status is SubscriptionStatus.ENDED
    travel(over, morning_of(date(2027, 4, 2)))
    assert running.months() == []


def test_a_second_click_ends_it_once_and_tells_once(app: Flask) -> None:
    one = hold(START)
    end(one, TENTH)
    end(one, TENTH + timedelta(seconds=1))
    assert len(mails("subscription_end")) == 1
    assert len(queries.announced(one)) == 1


def test_an_end_taken_back_leaves_everything_as_it_was(app: Flask) -> None:
    one = hold(START)
    end(one, TENTH)

    keep(one, TENTH + timedelta(days=10))

    assert (the(one).ends_on, the(one).next_period_on) == (None, date(2027, 2, 28))
    assert len(mails("subscription_kept")) == 1
    worker.run_due(morning_of(date(2027, 2, 28)))
    assert month(2).due_on == date(2027, 2, 28)


def test_an_end_taken_back_after_the_month_was_opened_late_goes_on_from_that_month(
    app: Flask,
) -> None:
    """The worker was off: February's month is opened on 5 March, after the end was set."""
    one = hold(START)
    on_the_second = datetime.fromisoformat("2027-03-02T09:00:00+01:00")
    with transaction():
        service.end_by_holder(one, notified_on=on_the_second.date(), now=on_the_second)
    assert the(one).ends_on == date(2027, 3, 31)
    worker.run_due(morning_of(date(2027, 3, 5)))
    assert [period.number for period in the(one).periods] == [1, 2]

    keep(one, morning_of(date(2027, 3, 6)))

    assert (the(one).ends_on, the(one).next_period_on) == (None, date(2027, 3, 31))


def test_an_end_that_has_come_is_not_taken_back(app: Flask) -> None:
    one = hold(START)
    effective_at = end(one, TENTH)
    with pytest.raises(NothingToKeep), transaction():
        service.take_back(one, by=the(one).user_id, now=effective_at)
    worker.run_due(effective_at)
    with pytest.raises(NothingToKeep) as refused, transaction():
        service.take_back(one, by=the(one).user_id, now=effective_at + timedelta(days=1))
    assert refused.value.details["ended"] is True


def test_an_end_that_came_by_the_public_page_is_taken_back_too(app: Flask) -> None:
    one = hold(START)
    with transaction():
        ends_on = service.schedule_end(
            one, notified_on=TENTH.date(), wanted_on=None, cause_id=uuid.uuid4(), now=TENTH
        )
    worker.run_due(TENTH)
    assert ends_on == date(2027, 2, 28)
    assert mails("subscription_end") == []

    keep(one, TENTH + timedelta(hours=1))

    assert (the(one).ends_on, the(one).next_period_on) == (None, date(2027, 2, 28))


def test_an_earlier_day_replaces_a_later_one_never_the_reverse(app: Flask) -> None:
    one = hold(START)
    for wanted_on, ends_on in (
        (date(2027, 6, 1), date(2027, 6, 30)),
        (None, date(2027, 2, 28)),
        (date(2027, 6, 1), date(2027, 2, 28)),
    ):
        with transaction():
            service.schedule_end(
                one, notified_on=TENTH.date(), wanted_on=wanted_on, cause_id=uuid.uuid4(), now=TENTH
            )
        assert the(one).ends_on == ends_on
    keep(one, TENTH)
    assert the(one).ends_on is None


@pytest.mark.parametrize(
    ("ended", "last"),
    [
        # Month 3: the commitment. Month 13, renewed after its holder was told: the next one.
        ("2027-04-10T10:00:00+02:00", date(2028, 1, 31)),
        ("2028-02-10T10:00:00+01:00", date(2029, 1, 31)),
    ],
)
def test_a_contract_that_binds_ends_with_its_commitment_or_with_the_one_it_was_renewed_for(
    app: Flask, ended: str, last: date
) -> None:
    """B-02."""
    one = hold(START, running.TACIT)
    now = datetime.fromisoformat(ended)
    live_months_paid(one, now.date())
    assert queries.ending_of(the(one), now.date()).bound

    end(one, now)

    assert the(one).ends_on == last


def live_months_paid(subscription_id: uuid.UUID, until: date) -> None:
    """Each month is opened on its day and paid."""
    while (day := the(subscription_id).next_period_on) and day <= until:
        worker.run_due(morning_of(day))
        running.pay_month(len(the(subscription_id).periods), morning_of(day))


def test_a_contract_that_stops_by_itself_keeps_its_term_when_an_end_is_taken_back(
    app: Flask,
) -> None:
    one = hold(START, running.CONTRACT)
    end(one, TENTH)
    assert the(one).ends_on == date(2028, 1, 31)
    keep(one, TENTH)
    assert the(one).ends_on == date(2028, 1, 31)


def test_what_was_taken_after_a_demand_by_email_goes_back(app: Flask) -> None:
    """It came on the 20th; staff wrote it down on 3 March, when a month more was paid."""
    one = hold(START)
    worker.run_due(morning_of(date(2027, 2, 28)))
    running.pay_month(2, morning_of(date(2027, 2, 28)))
    now = morning_of(date(2027, 3, 3))
    by = running.staff(now)

    with transaction():
        service.end_by_holder(
            one,
            notified_on=date(2027, 2, 20),
            recorded_by=by,
            statement="Courriel du 20 février.",
            now=now,
        )
    worker.run_due(now)

    assert (the(one).status, the(one).ends_on) == (SubscriptionStatus.ENDED, date(2027, 2, 28))
    (proposed,) = refunds()
    assert (proposed.amount_minor, proposed.status) == (3100, RefundStatus.PROPOSED)
    assert proposed.reason is RefundReason.NOT_SUPPLIED


def test_what_was_not_paid_yet_is_not_due_any_more(app: Flask) -> None:
    one = hold(START)
    worker.run_due(morning_of(date(2027, 2, 28)))
    now = morning_of(date(2027, 3, 3))
    by = running.staff(now)
    with transaction():
        service.end_by_holder(
            one, notified_on=date(2027, 2, 20), recorded_by=by, statement="Courriel.", now=now
        )
    assert month(2).status is InstalmentStatus.CANCELLED
    assert refunds() == []


# By the seller


def test_forty_eight_hours_notice_to_the_minute_with_its_reasons(app: Flask) -> None:
    """B-05: access ends at the instant, not on the morning after."""
    one = hold(START)

    found = give(one, Ground.MISCONDUCT, TENTH)

    until = datetime.fromisoformat("2027-02-12T14:37:00+01:00")
    (told,) = mails("subscription_notice")
    assert REASONS in told.text
    assert "12 février 2027 à 14" in told.text
    travel(TENTH, until - timedelta(minutes=1))
    assert queries.may(the(one).user_id, "messaging", until - timedelta(minutes=1))
    assert not queries.may(the(one).user_id, "messaging", until)
    travel(until - timedelta(minutes=1), until)
    assert the(one).status is SubscriptionStatus.ENDED
    assert status_of(found) is TerminationStatus.EFFECTIVE
    assert len(mails("subscription_ended")) == 1
    assert refunds() == []


def test_the_sellers_end_is_not_for_the_holder_to_take_back(app: Flask) -> None:
    one = hold(START)
    give(one, Ground.MISCONDUCT, TENTH)
    with pytest.raises(NothingToKeep) as refused, transaction():
        service.take_back(one, by=the(one).user_id, now=TENTH)
    assert refused.value.details["effective_at"] == TENTH.astimezone(UTC) + timedelta(hours=48)
    assert the(one).ends_at is not None


@pytest.mark.parametrize(
    ("buyer", "until"),
    [
        (BuyerKind.PROFESSIONAL, "2027-03-13T00:00:00+01:00"),
        (BuyerKind.CONSUMER, "2027-02-12T14:37:00+01:00"),
    ],
)
def test_a_platform_gives_a_professional_of_the_union_thirty_days(
    app: Flask, buyer: BuyerKind, until: str
) -> None:
    one = hold(START, buyer=buyer, platform_notice_days=30)
    give(one, Ground.MISCONDUCT, TENTH)
    assert queries.announced(one)[0].effective_at == datetime.fromisoformat(until)


def test_a_professional_from_outside_the_union_has_the_hours_of_the_terms(app: Flask) -> None:
    one = hold(START, platform_notice_days=30)
    with transaction():
        the(one).order.country = "CH"
    give(one, Ground.MISCONDUCT, TENTH)
    assert queries.announced(one)[0].effective_at == TENTH + timedelta(hours=48)


def test_a_serious_fault_ends_it_here_and_now(app: Flask) -> None:
    one = hold(START)
    give(one, Ground.SERIOUS_FAULT, TENTH)
    assert the(one).status is SubscriptionStatus.ENDED
    assert not queries.may(the(one).user_id, "messaging", TENTH)
    assert refunds() == []
    (told,) = mails("subscription_ended")
    assert REASONS in told.text
    assert mails("subscription_notice") == []


def test_two_members_of_the_staff_at_once_end_it_once(app: Flask) -> None:
    one = hold(START)
    by = running.staff(TENTH)
    db.session.rollback()

    def ended(_number: int) -> bool:
        with transaction():
            service.give_notice(one, Ground.SERIOUS_FAULT, REASONS, recorded_by=by, now=TENTH)
        return True

    outcomes = at_once(app, ended, 2)

    assert sorted(type(outcome) for outcome in outcomes if outcome is not True) == [
        SubscriptionOver
    ]
    assert len(queries.terminations_of(one)) == 1


def test_what_nobody_used_of_a_paid_month_goes_back_when_the_seller_stops(app: Flask) -> None:
    """Notice on the 10th at 14:37, end on the 12th: the 13th to the 27th are 15 days of 28."""
    one = hold(START, price=2800)
    give(one, Ground.CLOSURE, TENTH)
    assert "15,00" in mails("subscription_notice")[0].text.replace("\u202f", " ")
    until = TENTH + timedelta(hours=48)

    travel(TENTH, until)
    worker.run_due(until)

    (proposed,) = refunds()
    assert (proposed.amount_minor, proposed.status) == (1500, RefundStatus.PROPOSED)
    assert proposed.parts == [{"line": str(the(one).order_line_id), "minor": 1500}]


def test_a_month_paid_after_the_end_gives_its_unused_part_back(app: Flask) -> None:
    one = hold(START)
    worker.run_due(morning_of(date(2027, 2, 28)))
    now = morning_of(date(2027, 3, 1)) + timedelta(hours=4)
    give(one, Ground.CLOSURE, now)
    travel(now, now + timedelta(hours=48))
    assert refunds() == []

    running.pay_month(2, now + timedelta(days=4))

    # 28 February to 30 March are 31 days; 4 to 30 March were not used.
    (proposed,) = refunds()
    assert proposed.amount_minor == 2700


def test_a_notice_is_given_once_and_can_be_taken_back_by_who_gave_it(app: Flask) -> None:
    one = hold(START)
    found = give(one, Ground.MISCONDUCT, TENTH)
    with pytest.raises(EndAnnounced):
        give(one, Ground.CLOSURE, TENTH)
    by = running.staff(TENTH)

    with transaction():
        service.close_notice(found, cured=False, by=by, now=TENTH + timedelta(hours=1))
    worker.run_due(TENTH + timedelta(hours=1))

    assert (the(one).ends_on, the(one).ends_at) == (None, None)
    assert the(one).next_period_on == date(2027, 2, 28)
    assert len(mails("subscription_notice_closed")) == 1


def test_the_holders_own_end_stands_beside_the_sellers_and_the_first_counts(app: Flask) -> None:
    """The seller stops in thirty days; the month ends before, and its holder leaves with it."""
    one = hold(START, platform_notice_days=30)
    found = give(one, Ground.CLOSURE, TENTH)
    end(one, TENTH)
    assert (the(one).ends_on, the(one).ends_at) == (date(2027, 2, 28), None)

    keep(one, TENTH)

    assert the(one).ends_on == date(2027, 3, 13)
    assert status_of(found) is TerminationStatus.ANNOUNCED


# A breach


def test_fifteen_days_to_put_it_right_then_it_ends_by_itself(app: Flask) -> None:
    """B-08."""
    one = hold(START)
    give(one, Ground.BREACH, TENTH)
    assert "25 février 2027" in mails("subscription_notice")[0].text
    last = datetime.fromisoformat("2027-02-25T23:59:00+01:00")

    travel(TENTH, last)
    assert the(one).status is SubscriptionStatus.ACTIVE
    travel(last, last + timedelta(minutes=1))

    assert the(one).status is SubscriptionStatus.ENDED
    assert refunds() == []


def test_what_was_put_right_in_time_ends_nothing(app: Flask) -> None:
    one = hold(START)
    found = give(one, Ground.BREACH, TENTH)
    by = running.staff(TENTH)
    with transaction():
        service.close_notice(found, cured=True, by=by, now=TENTH + timedelta(days=3))
    live(date(2027, 2, 14), date(2027, 2, 28))
    assert status_of(found) is TerminationStatus.CURED
    assert the(one).status is not SubscriptionStatus.ENDED
    assert month(2).due_on == date(2027, 2, 28)


def test_a_breach_of_ours_frees_a_contract_that_binds_and_gives_the_rest_back(app: Flask) -> None:
    """It came on the 5th; fifteen days later nothing was done: the 21st to the 27th go back."""
    one = hold(START, running.CONTRACT, price=2800)
    give(one, Ground.SELLER_BREACH, TENTH, received=date(2027, 2, 5))
    travel(TENTH, datetime.fromisoformat("2027-02-21T00:00:00+01:00"))
    assert (the(one).status, the(one).ends_on) == (SubscriptionStatus.ENDED, date(2027, 2, 21))
    (proposed,) = refunds()
    assert proposed.amount_minor == 700


def test_what_was_declared_is_never_rewritten(app: Flask) -> None:
    one = hold(START)
    give(one, Ground.MISCONDUCT, TENTH)
    for statement in (
        update(TerminationNotice).values(statement="x" * 40),
        delete(TerminationNotice),
    ):
        with pytest.raises(DBAPIError, match="append-only"), transaction():
            db.session.execute(statement)


def test_an_end_by_its_order_leaves_no_announced_end(app: Flask) -> None:
    one = hold(START)
    end(one, TENTH)
    with transaction():
        service.end_revoked(SupplyRevoked(the(one).order_id, "refused"), now=TENTH)
    (known,) = db.session.scalars(select(Termination))
    assert known.status is TerminationStatus.LAPSED


def test_a_month_opened_before_the_end_of_what_was_sold_was_heard_is_not_owed(app: Flask) -> None:
    one = hold(START)
    morning = morning_of(date(2027, 2, 28))
    worker.run_due(morning)
    assert month(2).status is InstalmentStatus.UNPAID
    with transaction():
        service.end_revoked(SupplyRevoked(the(one).order_id, "withdrawal"), now=morning)
    assert month(2).status is InstalmentStatus.CANCELLED


def test_a_later_month_that_owes_nothing_was_not_paid_by_the_first_payment(app: Flask) -> None:
    one = hold(START)
    with transaction():
        found = the(one)
        found.net_minor = found.vat_minor = found.gross_minor = 0
    worker.run_due(morning_of(date(2027, 2, 28)))
    first, second = the(one).periods
    assert second.instalment_id is None
    assert queries.payment_of(first) is not None
    assert queries.payment_of(second) is None


def test_a_free_plan_ends_with_its_month_and_owes_nothing(app: Flask) -> None:
    one = hold(START)
    with transaction():
        found = the(one)
        found.net_minor = found.vat_minor = found.gross_minor = 0
    end(one, TENTH)
    assert the(one).ends_on == date(2027, 2, 28)
    assert "prélevé" not in mails("subscription_end")[0].text
