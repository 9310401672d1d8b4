"""What a customer and the staff see of what is unpaid."""

from __future__ import annotations

import csv
import io
import re
from datetime import date, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from storefront import worker
from storefront.identity.models import Role
from storefront.infra import clock
from storefront.instalments.rules import morning_of
from storefront.orders.models import FulfilmentStatus
from storefront.orders.rules import BuyerKind
from storefront.staff.arrears import views
from tests.arrears import late
from tests.identity import people

DUE = date(2026, 12, 24)
SUSPENSION = date(2027, 2, 8)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch):
    """Move the shop's clock."""

    def move(day: date) -> datetime:
        instant = morning_of(day) + timedelta(hours=4)
        monkeypatch.setattr(clock, "now", lambda: instant)
        return instant

    return move


def plain(page: str) -> str:
    words = re.sub(r"<[^>]+>", " ", page).replace("&nbsp;", " ").replace("&#39;", "'")
    return re.sub(r"[\s\u00a0\u202f]+", " ", words)


def customer(app: Flask, now: datetime) -> FlaskClient:
    return people.sign_in(app, people.customer(now))


def test_the_customer_sees_what_follows_before_it_happens(app: Flask, now, at) -> None:
    late.bought(now, count=2)
    late.live(DUE, date(2027, 1, 3))
    at(date(2027, 1, 4))
    page = plain(customer(app, now).get("/compte/echeances").text)
    assert "En retard" in page
    assert "Payer 450,00 € maintenant" in page
    for words in ("8 janvier 2027", "8 février 2027", "Suspension", "Rien n’est encore suspendu"):
        assert words in page


def test_nobody_who_paid_sees_anything_of_it(app: Flask, now, at) -> None:
    late.bought(now, count=2)
    at(now.date())
    page = plain(customer(app, now).get("/compte/echeances").text)
    assert "En retard" not in page
    assert "Rien n’est en retard" in plain(customer(app, now).get("/compte/echeances/releve").text)


def test_a_professionals_statement_adds_up_to_the_cent(app: Flask, now, at) -> None:
    """450 EUR from 25 December at 8.25 %, seven days, and 40 EUR."""
    late.bought(now, count=2, buyer=BuyerKind.PROFESSIONAL)
    late.live(DUE, DUE + timedelta(days=1))
    at(date(2027, 1, 1))
    browser = customer(app, now)
    page = plain(browser.get("/compte/echeances/releve").text)
    for words in ("450,00 €", "0,71 €", "40,00 €", "490,71 €", "8,25 %"):
        assert words in page
    answer = browser.get("/compte/echeances/releve.pdf")
    assert answer.data.startswith(b"%PDF")
    assert "no-store" in answer.headers["Cache-Control"]


def test_two_late_parts_of_one_invoice_bear_one_fee(app: Flask, now, at) -> None:
    late.bought(now, count=3, buyer=BuyerKind.PROFESSIONAL, professional_acceleration="never")
    late.live(DUE, date(2027, 1, 24))
    at(date(2027, 1, 26))
    page = plain(customer(app, now).get("/compte/echeances/releve").text)
    assert page.count("Indemnité forfaitaire de recouvrement") == 1
    assert "Indemnités de recouvrement 40,00 €" in page


def test_a_statement_says_that_it_stops_where_no_rate_is_known(app: Flask, now, at) -> None:
    late.bought(now, count=2, buyer=BuyerKind.PROFESSIONAL)
    late.live(DUE, DUE + timedelta(days=1))
    at(date(2027, 6, 1))
    browser = customer(app, now)
    assert "1er janvier 2027" in plain(browser.get("/compte/echeances/releve").text)
    assert browser.get("/compte/echeances/releve.pdf").status_code == 200


def test_a_consumer_is_claimed_the_price_alone(app: Flask, now, at) -> None:
    late.bought(now, count=2)
    late.live(DUE, SUSPENSION - timedelta(days=1))
    at(SUSPENSION - timedelta(days=1))
    page = plain(customer(app, now).get("/compte/echeances/releve").text)
    assert "Total au dimanche 7 février 2027 450,00 €" in page
    assert "ndemnité" not in page


def staff(app: Flask, now: datetime) -> FlaskClient:
    return people.at_work(app, Role.SHOPKEEPER, now)


def test_staff_find_what_is_overdue_by_step_and_take_it_with_them(app: Flask, now, at) -> None:
    late.bought(now, count=2)
    late.live(DUE, date(2027, 1, 8))
    browser = staff(app, at(date(2027, 1, 9)))

    page = plain(browser.get("/gestion/impayes").text)
    assert "CMD-2026-000001" in page
    assert "Mise en demeure envoyée" in page
    assert "De 16 à 30 jours" in page
    assert "CMD-" not in plain(browser.get("/gestion/impayes?etape=reminder").text)
    assert "CMD-" in plain(browser.get("/gestion/impayes?etape=formal_notice").text)
    assert browser.get("/gestion/impayes?etape=zzz&apres=zzz").status_code == 200

    text = browser.get("/gestion/impayes/export.csv").data.decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(text), delimiter=";")
    assert row["Montant"] == "450,00"
    assert row["Jours de retard"] == "16"
    assert row["Dernière étape"] == "Mise en demeure envoyée"


def test_the_list_goes_on_by_key(app: Flask, now, at, monkeypatch) -> None:
    monkeypatch.setattr(views, "PAGE", 1)
    late.bought(now, count=3)
    late.live(DUE, date(2027, 1, 25))
    browser = staff(app, at(date(2027, 1, 26)))
    first = browser.get("/gestion/impayes").text
    key = re.search(r"apres=([^\"&]+)", first)[1]
    second = browser.get("/gestion/impayes?apres=" + key).text
    assert "2e échéance" in first
    assert "3e échéance" not in first
    assert "3e échéance" in second
    assert "apres=" not in second


def test_staff_grant_a_deferral_that_lifts_the_suspension(app: Flask, now, at) -> None:
    late.bought(now, count=2)
    late.live(DUE, SUSPENSION)
    browser = staff(app, at(SUSPENSION))
    address = f"/gestion/impayes/{late.part(2).id}"
    page = plain(browser.get(address).text)
    assert "Ce qui a été fait" in page
    assert "Accorder le report" in page

    answer = browser.post(f"{address}/report", data={"until": "2027-03-15", "reason": "Accord"})

    assert answer.status_code == 303
    worker.run_due(clock.now())
    assert late.supply() is FulfilmentStatus.OPEN
    page = plain(browser.get(address).text)
    assert "15 mars 2027" in page
    assert "Marie shopkeeper" in page


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ({"until": "2026-12-01", "reason": "Accord amiable"}, "Choisissez un jour du"),
        ({"until": "31/02/2027", "reason": "Accord amiable"}, "Cette date n’existe pas"),
        ({"until": "", "reason": "Accord amiable"}, "Indiquez la nouvelle date"),
        ({"until": "2027-03-15", "reason": ""}, "Écrivez le motif"),
    ],
)
def test_a_deferral_that_cannot_be_keeps_what_was_typed(
    app: Flask, now, at, typed, message
) -> None:
    late.bought(now, count=2)
    late.live(DUE, DUE + timedelta(days=1))
    browser = staff(app, at(DUE + timedelta(days=1)))
    answer = browser.post(f"/gestion/impayes/{late.part(2).id}/report", data=typed)
    assert answer.status_code == 422
    assert message in plain(answer.text)
    assert all(value in answer.text for value in typed.values() if value)
    assert late.part(2).moved_to is None


def test_staff_read_the_formal_notice_and_nobody_elses_document(app: Flask, now, at) -> None:
    late.bought(now, count=2)
    late.live(DUE, date(2027, 1, 8))
    browser = staff(app, at(date(2027, 1, 9)))
    address = f"/gestion/impayes/{late.part(2).id}"
    link = re.search(rf"{address}/documents/[0-9a-f-]+", browser.get(address).text)[0]
    assert browser.get(link).data.startswith(b"%PDF")
    assert browser.get(f"{address}/documents/{late.part(2).id}").status_code == 404


@pytest.mark.parametrize("path", ["/gestion/impayes", "/gestion/impayes/export.csv"])
def test_customers_and_technicians_have_no_business_there(app: Flask, now, path: str) -> None:
    assert customer(app, now).get(path).status_code in (302, 403, 404)
    technician = people.at_work(app, Role.TECHNICIAN, now)
    assert technician.get(path).status_code in (403, 404)
