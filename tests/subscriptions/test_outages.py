"""Outages: credits computed for who was served, granted once, taken off the next debit (B-06)."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import event, select

from storefront import worker
from storefront.infra import journal
from storefront.infra.db import db, transaction
from storefront.instalments.models import Instalment
from storefront.instalments.rules import morning_of
from storefront.invoicing.models import CreditNote, Invoice
from storefront.kernel.errors import StaleWrite
from storefront.notifications.models import Email
from storefront.orders.models import Order
from storefront.payments import service as payments
from storefront.payments.models import Payment, PaymentStatus, Refund, RefundReason, RefundStatus
from storefront.subscriptions import jobs, service
from storefront.subscriptions.models import (
    Incident,
    OutageCreditStatus,
    Subscription,
    SubscriptionPeriod,
    SubscriptionStatus,
)
from storefront.subscriptions.queries import outages as queries
from storefront.subscriptions.rules.outages import Severity
from storefront.subscriptions.service import CreditsChanged, Granting, UnknownExceptions
from storefront.subscriptions.service.states import end, locked, move
from tests import factories
from tests.parallel import at_once
from tests.subscriptions.outages import (
    AFTER,
    HOUR,
    HOURS_80,
    OUTAGE,
    PRICE_MINOR,
    SECOND_MONTH,
    amounts,
    correct,
    credits,
    down,
    facts,
    grant,
    open_month,
    pay,
    subscribe,
)

MINUTE = timedelta(minutes=1)
PROPOSED, GRANTED = OutageCreditStatus.PROPOSED, OutageCreditStatus.GRANTED


def subscription(subscription_id: uuid.UUID) -> Subscription:
    db.session.rollback()
    return db.session.get_one(Subscription, subscription_id)


def reference(subscription_id: uuid.UUID) -> str:
    return subscription(subscription_id).order.reference


# What is proposed


def test_a_long_outage_proposes_a_part_of_the_price_to_who_was_served(
    app: Flask, now: datetime
) -> None:
    subscribe(now)
    down(AFTER)

    [credit] = credits()
    assert (credit.net_minor, credit.vat_minor, credit.gross_minor) == (1472, 295, HOURS_80)
    assert (credit.down_seconds, credit.period_seconds) == (80 * 3600, 30 * 24 * 3600)
    assert credit.status is PROPOSED


@pytest.mark.parametrize(
    ("length", "expected"), [(72 * HOUR, []), (72 * HOUR + MINUTE, [1590])], ids=["72h", "72h01"]
)
def test_only_more_than_the_hours_of_the_terms_count(
    app: Flask, now: datetime, length: timedelta, expected: list[int]
) -> None:
    subscribe(now)
    down(AFTER, facts(hours=length))

    assert amounts() == expected


def test_each_subscriber_has_the_hours_of_the_terms_they_accepted(
    app: Flask, now: datetime
) -> None:
    subscribe(now)
    with transaction():
        factories.terms(now + 2 * HOUR, outage_credit_hours=24)
    subscribe(now + 3 * HOUR, email="jean@exemple.example", terms=False)
    down(AFTER, facts(hours=30))

    [credit] = credits()
    assert credit.subscription.order.email == "jean@exemple.example"


def test_what_is_degraded_open_or_withdrawn_proposes_nothing(app: Flask, now: datetime) -> None:
    subscribe(now)
    down(AFTER, facts(severity=Severity.DEGRADED))
    with transaction():
        open_one = service.Facts("En panne", Severity.OUTAGE, OUTAGE, None, ())
        incident_id = service.declare_incident(uuid.uuid4(), open_one, by=None, now=AFTER).id
    worker.run_due(AFTER)
    assert credits() == []

    with transaction():
        service.close_incident(incident_id, OUTAGE + 80 * HOUR, seen=1, now=AFTER)
    worker.run_due(AFTER)
    assert amounts() == [HOURS_80]
    with pytest.raises(StaleWrite), transaction():
        service.close_incident(incident_id, OUTAGE + 81 * HOUR, seen=2, now=AFTER)

    with transaction():
        service.withdraw_incident(incident_id, reason="Erreur", seen=2, now=AFTER)
    worker.run_due(AFTER)
    assert credits() == []


def test_only_what_is_concerned_is_credited(app: Flask, now: datetime) -> None:
    one = subscribe(now, family="annuaire")
    other = subscribe(now, email="jean@exemple.example", family="agenda", terms=False)
    product = subscription(other).version.product_id

    down(AFTER, facts(concerns=["family:annuaire"]))
    assert [credit.subscription_id for credit in credits()] == [one]
    incident = down(AFTER, facts(start=OUTAGE - 80 * HOUR, concerns=[f"product:{product}"]))
    assert [credit.subscription_id for credit in credits() if credit.incident_id == incident] == [
        other
    ]


def test_a_free_plan_gets_nothing(app: Flask, now: datetime) -> None:
    subscription_id = subscribe(now)
    with transaction():
        period = subscription(subscription_id).periods[0]
        period.net_minor = period.vat_minor = period.gross_minor = 0
    down(AFTER)

    assert credits() == []


def test_a_stopped_or_ended_subscription_gets_the_time_it_ran(app: Flask, now: datetime) -> None:
    stopped = subscribe(now)
    ended = subscribe(now, email="jean@exemple.example", terms=False)
    with transaction():
        one = locked(stopped)
        move(one, SubscriptionStatus.PAST_DUE)
        move(one, SubscriptionStatus.SUSPENDED)
        journal.record("subscription.suspended", one, {}, now=OUTAGE + 20 * HOUR)
    with transaction():
        move(locked(stopped), SubscriptionStatus.ACTIVE)
        journal.record("subscription.resumed", locked(stopped), {}, now=OUTAGE + 30 * HOUR)
    with transaction():
        end(locked(ended), date(2026, 12, 3), "term", now=OUTAGE + 40 * HOUR)
    down(AFTER)

    assert {one.subscription_id: one.down_seconds // 3600 for one in credits()} == {
        stopped: 70,  # 80 but 10
        ended: 38,  # until the midnight of 3 December
    }


def test_a_subscriber_who_came_meanwhile_gets_what_they_missed(app: Flask, now: datetime) -> None:
    subscribe(OUTAGE + 50 * HOUR)
    down(AFTER)

    assert [one.down_seconds // 3600 for one in credits()] == [30]


def test_two_outages_that_overlap_are_one_and_count_once(app: Flask, now: datetime) -> None:
    subscribe(now)
    down(AFTER, facts(hours=40))
    assert credits() == []

    down(AFTER, facts(start=OUTAGE + 35 * HOUR, hours=40))

    assert [one.down_seconds // 3600 for one in credits()] == [40, 35]
    assert sum(amounts()) == 1656  # 159,00 × 75 ÷ 720 = 16,5625


def test_an_outage_over_two_months_gives_two_parts_the_second_once_it_is_paid(
    app: Flask, now: datetime
) -> None:
    subscribe(now)
    part = open_month(SECOND_MONTH)
    assert part is not None
    part_id, noon = part.id, datetime.fromisoformat("2026-12-28T12:00+01:00")
    down(noon, facts(start=datetime.fromisoformat("2026-12-22T00:00+01:00")))
    assert [one.down_seconds // 3600 for one in credits()] == [48]

    pay(part_id, noon)

    assert [one.down_seconds // 3600 for one in credits()] == [48, 32]
    assert amounts() == [1060, 684]  # 159,00 × 48 ÷ 720, and × 32 ÷ 744
    assert [one.period.number for one in credits()] == [1, 2]


def test_what_was_given_back_already_is_not_credited(app: Flask, now: datetime) -> None:
    subscribe(now)
    with transaction():
        payment = db.session.scalars(select(Payment)).one()
        cause = payments.Cause(RefundReason.GOODWILL, uuid.uuid4(), None)
        payments.reserve_refund(payment.id, PRICE_MINOR - 1000, cause, now=now)
    down(AFTER)

    assert amounts() == [1000]


def test_computing_again_changes_nothing_and_takes_few_statements(
    app: Flask, now: datetime
) -> None:
    """Many subscribers are read together: the statements do not grow with their number."""
    for number in range(4):
        subscribe(now, email=f"client{number}@exemple.example", terms=number == 0)
    incident_id = down(AFTER)
    before = [(one.id, one.gross_minor) for one in credits()]
    with transaction():
        db.session.get_one(Incident, incident_id).compute_at = AFTER
    asked: list[str] = []

    def note(*arguments: object) -> None:
        asked.append(str(arguments[2]))

    event.listen(db.engine, "before_cursor_execute", note)
    jobs.compute_outage_credits(AFTER)
    event.remove(db.engine, "before_cursor_execute", note)

    assert [(one.id, one.gross_minor) for one in credits()] == before
    assert len([one for one in asked if one.startswith("SELECT")]) < 25


# Corrections


def test_a_correction_computes_anew_what_is_only_proposed(app: Flask, now: datetime) -> None:
    subscribe(now)
    incident_id = down(AFTER)

    correct(incident_id, facts(hours=90), AFTER)
    assert amounts() == [1988]  # 159,00 × 90 ÷ 720 = 19,875
    correct(incident_id, facts(hours=10), AFTER)
    assert credits() == []
    kinds = [entry.kind for entry in journal.about([incident_id])]
    assert kinds.count("incident.corrected") == 2


def test_a_correction_after_the_grant_adds_or_leaves_it_as_it_is(app: Flask, now: datetime) -> None:
    subscribe(now)
    incident_id = down(AFTER)
    grant(incident_id, AFTER)

    correct(incident_id, facts(hours=75), AFTER)
    assert (amounts(GRANTED), amounts(PROPOSED)) == ([HOURS_80], [])
    correct(incident_id, facts(hours=90), AFTER)
    assert (amounts(GRANTED), amounts(PROPOSED)) == ([HOURS_80], [1988 - HOURS_80])
    grant(incident_id, AFTER)
    assert sum(amounts(GRANTED)) == 1988
    assert sorted(one.number for one in credits()) == [1, 2]


def test_what_was_granted_for_is_not_withdrawn(app: Flask, now: datetime) -> None:
    subscribe(now)
    incident_id = down(AFTER)
    grant(incident_id, AFTER)

    with pytest.raises(service.IncidentCredited), transaction():
        service.withdraw_incident(incident_id, reason="Erreur", seen=1, now=AFTER)


def test_a_page_that_showed_an_older_incident_is_refused(app: Flask, now: datetime) -> None:
    incident_id = down(AFTER)
    correct(incident_id, facts(hours=90), AFTER)

    with pytest.raises(StaleWrite), transaction():
        service.correct_incident(incident_id, facts(), reason="x", seen=1, now=AFTER)


# Granting


def test_two_members_of_staff_at_once_grant_once(app: Flask, now: datetime) -> None:
    subscribe(now)
    subscribe(now, email="jean@exemple.example", terms=False)
    incident_id = down(AFTER)
    seen = queries.proposal(incident_id)
    db.session.rollback()

    def work(_number: int) -> tuple[int, int]:
        with transaction():
            return service.grant_credits(incident_id, Granting(seen), by=None, now=AFTER)

    assert sorted(map(tuple, at_once(app, work, 3))) == [(0, 0), (0, 0), (2, 0)]
    assert amounts(GRANTED) == [HOURS_80, HOURS_80]
    kinds = [entry.kind for entry in journal.about([incident_id])]
    assert kinds.count("incident.credits_granted") == 1


def test_exceptions_are_named_by_their_order_and_told_nothing(app: Flask, now: datetime) -> None:
    subscribe(now)
    other = subscribe(now, email="jean@exemple.example", terms=False)
    incident_id = down(AFTER)
    with pytest.raises(UnknownExceptions):
        grant(incident_id, AFTER, exceptions=["inconnue"])

    assert grant(incident_id, AFTER, exceptions=[reference(other)]) == (1, 1)

    [declined] = credits(OutageCreditStatus.DECLINED)
    assert (declined.subscription_id, declined.reason) == (other, "Essai")
    told = db.session.scalars(select(Email).where(Email.kind == "outage_credit")).all()
    assert [email.recipient for email in told] == ["claire@exemple.example"]
    assert "17,67" in told[0].text
    correct(incident_id, facts(hours=80), AFTER)
    assert amounts(PROPOSED) == []


def test_what_changed_since_the_page_was_shown_is_not_granted_unseen(
    app: Flask, now: datetime
) -> None:
    subscribe(now)
    incident_id = down(AFTER)
    seen = queries.proposal(incident_id)
    correct(incident_id, facts(hours=90), AFTER)

    with pytest.raises(CreditsChanged), transaction():
        service.grant_credits(incident_id, Granting(seen), by=None, now=AFTER)


# Using


def test_a_granted_credit_reduces_the_next_debit_and_stands_on_its_invoice(
    app: Flask, now: datetime
) -> None:
    subscribe(now)
    grant(down(AFTER), AFTER)

    part = open_month(SECOND_MONTH)
    assert part is not None
    assert part.amount_minor == PRICE_MINOR - HOURS_80
    assert amounts(OutageCreditStatus.APPLIED) == [HOURS_80]
    pay(part.id, morning_of(SECOND_MONTH))

    invoice = db.session.scalars(select(Invoice).where(Invoice.cause != "order")).one()
    assert (invoice.net_minor, invoice.vat_minor) == (13250 - 1472, 2650 - 295)
    month, reduction = invoice.lines
    assert (month.gross_minor, reduction.gross_minor) == (PRICE_MINOR, -HOURS_80)
    assert reduction.vat_rate_bp == month.vat_rate_bp == 2000
    assert reduction.supplied_from == date(2026, 12, 1)
    assert reduction.supplied_to == date(2026, 12, 4)
    sent = db.session.scalars(select(Email).where(Email.kind == "subscription_month")).one()
    assert "Réduction" in sent.text
    third = open_month(date(2027, 1, 24))
    assert third is not None
    assert third.amount_minor == PRICE_MINOR


def test_a_credit_above_the_next_debit_is_carried_to_the_one_after(
    app: Flask, now: datetime
) -> None:
    """Nothing is debited, the month is paid all the same, and its invoice says so."""
    subscription_id = subscribe(now)
    grant(down(AFTER), AFTER)
    with transaction():
        one = locked(subscription_id)
        one.net_minor, one.vat_minor, one.gross_minor = 1000, 200, 1200

    assert open_month(SECOND_MONTH) is None

    [credit] = credits()
    assert (credit.status, credit.used_minor) == (GRANTED, 1200)
    second = subscription(subscription_id).periods[1]
    assert second.paid_at == morning_of(SECOND_MONTH)
    invoice = db.session.scalars(select(Invoice).where(Invoice.cause != "order")).one()
    assert (invoice.net_minor, invoice.vat_minor, invoice.total_minor) == (0, 0, 0)
    sent = db.session.scalars(select(Email).where(Email.kind == "subscription_month")).one()
    assert "Rien n’a été prélevé" in sent.text
    third = open_month(date(2027, 1, 24))
    assert third is not None
    assert third.amount_minor == 1200 - (HOURS_80 - 1200)
    [credit] = credits()
    assert credit.status is OutageCreditStatus.APPLIED
    assert sum(use.vat_minor for use in credit.uses) == credit.vat_minor
    assert [use.gross_minor for use in credit.uses] == [1200, HOURS_80 - 1200]


def test_a_refund_of_a_reduced_month_credits_what_was_paid(app: Flask, now: datetime) -> None:
    subscribe(now)
    grant(down(AFTER), AFTER)
    part = open_month(SECOND_MONTH)
    assert part is not None
    morning = morning_of(SECOND_MONTH)
    pay(part.id, morning)
    with transaction():
        payment = db.session.scalars(
            select(Payment).where(
                Payment.instalment_id == part.id, Payment.status == PaymentStatus.SUCCEEDED
            )
        ).one()
        cause = payments.Cause(RefundReason.GOODWILL, uuid.uuid4(), None)
        refund = payments.reserve_refund(payment.id, payment.taken_minor, cause, now=morning)
        payments.record_transfer(refund, "VIR-1", now=morning)
    worker.run_due(morning)

    note = db.session.scalars(select(CreditNote)).one()
    assert (note.total_minor, note.vat_minor) == (PRICE_MINOR - HOURS_80, 2650 - 295)
    assert len(note.lines) == 1


def test_the_rest_is_proposed_for_refund_once_no_debit_is_left(app: Flask, now: datetime) -> None:
    subscription_id = subscribe(now)
    incident_id = down(AFTER)
    with transaction():
        service.schedule_end(
            subscription_id,
            notified_on=AFTER.date(),
            wanted_on=None,
            cause_id=uuid.uuid4(),
            now=AFTER,
        )
    grant(incident_id, AFTER)
    worker.run_due(AFTER)

    refund = db.session.scalars(select(Refund)).one()
    assert (refund.amount_minor, refund.status) == (HOURS_80, RefundStatus.PROPOSED)
    assert refund.reason is RefundReason.NOT_SUPPLIED
    assert amounts(OutageCreditStatus.REFUNDED) == [HOURS_80]
    told = db.session.scalars(select(Email).where(Email.kind == "outage_credit")).one()
    assert "vous sera remboursée" in told.text
    open_month(SECOND_MONTH)
    assert subscription(subscription_id).status is SubscriptionStatus.ENDED
    owed = select(Instalment).where(Instalment.due_on == SECOND_MONTH)
    assert db.session.scalars(owed).all() == []


def test_a_contract_that_was_taken_back_is_settled_elsewhere(app: Flask, now: datetime) -> None:
    subscription_id = subscribe(now)
    incident_id = down(AFTER)
    assert amounts() == [HOURS_80]
    with transaction():
        db.session.get_one(Order, subscription(subscription_id).order_id).status = "cancelled"
        db.session.get_one(Incident, incident_id).compute_at = AFTER
    worker.run_due(AFTER)

    assert credits() == []


def test_nothing_of_a_period_is_credited_above_its_price(app: Flask, now: datetime) -> None:
    """Outage upon outage for the whole month: granted one by one, they come to its price."""
    subscribe(now)
    begin = datetime.fromisoformat("2026-11-20T00:00+01:00")
    late = datetime.fromisoformat("2026-12-28T12:00+01:00")
    for number in range(9):
        grant(down(late, facts(start=begin + number * 97 * HOUR, hours=96 + number % 2)), late)

    period = db.session.scalars(select(SubscriptionPeriod).filter_by(number=1)).one()
    total = sum(one.gross_minor for one in credits())
    assert total * 10 > PRICE_MINOR * 9
    assert total <= period.gross_minor
    assert len(credits()) > 5
