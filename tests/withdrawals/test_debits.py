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
    staff = at_work(app, Role.SHOPKEEPER, now)
    page = f"/gestion/declarations/{declared.reference}"
    assert "Plus rien n’est prélevé" in staff.get(page).text
    assert staff.post(f"{page}/reprendre").status_code == 303
    assert "Plus rien n’est prélevé" not in staff.get(page).text
    live_until(sandbox, morning + timedelta(days=3))
    assert second().status is InstalmentStatus.PAID
    assert len(taken(sandbox)) == 2
