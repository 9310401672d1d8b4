"""Two identical orders on either side of a new version: each goes by the text it accepted."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from sandbox.testing import RunningSandbox
from storefront.credits import queries as credits
from storefront.credits.models import HourLot
from storefront.credits.rules import Happens
from storefront.infra.db import db, transaction
from storefront.kernel.calendar import start_of_day
from storefront.kernel.moments import Moment
from storefront.orders.rules import BuyerKind
from storefront.timeline.rules import horizon
from tests import factories
from tests.tickets.desk import Desk
from tests.timeline import living
from tests.timeline.living import foreseen, lived

pytestmark = [pytest.mark.slow, pytest.mark.once]

PACK = living.SALES["hours"]._replace(buyer=BuyerKind.PROFESSIONAL)


def lot_of(order_id: uuid.UUID) -> HourLot:
    """The hours of an order as they are now."""
    db.session.rollback()
    return db.session.scalars(select(HourLot).where(HourLot.order_id == order_id)).one()


def works_twenty_minutes(desk: Desk, order_id: uuid.UUID, at: datetime) -> datetime:
    """An intervention on the hours of this order, reported when it is over."""
    lot = lot_of(order_id)
    desk.lot_id, desk.client_id = lot.id, lot.user_id
    desk.ticket_id = desk.open()
    intervention = desk.agreed(starts_at=at)
    stopped = desk.worked(intervention, minutes=20)
    desk.report(intervention, now=stopped)
    return stopped


def dates(moments: list[Moment], kind: Happens) -> list[date]:
    return [one.day for one in moments if one.kind is kind]


def test_each_order_lives_by_its_own_version_as_foreseen(
    app: Flask, sandbox: RunningSandbox, now: datetime
) -> None:
    with transaction():
        factories.terms(now)
    desk = Desk(now)
    before = living.buy(sandbox, "before", PACK, now)
    with transaction():
        factories.terms(
            now + timedelta(hours=2), hour_pack_validity_months=6, hour_slice_minutes=30
        )
    later = now + timedelta(hours=1)
    after = living.buy(sandbox, "after", PACK, later)

    works_twenty_minutes(desk, before, now + timedelta(days=2))
    reported = works_twenty_minutes(desk, after, now + timedelta(days=2, hours=2))

    assert [credits.balance(lot_of(one).id) for one in (before, after)] == [120, 150]
    until = horizon(now)
    said = [foreseen(order_id, reported, until) for order_id in (before, after)]
    assert dates(said[0], Happens.LAST_DAY) == [date(2027, 11, 24)]
    assert dates(said[1], Happens.LAST_DAY) == [date(2027, 5, 24)]

    done = app.test_cli_runner().invoke(args=["demo", "advance-to", "2028-11-25"])

    assert done.exit_code == 0, done.output
    assert until == start_of_day(date(2028, 11, 25))
    assert [lived(order_id, reported, until) for order_id in (before, after)] == said
