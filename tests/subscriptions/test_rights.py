"""What a plan allows is asked by views, templates, other programs and a command (C-08)."""

from __future__ import annotations

import json
import uuid
from datetime import date, datetime

import pytest
from flask import Flask, render_template_string
from flask.testing import FlaskClient

from storefront.identity import service as identity
from storefront.infra.db import db, transaction
from storefront.orders.models import FulfilmentStatus
from storefront.subscriptions.models import Subscription, SubscriptionStatus
from storefront.subscriptions.views.rights import entitled
from tests import factories
from tests.account.test_pages import queries_of, shown
from tests.identity.people import PASSWORD, customer, sign_in
from tests.subscriptions.rows import Row, months, write

pytestmark = pytest.mark.once
TODAY = date(2026, 11, 24)


@pytest.fixture
def gated(app: Flask) -> Flask:
    """A shop with pages of another program: one for who has messaging, one that asks in words."""

    @app.get("/essai")
    @entitled("messaging")
    def inside() -> str:
        return "dedans"

    @app.get("/mots")
    def words() -> str:
        asked = "{{ may('messaging') }} {{ may('quotes') }} {{ limit('photos') }} {{ limit('x') }}"
        return render_template_string(asked)

    return app


def holder(app: Flask, now: datetime) -> tuple[FlaskClient, Subscription]:
    (key,) = write([Row(months(TODAY, 1))], now)
    found = db.session.get_one(Subscription, key)
    with transaction():
        identity.set_password(found.order.user, PASSWORD, now=now)
    return sign_in(app, found.order.user), db.session.get_one(Subscription, key)


def test_who_has_the_right_comes_in(gated: Flask, now: datetime) -> None:
    client, _ = holder(gated, now)

    assert client.get("/essai").text == "dedans"


def test_the_first_use_of_a_plan_is_kept(gated: Flask, now: datetime) -> None:
    client, found = holder(gated, now)
    client.get("/api/droits")  # asking is not using
    db.session.expire_all()
    assert db.session.get_one(Subscription, found.id).first_used_at is None
    client.get("/essai")
    db.session.expire_all()
    first = db.session.get_one(Subscription, found.id).first_used_at
    client.get("/essai")
    db.session.expire_all()
    assert first is not None
    assert db.session.get_one(Subscription, found.id).first_used_at == first


def test_who_has_not_reads_which_plan_has_it(gated: Flask, now: datetime) -> None:
    with transaction():
        factories.product(
            kind=factories.ProductKind.PLAN,
            name="Essentiel",
            slug="offre-essentiel",
            features={"entitlements": ["messaging"]},
        )
        factories.product(kind=factories.ProductKind.PLAN, features={"entitlements": ["page"]})
    client = sign_in(gated, customer(now))

    answer = client.get("/essai")

    assert answer.status_code == 403
    assert "le droit « La messagerie »" in shown(answer.text)
    assert "L’offre Essentiel le comprend." in shown(answer.text)
    assert 'href="/produits/offre-essentiel"' in answer.text
    assert 'href="/offres"' in answer.text


def test_a_visitor_is_asked_to_sign_in(gated: Flask) -> None:
    assert gated.test_client().get("/essai").location == "/connexion"


@pytest.mark.parametrize("cause", ["suspended", "over", "stopped"])
def test_nothing_is_open_while_the_plan_is_not(gated: Flask, now: datetime, cause: str) -> None:
    client, found = holder(gated, now)
    with transaction():
        one = db.session.get_one(Subscription, found.id)
        if cause == "suspended":
            one.status = SubscriptionStatus.SUSPENDED
        elif cause == "over":
            one.ends_on = TODAY
        else:
            one.order_line.fulfilment = FulfilmentStatus.SUSPENDED  # a dispute, for instance

    assert client.get("/essai").status_code == 403
    assert client.get("/api/droits").json["entitlements"] == []


def test_a_template_asks_in_words_and_reads_once(gated: Flask, now: datetime) -> None:
    client, _ = holder(gated, now)

    assert client.get("/mots").text == "True False 12 0"
    client.get("/essai")  # the first use of a plan is written down
    assert queries_of(client, "/mots") == queries_of(client, "/essai")
    assert gated.test_client().get("/mots").text == "False False 0 0"


def test_another_program_asks_in_the_customers_session(app: Flask, now: datetime) -> None:
    client, _ = holder(app, now)

    answer = client.get("/api/droits")

    assert answer.json == {
        "day": "2026-11-24",
        "entitlements": ["messaging", "public_profile"],
        "limits": {"photos": 12, "team_members": None},
    }
    assert "no-store" in answer.headers["Cache-Control"]
    refused = app.test_client().get("/api/droits")
    assert (refused.status_code, refused.json) == (401, {"error": "not_signed_in"})


def test_a_command_asks_by_address(app: Flask, now: datetime) -> None:
    _, found = holder(app, now)
    email = found.order.user.email

    def told(address: str) -> dict[str, object]:
        done = app.test_cli_runner().invoke(args=["subscriptions", "rights", address])
        assert done.exit_code == 0, done.output
        answer: dict[str, object] = json.loads(done.output)
        return answer

    assert told(email)["entitlements"] == ["messaging", "public_profile"]
    assert told(f"{uuid.uuid4().hex}@exemple.example")["entitlements"] == []
    wrong = app.test_cli_runner().invoke(args=["subscriptions", "rights", "sottise"])
    assert wrong.exit_code == 2
