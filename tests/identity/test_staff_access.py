"""Staff pages: for staff, of the right role, with a second factor."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from storefront.identity import service
from storefront.identity.models import Role
from storefront.infra import clock
from storefront.infra.db import db, transaction
from tests.identity.people import PASSWORD, at_work, code_of, customer, sign_in, staff

PAGES = [
    "/gestion",
    "/gestion/commandes",
    "/gestion/commandes/CMD-2026-000001",
    "/gestion/commandes/export.csv",
    "/gestion/courrier",
    "/gestion/journal",
]


def test_there_is_no_staff_page_for_a_customer(app: Flask, now: datetime):
    client = sign_in(app, customer(now))
    assert [client.get(page).status_code for page in PAGES] == [404] * len(PAGES)


def test_a_visitor_is_asked_to_sign_in(client: FlaskClient):
    assert {client.get(page).location for page in PAGES} == {"/connexion"}


def test_a_password_alone_opens_no_staff_page(app: Flask, now: datetime):
    client = sign_in(app, staff(now))
    assert {client.get(page).location for page in PAGES} == {"/connexion/code"}


def test_the_second_factor_is_set_up_at_the_first_sign_in(app: Flask, now: datetime):
    user = staff(now)
    client = sign_in(app, user)
    page = client.get("/connexion/code").text
    assert "Protéger votre accès" in page
    db.session.refresh(user)
    assert user.totp_secret in page
    answer = client.post("/connexion/code", data={"code": code_of(user, now)})
    assert answer.location == "/gestion"
    assert client.get("/gestion").status_code == 200
    assert user.totp_secret not in sign_in(app, user).get("/connexion/code").text


def test_a_code_serves_once(app: Flask, now: datetime):
    user = staff(now)
    first = sign_in(app, user)
    first.get("/connexion/code")
    code = code_of(user, now)
    assert first.post("/connexion/code", data={"code": code}).status_code == 302
    thief = sign_in(app, user)
    answer = thief.post("/connexion/code", data={"code": code})
    assert answer.status_code == 422
    assert "a déjà servi" in answer.text
    assert thief.get("/gestion").location == "/connexion/code"


@pytest.mark.parametrize("code", ["000000", "abcdef", "", "12345", "１２３４５６"])
def test_a_wrong_code_opens_nothing(app: Flask, now: datetime, code: str):
    client = sign_in(app, staff(now))
    client.get("/connexion/code")
    assert client.post("/connexion/code", data={"code": code}).status_code == 422
    assert client.get("/gestion").location == "/connexion/code"


def test_codes_cannot_be_tried_one_after_the_other(app: Flask, now: datetime):
    user = staff(now)
    client = sign_in(app, user)
    client.get("/connexion/code")
    for _ in range(6):
        client.post("/connexion/code", data={"code": "000000"})
    answer = client.post("/connexion/code", data={"code": code_of(user, now)})
    assert answer.status_code == 422
    assert "Trop d’essais" in answer.text


def test_the_second_factor_is_asked_again_after_half_a_day(app: Flask, now: datetime):
    client = at_work(app, Role.MANAGER, now)
    assert client.get("/gestion").status_code == 200
    app.extensions["clock"].move_to(clock.now() + timedelta(hours=13))
    assert client.get("/gestion").location == "/connexion/code"


def test_the_second_factor_of_one_is_not_the_next_ones(app: Flask, now: datetime):
    """A session that ended by itself leaves nothing to who signs in next in the same browser."""
    client = at_work(app, Role.MANAGER, now)
    other = staff(now, Role.TECHNICIAN)
    with transaction():
        manager = service.queries.by_email("manager@letabli.example")
        assert manager is not None
        manager.session_epoch += 1
    client.post("/connexion", data={"email": other.email, "password": PASSWORD})
    assert client.get("/gestion").location == "/connexion/code"


@pytest.mark.parametrize(
    ("role", "opened"),
    [
        (Role.TECHNICIAN, {"/gestion"}),
        (Role.SHOPKEEPER, {"/gestion", "/gestion/commandes", "/gestion/courrier"}),
        (Role.MANAGER, {"/gestion", "/gestion/commandes", "/gestion/courrier", "/gestion/journal"}),
    ],
)
def test_each_role_opens_its_own_pages(app: Flask, now: datetime, role: Role, opened: set[str]):
    client = at_work(app, role, now)
    pages = ["/gestion", "/gestion/commandes", "/gestion/courrier", "/gestion/journal"]
    answers = {page: client.get(page).status_code for page in pages}
    assert answers == {page: 200 if page in opened else 403 for page in pages}
    menu = client.get("/gestion").text
    assert {page for page in pages if f'href="{page}"' in menu} == opened


def test_signing_out_ends_the_second_factor_too(app: Flask, now: datetime):
    client = at_work(app, Role.MANAGER, now)
    client.post("/deconnexion")
    assert client.get("/gestion").location == "/connexion"


def test_the_command_makes_a_staff_account(app: Flask, now: datetime):
    runner = app.test_cli_runner()
    made = runner.invoke(
        args=["staff", "create", "Zoe@Letabli.example", "--role", "technician"],
        input=f"{PASSWORD}\n{PASSWORD}\n",
    )
    assert made.exit_code == 0, made.output
    assert PASSWORD not in made.output
    answer = app.test_client().post(
        "/connexion", data={"email": "zoe@letabli.example", "password": PASSWORD}
    )
    assert answer.location == "/connexion/code"


def test_the_command_says_why_it_refuses(app: Flask, now: datetime):
    runner = app.test_cli_runner()
    command = ["staff", "create", "zoe@letabli.example", "--role", "technician"]
    weak = runner.invoke(args=command, input="court\ncourt\n")
    assert (weak.exit_code, "at least 10 characters" in weak.output) == (1, True)
    runner.invoke(args=command, input=f"{PASSWORD}\n{PASSWORD}\n")
    again = runner.invoke(args=command, input=f"{PASSWORD}\n{PASSWORD}\n")
    assert (again.exit_code, "has an account already" in again.output) == (1, True)
    wrong = runner.invoke(args=["staff", "create", "pas une adresse", "--role", "technician"])
    assert wrong.exit_code == 2
