"""Staff and the command line see how far the debits of a day are (M-03)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from sandbox.testing import RunningSandbox
from storefront.identity.models import Role
from storefront.infra.db import db, transaction
from storefront.instalments import queries, service
from storefront.instalments.models import Instalment
from storefront.instalments.rules import morning_of
from storefront.kernel.calendar import paris_date
from storefront.payments.models import SavedMethod
from tests import factories
from tests.account.test_pages import queries_of, shown
from tests.identity.people import at_work
from tests.plans import CHALLENGED_LATER, REFUSED_LATER, buy, live_until

PAGE = "/gestion/argent/prelevements"
GOOD = "4242424242424242"
CARDS = {"une": GOOD, "deux": GOOD, "refus": REFUSED_LATER, "accord": CHALLENGED_LATER}


@pytest.fixture
def morning(app: Flask, sandbox: RunningSandbox, now: datetime) -> datetime:
    """Four customers pay on this morning; the shop's clock stands there, nothing is taken yet."""
    for name, card in CARDS.items():
        buy(sandbox, now, card=card, who=factories.buyer(email=f"{name}@exemple.example"))
    return wait_for_the_second(app, sandbox)


def wait_for_the_second(app: Flask, sandbox: RunningSandbox) -> datetime:
    due_on = db.session.scalars(select(Instalment.due_on).where(Instalment.rank == 2)).first()
    assert due_on is not None
    instant = morning_of(due_on)
    sandbox.control("clock", now=instant.isoformat())
    app.extensions["clock"].move_to(instant)
    return instant


def staff(app: Flask, now: datetime) -> FlaskClient:
    return at_work(app, Role.SHOPKEEPER, now)


def run(app: Flask) -> str:
    done = app.test_cli_runner().invoke(args=["billing", "run"])
    assert done.exit_code == 0, done.output
    return done.output


def test_what_is_due_stands_there_before_anything_is_taken(app: Flask, morning: datetime) -> None:
    page = shown(staff(app, morning).get(PAGE).text)

    assert "Aujourd’hui, jeudi 24 décembre 2026 Réponse reçue pour 0 sur 4" in page
    assert "Pas encore commencé" in page
    assert "Restants 4" in page


def test_a_run_says_what_became_of_each(app: Flask, morning: datetime) -> None:
    said = run(app)

    assert "Today 4 due: 2 taken (390,00\u00a0€)," in said
    assert "1 refused, 1 left to the customer," in said
    assert "0 in doubt, 0 still to take." in said
    page = shown(staff(app, morning).get(PAGE).text)
    assert "4 sur 4 Terminé, commencé à 6 h." in page
    assert "Pris 2 390,00 €" in page
    assert "Refusés par la banque 1" in page
    assert "Laissés au client 1" in page


def test_a_second_run_takes_nothing_and_counts_nothing_twice(app: Flask, morning: datetime) -> None:
    run(app)

    assert "Today 4 due: 2 taken" in run(app)


def test_a_run_under_way_shows_how_far_it_is(app: Flask, morning: datetime) -> None:
    first = queries.to_charge(paris_date(morning))[0]
    with transaction():
        assert service.claim([first], now=morning).debits

    page = shown(staff(app, morning).get(PAGE).text)

    assert "0 sur 4 Commencé à 6 h. Il en reste 4." in page
    assert "Sans réponse encore 1" in page
    assert "Restants 3" in page


def test_without_a_means_of_payment_it_is_left_to_the_customer(
    app: Flask, morning: datetime
) -> None:
    with transaction() as session:
        for method in session.scalars(select(SavedMethod)):
            method.revoked_at = morning

    assert "0 refused, 4 left to the customer" in run(app)


def test_yesterdays_run_stays_to_be_read_and_its_refusal_is_due_again_later(
    app: Flask, sandbox: RunningSandbox, morning: datetime
) -> None:
    run(app)
    later = morning + timedelta(days=3)
    app.extensions["clock"].move_to(later)
    live_until(sandbox, later)

    today, *_, that_day = queries.billing_days(paris_date(later), count=4)

    assert (today.due, today.refused) == (1, 1)
    assert (that_day.due, that_day.taken, that_day.refused) == (4, 2, 1)
    page = shown(staff(app, later).get(PAGE).text)
    assert "24 déc. 2026 2 sur 4" in page


def test_what_is_paid_by_hand_on_a_page_is_no_debit(
    app: Flask, sandbox: RunningSandbox, now: datetime
) -> None:
    buy(sandbox, now)

    assert all(day.due == 0 for day in queries.billing_days(paris_date(now)))
    assert "Aucun prélèvement depuis trente jours" in shown(staff(app, now).get(PAGE).text)


def test_the_page_asks_as_much_of_the_database_for_one_as_for_many(
    app: Flask, sandbox: RunningSandbox, now: datetime
) -> None:
    client = staff(app, now)
    client.get(PAGE)
    none = queries_of(client, PAGE)
    for name, card in CARDS.items():
        buy(sandbox, now, card=card, who=factories.buyer(email=f"{name}@exemple.example"))
    client = at_work(app, Role.MANAGER, wait_for_the_second(app, sandbox))
    run(app)

    assert queries_of(client, PAGE) == none <= 6


def test_it_is_no_business_of_a_technician(app: Flask, now: datetime) -> None:
    assert at_work(app, Role.TECHNICIAN, now).get(PAGE).status_code == 403
