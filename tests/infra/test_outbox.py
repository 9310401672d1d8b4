"""What an event causes happens once, later if it cannot happen now, and alone."""

import os
import signal
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from storefront.app import create_app
from storefront.infra import outbox
from storefront.infra.config import Settings
from storefront.infra.db import db, transaction
from storefront.infra.outbox import (
    FIRST_RETRY,
    MAX_ATTEMPTS,
    TOGETHER,
    OutboxEntry,
    OutboxStatus,
)
from storefront.infra.throttle import Throttle
from storefront.kernel.events import Event
from tests.parallel import at_once


@dataclass(frozen=True)
class BellRang(Event):
    """Somebody is at the door."""

    visitor_id: uuid.UUID


class DoorStuck(Exception):
    pass


door: dict[str, bool | uuid.UUID] = {"stuck": False, "dying": False}


def open_door(event: BellRang, *, now: datetime) -> None:
    """Writes, then fails while the door is stuck, or kills its process while it is dying."""
    row = db.session.get(Throttle, f"opened:{event.visitor_id}")
    row = row or Throttle(key=f"opened:{event.visitor_id}", started_at=now, count=0)
    row.count += 1
    db.session.add(row)
    db.session.flush()
    if door["dying"]:
        os.kill(os.getpid(), signal.SIGKILL)
    if door["stuck"]:
        raise DoorStuck("the door does not open")


def bark(event: BellRang, *, now: datetime) -> None:
    db.session.add(Throttle(key=f"barked:{event.visitor_id}", started_at=now, count=1))


gates: list[int] = []


def open_gate(events: Sequence[BellRang], *, now: datetime) -> None:
    """Takes many events in one call, and one after the other when it fails."""
    gates.append(len(events))
    for one in events:
        db.session.add(Throttle(key=f"gate:{one.visitor_id}", started_at=now, count=1))
    db.session.flush()
    if door["stuck"] and any(one.visitor_id == door["stuck"] for one in events):
        raise DoorStuck("the gate does not open")


@pytest.fixture(autouse=True)
def house(app: Flask) -> Callable[[bool], None]:
    """A house with a door and a dog; call it to make the door stick."""
    outbox.subscribe(app, BellRang, open_door, bark)
    door.update(stuck=False, dying=False)
    return lambda sticks: door.update(stuck=sticks)


def ring(now: datetime) -> uuid.UUID:
    visitor = uuid.uuid4()
    with transaction():
        outbox.publish(BellRang(visitor), now=now)
    return visitor


def times(what: str, visitor: uuid.UUID) -> int:
    db.session.rollback()
    row = db.session.get(Throttle, f"{what}:{visitor}", populate_existing=True)
    return row.count if row else 0


def entry(reaction: Callable[..., None]) -> OutboxEntry:
    db.session.rollback()
    name = f"{reaction.__module__}.{reaction.__qualname__}"
    return db.session.scalars(select(OutboxEntry).where(OutboxEntry.reaction == name)).one()


def test_every_reaction_happens_once(now: datetime):
    visitor = ring(now)
    assert outbox.drain(now) == 2
    assert outbox.drain(now) == 0
    assert (times("opened", visitor), times("barked", visitor)) == (1, 1)


def test_nobody_hears_of_what_was_rolled_back(now: datetime):
    with pytest.raises(DoorStuck):
        ring_and_fail(now)
    assert outbox.drain(now) == 0


def ring_and_fail(now: datetime) -> None:
    with transaction():
        outbox.publish(BellRang(uuid.uuid4()), now=now)
        raise DoorStuck


@pytest.mark.reaction_fails
def test_a_reaction_that_fails_leaves_nothing_and_holds_up_nobody(
    now: datetime, house: Callable[[bool], None]
):
    house(True)
    visitor = ring(now)
    outbox.drain(now)

    assert (times("opened", visitor), times("barked", visitor)) == (0, 1)
    waiting = entry(open_door)
    assert waiting.status is OutboxStatus.PENDING
    assert waiting.attempts == 1
    assert waiting.last_error == "DoorStuck: the door does not open"
    assert waiting.due_at == now + FIRST_RETRY


@pytest.mark.reaction_fails
def test_it_is_tried_again_after_a_while_alone(now: datetime, house: Callable[[bool], None]):
    house(True)
    visitor = ring(now)
    outbox.drain(now)
    house(False)

    assert outbox.drain(now + FIRST_RETRY - timedelta(seconds=1)) == 0
    assert outbox.drain(now + FIRST_RETRY) == 1
    assert (times("opened", visitor), times("barked", visitor)) == (1, 1)


@pytest.mark.reaction_fails
def test_it_is_given_up_in_sight_after_the_last_attempt(
    now: datetime, house: Callable[[bool], None]
):
    house(True)
    ring(now)
    instant: datetime | None = now
    while instant:
        outbox.drain(instant)
        db.session.rollback()
        instant = outbox.next_due()
    assert entry(open_door).status is OutboxStatus.FAILED
    assert entry(open_door).attempts == MAX_ATTEMPTS


@pytest.mark.reaction_fails
def test_a_reaction_that_nobody_answers_to_any_more_is_kept_in_sight(app: Flask, now: datetime):
    ring(now)
    del app.extensions["reactions"]["BellRang"]
    outbox.drain(now)
    assert "LookupError" in (entry(bark).last_error or "")
    assert entry(bark).status is OutboxStatus.PENDING


def test_several_workers_never_react_twice(app: Flask, now: datetime):
    visitors = [ring(now) for _ in range(10)]
    ran = at_once(app, lambda _: outbox.drain(now), 4)
    ran.append(outbox.drain(now))
    assert sum(map(int, ran)) == 20
    assert {times("opened", visitor) for visitor in visitors} == {1}


def test_a_worker_killed_half_way_changes_nothing_and_another_takes_over(
    settings: Settings, now: datetime
):
    visitor = ring(now)
    db.session.remove()
    db.engine.dispose()

    child = os.fork()
    if child == 0:
        door["dying"] = True
        worker = create_app(settings)
        with worker.app_context():
            outbox.subscribe(worker, BellRang, open_door, bark)
            outbox.drain(now)
        os._exit(0)
    _, status = os.waitpid(child, 0)

    assert os.WTERMSIG(status) == signal.SIGKILL
    assert times("opened", visitor) == 0
    outbox.drain(now)
    assert (times("opened", visitor), times("barked", visitor)) == (1, 1)


@pytest.mark.reaction_fails
def test_reactions_that_share_a_transaction_are_each_alone_when_one_fails(
    now: datetime, house: Callable[[bool], None]
):
    house(True)
    visitors = [ring(now) for _ in range(5)]

    assert outbox.drain(now) == 10

    assert [times("barked", visitor) for visitor in visitors] == [1] * 5
    assert [times("opened", visitor) for visitor in visitors] == [0] * 5


def test_a_request_reacts_to_its_own_events_and_leaves_older_ones_to_the_worker(now: datetime):
    older = ring(now - timedelta(minutes=1))
    own = ring(now)

    assert outbox.drain(now, since=now) == 2

    assert (times("barked", older), times("barked", own)) == (0, 1)


def test_a_reaction_that_takes_many_events_takes_them_in_one_call(app: Flask, now: datetime):
    outbox.subscribe(app, BellRang, open_gate, many=True)
    gates.clear()
    visitors = [ring(now) for _ in range(TOGETHER + 5)]

    assert outbox.drain(now) == 3 * len(visitors)

    assert gates == [len(visitors)]
    assert {times("gate", one) for one in visitors} == {1}
    assert {times("opened", one) for one in visitors} == {1}


@pytest.mark.reaction_fails
def test_one_event_among_many_that_fails_holds_up_no_other(app: Flask, now: datetime):
    outbox.subscribe(app, BellRang, open_gate, many=True)
    first, stuck, last = (ring(now) for _ in range(3))
    door["stuck"] = stuck

    outbox.drain(now)

    assert [times("gate", one) for one in (first, stuck, last)] == [1, 0, 1]
    failed = select(OutboxEntry).where(OutboxEntry.attempts == 1)
    waiting = {entry.reaction.rpartition(".")[2] for entry in db.session.scalars(failed)}
    assert "open_gate" in waiting
    door["stuck"] = False
    outbox.drain(now + FIRST_RETRY)
    assert [times("gate", one) for one in (first, stuck, last)] == [1, 1, 1]
