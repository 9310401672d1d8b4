"""The billing run over many debits that are due at once.

    .venv/bin/python -m benchmarks.billing under-fire    killed ten times, the provider in trouble
    .venv/bin/python -m benchmarks.billing speed         how fast, beside the best that can be

Both print their figures. The first exits 1 unless every customer was charged exactly once or
stands in the state that the card leads to, and the provider's ledger is ours to the cent.
On PostgreSQL: `python3 -m tools.postgres .venv/bin/python -m benchmarks.billing …`.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import func, select

from benchmarks.debtors import SEED, Debtor, due_morning, make_debtors
from sandbox.testing import RunningSandbox
from storefront import worker
from storefront.app import create_app
from storefront.infra.db import db
from storefront.instalments import jobs
from storefront.instalments.models import Instalment
from storefront.payments.models import Payment, PaymentStatus
from tests.databases import NOW, copied, empty_template, make_settings

ROOT = Path(__file__).resolve().parents[1]
INTENTS = "/v1/payment_intents"
FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "timeout", "seconds": 0.5, "every": 20},  # 5 %: charged, and nobody is told
    {"kind": "error", "status": 503, "every": 20},  # 5 %: not charged
)
ANSWERS_IN = 0.05  # seconds
STEP = timedelta(minutes=20)
PATIENCE = 15.0  # seconds


@dataclass(frozen=True)
class Trial:
    """A shop, its provider, and where both keep what they know."""

    app: Flask
    sandbox: RunningSandbox
    folder: Path
    database_url: str

    def start_worker(self, step: int) -> subprocess.Popen[bytes]:
        """The shop's own worker, its clock some steps after the debits' morning."""
        return self.start("worker", now=due_morning(NOW) + step * STEP)

    def start(self, *command: str, now: datetime) -> subprocess.Popen[bytes]:
        """One of the shop's commands as a process; `now` is where its clock starts."""
        environment = {
            **os.environ,
            "STOREFRONT_ENV": "demo",
            "STOREFRONT_INSTANCE": str(self.folder),
            "STOREFRONT_DATABASE_URL": self.database_url,
            "STOREFRONT_STRIPE_API_BASE": self.sandbox.base_url,
            "STOREFRONT_PAYPAL_API_BASE": self.sandbox.base_url,
            "STOREFRONT_NOW": now.isoformat(),
        }
        with (self.folder / "commands.log").open("ab") as log:
            whole = [sys.executable, "-m", "flask", "--app", "wsgi", *command]
            return subprocess.Popen(whole, cwd=ROOT, env=environment, stdout=log, stderr=log)

    def taken(self) -> list[dict[str, Any]]:
        """What the provider took, in its own words."""
        found: list[dict[str, Any]] = self.sandbox.control("ledger")["stripe"]["taken"]
        return found


@contextmanager
def _provider(folder: Path) -> Iterator[RunningSandbox]:
    """The stand-in as a process of its own, which shares no interpreter with the shop."""
    log = folder / "requests.jsonl"
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--log", str(log)]
    process = subprocess.Popen(
        [*command, "--state", str(folder / "sandbox.sqlite3")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield RunningSandbox(process.stdout.readline().split()[-1], log)
    finally:
        process.terminate()
        process.wait()


@contextmanager
def trial() -> Iterator[Trial]:
    """An empty shop and its provider, gone at the end."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (
            _provider(folder) as sandbox,
            empty_template(folder) as template,
            copied(template, folder) as url,
        ):
            base = sandbox.base_url
            settings = make_settings(folder, url)
            app = create_app(replace(settings, stripe_api_base=base, paypal_api_base=base))
            with app.app_context():
                yield Trial(app, sandbox, folder, url)
                db.session.remove()
                db.engine.dispose()


def under_fire(how_many: int, kills: int, seed: int) -> int:
    """Kill the run again and again while its provider fails; then compare the two ledgers."""
    chance = random.Random(seed)
    with trial() as shop:
        shop.sandbox.control("clock", now=NOW.isoformat())
        debtors = make_debtors(how_many, shop.sandbox, NOW)
        db.session.remove()
        shop.sandbox.control("clock", now=due_morning(NOW).isoformat())
        for fault in FAULTS:
            shop.sandbox.control("faults", provider="stripe", path=INTENTS, count=-1, **fault)
        started = time.monotonic()
        for step in range(kills):
            _kill_in_the_middle(shop, step, how_many // (kills + 1), chance)
        shop.sandbox.control("faults", "DELETE")
        _run_to_the_end(shop)
        seconds = time.monotonic() - started
        return _report(shop, debtors, kills, seconds)


def _kill_in_the_middle(shop: Trial, step: int, some: int, chance: random.Random) -> None:
    """SIGKILL at a moment that nobody chose, once this start has charged somebody, or has found
    nothing more to charge."""
    taken = len(shop.taken())
    wanted = taken + chance.randint(1, max(some, 1))
    process = shop.start_worker(step)
    quiet_since = time.monotonic()
    while taken < wanted and time.monotonic() < quiet_since + PATIENCE:
        if taken < (taken := len(shop.taken())):
            quiet_since = time.monotonic()
        if process.poll() is not None:
            raise RuntimeError((shop.folder / "commands.log").read_text()[-2000:])
        time.sleep(0.01)
    time.sleep(chance.random() / 20)
    process.kill()
    process.wait()


def _run_to_the_end(shop: Trial) -> None:
    """The worker again, left alone; what was in doubt is asked when its time comes."""
    with shop.app.app_context():
        for hours in (4, 5, 12):
            worker.run_due(due_morning(NOW) + timedelta(hours=hours))


def _report(shop: Trial, debtors: Sequence[Debtor], kills: int, seconds: float) -> int:
    taken = shop.taken()
    by_payment = Counter(str(entry["metadata"]["payment_id"]) for entry in taken)
    with shop.app.app_context():
        states = dict(map(tuple, db.session.execute(select(Instalment.id, Instalment.status))))
        settled = db.session.execute(
            select(Payment.id, Payment.amount_minor).where(
                Payment.status == PaymentStatus.SUCCEEDED,
                Payment.charge_reference.not_like(f"{SEED}%"),
            )
        ).all()
        attempts = db.session.scalar(select(func.count()).select_from(Payment)) or 0
        db.session.remove()
    wrong = [debtor for debtor in debtors if states[debtor.instalment_id] is not debtor.leaves]
    twice = sum(count - 1 for count in by_payment.values())
    ours, theirs = sum(row.amount_minor for row in settled), sum(row["amount"] for row in taken)
    same = {str(row.id) for row in settled} == set(by_payment)
    reached = Counter(states[debtor.instalment_id].value for debtor in debtors)
    print(f"instalments due at once      {len(debtors):>8}")
    print(f"the run was killed           {kills:>8} times")
    print(f"requests that it took        {_requests(shop):>8}")
    print(f"attempts in our ledger       {attempts - len(debtors):>8}")
    for state, count in sorted(reached.items()):
        print(f"{state:<28} {count:>8}")
    print(f"in another state than due    {len(wrong):>8}")
    print(f"charged more than once       {twice:>8}")
    print(f"taken, by the provider       {theirs / 100:>11.2f} EUR")
    print(f"taken, by our ledger         {ours / 100:>11.2f} EUR")
    print(f"seconds, starts included     {seconds:>8.1f}")
    return 0 if not wrong and not twice and same and ours == theirs else 1


def _requests(shop: Trial) -> int:
    log = shop.sandbox.log
    lines = log.read_text().splitlines() if log else []
    return sum(f'"path": "{INTENTS}' in line for line in lines)


def speed(how_many: int) -> int:
    """Debits a second while the provider answers in 50 ms, beside what its answers alone allow."""
    with trial() as shop:
        shop.sandbox.control("clock", now=NOW.isoformat())
        make_debtors(how_many, shop.sandbox, NOW, only_good_cards=True)
        morning = due_morning(NOW)
        shop.sandbox.control("clock", now=morning.isoformat())
        shop.sandbox.control(
            "faults", provider="stripe", path="*", kind="delay", seconds=ANSWERS_IN, count=-1
        )
        started = time.monotonic()
        charged = jobs.charge_due(morning)
        seconds = time.monotonic() - started
        connections = shop.app.config["SETTINGS"].provider_connections
    best = connections / ANSWERS_IN
    rate = charged / seconds
    print(f"debits                       {charged:>8}")
    print(f"connections at once          {connections:>8}")
    print(f"debits a second              {rate:>8.1f}")
    print(f"best that the answers allow  {best:>8.1f}")
    print(f"share of the best            {rate / best:>8.0%}")
    return 0 if charged == how_many else 1


def main() -> int:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.billing", description=__doc__)
    parser.add_argument("what", choices=("under-fire", "speed"))
    parser.add_argument("--instalments", type=int)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    if given.what == "speed":
        return speed(given.instalments or 300)
    return under_fire(given.instalments or 1000, given.kills, given.seed)


if __name__ == "__main__":
    sys.exit(main())
