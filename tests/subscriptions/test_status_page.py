"""The public page: how the service does, without an account, and what is seen of it in one."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from storefront.identity import queries as people
from storefront.infra.db import transaction
from storefront.subscriptions import service
from storefront.subscriptions.queries.status import status
from storefront.subscriptions.rules.outages import Severity
from storefront.subscriptions.service import Facts
from tests.account.test_pages import claire, shown
from tests.subscriptions.outages import AFTER, HOUR, OUTAGE, down, facts, grant, subscribe

pytestmark = pytest.mark.once


def open_incident(now: datetime, severity: Severity = Severity.OUTAGE) -> uuid.UUID:
    with transaction():
        said = Facts("Connexion impossible", severity, now - HOUR, None, ())
        return service.declare_incident(uuid.uuid4(), said, by=None, now=now).id


def test_a_shop_that_sold_nothing_yet_says_that_all_is_well(client: FlaskClient) -> None:
    page = client.get("/etat-du-service")

    assert "Tout fonctionne" in page.text
    assert "Disponibilité, mois par mois" not in page.text
    assert page.headers["Cache-Control"] == "public, max-age=30"
    assert 'href="/etat-du-service"' in client.get("/conditions-generales").text


def test_what_is_under_way_is_said_with_its_news(
    app: Flask, client: FlaskClient, now: datetime
) -> None:
    subscribe(now)
    incident_id = open_incident(now)
    person = people.by_email("claire@exemple.example")
    assert person is not None
    with transaction():
        news = (uuid.uuid4(), "Nous cherchons.")
        service.tell_of_incident(incident_id, *news, by=person.id, now=now)

    page = client.get("/etat-du-service").text
    assert "Interruption en cours" in page
    assert "Nous cherchons." in page
    assert "Tout fonctionne" not in page
    browser = claire(app, now)
    assert browser.get("/etat-du-service").headers["Cache-Control"] == "private, no-cache"
    assert "Connexion impossible" in browser.get("/compte").text


def test_months_have_their_length_and_only_outages_count(app: Flask, now: datetime) -> None:
    began = datetime.fromisoformat("2027-01-10T00:00+01:00")
    subscribe(began)
    later = datetime.fromisoformat("2027-11-16T00:00+01:00")
    # Forty hours over the end of March, one of which the clocks skip; sixty in October.
    march = datetime.fromisoformat("2027-03-27T12:00+01:00")
    down(later, facts(start=march, hours=40))
    down(later, facts(start=datetime.fromisoformat("2027-10-30T12:00+02:00"), hours=60))
    down(later, facts(start=OUTAGE, hours=5))  # before anybody subscribed
    down(later, facts(start=march, hours=300, severity=Severity.DEGRADED))
    with transaction():
        said = Facts("En panne", Severity.OUTAGE, later - 36 * HOUR, None, ())
        service.declare_incident(uuid.uuid4(), said, by=None, now=later)

    [history] = status(later).histories
    months = {month.first: month for month in history.months}
    assert min(months) == date(2027, 1, 1)
    assert months[date(2027, 2, 1)].availability_bp == 10_000
    whole = 31 * 24 - 1
    assert months[date(2027, 3, 1)].availability_bp == (whole - 40) * 10_000 // whole
    october = 31 * 24 + 1  # 37 hours of it: an hour of the night came twice
    assert months[date(2027, 10, 1)].down == 37 * 3600
    assert months[date(2027, 10, 1)].availability_bp == (october - 37) * 10_000 // october
    assert months[date(2027, 11, 1)].down == (23 + 36) * 3600
    assert months[date(2027, 11, 1)].availability_bp == (360 - 59) * 10_000 // 360
    assert months[date(2027, 11, 1)].running


def test_the_page_shows_the_target_the_figures_and_the_past(
    client: FlaskClient, now: datetime
) -> None:
    subscribe(now.replace(day=1))
    down(now, facts(start=datetime(2026, 11, 10, tzinfo=UTC), hours=6))
    down(now, facts(start=datetime(2026, 11, 12, tzinfo=UTC), severity=Severity.DEGRADED, hours=2))

    page = client.get("/etat-du-service").text

    assert "Notre objectif est de 99,5 %" in shown(page)
    assert "6 h sans service, sous l’objectif" in shown(page)
    assert "<line " in page
    assert "Novembre 2026" in shown(page)
    assert page.count("<h4>") == 2
    assert "72 heures de suite" in shown(page)


def test_a_subscriber_sees_their_credit_and_its_computation(app: Flask, now: datetime) -> None:
    subscription_id = subscribe(now)
    grant(down(AFTER), AFTER)
    browser = claire(app, now)

    page = shown(browser.get(f"/compte/abonnements/{subscription_id}").text)

    assert "17,67 € seront déduits de votre prochain prélèvement" in page
    assert "159,00 € × 80 h ÷ 720 h = 17,67 €" in page
