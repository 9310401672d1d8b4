"""A refused card, day after day, as the demo lives through it: each message once (SUB-06, M-04)."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta

from flask import Flask
from sqlalchemy import select

from sandbox.testing import RunningSandbox
from storefront import worker
from storefront.infra.db import db, transaction
from storefront.instalments import service as instalments
from storefront.instalments.models import InstalmentStatus
from storefront.instalments.rules import morning_of
from storefront.notifications.models import Email
from storefront.orders.models import FulfilmentStatus
from storefront.payments import jobs as payment_jobs
from storefront.payments.providers.base import PAGE_LIFETIME
from tests import plans
from tests.arrears import late

DUE = date(2026, 12, 24)
STOPPED = date(2027, 2, 8)


def travel(sandbox: RunningSandbox, start: datetime, target: datetime) -> None:
    """Everything that falls due on the way, at its own instant."""
    instant: datetime | None = start
    while instant is not None and instant < target:
        sandbox.control("clock", now=instant.isoformat())
        worker.run_due(instant)
        instant = worker.next_due(instant)
        db.session.rollback()
    sandbox.control("clock", now=target.isoformat())
    worker.run_due(target)


def messages() -> Counter[str]:
    db.session.rollback()
    kinds = Counter(db.session.scalars(select(Email.kind)))
    return Counter({kind: count for kind, count in kinds.items() if not kind.startswith("order")})


def test_a_refused_card_is_followed_to_the_suspension_and_paid_by_hand_everything_returns(
    app: Flask, sandbox: RunningSandbox, now: datetime
) -> None:
    plans.buy(sandbox, now, card=plans.REFUSED_LATER)
    travel(sandbox, now, morning_of(STOPPED) + timedelta(hours=1))

    assert late.acts() == [
        ("reminder", DUE + timedelta(days=10)),
        ("formal_notice", DUE + timedelta(days=15)),
        ("suspension", STOPPED),
    ]
    assert late.supply() is FulfilmentStatus.SUSPENDED
    told = messages()
    steps = ("reminder", "formal_notice", "suspension")
    assert [told[f"arrears_{step}"] for step in steps] == [1, 1, 1]
    assert told["instalment_failed"] == 4

    paid_at = morning_of(STOPPED + timedelta(days=4))
    pay_by_hand(sandbox, paid_at)
    travel(sandbox, paid_at, paid_at + timedelta(days=60))

    assert plans.second().status is InstalmentStatus.PAID
    assert late.supply() is FulfilmentStatus.OPEN
    after = messages() - told
    assert after["arrears_settled"] == 1
    assert not any(after[f"arrears_{step}"] for step in steps)
    assert [one["amount"] for one in sandbox.control("ledger")["stripe"]["taken"]] == [19501, 19500]


def pay_by_hand(sandbox: RunningSandbox, instant: datetime) -> None:
    """The link of the message: the provider's page, with another card."""
    owed_id = plans.second().id
    with transaction():
        payment = instalments.pay_now(
            owed_id, "stripe", expires_at=instant + PAGE_LIFETIME, now=instant
        )
        payment_id = payment.id
    sandbox.control("clock", now=instant.isoformat())
    url = payment_jobs.open_page(
        payment_id,
        email="claire@exemple.example",
        return_url="http://127.0.0.1:8000/retour",
        cancel_url="http://127.0.0.1:8000/annulation",
        now=instant,
    )
    sandbox.pay_by_card(url, "4242424242424242")
    payment_jobs.refresh(payment_id, instant)
