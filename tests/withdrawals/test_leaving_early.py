"""Leaving a commitment before its term, for a reason that staff find good or not (SUB-04, B-02)."""

from __future__ import annotations

import uuid
from datetime import date, datetime, time, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from storefront import worker
from storefront.catalogue.rules import ProductKind
from storefront.identity.models import Role
from storefront.infra.db import db, transaction
from storefront.kernel.calendar import paris_instant
from storefront.payments.models import Refund, RefundStatus
from storefront.subscriptions import service as subscriptions
from storefront.subscriptions.models import Subscription, SubscriptionStatus
from storefront.withdrawals import service
from storefront.withdrawals.models import CancellationRequest
from storefront.withdrawals.service import ReasonAlreadyDecided
from tests import paying
from tests.identity import people
from tests.withdrawals.declaring import CANCEL, declare, messages

COMMITTED: dict[str, object] = {"commitment_months": 12, "included_minutes": 60, "renewal": "tacit"}
UP_FRONT = {**COMMITTED, "billing_interval": "year"}
LOST_JOB = "la perte de votre emploi"
ONE = "/gestion/declarations/RES-2026-000001"


@pytest.fixture
def staff(app: Flask, now: datetime) -> FlaskClient:
    return people.at_work(app, Role.SHOPKEEPER, now)


def contract(now: datetime, features: dict[str, object] = COMMITTED) -> str:
    """A support contract that binds for twelve months, paid by its holder."""
    order_id = paying.transferred(
        ProductKind.SUPPORT_CONTRACT, now, features=features, provider="stripe"
    )
    worker.run_due(now)
    return the(order_id).order.reference


def the(order_id: object = None) -> Subscription:
    db.session.rollback()
    return db.session.scalars(select(Subscription)).one()


def request_id() -> object:
    return db.session.scalars(select(CancellationRequest.id)).one()


def leave(app: Flask, reference: str, **changes: str) -> None:
    """Its holder notifies the end, with a reason that the terms accept."""
    who = the().order
    typed = {"name": who.name, "email": who.email, "contract": reference, "reason": LOST_JOB}
    declare(app.test_client(), CANCEL, **{**typed, **changes})


def decide(staff: FlaskClient, decision: str, explanation: str = "") -> object:
    return staff.post(f"{ONE}/motif", data={"decision": decision, "explanation": explanation})


def test_a_good_reason_ends_the_contract_the_day_after_it_was_declared(
    app: Flask, staff: FlaskClient, now: datetime
):
    leave(app, contract(now - timedelta(days=10)))
    assert the().ends_on == date(2027, 11, 14)  # its term, until staff have decided
    assert "Motif à examiner" in staff.get("/gestion/declarations").text
    assert "Un motif de fin anticipée est à examiner" in staff.get(ONE).text

    assert decide(staff, "retenu").status_code == 303
    worker.run_due(now + timedelta(days=1))

    ended = the()
    assert (ended.status, ended.ends_on) == (SubscriptionStatus.ENDED, date(2026, 11, 25))
    (told,) = messages("cancellation_decided")
    assert "Ce motif est retenu" in told.text
    assert "dernier jour de service, mardi 24 novembre 2026" in told.text
    assert "Motif à examiner" not in staff.get("/gestion/declarations").text
    assert "Retenu" in staff.get(ONE).text


def test_what_was_paid_beyond_the_end_is_proposed_for_refund(
    app: Flask, staff: FlaskClient, now: datetime
):
    """A year up front, left after eleven days: 354 days of 365 go back."""
    leave(app, contract(now - timedelta(days=10), UP_FRONT))
    paid = the().gross_minor

    decide(staff, "retenu")
    worker.run_due(now + timedelta(days=1))

    (refund,) = db.session.scalars(select(Refund))
    assert refund.amount_minor == -(-paid * 354 // 365)
    assert refund.status is RefundStatus.PROPOSED


def test_a_wished_day_that_is_later_is_waited_for_and_can_be_taken_back(
    app: Flask, staff: FlaskClient, now: datetime
):
    leave(app, contract(now - timedelta(days=10)), wanted_on="2027-02-20")
    decide(staff, "retenu")
    assert the().ends_on == date(2027, 2, 20)

    with transaction():
        subscriptions.take_back(the().id, by=the().user_id, now=now)
    assert the().ends_on is None


def test_a_reason_that_is_not_good_leaves_the_term_and_says_why(
    app: Flask, staff: FlaskClient, now: datetime
):
    leave(app, contract(now - timedelta(days=10)))
    refused = decide(staff, "ecarte")
    assert refused.status_code == 422
    assert "Expliquez au client pourquoi" in refused.text

    decide(staff, "ecarte", "L’attestation date de l’an dernier.")

    assert the().ends_on == date(2027, 11, 14)
    (told,) = messages("cancellation_decided")
    for words in ("n’est pas retenu", "L’attestation date de l’an dernier.", "médiateur"):
        assert words in told.text
    assert "terme de votre engagement" in told.text


def test_nothing_chosen_keeps_what_was_written(app: Flask, staff: FlaskClient, now: datetime):
    leave(app, contract(now - timedelta(days=10)))
    page = decide(staff, "", "Vu le 24 novembre.")
    assert page.status_code == 422
    assert "Choisissez si le motif est retenu." in page.text
    assert "Vu le 24 novembre." in page.text


def test_a_second_decision_changes_nothing_and_says_so(
    app: Flask, staff: FlaskClient, now: datetime
):
    leave(app, contract(now - timedelta(days=10)))
    decide(staff, "retenu")

    again = decide(staff, "ecarte", "Trop tard.")

    assert again.status_code == 409
    assert "déjà tranché" in again.text
    assert the().ends_on == date(2026, 11, 25)
    assert len(messages("cancellation_decided")) == 1
    staff_id = people.staff(now).id
    with pytest.raises(ReasonAlreadyDecided), transaction():
        service.decide_reason(
            request_id(), accepted=True, explanation="", staff_id=staff_id, now=now
        )


def test_without_a_reason_or_a_contract_there_is_nothing_to_decide(
    app: Flask, staff: FlaskClient, now: datetime
):
    leave(app, contract(now - timedelta(days=10)), reason="")
    assert decide(staff, "retenu").status_code == 404
    declare(app.test_client(), CANCEL, contract="je ne sais plus", reason=LOST_JOB)
    other = "/gestion/declarations/RES-2026-000002"
    assert staff.post(f"{other}/motif", data={"decision": "retenu"}).status_code == 404


def test_a_contract_left_late_in_its_period_is_not_owed_what_follows(
    app: Flask, staff: FlaskClient, now: datetime
):
    """The decision comes after the next month was opened: that month is not due."""
    leave(app, contract(now - timedelta(days=10)))
    worker.run_due(paris_instant(date(2026, 12, 14), time(9)))
    assert len(the().periods) == 2

    decide(staff, "retenu")
    worker.run_due(now + timedelta(days=30))

    assert the().status is SubscriptionStatus.ENDED
    assert not the().periods[1].paid_at


def test_a_good_reason_found_after_the_wished_end_has_come_gives_the_rest_back_all_the_same(
    app: Flask, staff: FlaskClient, now: datetime
):
    """A year up front whose term comes while staff still wait: 354 days of 365 go back, once."""
    leave(app, contract(now - timedelta(days=10), UP_FRONT))
    over = paris_instant(date(2027, 11, 15), time(9))
    worker.run_due(over)
    assert (the().status, the().ends_on) == (SubscriptionStatus.ENDED, date(2027, 11, 14))

    by = people.staff(over).id
    for _ in range(2):
        with transaction():
            subscriptions.end_early(
                the().id,
                notified_on=date(2026, 11, 24),
                wanted_on=None,
                reason=LOST_JOB,
                cause_id=uuid.uuid4(),
                recorded_by=by,
                now=over,
            )
        worker.run_due(over)

    (refund,) = db.session.scalars(select(Refund))
    assert refund.amount_minor == -(-the().gross_minor * 354 // 365)
    assert the().ends_on == date(2027, 11, 14)
