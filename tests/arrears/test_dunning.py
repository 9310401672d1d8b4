"""What follows an unpaid part: each step once, with the time that the terms promise (SUB-06)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from storefront import worker
from storefront.arrears import emails, jobs, queries, service
from storefront.arrears.events import PlanSuspended
from storefront.arrears.models import ArrearsCase
from storefront.arrears.rules import Outcome
from storefront.catalogue.rules import ProductKind
from storefront.documents import queries as documents
from storefront.documents.models import StoredDocument
from storefront.documents.rules import DocumentKind
from storefront.fulfilment import service as fulfilment
from storefront.infra.db import db, transaction
from storefront.instalments import service as instalments
from storefront.instalments.events import InstalmentPaid
from storefront.instalments.models import InstalmentStatus
from storefront.instalments.rules import morning_of
from storefront.kernel.money import Money
from storefront.notifications.models import Email
from storefront.orders import service as orders
from storefront.orders.models import FulfilmentStatus, Order
from storefront.orders.rules import BuyerKind
from storefront.payments import service as payments
from storefront.payments.events import PaymentSucceeded
from storefront.payments.models import Payment
from storefront.payments.providers.base import PAGE_LIFETIME, OutcomeStatus
from storefront.payments.providers.base import Outcome as Answer
from tests import paying
from tests.arrears import late
from tests.parallel import at_once

DUE = date(2026, 12, 24)  # a month after the order
REMINDER = date(2027, 1, 3)
NOTICE = date(2027, 1, 8)
LAST_DAY = date(2027, 2, 7)
SUSPENSION = date(2027, 2, 8)


def test_a_consumer_is_reminded_then_given_notice_then_suspended(app: Flask, now: datetime) -> None:
    late.bought(now, count=2)

    late.live(DUE, SUSPENSION + timedelta(days=60))

    assert late.told() == [
        ("reminder", REMINDER),
        ("formal_notice", NOTICE),
        ("suspension", SUSPENSION),
    ]
    assert late.acts() == late.told()
    assert late.supply() is FulfilmentStatus.SUSPENDED


def test_nothing_is_stopped_on_the_last_day_to_pay(app: Flask, now: datetime) -> None:
    late.bought(now, count=2)
    late.live(DUE, LAST_DAY)
    assert late.supply() is FulfilmentStatus.OPEN


def test_the_reminder_says_what_follows_and_when(app: Flask, now: datetime) -> None:
    late.bought(now, count=2)
    late.live(DUE, REMINDER)
    text = db.session.scalars(select(Email.text).where(Email.kind == "arrears_reminder")).one()
    assert "8 janvier 2027" in text
    assert "8 février 2027" in text
    assert "suspendu" in text


def test_a_formal_notice_is_a_document_that_its_message_carries(app: Flask, now: datetime) -> None:
    late.bought(now, count=2)
    late.live(DUE, NOTICE)
    message = db.session.scalars(select(Email).where(Email.kind == "arrears_formal_notice")).one()
    (attached,) = message.attachments
    stored = documents.with_content(attached.document_id)
    assert stored.kind is DocumentKind.FORMAL_NOTICE
    assert stored.content.startswith(b"%PDF")
    assert "7 février 2027" in message.text


def test_the_payment_brings_everything_back_and_says_so_once(app: Flask, now: datetime) -> None:
    late.bought(now, count=2)
    late.live(DUE, SUSPENSION)
    paid_at = morning_of(SUSPENSION + timedelta(days=2))

    late.pay(late.part(2).id, paid_at)
    late.live(SUSPENSION + timedelta(days=2), SUSPENSION + timedelta(days=40))

    assert late.supply() is FulfilmentStatus.OPEN
    assert late.told()[-1] == ("settled", SUSPENSION + timedelta(days=2))
    assert [kind for kind, _ in late.told()].count("settled") == 1
    text = db.session.scalars(select(Email.text).where(Email.kind == "arrears_settled")).one()
    assert "de nouveau ouvert" in text
    assert [case.outcome for case in late.cases()] == [Outcome.PAID]


def test_a_payment_before_the_reminder_leaves_no_trace_of_one(app: Flask, now: datetime) -> None:
    late.bought(now, count=2)
    late.live(DUE, DUE + timedelta(days=3))
    late.pay(late.part(2).id, morning_of(DUE + timedelta(days=4)))
    late.live(DUE + timedelta(days=4), SUSPENSION)
    assert late.told() == []
    assert late.supply() is FulfilmentStatus.OPEN


def test_one_of_two_unpaid_parts_that_is_paid_leaves_the_other_its_course(
    app: Flask, now: datetime
) -> None:
    """Both stopped the order: it comes back when the second one is paid too."""
    late.bought(now, count=3)
    third_stops = date(2027, 1, 24) + timedelta(days=46)
    late.live(DUE, third_stops)
    assert [kind for kind, _ in late.told()].count("suspension") == 2

    late.pay(late.part(2).id, morning_of(third_stops))
    worker.run_due(morning_of(third_stops))
    assert late.supply() is FulfilmentStatus.SUSPENDED
    text = db.session.scalars(select(Email.text).where(Email.kind == "arrears_settled")).one()
    assert "Une autre échéance" in text

    late.pay(late.part(3).id, morning_of(third_stops))
    worker.run_due(morning_of(third_stops))
    assert late.supply() is FulfilmentStatus.OPEN


def test_a_professional_is_suspended_and_the_rest_falls_due(app: Flask, now: datetime) -> None:
    late.bought(now, count=4, buyer=BuyerKind.PROFESSIONAL)
    suspended = DUE + timedelta(days=15)

    late.live(DUE, suspended)

    assert late.told() == [
        ("reminder", REMINDER),
        ("acceleration", suspended),
        ("suspension", suspended),
    ]
    rest = [late.part(rank) for rank in (3, 4)]
    assert [one.owed_on for one in rest] == [suspended + timedelta(days=7)] * 2
    assert [one.due_on for one in rest] == [date(2027, 1, 24), date(2027, 2, 24)]
    assert late.part(2).moved_to is None


def test_what_falls_due_at_once_is_announced_then_taken(app: Flask, now: datetime) -> None:
    late.bought(now, count=3, buyer=BuyerKind.PROFESSIONAL)
    suspended = DUE + timedelta(days=15)
    late.live(DUE, suspended + timedelta(days=8))
    announced = select(Email).where(
        Email.kind == "payment_awaited", Email.key.endswith("2027-01-15")
    )
    (message,) = db.session.scalars(announced)
    assert "15 janvier 2027" in message.text
    assert late.part(3).status is InstalmentStatus.UNPAID


def test_a_consumers_rest_never_falls_due_by_default(app: Flask, now: datetime) -> None:
    late.bought(now, count=4)
    late.live(DUE, SUSPENSION + timedelta(days=5))
    assert late.part(4).owed_on == late.part(4).due_on


def test_a_consumers_rest_falls_due_only_after_a_notice_of_its_own(
    app: Flask, now: datetime
) -> None:
    late.bought(now, count=4, consumer_acceleration="after_notice")
    falls_due = SUSPENSION + timedelta(days=31)
    late.live(DUE, falls_due - timedelta(days=1))
    mine = [kind for kind, _ in late.acts() if kind.startswith("acceleration")]
    assert mine == ["acceleration_notice"]
    assert db.session.scalars(
        select(StoredDocument).where(StoredDocument.kind == DocumentKind.FORMAL_NOTICE)
    ).all()

    worker.run_due(morning_of(falls_due))

    assert ("acceleration", falls_due) in late.acts()


def test_after_a_long_stop_a_customer_still_has_the_time_that_was_promised(
    app: Flask, now: datetime
) -> None:
    """The worker was off for three months: one step a time, each with its delay."""
    late.bought(now, count=2)
    worker.run_due(morning_of(DUE))
    back = DUE + timedelta(days=90)

    late.live(back, back + timedelta(days=60))

    assert late.acts() == [
        ("reminder", back),
        ("formal_notice", back + timedelta(days=5)),
        ("suspension", back + timedelta(days=36)),
    ]


def test_two_workers_make_a_step_once(app: Flask, now: datetime) -> None:
    late.bought(now, count=2)
    late.live(DUE, NOTICE - timedelta(days=1))

    given = at_once(app, lambda _: jobs.take_steps(morning_of(NOTICE)), 3)

    assert sorted(map(str, given)) == ["0", "0", "1"]
    assert late.acts() == late.told() == [("reminder", REMINDER), ("formal_notice", NOTICE)]


def test_a_crash_before_the_end_of_a_step_changes_nothing(
    app: Flask, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    late.bought(now, count=2)
    late.live(DUE, NOTICE - timedelta(days=1))
    stored = select(StoredDocument).where(StoredDocument.kind == DocumentKind.FORMAL_NOTICE)

    with monkeypatch.context() as broken:

        def killed(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        broken.setattr(emails, "tell_step", killed)
        with pytest.raises(KeyboardInterrupt):
            jobs.take_steps(morning_of(NOTICE))
    assert [kind for kind, _ in late.acts()] == ["reminder"]
    assert db.session.scalars(stored).all() == []

    for _ in range(3):
        worker.run_due(morning_of(NOTICE))

    assert late.acts() == late.told()
    assert late.acts()[-1] == ("formal_notice", NOTICE)
    assert len(db.session.scalars(stored).all()) == 1


def test_a_payment_and_a_suspension_at_once_end_open(app: Flask, now: datetime) -> None:
    late.bought(now, count=2)
    late.live(DUE, LAST_DAY)
    instalment_id, instant = late.part(2).id, morning_of(SUSPENSION)

    def act(number: int) -> None:
        if number:
            late.pay(instalment_id, instant)
        worker.run_due(instant)

    at_once(app, act, 2)
    worker.run_due(instant + timedelta(hours=1))

    assert late.supply() is FulfilmentStatus.OPEN
    assert [case.outcome for case in late.cases()] == [Outcome.PAID]
    assert not queries.stops(late.cases()[0].order_id)


def test_a_suspension_heard_after_its_payment_stops_nothing(app: Flask, now: datetime) -> None:
    """The news of a suspension is late: what is true now decides."""
    late.bought(now, count=2)
    late.live(DUE, LAST_DAY)
    instant = morning_of(SUSPENSION)
    jobs.take_steps(instant)
    late.pay(late.part(2).id, instant)
    owed_id = late.part(2).id
    with transaction():
        paid = db.session.scalars(select(Payment.id).where(Payment.instalment_id == owed_id)).one()
        instalments.settle([PaymentSucceeded(paid)], now=instant)
        service.note_paid([InstalmentPaid(owed_id)], now=instant)
    worker.run_due(instant)

    order_id = late.cases()[0].order_id
    with transaction():
        fulfilment.follow_arrears(PlanSuspended(order_id), now=instant)

    assert late.supply() is FulfilmentStatus.OPEN


def test_nothing_follows_while_the_bank_has_not_answered(app: Flask, now: datetime) -> None:
    late.bought(now, count=2)
    late.live(DUE, DUE + timedelta(days=1))
    owed = late.part(2)
    with transaction():
        payment = payments.reserve(
            order_id=owed.order_id,
            user_id=owed.order.user_id,
            provider="offline",
            amount=Money(owed.amount_minor),
            order_reference=owed.order.reference,
            description="en attente",
            instalment_id=owed.id,
            save_method=False,
            expires_at=now + PAGE_LIFETIME,
            now=now,
        )
        payments.record_outcome(payment, Answer(OutcomeStatus.PENDING), now=now)
        payment_id = payment.id

    jobs.take_steps(morning_of(SUSPENSION))
    with transaction():
        case_id = db.session.scalars(select(ArrearsCase.id)).one()
        assert service.take_step(case_id, now=morning_of(SUSPENSION)) is None
    assert late.acts() == []

    with transaction():
        payments.record_outcome(
            payments.locked(payment_id), Answer(OutcomeStatus.CANCELLED), now=now
        )
    jobs.take_steps(morning_of(SUSPENSION))
    assert [kind for kind, _ in late.acts()] == ["reminder"]


def test_a_cancelled_order_is_asked_for_nothing_more(app: Flask, now: datetime) -> None:
    order_id = late.bought(now, count=2)
    late.live(DUE, NOTICE)
    with transaction():
        orders.cancel(db.session.get_one(Order, order_id), "customer", now=now)
    late.live(NOTICE + timedelta(days=1), SUSPENSION)
    assert [kind for kind, _ in late.told()] == ["reminder", "formal_notice"]
    assert [case.outcome for case in late.cases()] == [Outcome.CANCELLED]


def test_the_worker_knows_when_the_next_step_is_due(app: Flask, now: datetime) -> None:
    late.bought(now, count=2)
    worker.run_due(morning_of(DUE + timedelta(days=1)))
    assert queries.next_act_at() == morning_of(REMINDER)
    late.live(DUE, SUSPENSION)
    assert queries.next_act_at() is None


@pytest.mark.parametrize(
    ("kind", "rate_bp"), [(ProductKind.SUPPORT_CONTRACT, 1000), (ProductKind.PLAN, 825)]
)
def test_only_a_contract_that_binds_for_a_year_bears_its_own_rate(
    app: Flask, now: datetime, kind: ProductKind, rate_bp: int
) -> None:
    """The second month is unpaid: the yearly rate of the terms, or the multiple of the law."""
    # The month begins on 14 December and can be paid by transfer for a week.
    ordered_at, reminded_on = now - timedelta(days=10), date(2026, 12, 31)
    order_id = paying.transferred(kind, ordered_at, buyer=BuyerKind.PROFESSIONAL)
    worker.run_due(ordered_at)
    late.live(ordered_at.date() + timedelta(days=1), reminded_on)
    user_id = db.session.get_one(Order, order_id).user_id

    (line,) = queries.statement(user_id, date(2026, 12, 31)).lines

    assert [one.rate_bp for one in line.claim.interest.segments] == [rate_bp]
    assert late.acts() == [("reminder", reminded_on)]
