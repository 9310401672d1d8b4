"""Claims on seats and stock (C-03), through the service, on the database."""

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from storefront.catalogue import jobs, service
from storefront.catalogue.models import Hold, HoldStatus, Variant
from storefront.catalogue.rules import ProductKind
from storefront.catalogue.service import SoldOut
from storefront.infra.db import db, transaction
from tests import factories

HALF_AN_HOUR = timedelta(minutes=30)


def limited(capacity: int) -> uuid.UUID:
    with transaction():
        return factories.product(ProductKind.PAPER_GUIDE, price=3900, capacity=capacity).id


def left(variant_id: uuid.UUID) -> int | None:
    available = db.session.scalar(select(Variant.available).where(Variant.id == variant_id))
    db.session.rollback()
    return available


def hold(claim_id, quantities, now, until=None):
    with transaction():
        service.hold(claim_id, quantities, until=until or now + HALF_AN_HOUR, now=now)


def test_a_claim_takes_from_what_is_left(app, now):
    guide = limited(3)
    hold(uuid.uuid4(), {guide: 2}, now)
    assert left(guide) == 1


def test_what_never_runs_out_needs_no_claim(app, now):
    with transaction():
        pack = factories.product(ProductKind.HOUR_PACK).id
    hold(uuid.uuid4(), {pack: 5}, now)
    assert db.session.scalars(select(Hold)).all() == []


def test_too_much_claims_nothing_at_all(app, now):
    plenty, scarce = limited(9), limited(1)
    with pytest.raises(SoldOut) as gone:
        hold(uuid.uuid4(), {plenty: 2, scarce: 2}, now)
    assert gone.value.details["variant_id"] == scarce
    assert gone.value.details["left"] == 1
    assert (left(plenty), left(scarce)) == (9, 1)


def test_holding_the_same_again_takes_nothing_more_and_lasts_longer(app, now):
    guide, claim = limited(3), uuid.uuid4()
    hold(claim, {guide: 2}, now)
    hold(claim, {guide: 2}, now, until=now + timedelta(hours=2))
    assert left(guide) == 1
    assert db.session.scalars(select(Hold.expires_at)).one() == now + timedelta(hours=2)


def test_holding_another_quantity_takes_or_gives_the_difference(app, now):
    guide, claim = limited(5), uuid.uuid4()
    hold(claim, {guide: 2}, now)
    hold(claim, {guide: 4}, now)
    assert left(guide) == 1
    hold(claim, {guide: 1}, now)
    assert left(guide) == 4


def test_an_expired_claim_gives_way_to_the_next_buyer(app, now):
    guide = limited(1)
    hold(uuid.uuid4(), {guide: 1}, now)
    later = now + HALF_AN_HOUR
    hold(uuid.uuid4(), {guide: 1}, later)
    assert left(guide) == 0
    assert sorted(db.session.scalars(select(Hold.status))) == ["held", "released"]


def test_a_claim_that_has_not_expired_does_not_give_way(app, now):
    guide = limited(1)
    hold(uuid.uuid4(), {guide: 1}, now)
    with pytest.raises(SoldOut):
        hold(uuid.uuid4(), {guide: 1}, now + HALF_AN_HOUR - timedelta(seconds=1))


def test_the_job_gives_back_what_nobody_paid_once(app, now):
    guide = limited(2)
    hold(uuid.uuid4(), {guide: 2}, now)
    job = jobs.JOBS[0]
    assert job.next_due() == now + HALF_AN_HOUR
    assert job.run(now) == 0
    assert job.run(now + HALF_AN_HOUR) == 1
    assert job.run(now + HALF_AN_HOUR) == 0
    assert left(guide) == 2
    assert job.next_due() is None


def test_a_settled_claim_never_expires(app, now):
    guide, claim = limited(1), uuid.uuid4()
    hold(claim, {guide: 1}, now)
    with transaction():
        service.settle_holds(claim, now=now)
    assert jobs.JOBS[0].run(now + timedelta(days=400)) == 0
    assert left(guide) == 0


def test_settling_a_lapsed_claim_takes_it_again_while_something_is_left(app, now):
    guide, claim = limited(1), uuid.uuid4()
    hold(claim, {guide: 1}, now)
    later = now + timedelta(hours=1)
    jobs.JOBS[0].run(later)
    with transaction():
        service.settle_holds(claim, now=later)
    assert left(guide) == 0
    assert db.session.scalars(select(Hold.status)).one() is HoldStatus.SETTLED


def test_settling_a_lapsed_claim_that_somebody_else_took_is_refused(app, now):
    guide, claim = limited(1), uuid.uuid4()
    hold(claim, {guide: 1}, now)
    later = now + timedelta(hours=1)
    hold(uuid.uuid4(), {guide: 1}, later)
    with pytest.raises(SoldOut), transaction():
        service.settle_holds(claim, now=later)
    assert left(guide) == 0


def test_releasing_gives_back_once_whatever_was_settled(app, now):
    guide, claim = limited(3), uuid.uuid4()
    hold(claim, {guide: 2}, now)
    with transaction():
        service.settle_holds(claim, now=now)
    for _ in range(2):
        with transaction():
            service.release_holds(claim)
        assert left(guide) == 3


def test_extending_touches_only_what_is_still_held(app, now):
    guide, claim = limited(3), uuid.uuid4()
    hold(claim, {guide: 1}, now)
    with transaction():
        service.extend_holds(claim, now + timedelta(hours=3))
        service.extend_holds(claim, now + timedelta(hours=1))
    assert db.session.scalars(select(Hold.expires_at)).one() == now + timedelta(hours=3)


def test_the_database_itself_refuses_to_oversell(app, now):
    guide = limited(1)
    with pytest.raises(IntegrityError), transaction() as session:
        session.get_one(Variant, guide).available = -1
