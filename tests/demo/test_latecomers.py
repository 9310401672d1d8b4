"""Somebody of the stories pays late, once, wherever the journey was interrupted before (X-04)."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from sandbox.testing import RunningSandbox
from storefront.arrears.models import DunningAct
from storefront.arrears.rules import DunningStep
from storefront.demo import latecomers, travel
from storefront.infra.db import db, transaction
from storefront.instalments import service as instalments
from storefront.instalments.models import InstalmentStatus
from storefront.kernel.calendar import paris_date
from storefront.payments import jobs as payments
from storefront.payments.models import Payment, PaymentStatus
from storefront.payments.providers.base import PAGE_LIFETIME
from tests import factories
from tests.plans import REFUSED_LATER, buy, emails, second, second_id, taken

SAMIRA = factories.buyer(name="Samira Nedjar", email="samira.nedjar@exemple.example")
HER_COURSE = "art-floral-en-atelier"


@pytest.fixture
def evening(app: Flask, sandbox: RunningSandbox, now: datetime) -> datetime:
    """When she pays, as her story says; what is due before is done, and she is suspended."""
    buy(sandbox, now, card=REFUSED_LATER, who=SAMIRA, slug=HER_COURSE)
    instant = now
    while not list(db.session.scalars(select(DunningAct).where(SUSPENDED))):
        instant += timedelta(days=5)
        live(now, instant)
    due = latecomers.next_due(instant)
    assert due is not None
    return due


SUSPENDED = DunningAct.step == DunningStep.SUSPENSION


def live(start: datetime, until: datetime) -> None:
    db.session.rollback()
    for _ in travel.live_through(start, until):
        pass
    db.session.rollback()


def page_of(payment_id: uuid.UUID, now: datetime) -> str:
    return payments.open_page(
        payment_id,
        email=SAMIRA.email,
        return_url="http://127.0.0.1:8000/retour",
        cancel_url="http://127.0.0.1:8000/annulation",
        now=now,
    )


def attempt(now: datetime) -> uuid.UUID:
    with transaction():
        part = second_id()
        return instalments.pay_now(part, "stripe", expires_at=now + PAGE_LIFETIME, now=now).id


def successes() -> int:
    db.session.rollback()
    found = select(Payment.id).where(Payment.status == PaymentStatus.SUCCEEDED)
    return len(db.session.scalars(found).all())


def test_she_pays_in_the_evening_of_the_fifth_day(evening: datetime) -> None:
    (suspended,) = db.session.scalars(select(DunningAct).where(SUSPENDED))
    assert paris_date(evening) == suspended.made_on + timedelta(days=5)

    live(evening - timedelta(days=1), evening - timedelta(minutes=1))
    assert second().status is InstalmentStatus.UNPAID
    live(evening, evening)

    assert second().status is InstalmentStatus.PAID
    assert emails("arrears_settled") == 1
    assert latecomers.next_due(evening - timedelta(days=30)) is None


@pytest.mark.parametrize("stopped_after", ["reserving", "opening", "paying", "asking"])
def test_a_journey_interrupted_at_that_moment_goes_on_and_pays_once(
    evening: datetime, sandbox: RunningSandbox, stopped_after: str
) -> None:
    travel.stand_in.set_clock(evening)
    payment_id = attempt(evening)
    if stopped_after != "reserving":
        page = page_of(payment_id, evening)
        if stopped_after != "opening":
            sandbox.pay_by_card(page)
        if stopped_after == "asking":
            payments.refresh(payment_id, evening)

    live(evening, evening + timedelta(days=3))

    assert second().status is InstalmentStatus.PAID
    assert (taken(sandbox), successes()) == ([19501, 19500], 2)
    assert emails("arrears_settled") == 1


def test_a_page_that_expired_in_the_interruption_is_not_the_one_that_is_paid(
    evening: datetime, sandbox: RunningSandbox
) -> None:
    travel.stand_in.set_clock(evening)
    page_of(attempt(evening), evening)

    later = evening + timedelta(days=1)
    live(later, later)

    assert second().status is InstalmentStatus.PAID
    assert taken(sandbox) == [19501, 19500]
