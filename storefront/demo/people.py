"""The demo's people: who they are, and the sign-ins that are printed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import pyotp
from sqlalchemy import select

from storefront.demo.content import read
from storefront.identity import queries, service
from storefront.identity.models import Role, User
from storefront.infra.db import db
from storefront.orders.rules import Buyer, BuyerKind

# Everybody's, and printed by `demo sign-ins`: it opens nothing but a demo.
PASSWORD = "atelier-de-demonstration"  # noqa: S105


@dataclass(frozen=True)
class Person:
    """One of `people.toml`."""

    given: dict[str, Any]

    @property
    def key(self) -> str:
        """What stories call this person."""
        return str(self.given["key"])

    @property
    def name(self) -> str:
        """First name and name."""
        return str(self.given["name"])

    @property
    def email(self) -> str:
        """The address that this person signs in with."""
        return str(self.given["email"])

    @property
    def role(self) -> Role:
        """What this person may do."""
        return Role(self.given["role"])

    @property
    def signs_in(self) -> bool:
        """Whether this is one of the sign-ins that are printed."""
        return bool(self.given.get("demo_sign_in"))

    @property
    def story(self) -> list[dict[str, Any]]:
        """What this person does, step by step."""
        steps: list[dict[str, Any]] = self.given.get("story", [])
        return steps

    @cached_property
    def buyer(self) -> Buyer:
        """This customer as typed at checkout."""
        names = ("name", "email", "phone", "street", "postcode", "city", "country")
        optional = ("company", "siren", "ice", "vat_number")
        return Buyer(
            kind=BuyerKind(self.given["buyer_kind"]),
            **{name: self.given[name] for name in names},
            **{name: self.given.get(name, "") for name in optional},
        )

    def user(self) -> User:
        """This person's account. Raises LookupError before there is one."""
        user = queries.by_email(self.email)
        if user is None:
            raise LookupError(f"{self.email} has no account yet: run `demo load`")
        return user


def people() -> list[Person]:
    """Everybody, staff first."""
    return [Person(given) for given in read("people.toml")["people"]]


def hire(person: Person, *, now: datetime) -> None:
    """A staff account with its second factor set up; an existing one stays as it is."""
    if queries.by_email(person.email) is not None:
        return
    user = service.create_staff(person.email, person.name, person.role, PASSWORD, now=now)
    secret = service.start_second_factor(user)
    service.use_code(user, pyotp.TOTP(secret).at(now), now=now)


def let_in(person: Person, *, now: datetime) -> None:
    """Give a customer the demo's password; whoever has chosen one keeps it."""
    user = person.user()
    if user.password_hash is None:
        service.set_password(user, PASSWORD, now=now)


def current_code(email: str, *, now: datetime) -> str | None:
    """The one-time code that this person's application shows at `now`; None without one."""
    user = queries.by_email(email)
    if user is None or user.totp_secret is None:
        return None
    return str(pyotp.TOTP(user.totp_secret).at(now))


def technician() -> User:
    """Who does the interventions."""
    return db.session.scalars(select(User).where(User.role == Role.TECHNICIAN)).first() or _nobody()


def _nobody() -> User:
    raise LookupError("the demo has no technician")
