"""Who has withdrawn is debited no more, until staff find that the contract goes on (W-08)."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from sandbox.testing import RunningSandbox
from storefront.identity.models import Role
from storefront.infra.db import db
from storefront.instalments.models import InstalmentStatus
from storefront.instalments.rules import morning_of
from storefront.instalments.service import notice_of
from storefront.kernel.calendar import paris_date
from storefront.orders.models import Order
from tests.identity.people import at_work
from tests.plans import buy, live_until, second, taken
from tests.withdrawals.declaring import WITHDRAW, declare, withdrawals


def test_nothing_is_taken_after_a_withdrawal_until_staff_say_so(
    app: Flask, client: FlaskClient, sandbox: RunningSandbox, now: datetime
) -> None:
    buy(sandbox, now)
    reference = db.session.scalars(select(Order.reference)).one()
    declare(client, WITHDRAW, contract=reference)
    morning = morning_of(second().due_on)
    live_until(sandbox, morning + timedelta(days=2))
    assert second().status is InstalmentStatus.SCHEDULED
    assert len(taken(sandbox)) == 1

    (declared,) = withdrawals()
    later = morning + timedelta(days=2)
    app.extensions["clock"].move_to(later)
    staff = at_work(app, Role.SHOPKEEPER, later)
    page = f"/gestion/declarations/{declared.reference}"
    assert "Plus rien n’est prélevé" in staff.get(page).text
    assert staff.post(f"{page}/reprendre").status_code == 303
    assert "Plus rien n’est prélevé" not in staff.get(page).text
    # What came due meanwhile is announced before it is taken (M-03).
    resumed = second()
    assert (resumed.announce_on, resumed.announced_at) == (paris_date(later), None)
    assert resumed.next_attempt_on == paris_date(later) + notice_of(resumed.order)
    live_until(sandbox, morning_of(resumed.next_attempt_on) + timedelta(days=1))
    assert second().announced_at is not None
    assert second().status is InstalmentStatus.PAID
    assert len(taken(sandbox)) == 2
