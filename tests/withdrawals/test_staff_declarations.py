"""Declarations as staff see them: what is late, what is due, which order is meant."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from storefront.catalogue.rules import ProductKind
from storefront.identity.models import Role
from storefront.infra.db import db, transaction
from storefront.kernel.calendar import PARIS
from storefront.orders.models import OrderLine
from storefront.subscriptions import service as subscriptions
from storefront.subscriptions.models import Subscription, SubscriptionStatus
from tests.identity import people
from tests.withdrawals.declaring import (
    CANCEL,
    WITHDRAW,
    confirmed,
    declare,
    messages,
    withdrawn_at,
)

LIST = "/gestion/declarations"


@pytest.fixture
def staff(app: Flask, now: datetime) -> FlaskClient:
    return people.at_work(app, Role.SHOPKEEPER, now)


def test_only_the_shop_and_its_manager_see_declarations(
    app: Flask, client: FlaskClient, now: datetime
):
    assert client.get(LIST).location == "/connexion"
    customer = people.sign_in(app, people.customer(now))
    assert customer.get(LIST).status_code == 404
    assert people.at_work(app, Role.TECHNICIAN, now).get(LIST).status_code == 403
    assert people.at_work(app, Role.MANAGER, now).get(LIST).status_code == 200


def test_nothing_declared_is_said(staff: FlaskClient):
    assert "Aucune rétractation" in staff.get(LIST).text


def test_the_list_shows_what_is_due_and_by_when(staff: FlaskClient, app: Flask, now: datetime):
    reference = confirmed(now - timedelta(days=2))
    declare(app.test_client(), WITHDRAW, contract=reference)
    page = staff.get(LIST).text
    for word in ("RET-2026-000001", reference, "Dans le délai", "À envoyer", "8 déc. 2026"):
        assert word in page


def test_the_last_second_is_in_time_and_the_next_is_late(staff: FlaskClient, now: datetime):
    reference = confirmed(now)
    last = db.session.scalars(select(OrderLine.withdrawal_until)).one()
    assert last == date(2026, 12, 8)
    last_second = datetime(2026, 12, 8, 23, 59, 59, tzinfo=PARIS)
    in_time = withdrawn_at(last_second, reference)
    late = withdrawn_at(last_second + timedelta(seconds=1), reference)

    assert "Dans le délai" in staff.get(f"{LIST}/{in_time}").text
    page = staff.get(f"{LIST}/{late}").text
    assert "Hors délai" in page  # flagged
    assert "Elle reste reçue." in page  # never refused


def test_a_book_that_nobody_proved_delivered_is_never_late(staff: FlaskClient, now: datetime):
    reference = confirmed(now - timedelta(days=200), ProductKind.PAPER_GUIDE)
    found = withdrawn_at(now, reference)
    assert "Délai non commencé" in staff.get(f"{LIST}/{found}").text


def test_staff_find_the_order_that_was_meant(staff: FlaskClient, app: Flask, now: datetime):
    reference = confirmed(now - timedelta(days=2))
    declare(app.test_client(), WITHDRAW, contract="mon forfait")
    page = staff.get(f"{LIST}/RET-2026-000001").text
    assert "Rattacher à une commande" in page

    answer = staff.post(f"{LIST}/RET-2026-000001/rattacher", data={"order": reference.lower()})
    assert answer.status_code == 303
    page = staff.get(answer.location).text
    assert "Dans le délai" in page
    assert "Rattachée par Marie shopkeeper" in page


@pytest.mark.parametrize(
    ("typed", "told"),
    [("", "Saisissez la référence"), ("CMD-2026-999999", "Aucune commande n’a cette référence")],
)
def test_a_wrong_reference_is_said(staff: FlaskClient, app: Flask, typed: str, told: str):
    declare(app.test_client(), WITHDRAW, contract="mon forfait")
    answer = staff.post(f"{LIST}/RET-2026-000001/rattacher", data={"order": typed})
    assert answer.status_code == 422
    assert told in answer.text
    assert f'value="{typed}"' in answer.text


def test_a_declaration_is_matched_once(staff: FlaskClient, app: Flask, now: datetime):
    reference = confirmed(now - timedelta(days=2))
    declare(app.test_client(), WITHDRAW, contract=reference)
    answer = staff.post(f"{LIST}/RET-2026-000001/rattacher", data={"order": reference})
    assert answer.status_code == 409
    assert "déjà rattachée" in answer.text


def test_a_cancellation_that_staff_match_late_ends_as_of_its_day(
    staff: FlaskClient, app: Flask, now: datetime
):
    """Another month was opened meanwhile: the end counts from the notification, and has come."""
    anchor = datetime(2026, 10, 26, 9, tzinfo=PARIS)
    reference = confirmed(anchor, ProductKind.PLAN, features={"renewal": "tacit"})
    declare(app.test_client(), CANCEL, contract="mon offre")  # on 24 November
    subscription_id = db.session.scalars(select(Subscription.id)).one()
    with transaction():
        assert subscriptions.open_next_months([subscription_id], now=now + timedelta(days=2))
    clock = app.extensions["clock"]
    clock.move_to(now + timedelta(days=3))
    again = people.sign_in(app, people.staff(now, Role.MANAGER))
    again.get("/connexion/code")
    manager = db.session.scalars(select(people.User).where(people.User.role == Role.MANAGER)).one()
    code = people.code_of(manager, clock.now())
    again.post("/connexion/code", data={"code": code})

    answer = again.post(f"{LIST}/RES-2026-000001/rattacher", data={"order": reference})
    assert answer.status_code == 303, answer.text
    db.session.rollback()
    found = db.session.get_one(Subscription, subscription_id)
    assert (found.ends_on, found.status) == (date(2026, 11, 26), SubscriptionStatus.ENDED)
    end = next(m for m in messages("cancellation_received") if m.key.startswith("cancellation_end"))
    assert "mercredi 25 novembre 2026" in end.text
    with transaction():
        assert not subscriptions.open_next_months([subscription_id], now=now + timedelta(days=40))
    assert "25 nov. 2026" in again.get(LIST).text


def test_an_unknown_declaration_does_not_exist(staff: FlaskClient):
    assert staff.get(f"{LIST}/RET-2026-999999").status_code == 404
