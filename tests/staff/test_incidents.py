"""Incidents for staff: declared with the right hour, closed, corrected, their credits granted."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from storefront import worker
from storefront.identity.models import Role
from storefront.infra.db import db
from storefront.subscriptions.models import Incident, OutageCreditStatus
from storefront.subscriptions.rules.outages import Severity
from tests.account.test_pages import shown
from tests.identity.people import at_work
from tests.subscriptions.outages import amounts, credits, down, facts, subscribe

MONDAY = datetime.fromisoformat("2026-11-02T09:00+01:00")


@pytest.fixture
def client(app: Flask, now: datetime) -> FlaskClient:
    return at_work(app, Role.SHOPKEEPER, now)


def typed(**changed: str) -> dict[str, str]:
    return {
        "once": str(uuid.uuid4()),
        "title": "L’annuaire ne répond pas",
        "severity": "outage",
        "start_day": "2026-10-20",
        "start_at": "10:00",
        "end_day": "",
        "end_at": "",
        **changed,
    }


def the_incident() -> Incident:
    db.session.rollback()
    return db.session.scalars(select(Incident)).one()


def hidden(page: str, name: str) -> str:
    return re.findall(rf'name="{name}"[^>]* value="([^"]*)"', page)[0]


def test_an_incident_is_declared_once_told_of_closed_and_corrected(client, now):
    form = typed()
    for _ in range(2):
        answer = client.post("/gestion/incidents/nouveau", data=form)
    address = answer.location
    assert the_incident().started_at == datetime(2026, 10, 20, 8, tzinfo=UTC)

    update = {"once": str(uuid.uuid4()), "words": "Nous cherchons la cause."}
    for _ in range(2):
        client.post(f"{address}/nouvelles", data=update)
    assert client.get("/etat-du-service").text.count("Nous cherchons la cause.") == 1

    closed = client.post(
        f"{address}/fin",
        data={"seen": "1", "end_day": "2026-10-20", "end_at": "09:00"},
    )
    assert closed.status_code == 422
    assert "La fin doit venir après le début." in closed.text
    client.post(f"{address}/fin", data={"seen": "1", "end_day": "20/10/2026", "end_at": "11:30"})
    assert the_incident().ended_at == datetime(2026, 10, 20, 9, 30, tzinfo=UTC)

    page = client.get(f"{address}/corriger").text
    assert hidden(page, "end_day") == "2026-10-20"
    assert hidden(page, "start_at") == "10:00"
    fields = typed(seen="2", severity="degraded", end_day="2026-10-20", end_at="12:00")
    assert client.post(f"{address}/corriger", data=fields).status_code == 422  # without a reason
    client.post(f"{address}/corriger", data={**fields, "reason": "Relevé des sondes"})
    assert the_incident().severity is Severity.DEGRADED
    stale = client.post(
        f"{address}/corriger", data={**fields, "reason": "Encore"}, follow_redirects=True
    )
    assert "Quelqu’un a modifié cet incident" in stale.text
    assert "Corrigé" in shown(stale.text)

    client.post(f"{address}/retirer", data={"seen": "3", "why": ""})
    assert the_incident().withdrawn_at is None
    client.post(f"{address}/retirer", data={"seen": "3", "why": "Une autre panne"})
    assert the_incident().withdrawn_at is not None
    assert "L’annuaire ne répond pas" not in client.get("/etat-du-service").text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"title": ""}, "tout le monde le lira"),
        ({"severity": "grave"}, "Choisissez la gravité."),
        ({"start_day": "2026-02-30"}, "Cette date n’existe pas."),
        ({"start_at": "25:00"}, "Cette heure n’existe pas. Écrivez-la"),
        ({"start_day": "2026-03-29", "start_at": "02:30"}, "les horloges avancent de 2 h à 3 h"),
        ({"start_day": "2025-10-26", "start_at": "02:30"}, "existe deux fois cette nuit-là"),
        ({"start_day": "2026-12-24"}, "n’est pas encore passé"),
        ({"end_day": "2026-12-24", "end_at": "10:00"}, "n’est pas encore passé"),
        ({"end_day": "2026-10-19", "end_at": "10:00"}, "La fin doit venir après le début."),
        ({"start_day": "2025-01-01", "end_day": "2026-10-19", "end_at": "10:00"}, "au plus un an"),
        ({"end_day": "2026-10-21"}, "Indiquez aussi l’heure."),
        ({"end_at": "10:00"}, "Indiquez aussi le jour."),
        ({"start_day": "9999-12-31", "start_at": "23:30"}, "Erreur"),
        ({"start_day": "0001-01-01", "start_at": "00:00"}, "Erreur"),
        ({"concerns": "family:inconnue"}, "Choisissez parmi les offres de la liste."),
    ],
)
def test_what_cannot_be_is_refused_and_what_was_typed_stays(client, fields, said):
    form = typed(**fields)
    answer = client.post("/gestion/incidents/nouveau", data=form)

    assert answer.status_code == 422
    assert said in shown(answer.text)
    for name in ("title", "start_day", "start_at"):
        assert f'value="{form[name]}"' in answer.text
    assert db.session.scalars(select(Incident)).all() == []


@pytest.mark.parametrize(("passage", "hour"), [("first", 0), ("second", 1)])
def test_the_hour_that_happens_twice_is_the_one_that_was_chosen(client, passage, hour):
    form = typed(start_day="2025-10-26", start_at="02:30")
    asked = client.post("/gestion/incidents/nouveau", data=form)
    assert "La seconde fois (heure d’hiver)" in asked.text

    done = client.post("/gestion/incidents/nouveau", data={**form, "start_passage": passage})

    assert the_incident().started_at == datetime(2025, 10, 26, hour, 30, tzinfo=UTC)
    page = client.get(f"{done.location}/corriger").text
    assert f'<option selected value="{passage}">' in page


def test_the_credits_are_shown_with_their_computation_and_granted_in_one_act(app, client, now):
    subscribe(now.replace(day=1))
    subscribe(now.replace(day=1), email="jean@exemple.example", terms=False)
    start = datetime.fromisoformat("2026-11-10T00:00+01:00")
    incident_id = down(now, facts(start=start))
    address = f"/gestion/incidents/{incident_id}"
    assert "Voir ces avoirs" in client.get("/gestion").text
    page = client.get(address)
    assert "159,00 € × 80 h ÷ 720 h = 17,67 €" in shown(page.text)
    assert "Accorder 35,34 € à 2 abonnements" in shown(page.text)
    seen = hidden(page.text, "seen")
    order = credits()[0].subscription.order.reference

    missing = client.post(f"{address}/avoirs", data={"seen": seen, "exceptions": order})
    assert missing.status_code == 422
    assert order in missing.text
    unknown = {"seen": seen, "exceptions": f"{order} XY-1", "reason": "Déjà dédommagé"}
    answer = client.post(f"{address}/avoirs", data=unknown)
    assert "Aucun avoir n’est proposé pour : XY-1" in shown(answer.text)
    assert "Déjà dédommagé" in answer.text
    other = client.post(f"{address}/avoirs", data={"seen": "1-5"})
    assert other.status_code == 409
    assert "ont changé" in other.text
    assert amounts(OutageCreditStatus.GRANTED) == []

    good = {"seen": seen, "exceptions": order, "reason": "Déjà dédommagé"}
    done = client.post(f"{address}/avoirs", data=good, follow_redirects=True)
    assert "Avoirs accordés : 1. Écartés : 1." in shown(done.text)
    again = client.post(f"{address}/avoirs", data=good, follow_redirects=True)
    assert "déjà décidés" in again.text
    assert "Avoirs décidés" in shown(again.text)
    assert "Voir ces avoirs" not in client.get("/gestion").text
    worker.run_due(now)
    refused = client.post(
        f"{address}/retirer", data={"seen": "1", "why": "Erreur"}, follow_redirects=True
    )
    assert refused.status_code == 409
    assert "Cet incident a donné des avoirs" in refused.text


def test_a_technician_declares_and_grants_nothing(app, now):
    technician = at_work(app, Role.TECHNICIAN, now)
    declared = technician.post("/gestion/incidents/nouveau", data=typed())

    assert declared.status_code == 303
    assert technician.post(f"{declared.location}/avoirs", data={}).status_code in (302, 403)


@pytest.mark.parametrize("query", ["?page=0", "?page=-3", "?page=x", "?page=99999", "?page=²"])
def test_any_page_number_is_answered(client, now, query):
    incident_id = down(now, facts(start=MONDAY))
    assert client.get(f"/gestion/incidents/{incident_id}{query}").status_code == 200


def test_an_unknown_incident_is_not_found(client):
    address = f"/gestion/incidents/{uuid.uuid4()}"
    answers = [client.get(address), client.get(f"{address}/corriger")]
    answers += [
        client.post(f"{address}/{act}") for act in ("fin", "nouvelles", "avoirs", "retirer")
    ]
    assert {answer.status_code for answer in answers} == {404}
