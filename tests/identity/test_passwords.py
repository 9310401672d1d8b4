"""Links that prove an address, and the passwords they let one choose."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from storefront.identity import queries
from storefront.identity.models import User
from storefront.infra import clock
from storefront.infra.db import db
from storefront.notifications.models import Email
from tests.identity.people import PASSWORD, customer

NEW = {"password": "tout autre chose", "again": "tout autre chose"}


@pytest.fixture
def claire(app: Flask, now: datetime) -> User:
    return customer(now)


def messages() -> list[Email]:
    db.session.rollback()
    return list(db.session.scalars(select(Email).order_by(Email.queued_at)))


def link_in(email: Email) -> str:
    found = re.search(r"/mot-de-passe/\S+", email.text)
    assert found
    return found[0]


def ask(client: FlaskClient, email: str) -> str:
    client.post("/mot-de-passe", data={"email": email})
    [message] = messages()
    return link_in(message)


def test_a_forgotten_password_is_chosen_again_by_a_link(client: FlaskClient, claire: User):
    link = ask(client, claire.email)
    assert client.get(link).status_code == 200
    assert client.post(link, data=NEW).location == "/compte"
    assert client.get("/compte").status_code == 200


def test_a_link_serves_once(app: Flask, client: FlaskClient, claire: User):
    link = ask(client, claire.email)
    client.post(link, data=NEW)
    other = app.test_client()
    answer = other.post(
        link, data={"password": "encore autre chose", "again": "encore autre chose"}
    )
    assert answer.status_code == 422
    assert "Ce lien ne sert plus" in answer.text
    assert other.get("/compte").location == "/connexion"


def test_a_link_is_void_after_two_days(app: Flask, client: FlaskClient, claire: User):
    link = ask(client, claire.email)
    app.extensions["clock"].move_to(clock.now() + timedelta(hours=49))
    assert client.get(link).status_code == 422
    assert client.post(link, data=NEW).status_code == 422


def test_an_altered_link_opens_nothing(client: FlaskClient, claire: User):
    link = ask(client, claire.email)
    assert client.get(link[:-3] + "abc").status_code == 422
    assert client.get("/mot-de-passe/n-importe-quoi").status_code == 422


def test_asking_for_an_unknown_address_gives_the_same_answer_as_for_a_known_one(
    app: Flask, claire: User
):
    def ask_for(email: str) -> tuple[int, str | None, str]:
        client = app.test_client()
        answer = client.post("/mot-de-passe", data={"email": email})
        return answer.status_code, answer.location, client.get("/connexion").text

    assert ask_for(claire.email) == ask_for("personne@exemple.example")
    assert [message.recipient for message in messages()] == [claire.email]


def test_nobody_fills_a_mailbox_by_asking_for_links(app: Flask, claire: User):
    answers = [
        app.test_client().post("/mot-de-passe", data={"email": claire.email}).status_code
        for _ in range(6)
    ]
    assert answers == [302] * 5 + [429]


def test_two_different_passwords_are_refused_and_the_link_still_serves(
    client: FlaskClient, claire: User
):
    link = ask(client, claire.email)
    answer = client.post(link, data={"password": "tout autre chose", "again": "tout"})
    assert answer.status_code == 422
    assert "Les deux mots de passe sont différents" in answer.text
    assert client.post(link, data=NEW).status_code == 302


@pytest.mark.parametrize("weak", ["court", "aaaaaaaaaaaa", "claire@exemple.example"])
def test_a_password_that_is_too_easy_is_refused_with_what_to_do(
    client: FlaskClient, claire: User, weak: str
):
    answer = client.post(ask(client, claire.email), data={"password": weak, "again": weak})
    assert answer.status_code == 422
    assert "Au moins 10 caractères variés" in answer.text


def test_signing_up_sends_a_link_and_creates_no_password(client: FlaskClient):
    answer = client.post("/inscription", data={"name": "Paul Né", "email": "paul@exemple.example"})
    assert answer.location == "/connexion"
    paul = queries.by_email("paul@exemple.example")
    assert paul is not None
    assert paul.password_hash is None
    assert client.get("/compte").location == "/connexion"
    [message] = messages()
    assert client.post(link_in(message), data=NEW).location == "/compte"


def test_signing_up_with_a_known_address_changes_nothing_and_says_nothing(
    app: Flask, client: FlaskClient, claire: User
):
    answer = client.post("/inscription", data={"name": "Intrus", "email": claire.email})
    unknown = app.test_client().post(
        "/inscription", data={"name": "Intrus", "email": "paul@exemple.example"}
    )
    assert (answer.status_code, answer.location) == (unknown.status_code, unknown.location)
    db.session.refresh(claire)
    assert claire.name == "Claire Essai"
    signed_in = app.test_client().post(
        "/connexion", data={"email": claire.email, "password": PASSWORD}
    )
    assert signed_in.location == "/compte"


@pytest.mark.parametrize("name", ["Gagnez sur mechant.example", "https://mechant.example", "12"])
def test_nobody_is_written_to_through_us_under_a_name_that_is_a_link(
    client: FlaskClient, name: str
):
    answer = client.post("/inscription", data={"name": name, "email": "paul@exemple.example"})
    assert answer.status_code == 422
    assert "Saisissez un nom, sans adresse ni lien." in answer.text
    assert messages() == []


@pytest.mark.parametrize("name", ["Jean-M. Dupont", "Marie O’Neil", "José da Silva", "李雷"])
def test_real_names_are_taken_as_they_are(client: FlaskClient, name: str):
    client.post("/inscription", data={"name": name, "email": "paul@exemple.example"})
    paul = queries.by_email("paul@exemple.example")
    assert paul is not None
    assert paul.name == name
