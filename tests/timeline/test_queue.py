"""The queue of deadlines says what the timelines of the orders say."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import Flask

from sandbox.testing import RunningSandbox
from storefront.infra.db import db, transaction
from storefront.instalments.rules import Happens as Debts
from storefront.kernel.moments import By
from storefront.subscriptions.rules import Happens as Months
from storefront.timeline import queries
from storefront.timeline.queries import SOURCES, Deadline, Wanted
from tests import factories
from tests.timeline import living

SOLD = ("hours", "training in parts", "renewed contract", "plan", "goods", "file")


def sell(sandbox: RunningSandbox, now: datetime) -> dict[str, str]:
    """One of several kinds; the names by reference."""
    with transaction():
        factories.terms(now)
    orders = {name: living.buy(sandbox, name, living.SALES[name], now) for name in SOLD}
    return {living.reference_of(order_id): name for name, order_id in orders.items()}


def found(now: datetime, **wanted: object) -> list[Deadline]:
    db.session.rollback()
    return queries.deadlines(SOURCES, now, Wanted(**wanted), limit=500)  # type: ignore[arg-type]


def test_the_queue_narrows_goes_on_and_agrees_with_every_timeline(
    app: Flask, sandbox: RunningSandbox, now: datetime
) -> None:
    names = sell(sandbox, now)
    queue = found(now)

    # It agrees with the timelines, and misses nothing that is next.
    said = {(one.order.reference, one.moment.kind, one.moment.day) for one in queue}
    foreseen, first = set(), set()
    for order_id in {one.order.id for one in queue}:
        coming = queries.of_order(order_id, now).coming
        foreseen |= {(one.reference, one.moment.kind, one.moment.day) for one in coming}
        first |= {(one.reference, one.moment.kind, one.moment.day) for one in coming[:1]}
    assert said <= foreseen
    assert first <= said
    assert {one.order.reference for one in queue} == set(names)
    assert [one.at for one in queue] == sorted(one.at for one in queue)

    # Page by page, each once.
    pages, after = list[Deadline](), ""
    while page := queries.deadlines(SOURCES, now, Wanted(), after=after, limit=3):
        pages += page
        after = page[-1].mark
    assert [one.mark for one in pages] == [one.mark for one in queue]
    marks = [one.mark for one in queries.deadlines(SOURCES, now, Wanted(), after="x_y")]
    assert marks == [one.mark for one in queue][:50]

    # By kind, by who acts, by words, by lateness.
    assert {one.moment.kind for one in found(now, kind=Debts.DEBIT)} == {Debts.DEBIT}
    assert {one.by for one in found(now, by=By.STAFF)} == {By.STAFF}
    reference = next(iter(names))
    assert {one.order.reference for one in found(now, text=reference)} == {reference}
    assert not found(now, text="%")
    assert not found(now, late=True)
    stopped = found(now + timedelta(days=40), late=True)
    assert {Debts.DEBIT, Months.PERIOD} <= {one.moment.kind for one in stopped}
    assert all(one.at <= now + timedelta(days=40) for one in stopped)
