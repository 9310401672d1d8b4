"""Ending a contract on the web: three steps, one notification, its end (SUB-01, B-02, B-03)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DatabaseError

from storefront import worker
from storefront.catalogue.rules import ProductKind
from storefront.infra import journal
from storefront.infra.db import db, transaction
from storefront.subscriptions import rules
from storefront.subscriptions import service as subscriptions
from storefront.subscriptions.models import Subscription, SubscriptionStatus
from storefront.withdrawals.models import CancellationMatch, CancellationRequest
from tests.identity import people
from tests.withdrawals.declaring import (
    CANCEL,
    CLAIRE,
    cancellations,
    confirmed,
    declare,
    hidden,
    messages,
    read_again,
    token_of,
)

FREE_TO_GO: dict[str, object] = {"renewal": "tacit"}
COMMITTED: dict[str, object] = {
    "commitment_months": 12,
    "included_minutes": 60,
    "renewal": "tacit",
}


def subscription() -> Subscription:
    db.session.rollback()
    return db.session.scalars(select(Subscription)).one()


@pytest.fixture
def plan(app: Flask, now: datetime) -> str:
    """A monthly plan without commitment, taken on 14 November 2026."""
    return confirmed(now - timedelta(days=10), ProductKind.PLAN, features=FREE_TO_GO)


@pytest.fixture
def support(app: Flask, now: datetime) -> str:
    """A support contract for twelve months, taken on 14 November 2026."""
    return confirmed(now - timedelta(days=10), ProductKind.SUPPORT_CONTRACT, features=COMMITTED)


def test_a_page_explains_before_anything_is_asked(client: FlaskClient, plan: str):
    page = client.get("/resiliation").text
    assert 'href="/resiliation/demande"' in page
    assert "la perte de votre emploi" in page


def test_a_visitor_ends_a_plan_without_signing_in(client: FlaskClient, plan: str):
    carried = read_again(client, CANCEL, contract=plan)
    assert cancellations() == []
    page = client.get(client.post(CANCEL, data={**carried, "suite": "envoyer"}).location).text
    (kept,) = cancellations()
    assert kept.reference == "RES-2026-000001"
    assert kept.reference in page
    assert (kept.wanted_on, kept.reason) == (None, "")
    assert subscription().ends_on == date(2026, 12, 14)


def test_the_page_read_again_has_the_button_of_the_law(client: FlaskClient):
    token = token_of(client.get(CANCEL).text)
    page = client.post(CANCEL, data={**CLAIRE, "contract": "mon offre", "token": token}).text
    assert ">notification de la résiliation</button>" in page
    assert "le plus tôt possible" in page


def test_correcting_keeps_what_was_typed(client: FlaskClient, plan: str):
    typed = {"contract": plan, "wanted_on": "2027-01-31", "reason": "la perte de votre emploi"}
    carried = read_again(client, CANCEL, **typed)
    page = client.post(CANCEL, data={**carried, "suite": "corriger"}).text
    assert 'value="2027-01-31"' in page
    assert 'selected value="la perte de votre emploi"' in page


def test_the_confirmation_tells_the_end_and_what_it_changes(client: FlaskClient, plan: str):
    declare(client, CANCEL, contract=plan)
    (sent,) = messages("cancellation_received")
    for body in (sent.text, sent.html):
        plain = body.replace("&nbsp;", " ")
        assert "dimanche 13 décembre 2026" in plain  # the last day with service
        assert "mardi 24 novembre 2026 à 10 h" in plain
        assert "plus rien n’est prélevé ensuite" in plain
        assert plan in plain


def test_the_service_goes_on_to_its_end_then_nothing_more_is_owed(
    client: FlaskClient, plan: str, now: datetime
):
    declare(client, CANCEL, contract=plan)
    assert subscription().status is SubscriptionStatus.ACTIVE
    with transaction():
        assert subscriptions.open_next_months([subscription().id], now=now + timedelta(days=21))
    ended = subscription()
    assert ended.status is SubscriptionStatus.ENDED
    assert len(ended.periods) == 1


def test_a_committed_contract_ends_with_its_commitment(client: FlaskClient, support: str):
    declare(client, CANCEL, contract=support)
    assert subscription().ends_on == date(2027, 11, 14)
    assert "terme de votre engagement" in messages("cancellation_received")[0].text


def test_a_reason_is_kept_and_its_proof_asked_for(client: FlaskClient, support: str):
    place = declare(client, CANCEL, contract=support, reason="la perte de votre emploi")
    assert "justificatif" in client.get(place).text
    assert cancellations()[0].reason == "la perte de votre emploi"
    assert "Votre motif de fin anticipée est examiné" in messages("cancellation_received")[0].text
    assert subscription().ends_on == date(2027, 11, 14)  # until staff have seen the proof


def test_another_reason_is_said_in_words(client: FlaskClient):
    data = {**CLAIRE, "contract": "mon offre", "reason": "autre", "suite": "relire"}
    answer = client.post(CANCEL, data=data)
    assert answer.status_code == 422
    assert "Dites en quelques mots quel est ce motif." in answer.text
    declare(client, CANCEL, contract="mon offre", reason="autre", reason_text="Je déménage.")
    assert cancellations()[0].reason == "Je déménage."


def test_a_wanted_day_is_waited_for(client: FlaskClient, plan: str):
    declare(client, CANCEL, contract=plan, wanted_on="2027-01-20")
    assert subscription().ends_on == date(2027, 2, 14)


def test_the_day_may_be_typed_as_it_is_said(client: FlaskClient):
    declare(client, CANCEL, contract="mon offre", wanted_on="31/01/2027")
    assert cancellations()[0].wanted_on == date(2027, 1, 31)


@pytest.mark.parametrize(
    ("field", "typed", "told"),
    [
        ("email", "", "Indiquez une adresse e-mail ou postale"),
        ("email", "claire@", "Saisissez une adresse e-mail complète"),
        ("wanted_on", "2026-11-23", "à partir d’aujourd’hui, mardi 24 novembre 2026"),
        ("wanted_on", "2026-02-31", "Saisissez une date du calendrier"),
        ("wanted_on", "9999-12-31", "Choisissez une date dans les cinq ans."),
        ("reason", "inventé", "Choisissez un motif de la liste"),
        ("contract", "", "Indiquez la référence de la commande"),
    ],
)
def test_what_is_wrong_is_said_and_the_rest_is_kept(
    client: FlaskClient, field: str, typed: str, told: str
):
    data = {**CLAIRE, "contract": "CMD-2026-000001", "suite": "envoyer"} | {field: typed}
    answer = client.post(CANCEL, data=data)
    assert answer.status_code == 422
    assert told in answer.text
    assert 'value="Claire Essai"' in answer.text
    if field == "wanted_on":
        assert f'value="{typed}"' in answer.text
    assert cancellations() == []


def test_a_postal_address_is_enough(client: FlaskClient, plan: str):
    place = declare(client, CANCEL, contract=plan, email="", postal_address="1 rue A\n75011 Paris")
    page = client.get(place).text
    assert "envoyée par courrier" in page
    assert "1 rue A, 75011 Paris" in page
    assert messages("cancellation_received") == []
    assert db.session.scalars(select(CancellationMatch)).all() == []  # staff look for it
    assert subscription().ends_on is None


def test_a_double_click_makes_one_notification(client: FlaskClient, plan: str):
    carried = read_again(client, CANCEL, contract=plan)
    places = {client.post(CANCEL, data={**carried, "suite": "envoyer"}).location for _ in range(2)}
    assert len(places) == len(cancellations()) == len(messages("cancellation_received")) == 1


def test_nobody_ends_somebody_else_s_contract(client: FlaskClient, plan: str):
    place = declare(client, CANCEL, contract=plan, email="paul@exemple.example")
    assert subscription().ends_on is None
    assert "décembre" not in client.get(place).text
    assert "décembre" not in messages("cancellation_received")[0].text


def test_the_end_is_shown_to_the_account_that_holds_the_contract_only(
    app: Flask, plan: str, now: datetime
):
    browser = people.sign_in(app, people.customer(now))
    place = declare(browser, CANCEL, contract=plan)
    assert "dimanche 13 décembre 2026" in browser.get(place).text
    assert "décembre" not in app.test_client().get(place).text


def test_ending_twice_never_moves_the_end_back(client: FlaskClient, plan: str):
    declare(client, CANCEL, contract=plan)
    declare(client, CANCEL, contract=plan, wanted_on="2027-06-30")
    assert subscription().ends_on == date(2026, 12, 14)
    assert len(cancellations()) == 2


def test_too_many_from_one_place_wait_and_lose_nothing(client: FlaskClient):
    for number in range(6):
        declare(client, CANCEL, contract=f"offre {number}")
    carried = read_again(client, CANCEL, contract="offre 7")
    answer = client.post(CANCEL, data={**carried, "suite": "envoyer"})
    assert answer.status_code == 429
    assert hidden(answer.text)["contract"] == "offre 7"


def test_the_notification_cannot_be_changed_nor_deleted(client: FlaskClient, plan: str):
    declare(client, CANCEL, contract=plan)
    statements = (update(CancellationRequest).values(name="Autre"), delete(CancellationRequest))
    for statement in statements:
        with pytest.raises(DatabaseError), transaction() as session:
            session.execute(statement)
    assert list(journal.verify()) == []


def test_a_due_month_after_the_end_is_not_opened_by_the_worker(
    client: FlaskClient, plan: str, now: datetime
):
    declare(client, CANCEL, contract=plan)
    worker.run_due(now + timedelta(days=60))
    assert subscription().status is SubscriptionStatus.ENDED
    assert len(subscription().periods) == 1


ANCHOR = date(2026, 1, 31)


@pytest.mark.parametrize(
    ("next_period", "committed", "notified", "wanted", "end"),
    [
        (date(2026, 2, 28), None, date(2026, 2, 10), None, date(2026, 2, 28)),
        (date(2026, 3, 31), None, date(2026, 2, 28), None, date(2026, 3, 31)),
        # On the first day of a month that nobody opened yet: it never begins.
        (date(2026, 2, 28), None, date(2026, 2, 28), None, date(2026, 2, 28)),
        # Found by staff after another month was opened: the day of the notification counts.
        (date(2026, 4, 30), None, date(2026, 2, 10), None, date(2026, 2, 28)),
        (date(2026, 2, 28), date(2027, 1, 31), date(2026, 2, 10), None, date(2027, 1, 31)),
        (date(2027, 2, 28), date(2027, 1, 31), date(2027, 2, 3), None, date(2027, 2, 28)),
        (date(2026, 2, 28), None, date(2026, 2, 10), date(2026, 3, 31), date(2026, 3, 31)),
        (date(2026, 2, 28), None, date(2026, 2, 10), date(2026, 4, 1), date(2026, 4, 30)),
        (date(2026, 2, 28), None, date(2026, 2, 10), date(2026, 2, 11), date(2026, 2, 28)),
    ],
)
def test_a_contract_ends_where_a_month_ends(
    next_period: date, committed: date | None, notified: date, wanted: date | None, end: date
):
    found = rules.ends_on(ANCHOR, next_period, committed, notified_on=notified, wanted_on=wanted)
    assert found == end
