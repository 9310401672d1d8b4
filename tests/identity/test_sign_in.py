"""Signing in, staying in, being kept out."""

from __future__ import annotations

from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from storefront.identity import service
from storefront.identity.models import User
from storefront.infra import clock
from storefront.infra.db import transaction
from tests.identity.people import PASSWORD, customer, sign_in


@pytest.fixture
def claire(app: Flask, now: datetime) -> User:
    return customer(now)


def attempt(client: FlaskClient, email: str, password: str) -> tuple[int, str]:
    answer = client.post("/connexion", data={"email": email, "password": password})
    return answer.status_code, answer.text.replace(email, "")


def test_the_right_password_leads_to_the_account(client: FlaskClient, claire: User):
    answer = client.post(
        "/connexion", data={"email": " Claire@Exemple.example ", "password": PASSWORD}
    )
    assert (answer.status_code, answer.location) == (302, "/compte")
    assert client.get("/compte").status_code == 200


def test_a_wrong_password_lets_nobody_in_and_keeps_the_address_typed(
    client: FlaskClient, claire: User
):
    answer = client.post("/connexion", data={"email": claire.email, "password": "autre chose"})
    assert answer.status_code == 422
    assert "Adresse ou mot de passe inconnus" in answer.text
    assert f'value="{claire.email}"' in answer.text
    assert client.get("/compte").location == "/connexion"


def test_an_unknown_address_gives_the_same_answer_as_a_wrong_password(
    client: FlaskClient, claire: User
):
    known = attempt(client, claire.email, "autre chose")
    assert attempt(client, "personne@exemple.example", "autre chose") == known


def test_an_account_without_password_gives_the_same_answer_too(
    app: Flask, client: FlaskClient, claire: User, now: datetime
):
    with transaction():
        bought = service.find_or_create_customer("paul@exemple.example", "Paul", "", now=now)
    assert attempt(client, bought.email, "") == attempt(client, claire.email, "")
    assert attempt(client, bought.email, "None") == attempt(client, claire.email, "None")


def test_after_ten_wrong_passwords_even_the_right_one_waits(client: FlaskClient, claire: User):
    for _ in range(10):
        assert attempt(client, claire.email, "autre chose")[0] == 422
    status, page = attempt(client, claire.email, PASSWORD)
    assert status == 429
    assert "Trop d’essais : recommencez à 10 h 15" in page.replace("\u00a0", " ")


def test_who_waits_their_quarter_of_an_hour_gets_in(client: FlaskClient, claire: User):
    for _ in range(11):
        attempt(client, claire.email, "autre chose")
    move_minutes(client, 16)
    assert attempt(client, claire.email, PASSWORD)[0] == 302


def move_minutes(client: FlaskClient, minutes: int) -> None:
    from datetime import timedelta

    with client.application.app_context():
        shop_clock = client.application.extensions["clock"]
        shop_clock.move_to(clock.now() + timedelta(minutes=minutes))


def test_somebody_else_cannot_keep_a_customer_out_from_another_address(
    app: Flask, client: FlaskClient, claire: User
):
    for _ in range(11):
        attempt(client, claire.email, "autre chose")
    answer = app.test_client().post(
        "/connexion",
        data={"email": claire.email, "password": PASSWORD},
        environ_base={"REMOTE_ADDR": "192.0.2.7"},
    )
    assert answer.status_code == 302


def test_signing_in_leads_back_to_the_page_that_asked(client: FlaskClient, claire: User):
    assert client.get("/compte/heures").location == "/connexion"
    answer = client.post("/connexion", data={"email": claire.email, "password": PASSWORD})
    assert answer.location == "/compte/heures"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://mechant.example/",
        "//mechant.example/",
        "/\\mechant.example/",
        "/\t/mechant.example/",
        "javascript:alert(1)",
    ],
)
def test_signing_in_never_leads_to_another_site(client: FlaskClient, claire: User, elsewhere: str):
    client.get("/connexion", query_string={"suite": elsewhere})
    answer = client.post("/connexion", data={"email": claire.email, "password": PASSWORD})
    assert answer.location == "/compte"


def test_signing_out_closes_the_account_pages(app: Flask, claire: User):
    client = sign_in(app, claire)
    assert client.get("/compte").status_code == 200
    assert client.get("/deconnexion").status_code == 405
    client.post("/deconnexion")
    assert client.get("/compte").location == "/connexion"


def test_a_new_password_ends_every_other_session(app: Flask, claire: User, now: datetime):
    elsewhere = sign_in(app, claire)
    with transaction():
        token = service.password_token(claire, now=now)
    here = app.test_client()
    answer = here.post(
        f"/mot-de-passe/{token}",
        data={"password": "tout autre chose", "again": "tout autre chose"},
    )
    assert answer.status_code == 302
    assert here.get("/compte").status_code == 200
    assert elsewhere.get("/compte").location == "/connexion"


def test_a_closed_account_signs_nobody_in_and_ends_its_sessions(
    app: Flask, claire: User, now: datetime
):
    client = sign_in(app, claire)
    with transaction():
        claire.closed_at = now
    assert client.get("/compte").location == "/connexion"
    assert attempt(app.test_client(), claire.email, PASSWORD)[0] == 422


def test_account_pages_stay_out_of_caches(app: Flask, claire: User):
    answer = sign_in(app, claire).get("/compte")
    assert answer.headers["Cache-Control"] == "private, no-store"


def test_a_form_without_its_token_is_refused(app: Flask, client: FlaskClient, claire: User):
    app.config["WTF_CSRF_ENABLED"] = True
    answer = client.post("/connexion", data={"email": claire.email, "password": PASSWORD})
    assert answer.status_code == 400
    assert client.get("/compte").location == "/connexion"


def test_a_form_of_another_site_is_refused_whatever_it_carries(client: FlaskClient, claire: User):
    answer = client.post(
        "/connexion",
        data={"email": claire.email, "password": PASSWORD},
        headers={"Sec-Fetch-Site": "cross-site"},
    )
    assert answer.status_code == 403
