"""Somebody who has a password, and a browser in which they are signed in."""

from __future__ import annotations

from datetime import datetime

import pyotp
from flask import Flask
from flask.testing import FlaskClient

from storefront.identity import service
from storefront.identity.models import Role, User
from storefront.infra.db import transaction

PASSWORD = "une phrase assez longue"


def customer(now: datetime, email: str = "claire@exemple.example") -> User:
    """A customer who chose a password."""
    with transaction():
        user = service.find_or_create_customer(email, "Claire Essai", "", now=now)
        service.set_password(user, PASSWORD, now=now)
    return user


def staff(now: datetime, role: Role = Role.MANAGER) -> User:
    """Somebody who works here and has not set up their second factor yet."""
    with transaction():
        user = service.create_staff(
            f"{role.value}@letabli.example", f"Marie {role.value}", role, PASSWORD, now=now
        )
    return user


def sign_in(app: Flask, user: User) -> FlaskClient:
    """A browser in which this person gave their password."""
    client = app.test_client()
    answer = client.post("/connexion", data={"email": user.email, "password": PASSWORD})
    assert answer.status_code == 302, answer.text
    return client


def code_of(user: User, now: datetime) -> str:
    """What this person's telephone shows at this instant."""
    assert user.totp_secret
    return pyotp.TOTP(user.totp_secret).at(now)


def at_work(app: Flask, role: Role, now: datetime) -> FlaskClient:
    """A browser of somebody of this role, with password and second factor given."""
    user = staff(now, role)
    client = sign_in(app, user)
    client.get("/connexion/code")
    answer = client.post("/connexion/code", data={"code": code_of(user, now)})
    assert answer.location == "/gestion", answer.text
    return client
