"""Whatever happens, in any order: our ledger is the provider's, to the cent.

A random walk through the real SDKs: orders are placed and paid, cards refuse, money goes back by
us and on the dashboard, disputes open and end, orders are refused, answers get lost, webhooks come
late, twice or never. After each walk everything is settled and both ledgers are compared.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from flask import Flask, current_app
from requests import HTTPError
from sqlalchemy import func, select

from sandbox.testing import RunningSandbox
from storefront import worker
from storefront.catalogue.rules import ProductKind
from storefront.infra import clock
from storefront.infra.db import db, transaction
from storefront.instalments.models import PRICE, Instalment
from storefront.invoicing.models import CreditNote, Invoice
from storefront.kernel.errors import Refusal
from storefront.orders.models import Order
from storefront.payments import jobs
from storefront.payments import service as payments
from storefront.payments.models import (
    Dispute,
    DisputeStatus,
    Payment,
    PaymentStatus,
    Refund,
    RefundStatus,
)
from storefront.refunds import queries, service
from tests import factories
from tests.payments.paid import Counter, cause, the

STEPS = 14


@dataclass
class Walk:
    """One random life of a shop with one provider; `says` tells what happened, should it fail."""

    counter: Counter
    chance: random.Random
    variant_id: uuid.UUID
    says: list[str] = field(default_factory=list)
    disputes: list[str] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        return clock.now()

    def payments(self) -> list[uuid.UUID]:
        db.session.rollback()
        paid = select(Payment.id).where(Payment.status == PaymentStatus.SUCCEEDED)
        return list(db.session.scalars(paid.order_by(Payment.created_at, Payment.id)))

    def pick(self) -> uuid.UUID | None:
        known = self.payments()
        return self.chance.choice(known) if known else None

    def buy(self) -> None:
        self.counter.now = self.now
        count = self.chance.choice([1, 1, 3])
        variant = db.session.get_one(factories.Variant, self.variant_id)
        self.counter.sold(variant=variant, count=count)

    def pay_again(self) -> None:
        if (paid := self.pick()) and self.counter.provider == "stripe":
            self.counter.now = self.now
            self.counter.pay(the(Payment, paid).order_id)

    def give_back(self) -> None:
        if paid := self.pick():
            amount = self.chance.choice([1, 333, 2000, 9000, 40000])
            with transaction():
                payments.reserve_refund(paid, amount, cause(), now=self.now)

    def give_back_by_hand(self) -> None:
        if paid := self.pick():
            self.counter.refund_by_hand(paid, self.chance.choice([1, 500, 5000]))
            self.tell("refund")

    def refuse(self) -> None:
        if paid := self.pick():
            order_id = the(Payment, paid).order_id
            with transaction():
                service.refuse_order(order_id, "Nous ne pouvons pas.", asked_by=None, now=self.now)

    def contest(self) -> None:
        if paid := self.pick():
            self.disputes.append(self.counter.contest(paid))
            self.tell("opened")

    def decide(self) -> None:
        if self.disputes:
            dispute = self.disputes.pop(self.chance.randrange(len(self.disputes)))
            self.counter.close(dispute, self.chance.choice(["won", "lost"]))
            self.tell("closed")

    def approve(self) -> None:
        db.session.rollback()
        proposed = select(Refund.id).where(Refund.status == RefundStatus.PROPOSED)
        for refund_id in db.session.scalars(proposed).all():
            with transaction():
                refund = payments.locked_refund(refund_id)
                payments.approve(refund, asked_by=None, now=self.now)

    def tell(self, what: str) -> None:
        """The webhook comes once, three times, or is lost; that of a dispute comes."""
        times = self.chance.choice([0, 1, 3])
        if what in ("opened", "closed"):
            times = max(times, 1)
        if times:
            self.counter.tell(what, times=times)

    def trouble(self) -> None:
        kind = self.chance.choice(["lost_answer", "error_after", "error", "closed"])
        self.counter.sandbox.control(
            "faults", kind=kind, count=self.chance.choice([1, 5]), status=500, path="/v*"
        )

    def wait(self) -> None:
        later = self.now + timedelta(hours=self.chance.choice([1, 30, 24 * 31]))
        current_app.extensions["clock"].move_to(later)
        self.counter.sandbox.control("clock", now=later.isoformat())
        worker.run_due(later)

    def step(self) -> None:
        acts: list[Callable[[], None]] = [
            *[self.buy, self.give_back, self.give_back_by_hand, self.contest, self.decide],
            *[self.pay_again, self.refuse, self.approve, self.trouble, self.wait, self.wait],
        ]
        act = self.chance.choice(acts)
        self.says.append(act.__name__)
        try:
            act()
        except (Refusal, jobs.ProviderUnavailable, AssertionError, HTTPError) as error:
            self.says.append(f"  {type(error).__name__}")
            db.session.rollback()

    def settle(self) -> None:
        """No more trouble; everything that is due is done, and what the provider knows is asked."""
        self.counter.sandbox.control("faults", "DELETE")
        for _ in range(4):
            self.counter.sandbox.control("clock", now=self.now.isoformat())
            for paid in self.payments():
                jobs.sync_refunds(paid, self.now)
            current_app.extensions["clock"].move_to(self.now + timedelta(hours=26))
            worker.run_due(self.now)
        db.session.rollback()


def total(column: object, *conditions: object) -> int:
    return int(db.session.scalar(select(func.coalesce(func.sum(column), 0)).where(*conditions)))


@pytest.mark.slow
@pytest.mark.parametrize("provider", ["stripe", "paypal"])
@pytest.mark.parametrize("seed", range(5))
def test_any_life_of_a_shop_leaves_both_ledgers_equal(
    app: Flask, sandbox: RunningSandbox, now: datetime, provider: str, seed: int
):
    with transaction():
        factories.terms(now)
        variant_id = factories.product(ProductKind.E_LEARNING, price=40001).id
    walk = Walk(Counter(sandbox, provider, now), random.Random(seed), variant_id)  # noqa: S311 no secret
    walk.buy()
    for _ in range(STEPS):
        walk.step()
    walk.settle()

    theirs = sandbox.control("ledger")[provider]["totals"].get("EUR", {})
    ours = {
        "taken": total(Payment.taken_minor),
        "refunded": total(Refund.amount_minor, Refund.status == RefundStatus.SUCCEEDED),
        "lost": total(Dispute.taken_back_minor, Dispute.status == DisputeStatus.LOST),
    }
    assert ours == theirs, walk.says
    for payment in db.session.scalars(select(Payment)):
        given = total(
            Refund.amount_minor,
            Refund.payment_id == payment.id,
            Refund.status.in_(queries.GOING),
        )
        assert given == payment.refunded_minor, walk.says
        assert payment.refunded_minor + payment.taken_back_minor <= payment.taken_minor
    for order in db.session.scalars(select(Order)):
        owed = total(
            Instalment.amount_minor, Instalment.order_id == order.id, Instalment.schedule == PRICE
        )
        assert owed == order.total_minor
        invoiced = total(Invoice.total_minor, Invoice.order_id == order.id)
        assert total(CreditNote.total_minor, CreditNote.order_id == order.id) <= invoiced
    open_refunds = select(Refund.status).where(Refund.status.in_(jobs.SENDABLE))
    assert db.session.scalars(open_refunds).all() == [], walk.says
    db.session.remove()
    assert app.test_cli_runner().invoke(args=["journal", "verify"]).exit_code == 0
