"""What comes of what is not paid, is ended or stands still is foreseen as well."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from sandbox.testing import RunningSandbox
from storefront.arrears.rules import DunningStep
from storefront.infra.db import db, transaction
from storefront.infra.outbox import OutboxEntry
from storefront.instalments.rules import Happens as Debts
from storefront.kernel.moments import By
from storefront.orders import service as orders
from storefront.orders.models import Order
from storefront.subscriptions import queries as subscriptions
from storefront.subscriptions import service
from storefront.subscriptions.rules import Happens as Months
from storefront.timeline import queries
from storefront.timeline.queries import SOURCES, Wanted
from tests import factories
from tests.paying import REFUSED_LATER
from tests.timeline import living
from tests.timeline.living import foreseen, lived

pytestmark = [pytest.mark.slow, pytest.mark.once]

REFUSED = ("training in parts", "plan", "contract")


def kinds(order_id: uuid.UUID, now: datetime, until: datetime) -> set[object]:
    return {one.kind for one in foreseen(order_id, now, until)}


def test_after_the_last_try_the_steps_of_the_terms_are_foreseen(
    app: Flask, sandbox: RunningSandbox, now: datetime
) -> None:
    with transaction():
        factories.terms(now)
    sold = {
        name: living.buy(sandbox, name, living.SALES[name], now, card=REFUSED_LATER)
        for name in REFUSED
    }
    # Until the day before the rest that fell due is tried, which this card refuses too.
    given_up, until = now + timedelta(days=40), now + timedelta(days=46)
    living.live(now, given_up)
    said = {name: foreseen(order_id, given_up, until) for name, order_id in sold.items()}

    assert DunningStep.ACCELERATION in {one.kind for one in said["training in parts"]}
    assert DunningStep.FORMAL_NOTICE in {one.kind for one in said["contract"]}
    queue = queries.deadlines(SOURCES, given_up, Wanted(by=By.CUSTOMER))
    assert {one.moment.kind for one in queue} == {Debts.TO_PAY}

    living.live(given_up, until)

    assert {name: lived(order_id, given_up, until) for name, order_id in sold.items()} == said
    assert not db.session.scalars(select(OutboxEntry).where(OutboxEntry.done_at.is_(None))).all()


def test_a_plan_that_is_not_paid_is_foreseen_to_stop(
    app: Flask, sandbox: RunningSandbox, now: datetime
) -> None:
    with transaction():
        factories.terms(now, debit_retry_days=[3])
    plan = living.buy(sandbox, "plan", living.SALES["plan"], now, card=REFUSED_LATER)
    given_up, until = now + timedelta(days=34), now + timedelta(days=60)
    living.live(now, given_up)
    said = foreseen(plan, given_up, until)

    assert Months.GRACE_END in {one.kind for one in said}
    living.live(given_up, until)

    assert lived(plan, given_up, until) == said


def test_an_end_that_its_holder_wants_is_foreseen_to_the_instant(
    app: Flask, sandbox: RunningSandbox, now: datetime
) -> None:
    with transaction():
        factories.terms(now)
    plan = living.buy(sandbox, "plan", living.SALES["plan"], now)
    (running,) = subscriptions.of_order(plan)
    with transaction():
        service.end_by_holder(running.id, notified_on=now.date(), now=now)
    until = now + timedelta(days=60)
    said = foreseen(plan, now, until)

    assert Months.END in {one.kind for one in said}
    done = {entry.moment.kind for entry in queries.of_order(plan, now).past}
    assert Months.END_KNOWN in done
    living.live(now, until)

    assert lived(plan, now, until) == said


def test_nothing_is_debited_while_a_withdrawal_waits_for_staff(
    app: Flask, sandbox: RunningSandbox, now: datetime
) -> None:
    with transaction():
        factories.terms(now)
    training = living.buy(sandbox, "training", living.SALES["training in parts"], now)
    until = now + timedelta(days=90)
    assert Debts.DEBIT in kinds(training, now, until)

    with transaction():
        orders.stop_debits(db.session.get_one(Order, training), now=now)

    assert Debts.DEBIT not in kinds(training, now, until)


def test_an_order_that_nobody_pays_is_foreseen_to_end(
    app: Flask, sandbox: RunningSandbox, now: datetime
) -> None:
    with transaction():
        factories.terms(now)
        order_id = factories.order(factories.product(), now=now).id
    until = now + timedelta(days=1)
    said = foreseen(order_id, now, until)
    living.live(now, until)

    assert len(said) == 1
    assert lived(order_id, now, until) == said
