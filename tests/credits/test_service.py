"""The ledger through its service: K-01 to K-05."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from storefront.credits import jobs, queries, service
from storefront.credits.models import CreditEntry, HourLot
from storefront.credits.rules import EntryKind, InsufficientCredit, LotUnusable
from storefront.infra import journal, outbox
from storefront.infra.db import db, transaction
from storefront.notifications.models import Email
from tests.credits.lots import bought, lot, lot_of, saved_lot
from tests.parallel import at_once

DAY = date(2026, 11, 26)
LAST = date(2027, 11, 24)


def kinds(lot_id: uuid.UUID) -> list[tuple[str, int]]:
    """The ledger of a lot, in short."""
    db.session.rollback()
    return [(one.kind.value, one.minutes) for one in queries.entries_of([lot_id])[lot_id]]


def hold(lot_id: uuid.UUID, minutes: int, cause: uuid.UUID, now: datetime, on: date = DAY) -> None:
    with transaction():
        service.hold([lot(lot_id)], minutes, cause, on=on, reason="TK-1", now=now)


def use(lot_id: uuid.UUID, minutes: int, cause: uuid.UUID, now: datetime) -> None:
    with transaction():
        service.use([lot(lot_id)], minutes, cause, on=DAY, reason="TK-1", now=now)


def emails(kind: str) -> list[Email]:
    db.session.rollback()
    return list(db.session.scalars(select(Email).where(Email.kind == kind)))


def test_granting_the_same_line_again_changes_nothing(app: Flask, now: datetime):
    with transaction():
        order = bought(now)
        first = lot_of(now, order=order)
        assert lot_of(now, order=order) is first
        assert queries.balance(first.id) == 180


def test_a_monthly_contract_grants_one_lot_a_paid_month(app: Flask, now: datetime):
    with transaction():
        line = bought(now).lines[0]
        lots = [
            service.grant(
                line,
                line.order.user_id,
                minutes=60,
                expires_on=LAST,
                slice_minutes=60,
                reminder_days=(),
                period_number=month,
                now=now,
            )
            for month in (1, 2, 2)
        ]
    assert lots[0].id != lots[1].id
    assert lots[1].id == lots[2].id


def test_limits_of_use_are_those_of_what_was_sold(app: Flask, now: datetime):
    with transaction():
        made = lot_of(now, monthly_minutes=240, monthly_interventions=4)
    assert (made.monthly_minutes, made.monthly_interventions) == (240, 4)


def test_a_hold_is_released_by_its_use_and_the_rest_comes_back(app: Flask, now: datetime):
    lot_id, cause = saved_lot(now), uuid.uuid4()
    hold(lot_id, 120, cause, now)
    assert queries.balance(lot_id) == 60
    use(lot_id, 60, cause, now)
    assert kinds(lot_id) == [("granted", 180), ("held", -120), ("released", 120), ("used", -60)]
    assert queries.balance(lot_id) == 120


def test_every_movement_happens_once_a_cause(app: Flask, now: datetime):
    lot_id, cause = saved_lot(now), uuid.uuid4()
    for _ in range(2):
        hold(lot_id, 60, cause, now)
    for _ in range(2):
        use(lot_id, 60, cause, now)
    with transaction():
        service.release(cause, reason="TK-1", now=now)
    for _ in range(2):
        with transaction():
            service.deduct(lot(lot_id), 30, cause, reason="TK-1", now=now)
            service.give_back(lot(lot_id), 15, cause, reason="TK-1", now=now)
    assert [kind for kind, _ in kinds(lot_id)] == [
        "granted",
        "held",
        "released",
        "used",
        "deducted",
        "given_back",
    ]
    assert queries.balance(lot_id) == 105


def test_more_than_is_left_is_refused_and_nothing_moves(app: Flask, now: datetime):
    lot_id = saved_lot(now, 60)
    with pytest.raises(InsufficientCredit) as refused:
        hold(lot_id, 120, uuid.uuid4(), now)
    assert (refused.value.details["needed"], refused.value.details["available"]) == (120, 60)
    with pytest.raises(InsufficientCredit), transaction():
        service.deduct(lot(lot_id), 61, uuid.uuid4(), reason="TK-1", now=now)
    assert kinds(lot_id) == [("granted", 60)]


def test_work_beyond_the_hold_takes_what_is_left_and_no_more(app: Flask, now: datetime):
    lot_id, cause = saved_lot(now, 120), uuid.uuid4()
    hold(lot_id, 60, cause, now)
    with pytest.raises(InsufficientCredit) as refused:
        use(lot_id, 180, cause, now)
    assert refused.value.details["available"] == 120
    assert queries.balance(lot_id) == 60
    use(lot_id, 120, cause, now)
    assert queries.balance(lot_id) == 0


def test_several_lots_give_first_what_expires_first(app: Flask, now: datetime):
    with transaction():
        late = lot_of(now, 180, expires_on=LAST).id
        soon = lot_of(now, 30, expires_on=LAST - timedelta(days=90)).id
    cause = uuid.uuid4()
    with transaction():
        service.hold([lot(late), lot(soon)], 120, cause, on=DAY, reason="TK-1", now=now)
    assert kinds(soon)[1:] == [("held", -30)]
    assert kinds(late)[1:] == [("held", -90)]
    with transaction():
        service.use([lot(late), lot(soon)], 60, cause, on=DAY, reason="TK-1", now=now)
    assert (queries.balance(soon), queries.balance(late)) == (0, 150)


def test_the_month_s_limit_keeps_the_rest_for_the_next_month(app: Flask, now: datetime):
    lot_id = saved_lot(now, 600, monthly_minutes=120)
    hold(lot_id, 120, uuid.uuid4(), now)
    with pytest.raises(InsufficientCredit) as refused:
        hold(lot_id, 60, uuid.uuid4(), now)
    assert refused.value.details["limit"] == "minutes"
    hold(lot_id, 60, uuid.uuid4(), now, on=date(2026, 12, 3))


def test_nothing_can_be_held_on_expired_or_suspended_hours(app: Flask, now: datetime):
    lot_id = saved_lot(now, expires_on=LAST)
    hold(lot_id, 60, uuid.uuid4(), datetime(2027, 11, 24, 22, 59, tzinfo=UTC))
    with pytest.raises(LotUnusable) as refused:
        hold(lot_id, 60, uuid.uuid4(), datetime(2027, 11, 24, 23, 0, tzinfo=UTC))
    assert refused.value.details["reason"] == "expired"
    with transaction():
        service.suspend(lot(lot_id).order_line_id, now=now)
    with pytest.raises(LotUnusable) as refused:
        hold(lot_id, 60, uuid.uuid4(), now)
    assert refused.value.details["reason"] == "suspended"
    with transaction():
        service.resume(lot(lot_id).order_line_id, now=now)
    hold(lot_id, 60, uuid.uuid4(), now)


def test_what_is_left_is_lost_the_day_after_and_the_customer_told_once(app: Flask, now: datetime):
    lot_id = saved_lot(now, expires_on=LAST)
    last_evening = datetime(2027, 11, 24, 22, 0, tzinfo=UTC)
    assert jobs.expire_due(last_evening) == 0
    morning = jobs.JOBS[1].next_due()
    assert morning == datetime(2027, 11, 25, 7, 0, tzinfo=UTC)
    assert jobs.expire_due(morning) == 1
    assert jobs.expire_due(morning) == 0
    assert kinds(lot_id) == [("granted", 180), ("expired", -180)]
    outbox.drain(morning)
    (told,) = emails("hours_expired")
    assert "3\u00a0h" in told.text
    assert "mercredi 24 novembre 2027" in told.text


def test_the_month_of_a_contract_expires_without_a_message(app: Flask, now: datetime):
    lot_id = saved_lot(now, expires_on=LAST, reminder_days=())
    morning = datetime(2027, 11, 25, 9, 0, tzinfo=UTC)
    assert jobs.remind_due(morning) == 0
    assert jobs.expire_due(morning) == 1
    outbox.drain(morning)
    assert kinds(lot_id)[-1] == ("expired", -180)
    assert not emails("hours_expired")


def test_a_hold_survives_the_expiry_of_its_lot(app: Flask, now: datetime):
    lot_id, cause = saved_lot(now, expires_on=LAST), uuid.uuid4()
    hold(lot_id, 120, cause, now, on=LAST + timedelta(days=2))
    after = datetime(2027, 11, 26, 10, 0, tzinfo=UTC)
    assert jobs.expire_due(after) == 1
    assert kinds(lot_id)[-1] == ("expired", -60)
    with pytest.raises(InsufficientCredit):
        use(lot_id, 180, cause, after)
    use(lot_id, 60, cause, after)
    assert kinds(lot_id)[3:] == [("released", 120), ("used", -60), ("expired", -60)]
    assert queries.balance(lot_id) == 0


def test_hours_the_seller_kept_from_being_used_stay_usable(app: Flask, now: datetime):
    lot_id, cause = saved_lot(now, expires_on=LAST), uuid.uuid4()
    hold(lot_id, 120, cause, now)
    after = datetime(2027, 11, 26, 10, 0, tzinfo=UTC)
    jobs.expire_due(after)
    with transaction():
        service.release(cause, reason="TK-1", usable_until=date(2027, 12, 3), now=after)
    assert queries.balance(lot_id) == 120
    hold(lot_id, 60, uuid.uuid4(), datetime(2027, 12, 3, 9, 0, tzinfo=UTC))
    assert jobs.expire_due(datetime(2027, 12, 4, 9, 0, tzinfo=UTC)) == 1
    assert kinds(lot_id)[-1] == ("expired", -60)


def test_reminders_come_sixty_thirty_and_seven_days_before_once_each(app: Flask, now: datetime):
    lot_id = saved_lot(now, expires_on=LAST)
    for _ in range(3):
        due = jobs.JOBS[0].next_due()
        assert due is not None
        assert jobs.remind_due(due - timedelta(seconds=1)) == 0
        assert jobs.remind_due(due) == 1
        assert jobs.remind_due(due) == 0
        outbox.drain(due)
    assert jobs.JOBS[0].next_due() is None
    sent = emails("hours_expiring")
    assert len(sent) == 3
    assert "encore 60" in sent[0].text
    assert [lot(lot_id).next_reminder_on] == [None]


def test_after_a_stop_of_the_worker_one_reminder_says_the_days_truly_left(
    app: Flask, now: datetime
):
    saved_lot(now, expires_on=LAST)
    late = datetime(2027, 11, 4, 9, 0, tzinfo=UTC)  # the days of 60 and of 30 are gone
    assert jobs.remind_due(late) == 1
    outbox.drain(late)
    (sent,) = emails("hours_expiring")
    assert "encore 20 jours" in sent.text


def test_nobody_is_reminded_of_hours_that_are_used_up(app: Flask, now: datetime):
    lot_id = saved_lot(now, 60, expires_on=LAST)
    use(lot_id, 60, uuid.uuid4(), now)
    jobs.remind_due(datetime(2027, 11, 17, 9, 0, tzinfo=UTC))
    jobs.expire_due(datetime(2027, 11, 25, 9, 0, tzinfo=UTC))
    outbox.drain(datetime(2027, 11, 25, 9, 0, tzinfo=UTC))
    assert not emails("hours_expiring")
    assert not emails("hours_expired")
    assert kinds(lot_id) == [("granted", 60), ("used", -60)]


def test_a_one_shot_pack_is_held_used_and_expires_in_movements_of_no_minutes(
    app: Flask, now: datetime
):
    used, left = saved_lot(now, single_use=True), saved_lot(now, single_use=True, expires_on=LAST)
    hold(used, 240, uuid.uuid4(), now)
    with pytest.raises(InsufficientCredit):
        hold(used, 60, uuid.uuid4(), now)
    assert kinds(used) == [("granted", 0), ("held", 0)]
    jobs.expire_due(datetime(2027, 11, 25, 9, 0, tzinfo=UTC))
    assert kinds(left) == [("granted", 0), ("expired", 0)]


def test_a_kill_between_two_movements_leaves_neither(app: Flask, now: datetime):
    lot_id, cause = saved_lot(now), uuid.uuid4()
    hold(lot_id, 60, cause, now)

    def killed() -> None:
        with transaction():
            service.use([lot(lot_id)], 60, cause, on=DAY, reason="TK-1", now=now)
            db.session.flush()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        killed()
    assert kinds(lot_id) == [("granted", 180), ("held", -60)]
    assert list(journal.verify()) == []


def test_the_database_itself_refuses_to_rewrite_the_ledger(app: Flask, now: datetime):
    saved_lot(now)
    for statement in ("UPDATE credit_entries SET minutes = 999", "DELETE FROM credit_entries"):
        with pytest.raises(DBAPIError), transaction():
            db.session.execute(text(statement))


def test_the_statement_tells_every_movement_with_what_was_left(app: Flask, now: datetime):
    lot_id, cause = saved_lot(now), uuid.uuid4()
    hold(lot_id, 120, cause, now + timedelta(hours=1))
    use(lot_id, 60, cause, now + timedelta(hours=2))
    lines = queries.statement(lot(lot_id).user_id)
    assert [(line.entry.kind, line.balance) for line in lines] == [
        (EntryKind.USED, 120),
        (EntryKind.RELEASED, 180),
        (EntryKind.HELD, 60),
        (EntryKind.GRANTED, 180),
    ]


def test_every_movement_stands_in_the_journal(app: Flask, now: datetime):
    lot_id, cause = saved_lot(now), uuid.uuid4()
    hold(lot_id, 60, cause, now)
    use(lot_id, 60, cause, now)
    recorded = db.session.scalars(
        select(journal.JournalEntry.kind)
        .join(CreditEntry, CreditEntry.id == journal.JournalEntry.subject_id)
        .where(CreditEntry.lot_id == lot_id)
        .order_by(journal.JournalEntry.seq)
    ).all()
    assert recorded == ["credits.granted", "credits.held", "credits.released", "credits.used"]


def test_the_last_hour_is_held_by_one_of_two(app: Flask, now: datetime):
    lot_id = saved_lot(now, 60)
    db.session.rollback()

    def take(_: int) -> None:
        hold(lot_id, 60, uuid.uuid4(), now)

    answers = at_once(app, take, 4)
    assert sorted(type(answer).__name__ for answer in answers) == [
        "InsufficientCredit",
        "InsufficientCredit",
        "InsufficientCredit",
        "NoneType",
    ]
    assert kinds(lot_id) == [("granted", 60), ("held", -60)]


def test_two_workers_expire_and_remind_once(app: Flask, now: datetime):
    lot_id = saved_lot(now, expires_on=LAST)
    reminding = datetime(2027, 11, 17, 9, 0, tzinfo=UTC)
    expiring = datetime(2027, 11, 25, 9, 0, tzinfo=UTC)
    db.session.rollback()
    at_once(app, lambda _: jobs.remind_due(reminding), 2)
    at_once(app, lambda _: jobs.expire_due(expiring), 2)
    outbox.drain(expiring)
    assert len(emails("hours_expiring")) == 1
    assert len(emails("hours_expired")) == 1
    assert kinds(lot_id) == [("granted", 180), ("expired", -180)]


def test_two_workers_grant_once(app: Flask, now: datetime):
    with transaction():
        order = bought(now)
        order_id = order.id
    db.session.rollback()

    def grant(_: int) -> uuid.UUID:
        with transaction():
            return lot_of(now, order=db.session.get_one(type(order), order_id)).id

    first, second = at_once(app, grant, 2)
    assert first == second
    assert len(db.session.scalars(select(HourLot)).all()) == 1
    assert len(db.session.scalars(select(CreditEntry)).all()) == 1
