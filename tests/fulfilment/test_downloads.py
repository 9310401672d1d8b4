"""The pages of downloads and lessons: for their owner only, each opening logged (F-01)."""

from __future__ import annotations

from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.exc import DatabaseError

from storefront import worker
from storefront.catalogue.rules import ProductKind
from storefront.fulfilment.models import Access, AccessEvent
from storefront.infra.db import db, transaction
from storefront.legal.models import AcceptanceKind
from tests import paying
from tests.identity import people

WAIVER = (AcceptanceKind.DIGITAL_WAIVER,)
EARLY_START = (AcceptanceKind.EARLY_START,)


def code() -> str:
    db.session.rollback()
    return db.session.scalars(select(Access.code)).one()


def openings() -> list[AccessEvent]:
    db.session.rollback()
    return list(db.session.scalars(select(AccessEvent).order_by(AccessEvent.at)))


def owner(app: Flask, now: datetime) -> FlaskClient:
    return people.sign_in(app, people.customer(now))


def test_the_owner_gets_the_file_and_the_opening_is_logged(app: Flask, now: datetime) -> None:
    paying.transferred(ProductKind.DIGITAL_PRODUCT, now, consents=WAIVER)
    worker.run_due(now)

    answer = owner(app, now).get(
        f"/telechargements/{code()}", headers={"User-Agent": "Un navigateur"}
    )

    assert answer.status_code == 200
    assert "attachment" in answer.headers["Content-Disposition"]
    assert "budget-mariage.csv" in answer.headers["Content-Disposition"]
    assert "no-store" in answer.headers["Cache-Control"]
    (opening,) = openings()
    assert opening.ip == "127.0.0.1"
    assert opening.user_agent == "Un navigateur"


def test_each_opening_is_logged(app: Flask, now: datetime) -> None:
    paying.transferred(ProductKind.DIGITAL_PRODUCT, now, consents=WAIVER)
    worker.run_due(now)
    browser = owner(app, now)

    for _ in range(3):
        browser.get(f"/telechargements/{code()}")

    assert len(openings()) == 3


def test_the_lesson_is_a_page(app: Flask, now: datetime) -> None:
    paying.transferred(ProductKind.E_LEARNING, now, consents=EARLY_START)
    worker.run_due(now)

    answer = owner(app, now).get(f"/cours/{code()}")

    assert answer.status_code == 200
    assert "<h1" in answer.text
    assert len(openings()) == 1


def test_somebody_elses_download_does_not_exist(app: Flask, now: datetime) -> None:
    paying.transferred(ProductKind.DIGITAL_PRODUCT, now, consents=WAIVER)
    worker.run_due(now)
    stranger = people.sign_in(app, people.customer(now, "autre@exemple.example"))

    assert stranger.get(f"/telechargements/{code()}").status_code == 404
    assert openings() == []


def test_an_unknown_code_and_a_file_asked_as_a_lesson_do_not_exist(
    app: Flask, now: datetime
) -> None:
    paying.transferred(ProductKind.DIGITAL_PRODUCT, now, consents=WAIVER)
    worker.run_due(now)
    browser = owner(app, now)

    assert browser.get("/telechargements/nimporte-quoi").status_code == 404
    assert browser.get(f"/cours/{code()}").status_code == 404
    assert openings() == []


def test_without_signing_in_the_link_leads_to_the_sign_in(
    app: Flask, client: FlaskClient, now: datetime
) -> None:
    paying.transferred(ProductKind.DIGITAL_PRODUCT, now, consents=WAIVER)
    worker.run_due(now)

    answer = client.get(f"/telechargements/{code()}")

    assert answer.status_code == 302
    assert answer.location.endswith("/connexion")


def test_before_its_day_the_page_says_when_it_opens(app: Flask, now: datetime) -> None:
    paying.transferred(ProductKind.DIGITAL_PRODUCT, now)
    worker.run_due(now)

    answer = owner(app, now).get(f"/telechargements/{code()}")

    assert answer.status_code in (409, 422)
    assert "9 décembre 2026" in answer.text
    assert openings() == []


def test_the_log_of_openings_cannot_be_rewritten(app: Flask, now: datetime) -> None:
    paying.transferred(ProductKind.DIGITAL_PRODUCT, now, consents=WAIVER)
    worker.run_due(now)
    owner(app, now).get(f"/telechargements/{code()}")
    (opening,) = openings()

    with pytest.raises(DatabaseError), transaction() as session:
        session.get_one(AccessEvent, opening.id).ip = "10.0.0.1"
