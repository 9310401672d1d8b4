"""A billing run of many subscriptions asks the database about all of them at once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from flask import Flask
from sqlalchemy import event, func, select

from benchmarks.subscribers import make_subscribers
from benchmarks.subscriptions import AnswersAtOnce, only_billing
from storefront.infra import journal, outbox
from storefront.infra.db import db
from storefront.instalments.jobs import charge_due
from storefront.instalments.rules import morning_of
from storefront.kernel.calendar import add_months, paris_date
from storefront.payments.models import Payment, PaymentStatus
from storefront.subscriptions.jobs import open_months
from storefront.subscriptions.models import SubscriptionPeriod

MANY = 60


@contextmanager
def statements() -> Iterator[list[str]]:
    """What the database is asked meanwhile."""
    asked: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield asked
    event.remove(db.engine, "before_cursor_execute", note)


def test_many_months_are_opened_taken_and_noted_with_few_statements(
    app: Flask, now: datetime
) -> None:
    make_subscribers(MANY, now)
    app.extensions["providers"] = {"stripe": AnswersAtOnce()}
    only_billing(app)
    unrecorded = {one.reason for one in journal.verify()}  # the orders are rows made as sets
    morning = morning_of(add_months(paris_date(now), 1))
    steps: tuple[tuple[Callable[[datetime], int], int], ...] = (
        (open_months, MANY),
        (charge_due, MANY),
        (outbox.drain, 3 * MANY),  # the part is paid, its arrears are over, the month is paid
    )

    for act, wanted in steps:
        with statements() as asked:
            assert act(morning) == wanted
        assert len(asked) < MANY, f"{act.__name__} asks about each"

    paid = select(func.count()).where(
        SubscriptionPeriod.number == 2, SubscriptionPeriod.paid_at.is_not(None)
    )
    assert db.session.scalar(paid) == MANY
    taken = select(func.count()).where(
        Payment.charge_reference.like("ch_%"), Payment.status == PaymentStatus.SUCCEEDED
    )
    assert db.session.scalar(taken) == MANY
    assert {one.reason for one in journal.verify()} == unrecorded
    assert [act(morning) for act, _ in steps] == [0, 0, 0]
