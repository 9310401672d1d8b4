"""One button is one transaction: all of it is kept, or nothing."""

from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import StatementError

from storefront.infra import journal
from storefront.infra.db import db, transaction
from storefront.infra.journal import JournalEntry
from storefront.infra.numbering import Counter, next_number
from storefront.infra.throttle import Throttle

pytestmark = pytest.mark.usefixtures("app")


class Crash(Exception):
    pass


def do_everything_then_crash(now: datetime) -> None:
    with transaction() as session:
        next_number("T")
        row = Throttle(key="k", started_at=now, count=1)
        session.add(row)
        session.flush()
        journal.record("test.done", session.get_one(Counter, "T"), {}, now=now)
        raise Crash


def test_nothing_of_a_block_that_fails_is_kept(now: datetime):
    with pytest.raises(Crash):
        do_everything_then_crash(now)
    assert db.session.get(Counter, "T") is None
    assert db.session.get(Throttle, "k") is None
    assert db.session.scalars(select(JournalEntry)).all() == []


def test_what_a_failed_block_wanted_in_the_journal_is_not_written_by_the_next(now: datetime):
    with pytest.raises(Crash):
        do_everything_then_crash(now)
    with transaction() as session:
        session.add(Throttle(key="other", started_at=now, count=1))
    assert db.session.scalars(select(JournalEntry)).all() == []


def open_two() -> None:
    with transaction(), transaction():
        pass


def test_transactions_do_not_nest():
    with pytest.raises(RuntimeError, match="do not nest"):
        open_two()


def test_a_block_decides_on_the_present_not_on_what_was_read_before(app: Flask, now: datetime):
    with transaction() as session:
        session.add(Throttle(key="k", started_at=now, count=1))
    read = db.session.get_one(Throttle, "k")
    with app.app_context(), transaction() as session:
        session.get_one(Throttle, "k").count = 5

    with transaction() as session:
        assert session.get_one(Throttle, "k").count == 5
        assert read.count == 5


def test_a_naive_instant_cannot_be_stored(now: datetime):
    with pytest.raises(StatementError, match="naive"), transaction() as session:
        session.add(Throttle(key="k", started_at=now.replace(tzinfo=None), count=1))
