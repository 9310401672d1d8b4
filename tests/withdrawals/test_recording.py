"""Withdrawals that came by post or by e-mail, and those of single lines of an order (W-01)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from storefront import worker
from storefront.catalogue.rules import ProductKind
from storefront.identity.models import Role
from storefront.infra import journal
from storefront.infra.db import db
from storefront.infra.journal import JournalEntry
from storefront.kernel.calendar import paris_date
from tests.identity import people
from tests.withdrawals.deciding import (
    DESK,
    GUIDE,
    PACK,
    TOOLBOX,
    bought,
    line_of,
    order_of,
    words_of,
)
from tests.withdrawals.declaring import (
    CLAIRE,
    WITHDRAW,
    confirmed,
    declare,
    hidden,
    messages,
    token_of,
    withdrawals,
)

pytestmark = pytest.mark.once


@pytest.fixture
def staff(app: Flask, now: datetime) -> FlaskClient:
    return people.at_work(app, Role.SHOPKEEPER, now)


LETTER = {
    **CLAIRE,
    "channel": "post",
    "sent_on": "2026-11-18",
    "received_on": "2026-11-23",
    "remark": "Je me rétracte de mon forfait.",
    "demande": "un-formulaire",
}


def test_a_letter_is_in_time_by_the_day_it_was_sent_and_due_by_the_day_it_came(
    app: Flask, staff: FlaskClient, now: datetime
) -> None:
    reference = confirmed(now - timedelta(days=20))  # last day: 18 November
    data = {**LETTER, "contract": reference}
    answer = staff.post(f"{DESK}/nouvelle", data=data)
    assert answer.status_code == 303, answer.text
    assert staff.post(f"{DESK}/nouvelle", data=data).location == answer.location
    (kept,) = withdrawals()
    assert (paris_date(kept.declared_at), paris_date(kept.received_at)) == (
        date(2026, 11, 18),
        date(2026, 11, 23),
    )
    assert kept.user_id is None
    words = words_of(staff, kept.reference)
    assert "Dans le délai" in words
    assert "envoyée par la poste le mercredi 18 novembre 2026, reçue le lundi 23" in words
    assert "À rembourser avant la fin du lundi 7 décembre 2026" in words
    assert "Enregistrée par Marie shopkeeper" in words

    worker.run_due(now)
    (told,) = messages("withdrawal_received")
    assert "envoyée par la poste le mercredi 18 novembre 2026" in told.text
    assert "au plus tard le lundi 7 décembre 2026" in told.text
    entry = db.session.scalars(
        select(JournalEntry).where(JournalEntry.kind == "withdrawal.declared")
    ).one()
    assert '"channel":"post"' in entry.payload
    assert '"recorded_by":"' in entry.payload
    assert "Essai" not in entry.payload
    assert list(journal.verify()) == []


def test_a_letter_without_an_address_is_answered_on_paper(
    app: Flask, staff: FlaskClient, now: datetime
) -> None:
    confirmed(now - timedelta(days=20))
    data = {**LETTER, "contract": "mon forfait", "email": ""}
    assert staff.post(f"{DESK}/nouvelle", data=data).status_code == 303
    worker.run_due(now)
    assert messages("withdrawal_received") == []
    assert "À écrire par courrier" in staff.get(DESK).text


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"received_on": "2026-11-17"}, "La réception ne peut pas précéder l’envoi."),
        ({"received_on": "2026-11-25"}, "Ce jour n’est pas encore venu."),
        ({"sent_on": "31/02/2026"}, "Cette date n’existe pas."),
        ({"channel": "email", "email": ""}, "Recopiez l’adresse d’où elle vient"),
        ({"channel": "pigeon"}, "error-summary"),
        ({"name": ""}, "Saisissez votre prénom et votre nom."),
    ],
)
def test_what_cannot_be_recorded_is_said_and_kept_on_the_page(
    staff: FlaskClient, changed: dict[str, str], told: str
) -> None:
    answer = staff.post(f"{DESK}/nouvelle", data={**LETTER, "contract": "un forfait", **changed})
    assert answer.status_code == 422
    assert told in answer.text
    assert "Je me rétracte de mon forfait." in answer.text
    assert withdrawals() == []


def test_lines_of_ones_own_order_can_be_chosen(
    app: Flask, client: FlaskClient, staff: FlaskClient, now: datetime
) -> None:
    order_id = bought(now - timedelta(days=2), GUIDE, TOOLBOX, PACK)
    order = order_of(order_id)
    address = f"{WITHDRAW}?commande={order.reference}&jeton={order.token}"
    page = client.get(address).text
    assert page.count('type="checkbox"') == 3
    assert page.count("checked") == 3  # all of them, unless they say otherwise
    hours = str(line_of(order_id, ProductKind.HOUR_PACK).id)
    data = {**CLAIRE, "contract": order.reference, "token": token_of(page), "suite": "relire"}
    none = client.post(address, data=data)
    assert none.status_code == 422
    assert "Cochez au moins un article." in none.text

    read = client.post(address, data={**data, "lines": [hours]})
    assert "Forfait 5 heures" in read.text
    assert "Boîte à outils" not in read.text
    answer = client.post(address, data={**hidden(read.text), "suite": "envoyer"})
    assert answer.status_code == 303
    (kept,) = withdrawals()
    assert kept.names == ["Forfait 5 heures"]
    worker.run_due(now)
    assert "Articles : Forfait 5 heures" in messages("withdrawal_received")[0].text
    words = words_of(staff, kept.reference)
    assert "Non déclarée" in words
    assert "Proposé maintenant 449,00 €" in words


def test_lines_of_somebody_elses_order_cannot_be_named(
    app: Flask, client: FlaskClient, now: datetime
) -> None:
    order_id = bought(now - timedelta(days=2), GUIDE, PACK)
    order = order_of(order_id)
    page = client.get(f"{WITHDRAW}?commande={order.reference}").text
    assert 'type="checkbox"' not in page
    line = str(order.lines[0].id)
    declare(client, WITHDRAW, contract=order.reference, lines=line)
    (kept,) = withdrawals()
    assert kept.lines == []
