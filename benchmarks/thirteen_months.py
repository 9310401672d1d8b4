"""Thirteen months of `demo advance-to` over subscriptions of all kinds; then again, killed.

    .venv/bin/python -m benchmarks.thirteen_months --subscriptions 2000 --kills 10

Contracts begin on every day of the month, 29 February included; each tenth of them has a card
that the bank refuses. Both runs print the same table, one line a kind, or the command exits 1;
so it does when a period was billed twice or not at all, an invoice is missing or wrong, the
provider's ledger is not ours to the cent, or the journal does not hold.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import date, timedelta
from multiprocessing import get_context
from typing import Any

from sqlalchemy import Select, func, select

from benchmarks.billing import Trial, trial
from benchmarks.contracts import DAYS, FIRST_DAY, SEED, Subscriber, at_ten, expected, make
from storefront.infra import journal
from storefront.infra.db import db
from storefront.infra.outbox import OutboxEntry, OutboxStatus
from storefront.invoicing.models import Invoice
from storefront.notifications.models import Email
from storefront.orders.models import Order
from storefront.payments.models import Payment, PaymentStatus
from storefront.subscriptions.models import Subscription

UNTIL = date(2029, 3, 31)


@dataclass
class Line:
    """What a kind of contract came to. Amounts in minor units."""

    contracts: int = 0
    periods: int = 0
    paid: int = 0
    invoices: int = 0
    invoiced: int = 0
    taken: int = 0
    states: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        states = ", ".join(f"{name} {count}" for name, count in sorted(self.states.items()))
        return (
            f"{self.contracts:>9} {self.periods:>8} {self.paid:>8} {self.invoices:>9} "
            f"{self.invoiced / 100:>13.2f} {self.taken / 100:>13.2f}  {states}"
        )


@dataclass
class Outcome:
    """A whole run: its table, and everything that is not as it must be."""

    table: dict[str, str]
    wrong: list[str]


def run(how_many: int, kills: int, seed: int) -> Outcome:
    """Make the contracts, live through the months, killed so many times, and count."""
    chance = random.Random(seed)
    with trial() as shop:
        started = time.monotonic()
        everybody = make(how_many, shop.sandbox)
        db.session.remove()
        made = time.monotonic()
        for _ in range(kills):
            _travel(shop, killed_after=chance.uniform(3, 3 + how_many / 20))
        while _travel(shop) != 0:
            pass
        print(
            f"{how_many} contracts made in {made - started:.0f} s, "
            f"lived through in {time.monotonic() - made:.0f} s, killed {kills} times",
            flush=True,
        )
        with shop.app.app_context():
            return _counted(shop, everybody)


def _travel(shop: Trial, killed_after: float | None = None) -> int | None:
    """`demo advance-to`, to its end or until it is killed at a moment that nobody chose."""
    start = at_ten(FIRST_DAY + timedelta(days=DAYS - 1)) + timedelta(hours=1)
    evening = at_ten(UNTIL) + timedelta(hours=10)
    process = shop.start("demo", "advance-to", evening.isoformat(), now=start)
    try:
        return process.wait(killed_after)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _counted(shop: Trial, everybody: Sequence[Subscriber]) -> Outcome:
    by_email = {f"client{one.number}@exemple.example": one for one in everybody}
    lines: dict[str, Line] = defaultdict(Line)
    wrong: list[str] = []
    invoices = _sums(
        select(Invoice.order_id, func.count(), func.sum(Invoice.total_minor)).group_by(
            Invoice.order_id
        )
    )
    took = _sums(
        select(Payment.order_id, func.count(), func.sum(Payment.taken_minor))
        .where(Payment.status == PaymentStatus.SUCCEEDED)
        .group_by(Payment.order_id)
    )
    rows = db.session.execute(
        select(Subscription, Order.email).join(Order, Order.id == Subscription.order_id)
    )
    for subscription, email in rows:
        one = by_email.pop(email)
        periods = subscription.periods
        paid = [period for period in periods if period.paid_at]
        count, invoiced = invoices.get(subscription.order_id, (0, 0))
        _, taken = took.get(subscription.order_id, (0, 0))
        line = lines[one.kind.name]
        line.contracts += 1
        line.periods += len(periods)
        line.paid += len(paid)
        line.invoices += count
        line.invoiced += invoiced
        line.taken += taken
        line.states[subscription.status.value] += 1
        must = expected(one, UNTIL)
        found = (len(periods), len(paid), subscription.status.value)
        if found != (must.periods, must.paid, must.status):
            wrong.append(f"{one}: {found} instead of {must}")
        if one.kind.price and (count, invoiced) != (len(paid), sum(p.gross_minor for p in paid)):
            wrong.append(f"{one}: {count} invoices of {invoiced} for {len(paid)} paid periods")
        if taken != invoiced:
            wrong.append(f"{one}: {taken} taken, {invoiced} invoiced")
    wrong += [f"{one}: no subscription" for one in by_email.values()]
    wrong += _ledgers(shop) + [str(one) for one in journal.verify()]
    failed = db.session.scalar(
        select(func.count())
        .select_from(OutboxEntry)
        .where(OutboxEntry.status != OutboxStatus.DONE, OutboxEntry.attempts > 0)
    )
    if failed:
        wrong.append(f"{failed} reactions failed")
    emails = db.session.scalar(select(func.count()).select_from(Email))
    table = {name: str(lines[name]) for name in sorted(lines)}
    return Outcome({**table, "e-mails": f"{emails:>9}"}, wrong)


def _sums(query: Select[Any]) -> dict[uuid.UUID, tuple[int, int]]:
    return {row[0]: (row[1], row[2]) for row in db.session.execute(query)}


def _ledgers(shop: Trial) -> list[str]:
    """Every debit of the provider is one of ours, once, of the same amount."""
    taken = shop.taken()
    theirs = Counter(str(entry["metadata"]["payment_id"]) for entry in taken)
    amounts = {str(entry["metadata"]["payment_id"]): entry["amount"] for entry in taken}
    ours = {
        str(row.id): row.amount_minor
        for row in db.session.execute(
            select(Payment.id, Payment.amount_minor).where(
                Payment.status == PaymentStatus.SUCCEEDED,
                Payment.charge_reference.not_like(f"{SEED}%"),
            )
        )
    }
    twice = [
        f"payment {name} was taken {count} times" for name, count in theirs.items() if count > 1
    ]
    return twice + ([] if amounts == ours else ["the provider's ledger is not ours"])


def main() -> int:
    """Read the command line, run, and compare."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.thirteen_months", description=__doc__
    )
    parser.add_argument("--subscriptions", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    # Side by side: each is a shop of its own, with a provider of its own.
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        asked = [pool.submit(run, given.subscriptions, k, given.seed) for k in (0, given.kills)]
        outcomes = [one.result() for one in asked]
    print(f"{'kind':<22}contracts  periods     paid  invoices      invoiced         taken  states")
    for name, line in outcomes[0].table.items():
        print(f"{name:<22}{line}")
    wrong = [problem for outcome in outcomes for problem in outcome.wrong]
    same = outcomes[0].table == outcomes[1].table
    print(f"{len(wrong)} wrong; the killed run gives {'the same' if same else 'ANOTHER'} table")
    print("\n".join(wrong[:20]))
    if not same:
        for name, line in outcomes[1].table.items():
            print(f"{name:<22}{line}")
    return 0 if same and not wrong else 1


if __name__ == "__main__":
    sys.exit(main())
