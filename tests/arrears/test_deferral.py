"""A deferral granted in writing stops all that follows from a late payment (M-05)."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import DatabaseError

from storefront import worker
from storefront.arrears import queries, service
from storefront.arrears.models import Deferral
from storefront.arrears.rules import Outcome
from storefront.infra.db import db, transaction
from storefront.infra.journal import JournalEntry
from storefront.instalments.models import InstalmentStatus
from storefront.instalments.rules import morning_of
from storefront.instalments.service import NothingToPay
from storefront.notifications.models import Email
from storefront.orders.models import FulfilmentStatus
from storefront.orders.rules import BuyerKind
from tests.arrears import late
from tests.identity import people
from tests.parallel import at_once

DUE = date(2026, 12, 24)
SUSPENSION = date(2027, 2, 8)
UNTIL = date(2027, 3, 15)


def staff_id(now: datetime) -> uuid.UUID:
    known = db.session.scalar(select(Deferral.granted_by).limit(1))
    return known or people.staff(now).id


def grant(until: date, on: date, by: uuid.UUID) -> None:
    owed = late.part(2).id
    with transaction():
        service.defer(owed, until, "Arrêt de travail", by=by, now=morning_of(on))


def test_granted_beforehand_it_moves_debit_announcement_and_everything_after(
    app: Flask, now: datetime
) -> None:
    late.bought(now, count=2)
    grant(UNTIL, date(2026, 12, 1), staff_id(now))

    late.live(date(2026, 12, 20), UNTIL - timedelta(days=1))

    owed = late.part(2)
    assert (owed.due_on, owed.owed_on) == (DUE, UNTIL)
    assert owed.status is InstalmentStatus.SCHEDULED
    assert [kind for kind, _ in late.told()] == ["deferred"]
    announced = db.session.scalars(select(Email.queued_at).where(Email.kind == "payment_awaited"))
    assert [at.date() for at in announced] == [UNTIL - timedelta(days=7)]
    assert queries.overdue_of_user(owed.order.user_id, UNTIL - timedelta(days=1)) == []

    late.live(UNTIL, UNTIL + timedelta(days=10))

    assert late.acts() == [("reminder", UNTIL + timedelta(days=10))]


def test_granted_after_the_suspension_it_opens_everything_again(app: Flask, now: datetime) -> None:
    late.bought(now, count=2)
    late.live(DUE, SUSPENSION)
    assert late.supply() is FulfilmentStatus.SUSPENDED

    grant(UNTIL, SUSPENSION, staff_id(now))
    worker.run_due(morning_of(SUSPENSION))

    assert late.supply() is FulfilmentStatus.OPEN
    assert [case.outcome for case in late.cases()] == [Outcome.DEFERRED]
    text = db.session.scalars(select(Email.text).where(Email.kind == "arrears_deferred")).one()
    assert "15 mars 2027" in text
    assert "Arrêt de travail" not in text


def test_what_is_late_again_has_a_notice_of_its_own(app: Flask, now: datetime) -> None:
    """An old formal notice does not suspend a debt that was agreed anew."""
    late.bought(now, count=2)
    late.live(DUE, SUSPENSION - timedelta(days=1))
    grant(UNTIL, SUSPENSION - timedelta(days=1), staff_id(now))

    late.live(UNTIL, UNTIL + timedelta(days=45))
    again = [kind for kind, on in late.acts() if on > UNTIL]
    assert again == ["reminder", "formal_notice"]
    assert late.supply() is FulfilmentStatus.OPEN
    late.live(UNTIL + timedelta(days=46), UNTIL + timedelta(days=46))

    assert late.supply() is FulfilmentStatus.SUSPENDED
    assert [case.round for case in late.cases()] == [0, 1]


def test_interest_starts_after_the_new_day(app: Flask, now: datetime) -> None:
    late.bought(now, count=2, buyer=BuyerKind.PROFESSIONAL)
    until = date(2026, 12, 28)
    grant(until, date(2026, 12, 1), staff_id(now))
    late.live(until, until + timedelta(days=1))
    user_id = late.part(2).order.user_id

    (line,) = queries.statement(user_id, date(2026, 12, 31)).lines

    assert [one.starts_on for one in line.claim.interest.segments] == [until + timedelta(days=1)]
    assert queries.statement(user_id, until).lines == []


def test_the_other_parts_keep_their_days(app: Flask, now: datetime) -> None:
    late.bought(now, count=3)
    grant(UNTIL, date(2026, 12, 1), staff_id(now))
    assert late.part(3).owed_on == late.part(3).due_on


@pytest.mark.parametrize("until", [date(2026, 12, 24), date(2026, 12, 1), date(2027, 12, 2)])
def test_a_deferral_names_a_later_day_within_a_year(app: Flask, now: datetime, until: date) -> None:
    late.bought(now, count=2)
    with pytest.raises(service.BadDeferralDate):
        grant(until, date(2026, 12, 1), staff_id(now))
    assert late.part(2).moved_to is None


def test_what_is_paid_is_not_deferred(app: Flask, now: datetime) -> None:
    late.bought(now, count=2)
    late.pay(late.part(2).id, now)
    worker.run_due(now)
    with pytest.raises(NothingToPay):
        grant(UNTIL, date(2026, 12, 1), staff_id(now))


def test_who_agreed_and_why_stay_written(app: Flask, now: datetime) -> None:
    late.bought(now, count=2)
    by = staff_id(now)
    grant(UNTIL, date(2026, 12, 1), by)
    deferral = db.session.scalars(select(Deferral)).one()
    assert (deferral.granted_by, deferral.reason) == (by, "Arrêt de travail")
    kinds = select(func.count()).where(JournalEntry.kind == "arrears.deferred")
    assert db.session.scalar(kinds) == 1
    with pytest.raises(DatabaseError), transaction():
        db.session.execute(Deferral.__table__.update().values(reason="autre"))


def test_a_payment_and_a_deferral_at_once_leave_one_truth(app: Flask, now: datetime) -> None:
    late.bought(now, count=2)
    late.live(DUE, SUSPENSION)
    by, owed, instant = staff_id(now), late.part(2).id, morning_of(SUSPENSION)

    def act(number: int) -> None:
        if number:
            late.pay(owed, instant)
            worker.run_due(instant)
        else:
            with transaction():
                service.defer(owed, UNTIL, "Accord", by=by, now=instant)

    at_once(app, act, 2)
    worker.run_due(instant)

    assert late.part(2).status is InstalmentStatus.PAID
    assert late.supply() is FulfilmentStatus.OPEN
    assert all(case.closed_at for case in late.cases())
