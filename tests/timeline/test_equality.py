"""What is foreseen is what happens, event by event (X-04)."""

from __future__ import annotations

from datetime import date, datetime, time

import pytest
from flask import Flask

from sandbox.testing import RunningSandbox
from storefront.infra.db import transaction
from storefront.kernel.calendar import paris_instant
from storefront.timeline.rules import horizon
from tests import factories
from tests.timeline import living
from tests.timeline.living import foreseen, lived

pytestmark = [pytest.mark.slow, pytest.mark.once]

# Contracts that end within a year, and each way in which terms go on.
BINDING = ("contract", "short contract", "contract on request")
# The end of a month, a leap day, and the night before the clocks change.
HARD_DAYS = [
    paris_instant(date(2027, 1, 31), time(10)),
    paris_instant(date(2028, 2, 29), time(5, 30)),
    paris_instant(date(2026, 10, 24), time(23, 45)),
]
# Drawn by lot once, hours of the night included.
ANY_DAYS = [
    paris_instant(date(2027, 3, 27), time(23, 59)),
    paris_instant(date(2027, 8, 30), time(6)),
    paris_instant(date(2028, 12, 31), time(0, 1)),
]
ANY_SALES = ("hours", "training in parts", "file", "plan")
HARD_SALES = ("hours", "training in parts", "renewed contract")


def test_two_years_of_each_kind_are_as_they_were_foreseen(
    app: Flask, sandbox: RunningSandbox, now: datetime
) -> None:
    sales = {name: sale for name, sale in living.SALES.items() if name not in BINDING}

    _lives_as_foreseen(sandbox, sales, now, months=24)


def test_contracts_end_ask_and_are_renewed_as_foreseen(
    app: Flask, sandbox: RunningSandbox, now: datetime
) -> None:
    sales = {name: living.SALES[name] for name in BINDING}

    _lives_as_foreseen(sandbox, sales, now, months=13)


@pytest.mark.parametrize("start", HARD_DAYS, ids=lambda start: f"{start:%Y-%m-%d}")
def test_short_months_leap_days_and_changes_of_clock_are_foreseen(
    app: Flask, sandbox: RunningSandbox, start: datetime
) -> None:
    sales = {name: living.SALES[name] for name in HARD_SALES}

    _lives_as_foreseen(sandbox, sales, start, months=13)


@pytest.mark.parametrize("start", ANY_DAYS, ids=lambda start: f"{start:%Y-%m-%d-%H:%M}")
def test_whatever_the_day_and_the_hour_it_is_foreseen(
    app: Flask, sandbox: RunningSandbox, start: datetime
) -> None:
    sales = {name: living.SALES[name] for name in ANY_SALES}

    _lives_as_foreseen(sandbox, sales, start, months=7)


def _lives_as_foreseen(
    sandbox: RunningSandbox, sales: dict[str, living.Sale], start: datetime, *, months: int
) -> None:
    sandbox.control("clock", now=start.isoformat())
    with transaction():
        factories.terms(start)
    orders = {name: living.buy(sandbox, name, sale, start) for name, sale in sales.items()}
    until = horizon(start, months)
    said = {name: foreseen(order_id, start, until) for name, order_id in orders.items()}

    living.live(start, until)

    happened = {name: lived(order_id, start, until) for name, order_id in orders.items()}
    assert happened == said
