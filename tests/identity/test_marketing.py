"""Offers by e-mail: a yes of its own, kept with its proof, ended in one click (D-03, DAT-05)."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.exc import DatabaseError

from storefront import worker
from storefront.catalogue.rules import ProductKind
from storefront.identity import queries
from storefront.identity import service as identity
from storefront.identity.forms import MARKETING_SENTENCE
from storefront.identity.models import MarketingChoice, User
from storefront.infra import clock, journal
from storefront.infra.db import db, transaction
from storefront.notifications.models import Email
from tests import factories
from tests.checkout.shopping import YES, add, click, give_details
from tests.identity import people


def choices() -> list[MarketingChoice]:
    db.session.rollback()
    return list(db.session.scalars(select(MarketingChoice).order_by(MarketingChoice.chosen_at)))


def again(client: FlaskClient, now: datetime, **boxes: str) -> None:
    """Somebody orders something free of charge, whoever they say they are."""
    family = f"annuaire-{len(choices())}"
    with transaction():
        plan = {"family": family, "rank": 0}
        variant_id = factories.product(ProductKind.PLAN, price=0, features=plan).id
    add(client, variant_id)
    assert give_details(client).status_code == 303
    assert click(client, **boxes).status_code == 303


def buy(client: FlaskClient, now: datetime, **boxes: str) -> Email:
    """The same in a new shop; the confirmation that they get."""
    with transaction():
        factories.terms(now)
    again(client, now, **boxes)
    worker.run_due(clock.now())
    kind = Email.kind == "order_confirmation"
    return db.session.scalars(select(Email).where(kind)).one()


def test_the_box_is_not_ticked_and_ordering_without_it_is_no_yes(
    client: FlaskClient, now: datetime
):
    letter = buy(client, now)

    assert choices() == []
    assert MARKETING_SENTENCE not in letter.text


def test_a_tick_is_kept_word_for_word_and_confirmed_with_the_link_that_stops_it(
    client: FlaskClient, now: datetime
):
    letter = buy(client, now, marketing=YES)

    (kept,) = choices()
    assert (kept.wanted, kept.sentence, kept.place) == (True, MARKETING_SENTENCE, "order")
    assert kept.ip
    assert MARKETING_SENTENCE in letter.text
    path = re.search(r"/offres-par-courriel/\S+", letter.text)
    assert path
    client.delete_cookie("session")
    assert client.get(path[0]).status_code == 200
    assert len(choices()) == 1  # who only opens the page, like a mail filter, decides nothing
    page = client.post(path[0]).text
    assert "Vous ne recevez pas d’offres" in page
    assert [one.wanted for one in choices()] == [True, False]
    client.post(path[0])
    assert len(choices()) == 2
    assert client.get(f"{path[0]}x").status_code != 200


def test_a_guest_who_types_somebodys_address_says_nothing_for_them(
    app: Flask, client: FlaskClient, now: datetime
):
    """Nobody is written to at an address that they did not prove to be theirs."""
    buy(client, now, marketing=YES)
    assert queries.wants_marketing() == []

    (kept,) = choices()
    path = re.search(r"/offres-par-courriel/\S+", identity.stop_address(kept.user_id))
    assert path
    client.post(path[0])
    again(app.test_client(), now, marketing=YES)

    assert [one.wanted for one in choices()] == [True, False]


def test_the_account_says_yes_and_no_in_one_click(app: Flask, now: datetime):
    person = people.customer(now)
    client = people.sign_in(app, person)
    assert "Vous n’en recevez pas" in client.get("/compte/donnees").text

    client.post("/compte/donnees/offres", data={"recevoir": "oui"})
    assert "Vous recevez nos offres" in client.get("/compte/donnees").text
    client.post("/compte/donnees/offres", data={"recevoir": "non"})

    assert [(one.wanted, one.place) for one in choices()] == [(True, "account"), (False, "account")]
    assert "Vous n’en recevez pas" in client.get("/compte/donnees").text


def test_the_list_names_those_whose_last_word_was_yes(app: Flask, now: datetime):
    person = people.customer(now)
    client = people.sign_in(app, person)
    client.post("/compte/donnees/offres", data={"recevoir": "oui"})
    listed = app.test_cli_runner().invoke(args=["marketing", "list"]).output
    email = db.session.scalars(select(User.email)).one()
    assert email in listed
    assert MARKETING_SENTENCE in listed
    assert "/offres-par-courriel/" in listed

    client.post("/compte/donnees/offres", data={"recevoir": "non"})

    assert queries.wants_marketing() == []
    assert email not in app.test_cli_runner().invoke(args=["marketing", "list"]).output


def test_what_was_said_is_proof(app: Flask, now: datetime):
    person = people.customer(now)
    people.sign_in(app, person).post("/compte/donnees/offres", data={"recevoir": "oui"})
    with pytest.raises(DatabaseError), transaction() as session:
        session.execute(update(MarketingChoice).values(wanted=False))
    assert list(journal.verify()) == []
