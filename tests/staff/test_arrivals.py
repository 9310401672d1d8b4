"""Staff record transfers and cheques."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from storefront import worker
from storefront.identity.models import Role
from storefront.infra.db import db
from storefront.instalments import queries
from storefront.instalments.queries import Wait
from storefront.kernel.calendar import end_of_day, paris_date
from storefront.orders.models import OrderStatus
from storefront.payments.models import PaymentStatus
from tests.account.test_pages import shown
from tests.by_hand import arrives, last, order, ordered
from tests.identity.people import at_work
from tests.payments.paid import refunds

LIST = "/gestion/argent/encaissements"


@pytest.fixture
def desk(app: Flask, now: datetime) -> FlaskClient:
    return at_work(app, Role.SHOPKEEPER, now)


@pytest.fixture
def paying(client: FlaskClient, now: datetime) -> uuid.UUID:
    return ordered(client, now)


def typed(now: datetime, **fields: str) -> dict[str, str]:
    return {
        "number": "1",
        "way": "transfer",
        "amount": "180,00",
        "arrived_on": paris_date(now).isoformat(),
        "bank_label": "VIR SEPA CLAIRE ESSAI",
        **fields,
    }


def test_what_is_awaited_is_found_by_reference_order_name_and_amount(desk, paying, now):
    for words in ("", last().page_reference, order().reference, "essai claire", "180", "180,00 €"):
        page = desk.get(LIST, query_string={"q": words})
        assert last().page_reference in page.text, words
    for words in ("VIR-0000000000", "181", "personne"):
        page = desk.get(LIST, query_string={"q": words})
        assert last().page_reference not in page.text
        assert "Chercher dans tous les états" in page.text


def test_recording_confirms_the_order_before_the_page_answers(desk, paying, now):
    form = desk.get(f"{LIST}/{paying}")
    assert 'name="number" value="1"' in form.text
    answer = desk.post(f"{LIST}/{paying}", data=typed(now), follow_redirects=True)
    assert "tout est arrivé" in shown(answer.text)
    assert desk.post(f"{LIST}/{paying}", data=typed(now)).status_code == 303
    assert "VIR SEPA CLAIRE ESSAI" in answer.text
    assert "Marie shopkeeper" in answer.text
    assert order().status is OrderStatus.CONFIRMED
    assert last().taken_minor == 18000
    assert last().page_reference not in desk.get(LIST).text
    assert last().page_reference in desk.get(f"{LIST}?etat=arrived").text


@pytest.mark.parametrize(
    ("amount", "told"),
    [("100", "Il manquera 80,00 €"), ("200", "C’est 20,00 € de trop")],
)
def test_an_unexpected_amount_is_asked_about_before_it_is_written(desk, paying, now, amount, told):
    asked = desk.post(f"{LIST}/{paying}", data=typed(now, amount=amount))
    assert told in shown(asked.text)
    assert last().taken_minor == 0
    desk.post(f"{LIST}/{paying}", data=typed(now, amount=amount, confirmed=amount))
    assert last().taken_minor == int(amount) * 100
    assert (last().status is PaymentStatus.OPEN) == (amount == "100")


def test_changing_the_amount_after_the_question_asks_again(desk, paying, now):
    asked = desk.post(f"{LIST}/{paying}", data=typed(now, amount="1800", confirmed="100"))
    assert "Vérifiez le montant" in asked.text
    assert last().taken_minor == 0


@pytest.mark.parametrize(
    "amount", ["", "abc", "0", "-5", "1,234", "12,345", "9999999999", "1 000 000 000", "1e3"]
)
def test_what_is_no_amount_is_said_and_kept(desk, paying, now, amount):
    answer = desk.post(f"{LIST}/{paying}", data=typed(now, amount=amount))
    assert answer.status_code == 422
    assert f'value="{amount}"' in answer.text
    assert last().taken_minor == 0


@pytest.mark.parametrize("day", ["", "hier", "2026-13-01", "2026-11-25", "2016-11-24"])
def test_a_day_that_cannot_be_is_said(desk, paying, now, day):
    answer = desk.post(f"{LIST}/{paying}", data=typed(now, arrived_on=day))
    assert answer.status_code == 422
    assert last().taken_minor == 0


def test_a_way_or_a_label_that_cannot_be_is_said(desk, paying, now):
    for wrong in ({"way": "pigeon"}, {"bank_label": "x" * 141}):
        assert desk.post(f"{LIST}/{paying}", data=typed(now, **wrong)).status_code == 422
    assert last().taken_minor == 0


def test_what_somebody_else_recorded_meanwhile_is_shown_instead(desk, paying, now):
    arrives(paying, 5000, now)
    answer = desk.post(f"{LIST}/{paying}", data=typed(now))
    assert answer.status_code == 409
    assert "50,00" in answer.text
    assert last().taken_minor == 5000


def test_the_money_queue_and_the_order_lead_to_it(desk, paying, now):
    arrives(paying, 5000, now)
    queue = desk.get("/gestion/argent")
    assert "Paiement incomplet" in queue.text
    assert "130,00" in queue.text
    page = desk.get(f"/gestion/commandes/{order().reference}")
    assert f"{LIST}/{paying}" in page.text
    assert "Reçu en partie" in page.text
    assert desk.get("/gestion/argent/export.csv").status_code == 200


def test_money_for_a_cancelled_order_is_found_and_recorded(desk, paying, now):
    worker.run_due(end_of_day(order().kept_on))
    assert last().page_reference not in desk.get(LIST).text
    assert last().page_reference in desk.get(f"{LIST}?etat=tous&q={order().reference}").text
    answer = desk.post(f"{LIST}/{paying}", data=typed(now), follow_redirects=True)
    assert "proposé au remboursement" in shown(answer.text)
    assert len(refunds(paying)) == 1


def test_a_refund_by_hand_is_noted_with_its_day(desk, paying, now):
    arrives(paying, 20000, now)
    [proposed] = refunds(paying)
    here = f"/gestion/commandes/{order().reference}/remboursements/{proposed.id}"
    desk.post(f"{here}/accepter")
    tomorrow = (paris_date(now) + timedelta(days=1)).isoformat()
    desk.post(f"{here}/virement", data={"sent_on": tomorrow})
    assert refunds(paying)[0].sent_on is None
    desk.post(f"{here}/virement", data={"sent_on": "2026-11-23", "reference": "OP-12"})
    assert refunds(paying)[0].sent_on.isoformat() == "2026-11-23"


def test_the_list_goes_on_page_by_page(app: Flask, now: datetime):
    ids = [ordered(app.test_client(), now + timedelta(minutes=at)) for at in range(3)]
    pages, after = [], ""
    while rows := queries.by_hand(wait=Wait.AWAITED, after=after, limit=2):
        pages += [row[0].id for row in rows]
        after = str(rows[-1][0].id)
    assert sorted(pages, key=str) == sorted(ids, key=str)
    assert queries.by_hand(wait=None, after="n'importe quoi", limit=2)
    db.session.rollback()


def test_only_a_shopkeeper_records_money(app: Flask, paying, now):
    technician = at_work(app, Role.TECHNICIAN, now)
    assert technician.get(LIST).status_code == 403
    assert technician.post(f"{LIST}/{paying}", data=typed(now)).status_code == 403
    assert app.test_client().get(LIST).status_code == 302


def test_what_is_not_paid_by_hand_has_no_such_page(desk, now):
    assert desk.get(f"{LIST}/{uuid.uuid4()}").status_code == 404
    assert desk.post(f"{LIST}/echeances/{uuid.uuid4()}").status_code == 404
