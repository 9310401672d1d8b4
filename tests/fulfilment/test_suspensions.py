"""What stops what was sold, by cause: comes back as it was, or never (M-04, M-10, R-07)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from storefront import worker
from storefront.catalogue.models import Variant
from storefront.catalogue.rules import ProductKind
from storefront.credits import queries as credits
from storefront.credits import service as hours
from storefront.credits.models import HourLot
from storefront.credits.rules import LotUnusable
from storefront.fulfilment import service
from storefront.fulfilment.models import Access, Shipment, Suspension
from storefront.identity.models import Role
from storefront.infra.db import db, transaction
from storefront.kernel.calendar import paris_date
from storefront.legal.models import AcceptanceKind
from storefront.orders.models import FulfilmentStatus, Order, OrderLine
from storefront.subscriptions.models import Subscription, SubscriptionStatus
from tests import paying
from tests.identity import people
from tests.parallel import at_once

UNPAID, DISPUTE = "unpaid", "dispute:4711"
WAIVER = (AcceptanceKind.DIGITAL_WAIVER,)


def line() -> OrderLine:
    db.session.rollback()
    return db.session.scalars(select(OrderLine).where(OrderLine.kind.is_not(None))).one()


def rows() -> list[Suspension]:
    db.session.rollback()
    return list(db.session.scalars(select(Suspension).order_by(Suspension.since)))


def does(act: Callable[..., bool], order_id: uuid.UUID, cause: str, now: datetime) -> bool:
    with transaction():
        return act(order_id, cause, now=now)


@pytest.mark.parametrize("kind", list(ProductKind))
def test_everything_that_is_sold_stops_and_comes_back_as_it_was(
    app: Flask, now: datetime, kind: ProductKind
) -> None:
    order_id = paying.transferred(kind, now)
    worker.run_due(now)
    before = line().fulfilment

    does(service.suspend, order_id, UNPAID, now)
    stopped = line().fulfilment
    does(service.resume, order_id, UNPAID, now + timedelta(days=3))

    assert stopped is FulfilmentStatus.SUSPENDED
    assert line().fulfilment is before
    (row,) = rows()
    assert (row.since, row.lifted_at) == (now, now + timedelta(days=3))
    assert all(lot.suspended_at is None for lot in db.session.scalars(select(HourLot)))


def test_the_same_cause_stops_once_and_is_lifted_once(app: Flask, now: datetime) -> None:
    order_id = paying.transferred(ProductKind.E_LEARNING, now)
    worker.run_due(now)

    stops = [does(service.suspend, order_id, UNPAID, now) for _ in range(2)]
    lifts = [does(service.resume, order_id, UNPAID, now) for _ in range(2)]

    assert (stops, lifts) == ([True, False], [True, False])
    assert len(rows()) == 1


def test_a_payment_does_not_lift_a_dispute(app: Flask, now: datetime) -> None:
    order_id = paying.transferred(ProductKind.HOUR_PACK, now)
    worker.run_due(now)
    does(service.suspend, order_id, UNPAID, now)
    does(service.suspend, order_id, DISPUTE, now + timedelta(days=1))

    does(service.resume, order_id, UNPAID, now + timedelta(days=2))

    assert line().fulfilment is FulfilmentStatus.SUSPENDED
    assert db.session.scalars(select(HourLot)).one().suspended_at is not None

    does(service.resume, order_id, DISPUTE, now + timedelta(days=3))

    assert line().fulfilment is FulfilmentStatus.OPEN
    assert db.session.scalars(select(HourLot)).one().suspended_at is None


def test_a_cause_that_comes_back_is_a_row_of_its_own(app: Flask, now: datetime) -> None:
    order_id = paying.transferred(ProductKind.HOUR_PACK, now)
    worker.run_due(now)
    for days in (0, 30):
        does(service.suspend, order_id, UNPAID, now + timedelta(days=days))
        does(service.resume, order_id, UNPAID, now + timedelta(days=days + 1))

    assert [row.since for row in rows()] == [now, now + timedelta(days=30)]
    assert line().fulfilment is FulfilmentStatus.OPEN


@pytest.mark.parametrize("kind", [ProductKind.HOUR_PACK, ProductKind.DIGITAL_PRODUCT])
def test_what_was_stopped_before_it_was_prepared_is_prepared_and_stays_stopped(
    app: Flask, now: datetime, kind: ProductKind
) -> None:
    order_id = paying.transferred(kind, now, consents=WAIVER)
    does(service.suspend, order_id, DISPUTE, now)

    worker.run_due(now)

    assert line().fulfilment is FulfilmentStatus.SUSPENDED
    assert all(lot.suspended_at for lot in db.session.scalars(select(HourLot)))
    assert all(one.opened_at is None for one in db.session.scalars(select(Access)))

    does(service.resume, order_id, DISPUTE, now + timedelta(hours=1))
    worker.run_due(now + timedelta(hours=1))

    assert line().fulfilment is FulfilmentStatus.OPEN
    assert all(one.opened_at for one in db.session.scalars(select(Access)))


def test_a_suspended_download_says_why_and_logs_nothing(app: Flask, now: datetime) -> None:
    order_id = paying.transferred(ProductKind.DIGITAL_PRODUCT, now, consents=WAIVER)
    worker.run_due(now)
    does(service.suspend, order_id, UNPAID, now)
    browser = people.sign_in(app, people.customer(now))
    code = db.session.scalars(select(Access.code)).one()

    answer = browser.get(f"/telechargements/{code}")
    listed = browser.get("/compte/telechargements")

    assert answer.status_code == 422
    assert "Une échéance n’est pas réglée" in answer.text
    assert "Une échéance n’est pas réglée" in listed.text
    assert code not in listed.text


def test_a_period_that_ends_meanwhile_opens_nothing_until_the_cause_is_lifted(
    app: Flask, now: datetime
) -> None:
    order_id = paying.transferred(ProductKind.DIGITAL_PRODUCT, now)
    worker.run_due(now)
    does(service.suspend, order_id, UNPAID, now)
    later = now + timedelta(days=20)

    worker.run_due(later)
    assert db.session.scalars(select(Access.opened_at)).one() is None

    does(service.resume, order_id, UNPAID, later)
    worker.run_due(later)
    assert db.session.scalars(select(Access.opened_at)).one() == later
    assert line().fulfilment is FulfilmentStatus.OPEN


def test_no_parcel_leaves_while_its_order_is_suspended(app: Flask, now: datetime) -> None:
    order_id = paying.transferred(ProductKind.PAPER_GUIDE, now)
    worker.run_due(now)
    does(service.suspend, order_id, UNPAID, now)

    for act in (
        lambda parcel: service.ship(parcel, "6A", now=now),
        lambda parcel: service.deliver(parcel, now=now),
    ):
        with pytest.raises(service.SupplyStopped) as refused, transaction():
            act(db.session.scalars(select(Shipment)).one())
        assert refused.value.details["causes"] == [UNPAID]
    assert db.session.scalars(select(Shipment.shipped_at)).one() is None


def test_a_parcel_that_left_arrives(app: Flask, now: datetime) -> None:
    order_id = paying.transferred(ProductKind.PAPER_GUIDE, now)
    worker.run_due(now)
    with transaction():
        service.ship(db.session.scalars(select(Shipment)).one(), "6A", now=now)

    assert not does(service.suspend, order_id, UNPAID, now)
    with transaction():
        service.deliver(db.session.scalars(select(Shipment)).one(), now=now)

    assert line().fulfilment is FulfilmentStatus.DONE
    assert not does(service.revoke, order_id, "refused", now)
    assert line().fulfilment is FulfilmentStatus.DONE


def held(now: datetime, cause: uuid.UUID) -> None:
    with transaction():
        lots = db.session.scalars(select(HourLot)).all()
        hours.hold(lots, 60, cause, on=paris_date(now), reason="DI-1", now=now)


def test_a_confirmed_appointment_keeps_its_hours_and_no_other_is_taken(
    app: Flask, now: datetime
) -> None:
    order_id = paying.transferred(ProductKind.HOUR_PACK, now)
    worker.run_due(now)
    appointment = uuid.uuid4()
    held(now, appointment)
    does(service.suspend, order_id, UNPAID, now)

    with pytest.raises(LotUnusable):
        held(now, uuid.uuid4())
    with transaction():
        lots = db.session.scalars(select(HourLot)).all()
        hours.use(lots, 60, appointment, on=paris_date(now), reason="DI-1", now=now)

    assert credits.balance(db.session.scalars(select(HourLot.id)).one()) == 120


def test_what_is_taken_back_never_returns(app: Flask, now: datetime) -> None:
    order_id = paying.transferred(ProductKind.HOUR_PACK, now)
    worker.run_due(now)
    does(service.suspend, order_id, UNPAID, now)

    taken = [does(service.revoke, order_id, DISPUTE, now) for _ in range(2)]
    does(service.resume, order_id, UNPAID, now)
    does(service.resume, order_id, DISPUTE, now)

    assert taken == [True, False]
    assert line().fulfilment is FulfilmentStatus.REVOKED
    assert credits.balance(db.session.scalars(select(HourLot.id)).one()) == 0
    with pytest.raises(LotUnusable):
        held(now, uuid.uuid4())


def test_hours_given_back_by_an_appointment_after_the_end_serve_nothing(
    app: Flask, now: datetime
) -> None:
    order_id = paying.transferred(ProductKind.HOUR_PACK, now)
    worker.run_due(now)
    appointment = uuid.uuid4()
    held(now, appointment)
    does(service.revoke, order_id, "refused", now)

    with transaction():
        hours.release(appointment, reason="DI-1", now=now)

    with pytest.raises(LotUnusable):
        held(now, uuid.uuid4())


def test_a_seat_stays_taken_while_suspended_and_is_sold_again_once_taken_back(
    app: Flask, now: datetime
) -> None:
    order_id = paying.transferred(ProductKind.CLASSROOM_TRAINING, now, capacity=5)
    worker.run_due(now)

    does(service.suspend, order_id, UNPAID, now)
    assert db.session.scalars(select(Variant.available)).one() == 4

    does(service.revoke, order_id, "refused", now)
    assert db.session.scalars(select(Variant.available)).one() == 5


def test_a_subscription_taken_back_ends_and_opens_no_other_month(app: Flask, now: datetime) -> None:
    order_id = paying.transferred(ProductKind.SUPPORT_CONTRACT, now)
    worker.run_due(now)

    does(service.revoke, order_id, DISPUTE, now)
    worker.run_due(now + timedelta(days=40))

    (subscription,) = db.session.scalars(select(Subscription))
    assert subscription.status is SubscriptionStatus.ENDED
    assert len(subscription.periods) == 1


def test_a_month_that_begins_while_suspended_gives_hours_that_wait(
    app: Flask, now: datetime
) -> None:
    order_id = paying.transferred(ProductKind.SUPPORT_CONTRACT, now)
    does(service.suspend, order_id, DISPUTE, now)

    worker.run_due(now)

    assert db.session.scalars(select(HourLot)).one().suspended_at is not None
    does(service.resume, order_id, DISPUTE, now)
    assert db.session.scalars(select(HourLot)).one().suspended_at is None


def test_one_of_several_at_once_stops_it(app: Flask, now: datetime) -> None:
    order_id = paying.transferred(ProductKind.E_LEARNING, now)
    worker.run_due(now)

    given = at_once(app, lambda _: does(service.suspend, order_id, UNPAID, now), 4)

    assert sorted(map(str, given)) == ["False", "False", "False", "True"]
    assert len(rows()) == 1


def test_whatever_comes_together_the_line_is_stopped_as_long_as_a_cause_is_open(
    app: Flask, now: datetime
) -> None:
    order_id = paying.transferred(ProductKind.HOUR_PACK, now)
    worker.run_due(now)
    for round_ in range(4):
        does(service.suspend, order_id, UNPAID, now + timedelta(hours=round_))
        acts = ((service.resume, UNPAID), (service.suspend, DISPUTE))

        def act(number: int, acts: tuple = acts) -> bool:
            change, cause = acts[number]
            return does(change, order_id, cause, now)

        assert at_once(app, act, 2) == [True, True]
        assert line().fulfilment is FulfilmentStatus.SUSPENDED
        assert db.session.scalars(select(HourLot)).one().suspended_at is not None
        does(service.resume, order_id, DISPUTE, now)
        assert line().fulfilment is FulfilmentStatus.OPEN


def test_a_parcel_leaves_or_is_stopped_never_both(app: Flask, now: datetime) -> None:
    order_id = paying.transferred(ProductKind.PAPER_GUIDE, now)
    worker.run_due(now)

    def act(number: int) -> bool:
        if number:
            return does(service.suspend, order_id, UNPAID, now)
        with transaction():
            service.ship(db.session.scalars(select(Shipment)).one(), "6A", now=now)
        return True

    left, stopped = at_once(app, act, 2)

    sent = db.session.scalars(select(Shipment.shipped_at)).one() is not None
    assert sent is (left is True)
    assert sent is not (stopped is True)


def test_the_history_of_an_order_reads_in_the_journal(app: Flask, now: datetime) -> None:
    order_id = paying.transferred(ProductKind.E_LEARNING, now)
    worker.run_due(now)
    does(service.suspend, order_id, UNPAID, now)
    does(service.resume, order_id, UNPAID, now)
    reference = db.session.get_one(Order, order_id).reference
    browser = people.at_work(app, Role.SHOPKEEPER, now)

    page = browser.get(f"/gestion/commandes/{reference}").text

    for words in ("Arrêts de la fourniture", "Échéance non réglée", "fulfilment.suspended"):
        assert words in page
