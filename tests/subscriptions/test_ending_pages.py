"""Ending it, keeping it and what staff do about it, on their pages."""

from __future__ import annotations

import uuid
from datetime import date, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from storefront.identity.models import Role
from storefront.infra import clock
from storefront.infra.db import db, transaction
from storefront.subscriptions import queries, service
from storefront.subscriptions.models import SubscriptionStatus
from storefront.subscriptions.rules import Ground
from tests.account.test_pages import claire, shown
from tests.identity import people
from tests.subscriptions import running
from tests.subscriptions.running import CONTRACT, REASONS, hold, mails, the

pytestmark = pytest.mark.once

START = datetime.fromisoformat("2027-01-31T15:00:00+01:00")
TENTH = datetime.fromisoformat("2027-02-10T14:37:00+01:00")


@pytest.fixture(autouse=True)
def at(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the tenth of February."""
    monkeypatch.setattr(clock, "now", lambda: TENTH)


def address(subscription_id: uuid.UUID) -> str:
    return f"/compte/abonnements/{subscription_id}"


def test_it_is_ended_in_two_steps_and_kept_with_one(app: Flask) -> None:
    one = hold(START)
    client = claire(app, START)
    page = shown(client.get(address(one)).text)
    assert "le service reste ouvert jusqu’au samedi 27 février 2027 inclus" in page

    page = shown(client.get(f"{address(one)}/fin").text)
    assert "Rien n’est encore décidé" in page
    assert "Confirmer la fin de mon abonnement" in page
    assert the(one).ends_on is None
    answer = client.post(f"{address(one)}/fin", follow_redirects=True)

    assert "Vous y avez mis fin" in shown(answer.text)
    assert the(one).ends_on == date(2027, 2, 28)
    assert client.get(f"{address(one)}/fin").status_code == 302
    answer = client.post(f"{address(one)}/garder", follow_redirects=True)
    assert "il continue comme avant" in shown(answer.text)
    assert the(one).ends_on is None
    again = client.post(f"{address(one)}/garder")
    assert again.status_code == 409
    assert "Aucune fin n’est prévue" in shown(again.text)


def test_a_contract_that_binds_says_why_not_before_and_when(app: Flask) -> None:
    one = hold(START, CONTRACT)
    page = shown(claire(app, START).get(f"{address(one)}/fin").text)
    assert "Pourquoi pas avant le lundi 31 janvier 2028" in page
    assert "dimanche 30 janvier 2028" in page
    assert "jusqu’au terme, puis plus rien" in page


def test_somebody_elses_contract_does_not_exist(app: Flask) -> None:
    one = hold(START)
    other = people.sign_in(app, people.customer(START, "autre@exemple.example"))
    assert other.get(f"{address(one)}/fin").status_code == 404
    assert other.post(f"{address(one)}/fin").status_code == 404
    assert other.post(f"{address(one)}/garder").status_code == 404
    assert the(one).ends_on is None


def test_what_has_ended_says_what_is_kept(app: Flask) -> None:
    one = hold(START)
    by = running.staff(TENTH)
    with transaction():
        service.give_notice(one, Ground.SERIOUS_FAULT, REASONS, recorded_by=by, now=TENTH)
    client = claire(app, START)
    page = shown(client.get(address(one)).text)
    assert "Ce contrat a pris fin le mercredi 10 février 2027" in page
    assert REASONS in page
    assert "Rien n’est effacé" in page
    assert "Mettre fin à mon abonnement" not in page
    assert "F-2027-000001" in shown(client.get("/compte/factures").text)
    gone = client.post(f"{address(one)}/fin")
    assert gone.status_code == 409
    assert "a déjà pris fin" in shown(gone.text)


def test_the_sellers_notice_is_read_on_the_page_and_not_taken_back_there(app: Flask) -> None:
    one = hold(START)
    by = running.staff(TENTH)
    with transaction():
        service.give_notice(one, Ground.BREACH, REASONS, recorded_by=by, now=TENTH)
    client = claire(app, START)
    page = shown(client.get(address(one)).text)
    assert REASONS in page
    assert "au plus tard le jeudi 25 février 2027" in page
    refused = client.post(f"{address(one)}/garder")
    assert refused.status_code == 409
    assert "elle ne se retire pas d’ici" in shown(refused.text)


def test_a_pause_is_read_on_the_page(app: Flask) -> None:
    one = hold(START)
    by = running.staff(TENTH)
    with transaction():
        service.pause(one, date(2027, 2, 8), "La crue.", by=by, now=TENTH)
    client = claire(app, START)
    for page in (client.get(address(one)).text, client.get("/compte/abonnements").text):
        assert "Interrompu depuis le lundi 8 février 2027" in shown(page)
    assert "prélevés ce jour-là" not in shown(client.get(address(one)).text)


@pytest.fixture
def desk(app: Flask) -> FlaskClient:
    return people.at_work(app, Role.SHOPKEEPER, TENTH)


def test_staff_record_what_came_by_email(app: Flask, desk: FlaskClient) -> None:
    one = hold(START)
    reference = the(one).order.reference
    assert str(one) in desk.get("/gestion/fins", query_string={"commande": reference}).text
    future = {"received_on": "2027-02-11", "how": "Courriel."}
    refused = desk.post(f"/gestion/fins/{one}/demande", data=future)
    assert refused.status_code == 422
    assert "Courriel." in refused.text

    answer = desk.post(
        f"/gestion/fins/{one}/demande",
        data={"received_on": "05/02/2027", "how": "Courriel."},
        follow_redirects=True,
    )

    assert "dimanche 28 février 2027" in shown(answer.text)
    assert queries.announced(one)[0].notice.notified_at.date() == date(2027, 2, 4)  # in UTC
    assert len(mails("subscription_end")) == 1
    assert str(one) in desk.get("/gestion/fins").text


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"ground": "misconduct", "statement": "Trop court."}, "30 caractères au moins"),
        ({"statement": REASONS}, "Choisissez un motif"),
        ({"ground": "wish", "statement": REASONS}, "choix"),
        ({"ground": "breach", "statement": REASONS, "received_on": "31/02/2027"}, "n’existe pas"),
    ],
)
def test_no_end_without_its_reasons(
    app: Flask, desk: FlaskClient, typed: dict[str, str], said: str
) -> None:
    one = hold(START)
    answer = desk.post(f"/gestion/fins/{one}/preavis", data=typed)
    assert answer.status_code == 422
    assert said in shown(answer.text)
    assert typed["statement"] in answer.text
    assert queries.announced(one) == []


def test_staff_announce_an_end_and_take_it_back(app: Flask, desk: FlaskClient) -> None:
    one = hold(START)
    page = shown(desk.get(f"/gestion/fins/{one}").text)
    assert "Prend effet le vendredi 12 février 2027 à 14" in page
    typed = {"ground": "misconduct", "statement": REASONS}
    answer = desk.post(f"/gestion/fins/{one}/preavis", data=typed, follow_redirects=True)
    assert "Envoyé au client avec son motif" in shown(answer.text)
    again = desk.post(f"/gestion/fins/{one}/preavis", data=typed)
    assert again.status_code == 409
    assert "déjà annoncée" in shown(again.text)

    (known,) = queries.announced(one)
    db.session.rollback()
    answer = desk.post(f"/gestion/fins/preavis/{known.id}/retire", follow_redirects=True)

    assert "Le contrat continue" in shown(answer.text)
    assert the(one).ends_on is None
    assert desk.post(f"/gestion/fins/preavis/{known.id}/repare").status_code == 409


def test_staff_interrupt_and_resume_one_or_all(app: Flask, desk: FlaskClient) -> None:
    one = hold(START)
    late = desk.post(
        f"/gestion/fins/{one}/interrompre", data={"starts_on": "2027-03-01", "reason": "Crue."}
    )
    assert late.status_code == 422
    assert "Choisissez un jour du" in shown(late.text)
    product = the(one).version.product_id
    empty = desk.post(f"/gestion/fins/articles/{product}/interrompre", data={})
    assert empty.status_code == 422
    assert "Indiquez le premier jour sans service" in shown(empty.text)

    answer = desk.post(
        f"/gestion/fins/articles/{product}/interrompre",
        data={"starts_on": "2027-02-08", "reason": "Crue."},
        follow_redirects=True,
    )
    assert "dont 1 interrompu" in shown(answer.text)
    desk.post(f"/gestion/fins/{one}/reprendre")

    assert (the(one).status, the(one).paused_on) == (SubscriptionStatus.ACTIVE, None)
    assert the(one).next_period_on == date(2027, 3, 2)
    assert desk.post(f"/gestion/fins/{one}/reprendre").status_code == 409


def test_who_answers_tickets_ends_nothing(app: Flask) -> None:
    one = hold(START)
    technician = people.at_work(app, Role.TECHNICIAN, TENTH)
    assert technician.get(f"/gestion/fins/{one}").status_code == 403
    assert technician.post(f"/gestion/fins/{one}/preavis", data={}).status_code == 403
