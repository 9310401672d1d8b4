"""When downloads and lessons open: after the confirmation, and when the law lets them (PRE-05)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from storefront import worker
from storefront.catalogue.rules import ProductKind
from storefront.fulfilment import rules
from storefront.fulfilment.models import Access
from storefront.infra import outbox
from storefront.infra.db import db
from storefront.kernel.calendar import paris_instant
from storefront.legal.models import AcceptanceKind
from storefront.notifications.models import Email
from storefront.notifications.rules import EmailStatus
from storefront.orders.models import FulfilmentStatus
from storefront.orders.rules import BuyerKind
from tests import paying

WAIVER = (AcceptanceKind.DIGITAL_WAIVER,)
EARLY_START = (AcceptanceKind.EARLY_START,)


def access() -> Access:
    db.session.rollback()
    return db.session.scalars(select(Access)).one()


def messages(kind: str) -> list[Email]:
    return list(db.session.scalars(select(Email).where(Email.kind == kind)))


def test_nothing_opens_before_the_confirmation_was_sent(app: Flask, now: datetime) -> None:
    """PRE-05: the consents are confirmed on a durable medium before anything starts."""
    paying.transferred(ProductKind.DIGITAL_PRODUCT, now, consents=WAIVER)

    outbox.drain(now)

    (confirmation,) = messages("order_confirmation")
    assert confirmation.status is EmailStatus.QUEUED
    assert access().opened_at is None
    assert messages("access_opened") == []

    worker.run_due(now + timedelta(minutes=3))

    assert access().opened_at == now + timedelta(minutes=3)


@pytest.mark.parametrize(
    ("kind", "consents"),
    [(ProductKind.DIGITAL_PRODUCT, WAIVER), (ProductKind.E_LEARNING, EARLY_START)],
)
def test_whoever_asked_for_it_gets_in_at_once(
    app: Flask, now: datetime, kind: ProductKind, consents: tuple[AcceptanceKind, ...]
) -> None:
    paying.transferred(kind, now, consents=consents)

    worker.run_due(now)

    assert access().opened_at == now
    assert access().order_line.fulfilment is FulfilmentStatus.OPEN
    (message,) = messages("access_opened")
    assert access().code in message.text


@pytest.mark.parametrize(
    ("kind", "consents"),
    [
        (ProductKind.DIGITAL_PRODUCT, ()),
        (ProductKind.DIGITAL_PRODUCT, EARLY_START),
        (ProductKind.E_LEARNING, ()),
        (ProductKind.E_LEARNING, WAIVER),
    ],
)
def test_without_the_right_request_it_opens_when_the_period_has_ended(
    app: Flask, now: datetime, kind: ProductKind, consents: tuple[AcceptanceKind, ...]
) -> None:
    """W-03: ordered on 24 November, withdrawn from until 8 December, open on the 9th at 0 h."""
    paying.transferred(kind, now, consents=consents)
    worker.run_due(now)
    midnight = datetime.fromisoformat("2026-12-09T00:00:00+01:00")

    worker.run_due(midnight - timedelta(seconds=1))
    assert access().opened_at is None
    assert access().order_line.fulfilment is FulfilmentStatus.WAITING
    assert worker.next_due(now) is not None
    worker.run_due(midnight)

    assert access().opened_at == midnight
    assert len(messages("access_opened")) == 1


def test_a_professional_has_no_period_to_wait_for(app: Flask, now: datetime) -> None:
    paying.transferred(ProductKind.DIGITAL_PRODUCT, now, buyer=BuyerKind.PROFESSIONAL)

    worker.run_due(now)

    assert access().opened_at == now


def test_three_files_open_together_and_are_told_of_in_one_message(
    app: Flask, now: datetime
) -> None:
    files = ["budget-mariage.csv", "deroule-jour-j.html", "retroplanning-mariage.csv"]
    paying.transferred(ProductKind.DIGITAL_PRODUCT, now, consents=WAIVER, features={"files": files})

    worker.run_due(now)

    opened = list(db.session.scalars(select(Access)))
    (message,) = messages("access_opened")
    assert [one.opened_at for one in opened] == [now] * 3
    assert all(f"/telechargements/{one.code}" in message.text for one in opened)


def test_two_rounds_open_once_and_tell_once(app: Flask, now: datetime) -> None:
    paying.transferred(ProductKind.DIGITAL_PRODUCT, now, consents=WAIVER)

    worker.run_due(now)
    worker.run_due(now + timedelta(days=30))

    assert access().opened_at == now
    assert len(messages("access_opened")) == 1


def test_a_confirmation_sent_after_the_period_opens_at_that_moment() -> None:
    """Nothing opens before the message, even when the period is long over."""
    ordered = datetime.fromisoformat("2026-11-24T10:00:00+01:00")
    sent = ordered + timedelta(days=20)
    last_day = (ordered + timedelta(days=14)).date()

    opens = rules.opens_at(
        confirmed_to_customer_at=sent, consented=False, withdrawal_until=last_day
    )

    assert opens == sent


def test_the_period_ends_at_midnight_in_paris_in_summer_too() -> None:
    sent = datetime.fromisoformat("2027-06-01T10:00:00+02:00")
    last_day = paris_instant(sent.date() + timedelta(days=14), sent.time()).date()

    opens = rules.opens_at(
        confirmed_to_customer_at=sent, consented=False, withdrawal_until=last_day
    )

    assert opens == datetime.fromisoformat("2027-06-16T00:00:00+02:00")
