"""Whatever happens to a lot, in whatever order: the balance is the sum, and never negative."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storefront.credits import queries, rules, service
from storefront.credits.models import HourLot
from storefront.credits.rules import EntryKind
from storefront.infra.db import db, transaction
from storefront.kernel.errors import Refusal
from storefront.orders.models import Order
from tests.credits.lots import bought

CAUSES = [uuid.uuid5(uuid.NAMESPACE_URL, str(number)) for number in range(4)]
LAST = date(2027, 11, 24)

acts = st.tuples(
    st.sampled_from(["hold", "release", "use", "deduct", "give_back", "expire", "prolong"]),
    st.sampled_from(CAUSES),
    st.integers(0, 200),
    st.integers(0, 500),  # days after the grant
)


@pytest.fixture
def order_id(app: Flask, now: datetime) -> uuid.UUID:
    with transaction():
        return bought(now).id


def _act(lots: list[HourLot], act: str, cause: uuid.UUID, minutes: int, at: datetime) -> None:
    common: dict[str, Any] = {"reason": "TK-1", "now": at}
    if act == "hold":
        service.hold(lots, minutes, cause, on=at.date(), **common)
    elif act == "release":
        service.release(cause, **common)
    elif act == "prolong":
        service.release(cause, usable_until=at.date() + timedelta(days=9), **common)
    elif act == "use":
        service.use(lots, minutes, cause, on=at.date(), **common)
    elif act == "deduct":
        service.deduct(lots[0], minutes, cause, **common)
    elif act == "give_back":
        service.give_back(lots[0], minutes, cause, **common)
    else:
        service.expire(lots[0].id, now=at)


def _check(lot_id: uuid.UUID) -> None:
    entries = queries.entries_of([lot_id])[lot_id]
    left = 0
    for number, entry in enumerate(entries, start=1):
        left += entry.minutes
        assert left >= 0, f"negative after movement {number}"
        assert entry.number == number
        assert entry.minutes == 0 or (entry.minutes > 0) is (entry.kind in rules.ADDING)
    assert queries.balance(lot_id) == left
    moved = [(entry.kind, entry.cause_id) for entry in entries]
    assert len(moved) == len(set(moved))
    for cause in CAUSES:
        held = rules.held_by(entries, cause)
        assert held is None or (EntryKind.USED, cause) not in moved


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.lists(acts, max_size=14),
    st.integers(0, 300),
    st.integers(0, 120),
    st.sampled_from([None, 60, 120]),
)
def test_no_sequence_makes_a_balance_negative_or_loses_a_minute(
    app: Flask,
    now: datetime,
    order_id: uuid.UUID,
    sequence: list[tuple[str, uuid.UUID, int, int]],
    first: int,
    second: int,
    limit: int | None,
):
    with transaction():
        line = db.session.get_one(Order, order_id).lines[0]
        lots = []
        for number, minutes in enumerate((first, second)):
            made = service.grant(
                line,
                line.order.user_id,
                minutes=minutes,
                expires_on=LAST - timedelta(days=60 * number),
                slice_minutes=60,
                reminder_days=(),
                period_number=uuid.uuid4().int % 2**40,
                now=now,
            )
            made.monthly_minutes = limit
            lots.append(made)
        ids = [made.id for made in lots]
    for act, cause, minutes, days in sequence:
        try:
            with transaction():
                lots = [db.session.get_one(HourLot, lot_id) for lot_id in ids]
                # Causes of other examples never hold anything here.
                own = uuid.uuid5(ids[0], str(cause))
                _act(lots, act, own, minutes, now + timedelta(days=days))
        except Refusal:
            pass
        except ValueError:
            assert act == "hold"  # of a cause that held before
        for lot_id in ids:
            _check(lot_id)
