"""Month after month: opened once, owed on its day, invoiced, and its minutes given (B-01, B-02)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from flask import Flask
from sqlalchemy import func, select

from sandbox.testing import RunningSandbox
from storefront import worker
from storefront.catalogue.rules import ProductKind
from storefront.credits.models import HourLot
from storefront.demo.travel import live_through
from storefront.infra.db import db, transaction
from storefront.instalments.models import PRICE, Instalment, InstalmentStatus
from storefront.instalments.rules import morning_of
from storefront.invoicing.models import Invoice
from storefront.notifications.models import Email
from storefront.orders.models import FulfilmentStatus
from storefront.orders.rules import BuyerKind
from storefront.subscriptions import queries, service
from storefront.subscriptions.models import Subscription, SubscriptionPeriod, SubscriptionStatus
from tests import paying
from tests.parallel import at_once

# A Sunday, the last day of a long month.
END_OF_JANUARY = datetime.fromisoformat("2027-01-31T15:00:00+01:00")


def subscription() -> Subscription:
    db.session.rollback()
    return db.session.scalars(select(Subscription)).one()


def periods() -> list[SubscriptionPeriod]:
    db.session.rollback()
    return list(db.session.scalars(select(SubscriptionPeriod).order_by(SubscriptionPeriod.number)))


def months_owed() -> list[Instalment]:
    db.session.rollback()
    later = select(Instalment).where(Instalment.schedule != PRICE).order_by(Instalment.rank)
    return list(db.session.scalars(later))


def live(start: datetime, until: datetime) -> None:
    for _ in live_through(start, until):
        pass


def test_the_thirty_first_comes_back_after_a_short_month(
    app: Flask, sandbox: RunningSandbox
) -> None:
    """SUB-03: debits on 31 January, 28 February, 31 March, 30 April."""
    paying.bought(sandbox, ProductKind.PLAN, END_OF_JANUARY, buyer=BuyerKind.PROFESSIONAL)

    live(END_OF_JANUARY, datetime.fromisoformat("2027-05-01T12:00:00+02:00"))

    assert [month.due_on for month in months_owed()] == [
        date(2027, 2, 28),
        date(2027, 3, 31),
        date(2027, 4, 30),
    ]
    assert {month.status for month in months_owed()} == {InstalmentStatus.PAID}
    assert [entry["amount"] for entry in sandbox.control("ledger")["stripe"]["taken"]] == [2490] * 4


def test_each_month_is_invoiced_and_the_invoice_sent(app: Flask, sandbox: RunningSandbox) -> None:
    paying.bought(sandbox, ProductKind.PLAN, END_OF_JANUARY, buyer=BuyerKind.PROFESSIONAL)

    live(END_OF_JANUARY, datetime.fromisoformat("2027-04-01T12:00:00+02:00"))

    numbers = list(db.session.scalars(select(Invoice.number).order_by(Invoice.sequence)))
    assert numbers == ["F-2027-000001", "F-2027-000002", "F-2027-000003"]
    sent = list(db.session.scalars(select(Email).where(Email.kind == "subscription_month")))
    assert sorted(email.attachments[0].document.filename for email in sent) == [
        "facture-F-2027-000002.pdf",
        "facture-F-2027-000003.pdf",
    ]
    assert "31 mars 2027" in max(sent, key=lambda email: email.queued_at).text


def test_an_outage_of_three_months_is_caught_up_once(app: Flask, sandbox: RunningSandbox) -> None:
    paying.bought(sandbox, ProductKind.PLAN, END_OF_JANUARY, buyer=BuyerKind.PROFESSIONAL)
    late = datetime.fromisoformat("2027-05-01T12:00:00+02:00")
    sandbox.control("clock", now=late.isoformat())

    worker.run_due(late)
    worker.run_due(late)

    assert [period.number for period in periods()] == [1, 2, 3, 4]
    assert len(sandbox.control("ledger")["stripe"]["taken"]) == 4


def test_two_workers_open_a_month_once(app: Flask, now: datetime) -> None:
    paying.transferred(ProductKind.PLAN, now, buyer=BuyerKind.PROFESSIONAL)
    worker.run_due(now)
    subscription_id = subscription().id
    db.session.rollback()
    due = morning_of(date(2026, 12, 24))

    def open_it(_number: int) -> int:
        with transaction():
            return service.open_next_months([subscription_id], now=due)

    outcomes = at_once(app, open_it, 4)

    assert sorted(map(str, outcomes)) == ["0", "0", "0", "1"]
    assert [period.number for period in periods()] == [1, 2]
    assert len(months_owed()) == 1


def test_a_month_is_not_opened_before_its_morning(app: Flask, now: datetime) -> None:
    paying.transferred(ProductKind.PLAN, now, buyer=BuyerKind.PROFESSIONAL)
    worker.run_due(now)
    morning = morning_of(date(2026, 12, 24))

    assert queries.next_opening_at() == morning
    worker.run_due(morning - timedelta(seconds=1))
    assert len(periods()) == 1


def test_a_committed_contract_is_debited_twelve_times_then_ends(
    app: Flask, sandbox: RunningSandbox, now: datetime
) -> None:
    """B-02, SUB-02: without tacit renewal it stops at its term; each paid month gives an hour."""
    paying.bought(sandbox, ProductKind.SUPPORT_CONTRACT, now)
    assert subscription().committed_until == date(2027, 11, 24)

    live(now, now + timedelta(days=400))

    assert subscription().status is SubscriptionStatus.ENDED
    assert subscription().order_line.fulfilment is FulfilmentStatus.DONE
    assert len(periods()) == 12
    assert len(sandbox.control("ledger")["stripe"]["taken"]) == 12
    lots = list(db.session.scalars(select(HourLot).order_by(HourLot.period_number)))
    assert [lot.period_number for lot in lots] == list(range(1, 13))
    assert [lot.expires_on for lot in lots[:2]] == [date(2026, 12, 23), date(2027, 1, 23)]
    assert all(lot.entries[0].minutes == 60 for lot in lots)
    assert db.session.scalar(select(func.count()).select_from(Invoice)) == 12
