"""Loading the demo: its terms, shelves and staff, then every story at its own time.

The rooms' own services do everything, at the instants of the past at which it happened, and the
worker goes round between two steps: e-mails, invoices, debits and expiries come about by
themselves. At the end it is the present, and nothing is left to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from storefront.demo import incidents, people, progress, shelves, stand_in, stories, travel
from storefront.demo.content import CONTENT, FirstDay, read
from storefront.demo.stories import Step
from storefront.infra.db import db, transaction
from storefront.legal import service as legal


@dataclass(frozen=True)
class Loading:
    """A step of the loading: how many are behind, and how many there are."""

    told: int
    of: int


def load(clock: Callable[[], datetime]) -> Iterator[Loading]:
    """Tell what was not told yet, step by step; nothing when all of it was.

    `clock` is read at the beginning and at the end. Raises `NotInTheDemo`, `StandInSilent`.
    """
    travel.refuse_production()
    kept = progress.progress(clock())
    if kept.whole:
        return
    script = _script(FirstDay(kept.now))
    with stand_in.webhooks(drop=True):
        try:
            yield from _tell(script, kept, clock)
        finally:
            # The next command finds the stand-in at the shop's present.
            stand_in.set_clock(clock())


def _script(first_day: FirstDay) -> list[Step]:
    opening = [*_terms(first_day), *_the_shop(first_day)]
    return sorted(
        [*opening, *incidents.steps(first_day), *stories.steps(first_day), *_keys(first_day)],
        key=lambda step: (step.at, step.key),
    )


def _tell(
    script: list[Step], kept: progress.Progress, clock: Callable[[], datetime]
) -> Iterator[Loading]:
    known = set(kept.told)
    lived_until = max((step.at for step in script if step.key in known), default=script[0].at)
    for number, step in enumerate(script, start=1):
        if step.key in known:
            continue
        _live(lived_until, step.at)
        step.act(step.at)
        db.session.rollback()
        kept.note(step.key)
        lived_until = step.at
        yield Loading(number, len(script))
    _live(lived_until, clock())
    kept.whole = True
    kept.save()


def _live(start: datetime, until: datetime) -> None:
    for _ in travel.live_through(start, until):
        pass


def _terms(first_day: FirstDay) -> Iterator[Step]:
    """Each version on the day of its publication, the legal pages with the first."""
    published = read("terms/published.toml")["published"]
    oldest = max(one["days_ago"] for one in published)
    texts = [(f"terms/{one['file']}", one["days_ago"]) for one in published]
    texts += [(f"pages/{path.name}", oldest) for path in sorted((CONTENT / "pages").glob("*.md"))]
    for name, days_ago in texts:
        at = first_day.past(-days_ago, "08:00", ago=timedelta(hours=1))
        yield Step(at, f"0/{name}", partial(_publish, name))


def _publish(name: str, now: datetime) -> None:
    with transaction():
        legal.publish((CONTENT / name).read_text(encoding="utf-8"), now=now)


def _the_shop(first_day: FirstDay) -> Iterator[Step]:
    """Shelves and staff: there from the first day of the shop."""
    oldest = max(one["days_ago"] for one in read("terms/published.toml")["published"])
    at = first_day.instant(-oldest, "09:00")

    def fill(_now: datetime) -> None:
        with transaction():
            shelves.fill(first_day)

    yield Step(at, "1/shelves", fill)
    for person in people.people():
        if person.role.value != "customer":
            yield Step(at, f"2/{person.key}", partial(_hire, person))


def _hire(person: people.Person, now: datetime) -> None:
    with transaction():
        people.hire(person, now=now)


def _keys(first_day: FirstDay) -> Iterator[Step]:
    """The customers who can be tried out get a password, last of all."""
    for person in people.people():
        if person.signs_in and person.story:
            yield Step(first_day.now, f"zz/{person.key}", partial(_let_in, person))


def _let_in(person: people.Person, now: datetime) -> None:
    with transaction():
        people.let_in(person, now=now)
