"""Thirteen months in one command: everything falls due on its day, and nothing breaks (X-04)."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from email import message_from_bytes, policy

import pytest
from sqlalchemy import select

from storefront import worker
from storefront.arrears.queries import cases_of_order
from storefront.arrears.rules import DunningStep, Outcome
from storefront.credits.models import CreditEntry, HourLot
from storefront.credits.rules import EntryKind
from storefront.infra import clock, journal
from storefront.infra.db import db
from storefront.infra.journal import JournalEntry
from storefront.infra.outbox import OutboxEntry, OutboxStatus
from storefront.instalments.models import PRICE, Instalment, InstalmentStatus
from storefront.instalments.rules import MORNING
from storefront.kernel.calendar import PARIS, paris_date
from storefront.notifications.models import Email
from storefront.notifications.rules import EmailStatus
from storefront.orders.models import FulfilmentStatus, Order
from storefront.payments.models import Payment, PaymentStatus
from storefront.subscriptions.models import Subscription, SubscriptionPeriod, SubscriptionStatus
from tests.demo.conftest import Demo

pytestmark = [pytest.mark.slow, pytest.mark.once]

# Her bank refuses every debit after the order; she pays by hand once her session is suspended.
REFUSED = "samira.nedjar@exemple.example"
REFUSED_MONTH = "gaspard.malivert@exemple.example"
LEFT = "tiphaine.ouvrard@exemple.example"
FAR = datetime.fromisoformat("2027-12-24T10:00:00+01:00")


@pytest.fixture(scope="module")
def travelled(demo: Demo) -> str:
    """What the journey said."""
    return demo.run("demo", "advance-to", "2027-12-24T10:00")


def emails_about(order_id: object, kind: str = "") -> list[Email]:
    found = select(Email).where(Email.order_id == order_id, Email.kind.startswith(kind))
    return sorted(db.session.scalars(found), key=lambda email: email.queued_at)


def unpaid_order() -> Order:
    """The order whose debits are refused."""
    found = select(Order).join(Instalment).where(Order.email == REFUSED, Instalment.rank == 2)
    return db.session.scalars(found).one()


def subscriptions_of(email: str) -> list[Subscription]:
    """Everything that somebody subscribed to."""
    return list(db.session.scalars(select(Subscription).join(Order).where(Order.email == email)))


def test_the_clock_stands_where_it_was_sent(demo: Demo, travelled: str) -> None:
    assert timedelta(0) <= clock.now() - FAR < timedelta(minutes=10)
    assert "24 décembre 2027" in travelled


def test_every_instalment_of_a_price_was_taken_on_its_morning(demo: Demo, travelled: str) -> None:
    parts = list(db.session.scalars(select(Instalment).where(Instalment.schedule == PRICE)))
    taken = [part for part in parts if part.order.email != REFUSED]

    assert len(taken) < len(parts)
    assert any(part.rank == 2 for part in taken)
    assert {part.status for part in parts} == {InstalmentStatus.PAID}
    for part in taken:
        assert part.paid_at is not None
        assert paris_date(part.paid_at) == part.due_on
        if part.rank > 1:
            assert part.paid_at.astimezone(PARIS).time() == MORNING
            announced = emails_about(part.order_id, "instalment_announced")
            assert announced, "a debit that was not announced"


def test_an_unpaid_part_lives_through_to_its_payment(demo: Demo, travelled: str) -> None:
    """M-04, SUB-06: reminded, put on notice, suspended, paid five days later, open again."""
    order = unpaid_order()
    (case,) = cases_of_order(order.id)
    suspended = case.act(DunningStep.SUSPENSION)
    assert suspended is not None
    told = [
        (email.kind, paris_date(email.queued_at))
        for email in emails_about(order.id)
        if email.kind.startswith(("instalment_", "arrears_"))
    ]
    paid_on = suspended.made_on + timedelta(days=5)

    assert [kind for kind, _ in told] == [
        "instalment_announced",
        *["instalment_failed"] * 4,
        "arrears_reminder",
        "arrears_formal_notice",
        "arrears_suspension",
        "instalment_paid",
        "arrears_settled",
        *["instalment_announced", "instalment_paid"] * 2,  # by the card that she paid with
    ]
    assert told[7:10] == [
        ("arrears_suspension", suspended.made_on),
        ("instalment_paid", paid_on),
        ("arrears_settled", paid_on),
    ]
    assert case.outcome is Outcome.PAID
    assert order.lines[0].fulfilment is FulfilmentStatus.OPEN


def test_each_of_its_mails_can_be_read_in_the_local_mailbox(demo: Demo, travelled: str) -> None:
    order = unpaid_order()
    folder = demo.app.config["SETTINGS"].instance / "mail"
    kept = [
        message_from_bytes(path.read_bytes(), policy=policy.default)
        for path in sorted(folder.glob("*.eml"))
    ]
    read = [one["Subject"] for one in kept if order.reference in one["Subject"]]

    assert sorted(read) == sorted(email.subject for email in emails_about(order.id))


def test_the_money_taken_is_the_money_owed(demo: Demo, travelled: str) -> None:
    owed = sum(part.amount_minor for part in db.session.scalars(select(Instalment)))
    attempts = list(db.session.scalars(select(Payment)))
    by_transfer = sum(one.amount_minor for one in attempts if one.provider == "offline")
    ledger = demo.sandbox.control("ledger")
    taken = sum(entry["amount"] for name in ("stripe", "paypal") for entry in ledger[name]["taken"])
    declined = {one.order_id for one in attempts if one.status is not PaymentStatus.SUCCEEDED}
    late_months = {one.order_id for one in subscriptions_of(REFUSED_MONTH)}

    assert taken + by_transfer == owed
    assert declined == {unpaid_order().id, *late_months}


def test_a_month_that_was_refused_is_suspended_paid_and_back(demo: Demo, travelled: str) -> None:
    """B-04: told at once, suspended after its grace days, back by itself with the payment."""
    (found,) = subscriptions_of(REFUSED_MONTH)
    told = [
        email.kind
        for email in emails_about(found.order_id)
        if email.kind.startswith("subscription_") and email.kind != "subscription_month"
    ]

    assert told == ["subscription_past_due", "subscription_suspended", "subscription_resumed"]
    assert found.status is SubscriptionStatus.ACTIVE


def test_hours_expired_with_their_reminders(demo: Demo, travelled: str) -> None:
    """K-02, R-01: as many days before as the accepted terms say, then lost after the last day."""
    packs = [
        lot
        for lot in db.session.scalars(select(HourLot))
        if lot.reminder_days and not lot.single_use
    ]
    expired = [
        lot for lot in packs if any(entry.kind is EntryKind.EXPIRED for entry in lot.entries)
    ]

    assert len(expired) > 3
    assert {tuple(lot.reminder_days) for lot in expired} == {(60, 30, 7), (90, 60, 30, 7)}
    assert all(lot.expires_on < paris_date(clock.now()) for lot in packs)
    for lot in expired:
        last = next(entry for entry in lot.entries if entry.kind is EntryKind.EXPIRED)
        assert paris_date(last.at) == lot.expires_on + timedelta(days=1)
        assert sum(entry.minutes for entry in lot.entries) == 0
        told = [paris_date(mail.queued_at) for mail in emails_about(lot.order_id, "hours_expiring")]
        assert [(lot.expires_on - day).days for day in told] == lot.reminder_days
        assert len(emails_about(lot.order_id, "hours_expired")) == 1


def test_plans_went_on_and_the_committed_contract_ended_at_its_term(
    demo: Demo, travelled: str
) -> None:
    subscriptions = list(db.session.scalars(select(Subscription)))
    support = next(one for one in subscriptions if one.committed_until)
    (left,) = subscriptions_of(LEFT)
    # A free plan gave way to the one that was bought after it.
    replaced = [one for one in subscriptions if not one.gross_minor and one.ended_at]
    plans = [one for one in subscriptions if one not in (support, left, *replaced)]

    assert support.status is SubscriptionStatus.ENDED
    assert len(support.periods) == 12
    assert left.status is SubscriptionStatus.ENDED
    assert replaced
    assert {one.status for one in plans} == {SubscriptionStatus.ACTIVE}
    for one in plans:
        days = [period.starts_on.day for period in one.periods]
        assert set(days) == {one.anchor_on.day}
        assert one.periods[-1].ends_on > paris_date(clock.now())
    assert all(
        period.paid_at is not None for period in db.session.scalars(select(SubscriptionPeriod))
    )


def test_the_waiting_lessons_opened_when_their_period_ended(demo: Demo, travelled: str) -> None:
    order = db.session.scalars(
        select(Order).where(Order.email == "ginette.ferrandini@exemple.example")
    ).first()
    assert order is not None
    (opened,) = emails_about(order.id, "access_opened")

    until = order.lines[0].withdrawal_until
    assert until is not None
    assert paris_date(opened.queued_at) == until + timedelta(days=1)
    assert opened.queued_at.astimezone(PARIS).hour == 0


def test_nothing_failed_on_the_way(demo: Demo, travelled: str) -> None:
    assert demo.complaints.heard == []
    assert set(db.session.scalars(select(OutboxEntry.status))) == {OutboxStatus.DONE}
    assert set(db.session.scalars(select(Email.status))) == {EmailStatus.SENT}
    assert not worker.run_due(clock.now())


def test_the_days_went_by_in_order(demo: Demo, travelled: str) -> None:
    instants = list(db.session.scalars(select(JournalEntry.at).order_by(JournalEntry.seq)))

    assert instants == sorted(instants)
    assert Counter(paris_date(instant) for instant in instants)[date(2027, 12, 24)] == 0


def test_the_proof_still_holds(demo: Demo, travelled: str) -> None:
    assert list(journal.verify()) == []
    assert sum(db.session.scalars(select(CreditEntry.minutes))) >= 0


def test_time_does_not_go_back(demo: Demo, travelled: str) -> None:
    done = demo.app.test_cli_runner().invoke(args=["demo", "advance-to", "2026-12-01"])

    assert done.exit_code == 2
    assert "only moves forward" in done.output
    assert clock.now() > FAR
