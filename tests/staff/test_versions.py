"""Staff make versions and announce them: seen before, followed after (R-06, C-05)."""

from __future__ import annotations

import re
import uuid
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from storefront.catalogue.models import Product
from storefront.identity.models import Role
from storefront.infra.db import db, transaction
from storefront.infra.journal import JournalEntry
from storefront.subscriptions.models import Announcement, PlanVersion, Subscription
from tests import factories
from tests.account.test_pages import shown
from tests.identity.people import at_work
from tests.subscriptions.telling import emails, live, paid, subscribe

FEATURES = {"entitlements": ["page"], "limits": {"photos": 3}}


@pytest.fixture
def client(app: Flask, now: datetime) -> FlaskClient:
    return at_work(app, Role.SHOPKEEPER, now)


@pytest.fixture
def one(app: Flask, now: datetime) -> uuid.UUID:
    return subscribe(now, FEATURES)


def address(one: uuid.UUID) -> str:
    db.session.rollback()
    product = db.session.get_one(Product, db.session.get_one(Subscription, one).version.product_id)
    return f"/gestion/abonnements/versions/{product.slug}"


def typed(client: FlaskClient, url: str, **changed: str) -> dict[str, str]:
    """The plan's form as it stands, with changes."""
    seen = re.search(r'name="seen" value="(\d+)"', client.get(url).text)
    assert seen
    return {
        "seen": seen[1],
        "price": "159,00",
        "entitlements": "page",
        "limits": "photos = 3",
        "included_minutes": "",
        "validity": "",
        **changed,
    }


def test_a_new_version_is_sold_and_who_runs_is_only_told_when_staff_say_so(
    client: FlaskClient, one: uuid.UUID, now: datetime
) -> None:
    url = address(one)
    assert "1" in shown(client.get("/gestion/abonnements/versions").text)

    made = client.post(
        url, data=typed(client, url, price="189,00", limits="photos = illimité\nnotes = 4")
    )
    assert made.location == f"{url}/2/annonce"
    version = db.session.scalars(select(PlanVersion).where(PlanVersion.number == 2)).one()
    assert (version.price_minor, version.features["limits"]) == (
        18900,
        {"photos": None, "notes": 4},
    )
    assert emails("plan_change") == []

    preview = shown(client.get(made.location).text)
    assert "1 abonné , pour le jeudi 24 décembre 2026" in preview
    empty = client.post(made.location, data={"changes": " \n "})
    assert empty.status_code == 422
    assert "chaque abonné le lira" in shown(empty.text)
    sent = client.post(made.location, data={"changes": "Les photos sont sans limite."})
    assert sent.status_code == 303
    assert "0 message parti sur 1" in shown(client.get(sent.location).text)
    live(now)
    assert "1 message parti sur 1" in shown(client.get(sent.location).text)
    assert "Les photos sont sans limite." in emails("plan_change")[0].text
    assert "1 sur 1" in shown(client.get("/gestion/abonnements/versions").text)

    again = client.post(made.location, data={"changes": "Encore."})
    assert again.status_code == 422
    assert "Personne à prévenir" in shown(again.text)
    assert len(list(db.session.scalars(select(Announcement)))) == 1


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("price", "dix", "Écrivez un montant comme 19,00"),
        ("price", "-1", "Écrivez un montant comme 19,00"),
        ("price", "", "0 pour une offre gratuite"),
        ("price", "99999999", "Écrivez un montant comme 19,00"),
        ("entitlements", "Messagerie !", "un code par ligne"),
        ("limits", "photos douze", "un plafond par ligne"),
        ("included_minutes", "une heure", "Écrivez un nombre entier"),
        ("included_minutes", "-5", "Entre 0 et 60 000"),
    ],
)
def test_what_cannot_be_read_is_said_and_kept(
    client: FlaskClient, now: datetime, field: str, value: str, said: str
) -> None:
    with transaction():
        factories.product(factories.ProductKind.PLAN, slug="offre")
    url = "/gestion/abonnements/versions/offre"

    answer = client.post(url, data=typed(client, url, **{field: value}))

    assert answer.status_code == 422
    assert said in shown(answer.text)
    assert not value or value in shown(answer.text) or f'value="{value}"' in answer.text
    assert db.session.scalars(select(PlanVersion)).all() == []


def test_a_colleague_who_was_faster_is_told_of(client: FlaskClient, one: uuid.UUID) -> None:
    url = address(one)
    mine = typed(client, url, price="189,00")
    assert client.post(url, data=typed(client, url, price="179,00")).status_code == 303

    answer = client.post(url, data=mine)

    assert answer.status_code == 409
    assert "vient de changer cette offre" in shown(answer.text)
    assert db.session.scalars(select(Product.price_minor)).one() == 17900


def test_the_same_again_makes_no_version(client: FlaskClient, one: uuid.UUID) -> None:
    url = address(one)

    assert client.post(url, data=typed(client, url)).location == url

    assert list(db.session.scalars(select(PlanVersion.number))) == [1]


def test_who_cannot_be_told_is_counted_with_the_reason(client: FlaskClient, now: datetime) -> None:
    bound = subscribe(now, {**FEATURES, "commitment_months": 12})
    url = address(bound)
    client.post(url, data=typed(client, url, price="189,00"))

    page = shown(client.get(f"{url}/2/annonce").text)

    assert "Personne à prévenir" in page
    assert "ni prix ni contenu ne change en cours d’engagement" in page


def test_new_terms_are_announced_with_their_text(
    client: FlaskClient, one: uuid.UUID, now: datetime
) -> None:
    with transaction():
        factories.terms(now, subscription_grace_days=10)

    page = client.get("/gestion/abonnements/conditions/2/annonce")
    assert "1 abonné" in shown(page.text)
    sent = client.post(
        "/gestion/abonnements/conditions/2/annonce", data={"changes": "Dix jours de grâce."}
    )
    live(now)

    assert "1 message parti sur 1" in shown(client.get(sent.location).text)
    (message,) = emails("terms_change")
    assert message.attachments[0].document.filename == "cgv-2.pdf"


def test_what_is_decided_stands_in_the_journal(
    client: FlaskClient, one: uuid.UUID, now: datetime
) -> None:
    url = address(one)
    made = client.post(url, data=typed(client, url, price="189,00"))
    client.post(made.location, data={"changes": "Plus cher."})
    live(now)

    kinds = set(db.session.scalars(select(JournalEntry.kind)))
    assert {"product.revised", "plan.version_published", "announcement.made"} <= kinds
    assert {"notice.announced", "announcement.completed"} <= kinds
    assert paid(one)[0][1] == 15900


def test_it_is_no_business_of_a_technician_and_of_no_plan(
    app: Flask, client: FlaskClient, now: datetime
) -> None:
    assert client.get("/gestion/abonnements/versions/nulle-part").status_code == 404
    assert client.get("/gestion/abonnements/conditions/9/annonce").status_code == 404
    assert client.get(f"/gestion/abonnements/annonces/{uuid.uuid4()}").status_code == 404
    technician = at_work(app, Role.TECHNICIAN, now)
    assert technician.get("/gestion/abonnements/versions").status_code == 403
