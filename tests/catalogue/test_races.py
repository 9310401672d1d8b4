"""Many buyers at once: nothing is sold twice, on both databases."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

from sqlalchemy import func, select

from storefront.catalogue import jobs, service
from storefront.catalogue.models import Hold, HoldStatus, Variant
from storefront.catalogue.rules import ProductKind
from storefront.catalogue.service import SoldOut
from storefront.infra.db import db, transaction
from tests import factories

BUYERS = 8


def at_once(app, act, count=BUYERS):
    """Run `act(rank)` in so many threads, each with its own connection; their answers."""
    barrier = Barrier(count)

    def run(rank: int):
        with app.app_context():
            try:
                barrier.wait(10)
                return act(rank)
            finally:
                db.session.remove()

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(run, range(count)))


def try_to_hold(quantities, now):
    def act(_rank: int) -> bool:
        try:
            with transaction():
                service.hold(uuid.uuid4(), quantities, until=now + timedelta(minutes=30), now=now)
        except SoldOut:
            return False
        return True

    return act


def test_the_last_seat_goes_to_one_of_eight_buyers(app, now):
    with transaction():
        seat = factories.product(ProductKind.PAPER_GUIDE, price=3900, capacity=1).id
    assert at_once(app, try_to_hold({seat: 1}, now)).count(True) == 1
    assert db.session.scalar(select(Variant.available)) == 0


def test_buyers_of_the_same_things_in_another_order_do_not_block_each_other(app, now):
    with transaction():
        ids = [
            factories.product(ProductKind.PAPER_GUIDE, price=3900, capacity=3).id for _ in range(3)
        ]

    def act(rank: int) -> bool:
        turned = ids[rank % 3 :] + ids[: rank % 3]
        return try_to_hold(dict.fromkeys(turned, 1), now)(rank)

    assert at_once(app, act).count(True) == 3
    assert set(db.session.scalars(select(Variant.available))) == {0}


def test_an_expired_claim_is_given_back_once_by_jobs_and_buyers_together(app, now):
    with transaction():
        seat = factories.product(ProductKind.PAPER_GUIDE, price=3900, capacity=2).id
        service.hold(uuid.uuid4(), {seat: 2}, until=now, now=now - timedelta(hours=1))

    def act(rank: int) -> bool:
        if rank % 2:
            jobs.release_expired_holds(now)
            return False
        return try_to_hold({seat: 1}, now)(rank)

    assert at_once(app, act).count(True) == 2
    held = select(func.sum(Hold.quantity)).where(Hold.status == HoldStatus.HELD)
    assert db.session.scalar(held) == 2
    assert db.session.scalar(select(Variant.available)) == 0
