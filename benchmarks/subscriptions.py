"""The billing run of many subscriptions that are due on the same morning.

    .venv/bin/python -m benchmarks.subscriptions --subscriptions 100000

Measured is all that moves money: months are opened and owed, debits claimed, asked for and written
down, and paid months noted, with every lock, commit and journal entry that this takes. The provider
is an object of this process that answers at once. Invoices, e-mails and what else follows a payment
react to it later, at the worker's pace; they are switched off here.

Beside it, in the same run on the same database:

- the same rows as sets: what each table gained by the run (a period, an instalment, a payment,
  three reactions to come and five journal entries a subscription) is inserted by one
  `INSERT … SELECT` a table into a copy of it, indexes, checks and foreign keys included, in one
  transaction. That decides nothing, hashes nothing, and has no part in the eight updates that the
  run makes a subscription: it is the floor of what the database must do.
- how long pages take from the shop's own server, before the run and for as long as it lasts.

On PostgreSQL: `python3 -m tools.postgres .venv/bin/python -m benchmarks.subscriptions`.
"""

from __future__ import annotations

import argparse
import math
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from flask import Flask
from sqlalchemy import func, select

from benchmarks import pages, same_rows
from benchmarks.subscribers import make_subscribers
from storefront.app import create_app
from storefront.infra import outbox
from storefront.infra.db import db
from storefront.instalments import jobs as billing
from storefront.instalments.rules import morning_of
from storefront.kernel.calendar import add_months, paris_date
from storefront.payments.providers.base import (
    Capabilities,
    ChargeRequest,
    Outcome,
    OutcomeStatus,
)
from storefront.subscriptions import jobs as months
from storefront.subscriptions.models import SubscriptionPeriod
from tests.databases import NOW, copied, empty_template, make_settings

ROOT = Path(__file__).resolve().parents[1]
# What is part of the run; the rest (invoices, e-mails, hours) follows from the outbox.
BILLING = {
    "storefront.instalments.service.schedules.settle",
    "storefront.subscriptions.service.failures.note_paid",
    "storefront.arrears.service.note_paid",
}
QUIET_SECONDS = 10.0


class AnswersAtOnce:
    """A provider of this process: it takes every debit, and costs nothing."""

    key = "stripe"
    name_fr = "Carte bancaire"
    capabilities = Capabilities(
        saved_method=True, currencies=frozenset({"EUR"}), refund=True, guest=True
    )

    def charge(self, request: ChargeRequest) -> Outcome:
        """Taken."""
        reference = f"ch_{request.payment_id.hex}"
        return Outcome(OutcomeStatus.SUCCEEDED, request.amount, reference)


@contextmanager
def _server(app: Flask, folder: Path, url: str, now: datetime) -> Iterator[str]:
    """The shop's own web server on the same database, one worker."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "STOREFRONT_ENV": "test",
        "STOREFRONT_INSTANCE": str(folder),
        "STOREFRONT_DATABASE_URL": url,
        "STOREFRONT_SECRET_KEY": app.config["SETTINGS"].secret_key,
        "STOREFRONT_NOW": now.isoformat(),
    }
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1"]
    with (folder / "web.log").open("ab") as log:
        process = subprocess.Popen(
            [*command, "--port", str(port), "wsgi:app"],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _resident() -> int:
    """Megabytes of memory that this process has now."""
    kept = Path("/proc/self/statm").read_text().split()[1]
    return int(kept) * os.sysconf("SC_PAGE_SIZE") // 1_000_000


class Run:
    """The steps of the run, with the time and the memory that they took."""

    def __init__(self) -> None:
        self.memory = [_resident()]
        self.seconds: dict[str, float] = {}
        self.processor = time.process_time()

    def step(self, name: str, act: Callable[[], int]) -> int:
        """Do all that is due of one kind; returns how much that was."""
        started, done = time.monotonic(), 0
        while some := act():
            done += some
            self.look()
        self.seconds[name] = time.monotonic() - started
        return done

    def look(self) -> None:
        """Note how much memory is used."""
        self.memory.append(_resident())

    @property
    def whole(self) -> float:
        """Seconds of all the steps."""
        return sum(self.seconds.values())

    def report(self) -> None:
        """Print where the time went, and whether memory stayed flat."""
        for name, seconds in self.seconds.items():
            print(f"{name:<30} {seconds:>10.1f} s")
        tenth = self.memory[len(self.memory) // 10]
        print(f"seconds, of our processor      {self.whole:>10.1f} {self.processor:>10.1f}")
        print(
            f"memory, MB: first, tenth, last {self.memory[0]:>10} {tenth:>10} {self.memory[-1]:>10}"
        )
        print(f"memory at most, MB             {max(self.memory):>10}")


def only_billing(app: Flask) -> None:
    """Have this shop react to what belongs to the run alone."""
    reactions: Mapping[str, outbox._Subscription] = app.extensions["reactions"]
    for known in reactions.values():
        for name in set(known.reactions) - BILLING:
            del known.reactions[name]


def run(how_many: int) -> int:
    """Make the subscribers, bill them, and print the figures; 0 when every one was billed once."""
    with (
        tempfile.TemporaryDirectory() as name,
        empty_template(Path(name)) as template,
        copied(template, Path(name)) as url,
    ):
        app = create_app(make_settings(Path(name), url))
        with app.app_context():
            make_subscribers(how_many, NOW)
            app.extensions["providers"] = {"stripe": AnswersAtOnce()}
            only_billing(app)
            try:
                return _measured(app, Path(name), url, how_many)
            finally:
                db.session.remove()
                db.engine.dispose()


def _measured(app: Flask, folder: Path, url: str, how_many: int) -> int:
    morning = morning_of(add_months(paris_date(NOW), 1))
    before = same_rows.counted()
    with _server(app, folder, url, morning) as shop:
        shown = [f"{shop}/", f"{shop}/catalogue", f"{shop}/offres"]
        pages.measure(1, shown)
        quiet = pages.result(pages.start(QUIET_SECONDS, shown))
        busy, made = pages.start(math.inf, shown), Run()
        opened = made.step("months opened", lambda: months.open_months(morning))
        charged = made.step(
            "debits taken", lambda: billing.charge_due(morning, lambda *_: made.look())
        )
        noted = made.step("payments noted", lambda: outbox.drain(morning))
        made.processor = time.process_time() - made.processor
        busy.send_signal(signal.SIGINT)
        meanwhile, seconds = pages.result(busy), made.whole
    rows, alone = same_rows.insert_again(before)
    paid = db.session.scalar(
        select(func.count())
        .select_from(SubscriptionPeriod)
        .where(SubscriptionPeriod.number == 2, SubscriptionPeriod.paid_at.is_not(None))
    )
    print(f"database                       {db.engine.dialect.name:>10}")
    print(f"subscriptions due              {how_many:>10}")
    print(f"months opened, debits, notes   {opened:>10} {charged:>10} {noted:>10}")
    made.report()
    print(f"subscriptions a second         {how_many / seconds:>10.0f}")
    print(f"rows written                   {rows:>10}")
    print(f"rows a second                  {rows / seconds:>10.0f}")
    print(f"the same rows as sets, seconds {alone:>10.1f}")
    print(
        f"ratio, of our processor        {seconds / alone:>10.1f} {made.processor / alone:>10.1f}"
    )
    print(f"pages alone, ms p50, p99       {quiet.p50:>10.1f} {quiet.p99:>10.1f}")
    print(f"pages meanwhile, ms p50, p99   {meanwhile.p50:>10.1f} {meanwhile.p99:>10.1f}")
    return 0 if opened == charged == paid == how_many else 1


def main() -> int:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.subscriptions", description=__doc__)
    parser.add_argument("--subscriptions", type=int, default=100_000)
    return run(parser.parse_args().subscriptions)


if __name__ == "__main__":
    sys.exit(main())
