"""What a paid order gives, for every kind of product, once."""

from __future__ import annotations

import uuid
from datetime import date, datetime

import pytest
from flask import Flask
from sqlalchemy import func, select

from storefront import worker
from storefront.catalogue.rules import ProductKind
from storefront.credits import queries as credits
from storefront.credits.models import HourLot
from storefront.fulfilment import service
from storefront.fulfilment.models import Access, Shipment
from storefront.infra.db import db, transaction
from storefront.notifications.models import Email
from storefront.orders.events import OrderConfirmed
from storefront.orders.models import FulfilmentStatus, Order
from storefront.subscriptions.models import Subscription
from tests import paying

GIVES = {
    ProductKind.CLASSROOM_TRAINING: (),
    ProductKind.E_LEARNING: (Access,),
    ProductKind.BUNDLE: (Access,),
    ProductKind.PAPER_GUIDE: (Shipment,),
    ProductKind.DIGITAL_PRODUCT: (Access,),
    ProductKind.TEMPLATE: (Access,),
    ProductKind.HOUR_PACK: (HourLot,),
    ProductKind.ONE_SHOT_PACK: (HourLot,),
    ProductKind.SUPPORT_CONTRACT: (Subscription, HourLot),
    ProductKind.PLAN: (Subscription,),
}
THINGS = (Access, Shipment, HourLot, Subscription)
WAITS = (
    ProductKind.E_LEARNING,
    ProductKind.BUNDLE,
    ProductKind.PAPER_GUIDE,
    ProductKind.DIGITAL_PRODUCT,
    ProductKind.TEMPLATE,
)


def given() -> dict[type, int]:
    db.session.rollback()
    counts = {
        thing: db.session.scalar(select(func.count()).select_from(thing)) or 0 for thing in THINGS
    }
    return {thing: count for thing, count in counts.items() if count}


def lot() -> HourLot:
    return db.session.scalars(select(HourLot)).one()


def test_every_kind_of_product_has_a_handler() -> None:
    """A kind without one would be sold and never supplied."""
    assert set(service.HANDLERS) == set(ProductKind)


def test_every_kind_of_product_is_tried_here() -> None:
    assert set(GIVES) == set(ProductKind)


@pytest.mark.parametrize("kind", list(ProductKind))
def test_a_paid_order_gives_what_its_kind_promises_once(
    app: Flask, now: datetime, kind: ProductKind
) -> None:
    order_id = paying.transferred(kind, now)

    worker.run_due(now)

    assert given() == dict.fromkeys(GIVES[kind], 1)
    (line,) = (one for one in db.session.get_one(Order, order_id).lines if one.kind)
    waits = FulfilmentStatus.WAITING if kind in WAITS else FulfilmentStatus.OPEN
    assert line.fulfilment is waits

    with transaction():
        service.prepare_order(OrderConfirmed(order_id), now=now)
    worker.run_due(now)

    assert given() == dict.fromkeys(GIVES[kind], 1), "prepared twice, given twice"


def test_nothing_is_given_before_the_money_is_there(app: Flask, now: datetime) -> None:
    paying.transferred(ProductKind.HOUR_PACK, now)

    assert given() == {}


def test_hours_are_valid_as_long_as_the_accepted_terms_say(app: Flask, now: datetime) -> None:
    """C-06, K-02: bought on 24 November 2026, usable until 24 November 2027."""
    paying.transferred(ProductKind.HOUR_PACK, now)

    worker.run_due(now)

    assert lot().expires_on == date(2027, 11, 24)
    assert lot().slice_minutes == 60
    assert credits.balance(lot().id) == 180


def test_three_packs_at_once_give_three_times_the_hours(app: Flask, now: datetime) -> None:
    paying.transferred(ProductKind.HOUR_PACK, now, quantity=3)

    worker.run_due(now)

    assert credits.balance(lot().id) == 3 * 180


def test_a_one_shot_pack_serves_once_and_counts_no_minutes(app: Flask, now: datetime) -> None:
    paying.transferred(ProductKind.ONE_SHOT_PACK, now)

    worker.run_due(now)

    assert lot().single_use
    assert credits.balance(lot().id) == 0


def test_the_parcel_starts_the_withdrawal_period_when_it_arrives(app: Flask, now: datetime) -> None:
    """W-01, WDR-02: none before, then 14 days from the delivery."""
    order_id = paying.transferred(ProductKind.PAPER_GUIDE, now)
    worker.run_due(now)
    assert _goods(order_id).withdrawal_until is None

    delivered_at = datetime.fromisoformat("2026-11-30T14:00:00+01:00")
    with transaction():
        parcel = db.session.scalars(select(Shipment)).one()
        service.ship(parcel, "6A00000000001", now=now)
        service.deliver(parcel, now=delivered_at)

    assert _goods(order_id).withdrawal_until == date(2026, 12, 14)
    assert _goods(order_id).fulfilment is FulfilmentStatus.DONE


def _goods(order_id: uuid.UUID):
    db.session.rollback()
    return next(line for line in db.session.get_one(Order, order_id).lines if line.kind)


def test_one_message_confirms_the_order_however_often_the_worker_goes_round(
    app: Flask, now: datetime
) -> None:
    paying.transferred(ProductKind.HOUR_PACK, now)

    worker.run_due(now)
    worker.run_due(now)

    confirmations = select(func.count()).where(Email.kind == "order_confirmation")
    assert db.session.scalar(confirmations) == 1
