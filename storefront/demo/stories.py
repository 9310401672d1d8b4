"""The stories of the demo's people, as steps in order of time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import partial
from typing import Any

from storefront.demo import people, purchases, support
from storefront.demo.content import FirstDay
from storefront.demo.people import Person
from storefront.demo.support import Request
from storefront.infra.seller import seller
from storefront.kernel.calendar import add_business_minutes, paris_instant

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
QUARTER = timedelta(minutes=15)
PAST = ("in_progress", "reported", "closed", "cancelled")
# Silence confirms a report after a day (I-07): one that still waits for the client is younger.
FRESH = timedelta(hours=20)


@dataclass(frozen=True)
class Step:
    """One act at one instant; `key` names it for ever."""

    at: datetime
    key: str
    act: Callable[[datetime], None]


class Diary:
    """The technician's appointments: the stories' own hours, moved where two would meet."""

    def __init__(self) -> None:
        self._taken: list[tuple[datetime, datetime]] = []

    def enter(self, wanted: datetime, minutes: int, *, over: bool) -> datetime:
        """The nearest free time: before the wanted one for what is over, after it otherwise."""
        length = minutes * MINUTE
        while any(wanted < end and start < wanted + length for start, end in self._taken):
            wanted += -QUARTER if over else QUARTER
        self._taken.append((wanted, wanted + length))
        return wanted


def steps(first_day: FirstDay) -> list[Step]:
    """Everything that the demo's people do, in order of time."""
    told: list[Step] = []
    requests: list[Request] = []
    for number, person in enumerate(people.people()):
        for rank, given in enumerate(person.story):
            key = f"{person.key}/{rank}"
            if "buys" in given:
                told += _purchase(first_day, key, person, given, number)
            else:
                requests.append(Request(key, person, given))
    diary = Diary()
    # Work that is under way is the one thing that cannot be moved.
    for request in sorted(requests, key=lambda one: one.given["state"] != "in_progress"):
        told += _request(first_day, request, diary)
    return sorted(told, key=lambda step: (step.at, step.key))


def _purchase(
    first_day: FirstDay, key: str, person: Person, given: dict[str, Any], card: int
) -> Iterator[Step]:
    at = first_day.past(-given["days_ago"], given["at"], ago=10 * MINUTE)

    def buy(now: datetime) -> None:
        purchases.buy(person, given, card=card, now=now)

    yield Step(at, f"{key}/1-buy", buy)
    later = (
        ("shipped_days_ago", "2-ship", "11:30", purchases.ship),
        ("delivered_days_ago", "3-deliver", "10:45", purchases.deliver),
        ("ended_days_ago", "4-end", "14:20", purchases.end),
    )
    for name, part, wall, act in later:
        if name in given:
            when = first_day.past(-given[name], wall, ago=5 * MINUTE)
            yield Step(when, f"{key}/{part}", partial(_at, act, person, given["buys"]))


def _at(act: Callable[..., None], person: Person, slug: str, now: datetime) -> None:
    act(person, slug, now=now)


def _request(first_day: FirstDay, request: Request, diary: Diary) -> Iterator[Step]:
    """A ticket up to its state: every step before it is told at its own time."""
    given, state = request.given, request.given["state"]
    now = first_day.now
    opened = first_day.past(-given["days_ago"], given["at"], ago=45 * MINUTE)
    answered = min(add_business_minutes(opened, 35, seller().opening_hours), now - 30 * MINUTE)
    starts = _appointment(first_day, given, opened, diary) if "appointment" in given else None
    if starts is not None and starts <= now:
        answered = min(answered, starts - 2 * HOUR)
    answered = max(answered, opened + MINUTE)

    def step(part: str, at: datetime, act: Callable[..., None]) -> Step:
        return Step(at, f"{request.key}/{part}", partial(act, request))

    yield step("1-open", opened, support.open_ticket)
    if state == "refused":
        yield step("2-refuse", answered, support.refuse)
    if "reply" in given:
        yield step("2-reply", answered, support.reply)
    if starts is None:
        return
    propose = partial(support.propose, request, starts)
    yield Step(answered + 4 * MINUTE, f"{request.key}/3-propose", propose)
    if state != "proposed":
        yield step("4-accept", answered + 20 * MINUTE, support.accept)
    if state == "cancelled":
        called_off = min(max(starts - 30 * HOUR, answered + HOUR), starts - QUARTER, now)
        yield step("5-call-off", called_off, support.call_off)
    if state in ("in_progress", "reported", "closed"):
        yield step("5-start", starts + _late_by(given, first_day, starts), support.start)
    if state in ("reported", "closed"):
        stopped = starts + given["worked_minutes"] * MINUTE
        yield step("6-stop", stopped, support.stop)
        yield step("7-report", stopped + 6 * MINUTE, support.report)
        if state == "closed":
            yield step("8-confirm", stopped + 45 * MINUTE, support.confirm)


def _late_by(given: dict[str, Any], first_day: FirstDay, starts: datetime) -> timedelta:
    """Work that is under way began when the story says; other work on time."""
    if "started_minutes_ago" not in given:
        return timedelta(0)
    began = first_day.now - int(given["started_minutes_ago"]) * MINUTE
    return began - starts


def _appointment(
    first_day: FirstDay, given: dict[str, Any], opened: datetime, diary: Diary
) -> datetime:
    """When the intervention of a story starts: on an open day, and where its state wants it.

    Work that is under way began a moment ago, a report that waits was made today at the
    latest, and what is over is over, on whatever day and at whatever hour the demo is loaded.
    """
    wanted, state, now = given["appointment"], given["state"], first_day.now
    day = first_day.open_day(wanted["in_days"])
    starts = paris_instant(day, time.fromisoformat(wanted["start"]))
    worked = given.get("worked_minutes", 0) * MINUTE
    over = starts + worked + HOUR <= now
    if state == "in_progress":
        starts = _quarter(now - given["started_minutes_ago"] * MINUTE)
    elif state == "reported" and not (over and now - starts - worked < FRESH):
        starts = _quarter(now - 3 * HOUR - worked)
    elif state in ("closed", "cancelled") and not over:
        starts = _quarter(opened + (now - opened) / 2)
    return diary.enter(starts, wanted["minutes"], over=state in PAST)


def _quarter(instant: datetime) -> datetime:
    """The quarter of an hour that has begun."""
    return instant.replace(minute=instant.minute - instant.minute % 15, second=0, microsecond=0)
