"""Two tabs, the worker and the bank at the same instant, on both databases (B-07)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

from flask import Flask
from sqlalchemy import select

from storefront import worker
from storefront.infra.db import db, transaction
from storefront.instalments import service as instalments
from storefront.kernel.errors import Refusal
from storefront.payments.models import Payment, Refund
from storefront.payments.providers.base import PAGE_LIFETIME, OutcomeStatus
from storefront.subscriptions import service
from storefront.subscriptions.models import ChangeStatus, Subscription
from tests.subscriptions.plans import (
    changes,
    choice,
    choose,
    periods,
    provider_says,
    subscribe,
    subscription,
)

HALF = datetime.fromisoformat("2026-12-09T00:00:00+01:00")
MORNING = datetime.fromisoformat("2026-12-24T06:00:00+01:00")


def together(app: Flask, *acts: Callable[[], Any]) -> list[Any]:
    """Run these at the same instant, each in a transaction of its own; a refusal is an answer."""
    barrier = Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        with app.app_context():
            barrier.wait(20)
            try:
                return act()
            except Refusal as refused:
                return refused

    with ThreadPoolExecutor(len(acts)) as threads:
        return list(threads.map(run, acts))


def click(subscription_id: Any, seen: service.Choice) -> Any:
    with transaction():
        made = service.choose(subscription_id, seen, expires_at=HALF + PAGE_LIFETIME, now=HALF)
        payment = None
        if made.instalment_id is not None:
            payment = instalments.pay_now(
                made.instalment_id, "stripe", expires_at=HALF + PAGE_LIFETIME, now=HALF
            ).id
        return made.id, payment


def test_two_tabs_at_once_are_one_upgrade_and_one_payment(app: Flask, now: datetime):
    subscription_id, seen = subscribe("essentiel", now), choice("premium", HALF)

    answers = together(app, *[lambda: click(subscription_id, seen)] * 4)

    assert len(set(answers)) == 1
    assert len(changes()) == 1
    asked = select(Payment).where(Payment.instalment_id == changes()[0].instalment_id)
    assert len(db.session.scalars(asked).all()) == 1


def test_of_two_plans_clicked_at_once_one_is_chosen(app: Flask, now: datetime):
    subscription_id = subscribe("essentiel", now)
    tabs = [choice(slug, HALF) for slug in ("premium", "atelier")]

    answers = together(app, *(lambda tab=tab: click(subscription_id, tab) for tab in tabs))

    refused = [one for one in answers if isinstance(one, Refusal)]
    assert [one.name for one in refused] == ["change_refused"]
    assert len(changes()) == 1


def test_the_worker_opens_the_period_while_the_change_is_taken_back(app: Flask, now: datetime):
    subscription_id = subscribe("premium", now)
    choose("essentiel", HALF)

    def take_back() -> bool:
        with transaction():
            return service.keep_plan(subscription_id, now=MORNING) is not None

    def work() -> bool:
        with transaction():
            return bool(service.open_next_months([subscription_id], now=MORNING))

    taken_back, *opened = together(app, take_back, work, work)

    assert sorted(opened) == [False, True]
    (change,), last = changes(), periods()[-1]
    expected = (ChangeStatus.TAKEN_BACK, 5880) if taken_back else (ChangeStatus.DONE, 2280)
    assert (change.status, last.gross_minor) == expected
    assert subscription().gross_minor == last.gross_minor


def test_money_comes_while_the_holder_takes_back_and_the_worker_gives_up(app: Flask, now: datetime):
    subscription_id = subscribe("essentiel", now)
    change = choose("premium", HALF)
    change_id, instalment_id = change.id, change.instalment_id
    late = HALF + timedelta(minutes=32)

    def pay() -> None:
        provider_says(instalment_id, OutcomeStatus.SUCCEEDED, late)

    def take_back() -> None:
        with transaction():
            service.keep_plan(subscription_id, now=late)

    def give_up() -> None:
        with transaction():
            service.lapse_change(change_id, now=late)

    together(app, pay, take_back, give_up)
    worker.run_due(late)

    db.session.rollback()
    found = db.session.scalars(select(Subscription)).one()
    (only,) = changes()
    if only.status is ChangeStatus.DONE:
        assert found.name == "Premium"
        assert refunds() == 0
    else:
        assert found.name == "Essentiel"
        assert refunds() == 1


def refunds() -> int:
    return len(db.session.scalars(select(Refund)).all())
