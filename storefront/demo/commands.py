"""`flask demo …`: load the demo, travel in time, say who can sign in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from time import monotonic

import click
from flask import current_app
from flask.cli import AppGroup

from storefront.demo import people, travel
from storefront.demo.load import load
from storefront.demo.progress import progress
from storefront.demo.stand_in import StandInSilent
from storefront.demo.summary import Tally, tally
from storefront.infra import clock
from storefront.infra.templating import datetime_fr
from storefront.kernel.calendar import PARIS, start_of_day

demo_commands = AppGroup("demo", help="A shop to try out: never in production.")


@contextmanager
def _plainly() -> Iterator[None]:
    """Say in plain words what stands in the way."""
    try:
        yield
    except (travel.NotInTheDemo, StandInSilent) as problem:
        raise click.ClickException(str(problem)) from problem


@demo_commands.command("load")
def load_command() -> None:
    """Fill the shop with the demo's catalogue, people and stories; once, however often asked."""
    with _plainly():
        travel.refuse_production()
        if progress(clock.now()).whole:
            click.echo("The demo is there already.")
            return
        _load()


def _load() -> None:
    started = monotonic()
    with click.progressbar(length=1000, label="Telling the demo's stories") as bar:
        for step in load(clock.now):
            bar.update(1000 * step.told // step.of - bar.pos)
    click.echo(f"The demo is loaded, in {monotonic() - started:.0f} seconds:")
    _say(tally())


@demo_commands.command("advance-to")
@click.argument("instant")
def advance_command(instant: str) -> None:
    """Live on to INSTANT, a date (2027-12-24) or an instant (2027-12-24T18:30).

    Everything that falls due on the way is done at its time, in order. Without an offset the
    instant is of the clock in Paris. Time only moves forward.
    """
    target, before = _instant(instant), tally()
    with _plainly():
        try:
            _travel(target)
        except ValueError as problem:
            here = clock.now().astimezone(PARIS).isoformat(timespec="minutes")
            raise click.UsageError(f"{problem}; it is {here} in the shop.") from problem
    click.echo(f"It is {datetime_fr(clock.now())}. On the way:")
    _say(tally() - before)


def _travel(target: datetime) -> None:
    """One line for every month that went by."""
    month, done = "", Counter[str]()
    for instant, at_once in travel.advance_to(target):
        this_month = f"{instant.astimezone(PARIS):%Y-%m}"
        if month not in ("", this_month):
            click.echo(f"  {month}  {_list(done)}")
            done = Counter()
        month, done = this_month, done + at_once
    if month:
        click.echo(f"  {month}  {_list(done)}")


def _list(done: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(done.items()))


def _say(tally: Tally) -> None:
    for line in tally.lines():
        click.echo(f"  {line}")


def _instant(text: str) -> datetime:
    """A civil date or an instant, in Paris unless an offset is given."""
    try:
        if len(text) == len("2027-12-24"):
            return start_of_day(date.fromisoformat(text))
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"{text!r} is not a date like 2027-12-24.") from None
    return instant if instant.tzinfo else instant.replace(tzinfo=PARIS)


@demo_commands.command("sign-ins")
def sign_ins_command() -> None:
    """Print who can sign in, and how."""
    with _plainly():
        travel.refuse_production()
    known = [person for person in people.people() if person.signs_in]
    width = max(len(person.email) for person in known)
    click.echo(f"Sign-ins, all with the password {people.PASSWORD}")
    for person in known:
        what = person.given.get("title") or person.given.get("company") or "cliente"
        click.echo(f"  {person.email:<{width}}  {person.name}, {what}")
    staff = next(person for person in known if person.role.value != "customer")
    click.echo("Staff also give a one-time code. The present one:")
    click.echo(f"  .venv/bin/flask --app wsgi demo code {staff.email}")


@demo_commands.command("code")
@click.argument("email")
def code_command(email: str) -> None:
    """Print the one-time code of EMAIL, which a telephone would show now."""
    with _plainly():
        travel.refuse_production()
    code = people.current_code(email, now=clock.now())
    if code is None:
        app = current_app.name
        raise click.ClickException(f"{email} has no second factor in {app}; see demo sign-ins.")
    click.echo(code)
