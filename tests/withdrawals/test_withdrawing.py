"""Withdrawing on the web: two steps, one button, one declaration, one acknowledgement (WDR-05)."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Barrier

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DatabaseError

from storefront import worker
from storefront.infra import journal
from storefront.infra.db import db, transaction
from storefront.infra.journal import JournalEntry
from storefront.notifications.rules import EmailStatus
from storefront.orders.models import Order
from storefront.withdrawals.models import WithdrawalMatch, WithdrawalRequest
from tests import factories
from tests.identity import people
from tests.parallel import at_once
from tests.withdrawals.declaring import (
    CLAIRE,
    WITHDRAW,
    confirmed,
    declare,
    hidden,
    messages,
    read_again,
    token_of,
    withdrawals,
)


def matches() -> list[WithdrawalMatch]:
    db.session.rollback()
    return list(db.session.scalars(select(WithdrawalMatch)))


@pytest.fixture
def reference(app: Flask, now: datetime) -> str:
    return confirmed(now - timedelta(days=2))


def test_every_page_leads_to_both_functions_by_the_words_of_the_law(client: FlaskClient):
    page = client.get("/").text
    assert '<a href="/retractation">renoncer au contrat ici</a>' in page
    assert '<a href="/resiliation">résilier votre contrat</a>' in page
    assert client.get("/retractation").status_code == 200
    assert client.get("/resiliation").status_code == 200


def test_a_visitor_withdraws_in_two_steps_without_signing_in(
    client: FlaskClient, reference: str, now: datetime
):
    carried = read_again(client, WITHDRAW, contract=reference, remark="Le seul forfait.")
    assert withdrawals() == []  # nothing is kept before the button of the law

    answer = client.post(WITHDRAW, data={**carried, "suite": "envoyer"})
    page = client.get(answer.location).text
    (kept,) = withdrawals()
    assert (kept.name, kept.email) == ("Claire Essai", "claire@exemple.example")
    assert (kept.contract, kept.remark) == (reference, "Le seul forfait.")
    assert abs(kept.declared_at - now) < timedelta(minutes=5)
    assert kept.reference == "RET-2026-000001"
    assert kept.reference in page
    assert "mardi 24 novembre 2026 à 10&nbsp;h" in page
    assert "Le seul forfait." in page
    assert "14&nbsp;jours" in page


def test_the_page_read_again_has_the_button_of_the_law(client: FlaskClient, reference: str):
    token = token_of(client.get(WITHDRAW).text)
    data = {**CLAIRE, "contract": reference, "token": token}
    page = client.post(WITHDRAW, data=data).text
    assert ">confirmer la rétractation</button>" in page
    assert reference in page
    assert ">Corriger</button>" in page


def test_correcting_keeps_what_was_typed(client: FlaskClient):
    carried = read_again(client, WITHDRAW, contract="mon guide", remark="Merci.\nClaire")
    page = client.post(WITHDRAW, data={**carried, "suite": "corriger"}).text
    assert 'value="mon guide"' in page
    assert "Merci.\r\nClaire" in page.replace("\n", "\r\n").replace("\r\r", "\r")
    assert token_of(page) == carried["token"]
    assert withdrawals() == []


def test_no_reason_and_no_account_is_asked(client: FlaskClient):
    page = client.get(WITHDRAW).text
    form = page[
        page.index('<form class="form"') : page.index("</form>", page.index('class="form"'))
    ]
    assert set(re.findall(r'name="(\w+)"', form)) - {"csrf_token"} == {
        *("token", "name", "contract", "email", "remark", "suite"),
    }


@pytest.mark.parametrize(
    ("field", "typed", "told"),
    [
        ("name", "", "Saisissez votre prénom et votre nom."),
        ("contract", "  ", "Indiquez la référence de la commande"),
        ("email", "claire", "Saisissez une adresse e-mail complète"),
        ("contract", "voir http://autre.example/x", "Retirez le lien internet"),
        ("remark", "x" * 1001, "Au plus 1 000 signes."),
    ],
)
def test_what_is_missing_is_said_and_the_rest_is_kept(
    client: FlaskClient, field: str, typed: str, told: str
):
    data = {**CLAIRE, "contract": "CMD-2026-000001", "remark": "Bonjour", "suite": "envoyer"}
    answer = client.post(WITHDRAW, data=data | {field: typed})
    assert answer.status_code == 422
    assert told in answer.text
    kept = "Claire Essai" if field != "name" else "CMD-2026-000001"
    assert f'value="{kept}"' in answer.text
    assert withdrawals() == []


def test_our_own_address_may_name_the_contract(client: FlaskClient, app: Flask, reference: str):
    ours = f"{app.config['SETTINGS'].base_url}/commandes/{reference}"
    declare(client, WITHDRAW, contract=ours)
    assert len(matches()) == 1


def test_the_acknowledgement_repeats_the_declaration_with_its_date_and_time(
    client: FlaskClient, reference: str
):
    declare(client, WITHDRAW, contract=reference, remark="Tout.")
    (sent,) = messages("withdrawal_received")
    (kept,) = withdrawals()
    assert sent.recipient == "claire@exemple.example"
    for body in (sent.text, sent.html):
        plain = body.replace("&nbsp;", " ")
        assert "mardi 24 novembre 2026 à 10 h 0" in plain
        assert "heure de Paris" in plain
        for word in ("Claire Essai", reference, "Tout.", kept.reference, "mardi 8 décembre 2026"):
            assert word in plain
    assert sent.attachments  # the accepted terms


def test_a_double_click_makes_one_declaration(client: FlaskClient, reference: str):
    carried = read_again(client, WITHDRAW, contract=reference)
    first = client.post(WITHDRAW, data={**carried, "suite": "envoyer"})
    second = client.post(WITHDRAW, data={**carried, "suite": "envoyer"})
    assert (first.status_code, first.location) == (second.status_code, second.location)
    assert len(withdrawals()) == len(matches()) == len(messages("withdrawal_received")) == 1


def test_clicks_at_the_same_moment_make_one_declaration(
    app: Flask, client: FlaskClient, reference: str
):
    carried = read_again(client, WITHDRAW, contract=reference)
    ready = Barrier(6)

    def click(_number: int) -> str:
        browser = app.test_client()
        ready.wait()
        answer = browser.post(WITHDRAW, data={**carried, "suite": "envoyer"})
        return answer.location or answer.text

    places = at_once(app, click, 6)
    assert len(set(map(str, places))) == 1, places
    assert str(places[0]).startswith("/retractation/recue/"), places
    assert len(withdrawals()) == len(matches()) == 1
    assert withdrawals()[0].reference == "RET-2026-000001"
    declare(client, WITHDRAW, contract="autre chose")
    assert sorted(one.reference for one in withdrawals())[-1] == "RET-2026-000002"


def test_a_corrected_page_sent_after_the_first_is_a_declaration_of_its_own(client: FlaskClient):
    carried = read_again(client, WITHDRAW, contract="mon guide")
    client.post(WITHDRAW, data={**carried, "suite": "envoyer"})
    client.post(WITHDRAW, data={**carried, "contract": "mon forfait", "suite": "envoyer"})
    assert {one.contract for one in withdrawals()} == {"mon guide", "mon forfait"}


def test_the_declaration_stands_while_the_mail_server_is_down(
    app: Flask, client: FlaskClient, reference: str, now: datetime
):
    settings = app.config["SETTINGS"]
    app.config["SETTINGS"] = replace(settings, smtp_url="smtp://127.0.0.1:1")
    place = declare(client, WITHDRAW, contract=reference)
    worker.run_due(now + timedelta(minutes=1))
    (waiting,) = messages("withdrawal_received")
    assert (waiting.status, len(withdrawals())) == (EmailStatus.QUEUED, 1)
    assert client.get(place).status_code == 200

    app.config["SETTINGS"] = settings
    worker.run_due(now + timedelta(hours=1))
    (sent,) = messages("withdrawal_received")
    assert sent.status is EmailStatus.SENT
    assert "à 10 h 0" in sent.text  # when it was submitted, not when the message left


def test_reference_address_and_name_together_find_the_order(client: FlaskClient, reference: str):
    declare(client, WITHDRAW, contract=reference.lower(), name="essai claire")
    (match,) = matches()
    assert match.order.reference == reference
    assert match.staff_id is None


@pytest.mark.parametrize(
    "other",
    [
        {"contract": "CMD-2026-999999"},
        {"contract": "mon forfait d’heures"},
        {"email": "quelqu-un@exemple.example"},
        {"name": "Paul Autre"},
    ],
)
def test_what_does_not_agree_is_kept_unmatched(
    client: FlaskClient, reference: str, other: dict[str, str]
):
    declare(client, WITHDRAW, **({"contract": reference} | other))
    assert len(withdrawals()) == 1
    assert matches() == []
    assert len(messages("withdrawal_received")) == 1


def answered(client: FlaskClient, **fields: str) -> tuple[str, str]:
    """The page that follows a declaration, without what was typed or drawn for it."""
    place = declare(client, WITHDRAW, **fields)
    page = client.get(place).text
    typed = {**CLAIRE, **fields}
    for own in (*typed.values(), *re.findall(r"RET-\d+-\d+", page)):
        page = page.replace(own, "…")
    return re.sub(r"<time.*?</time>", "…", page), re.sub(r"/[0-9a-f]{64}", "", place)


def test_nobody_learns_which_references_exist(client: FlaskClient, reference: str):
    """The page after a declaration says the same of a foreign order, of none, and of one's own."""
    own = answered(client, contract=reference)
    foreign = answered(client, contract=reference, email="paul@exemple.example", name="Paul Tiers")
    absent = answered(
        client, contract="CMD-2026-424242", email="paul@exemple.example", name="Paul Tiers"
    )
    assert own == foreign == absent
    assert client.get(WITHDRAW, query_string={"commande": reference}).text.count(reference) == 0


def test_the_message_to_a_stranger_says_nothing_of_the_order(client: FlaskClient, reference: str):
    declare(client, WITHDRAW, contract=reference, email="paul@exemple.example")
    (sent,) = messages("withdrawal_received")
    assert sent.order_id is None
    assert not sent.attachments
    assert "rattachée" not in sent.text


def test_the_owner_s_page_is_filled_in_and_a_stranger_s_is_not(
    app: Flask, reference: str, now: datetime
):
    claire = people.customer(now)
    page = people.sign_in(app, claire).get(f"{WITHDRAW}?commande={reference}").text
    for value in ("Claire Essai", "claire@exemple.example", reference):
        assert f'value="{value}"' in page
    assert "mardi 8 décembre 2026" not in page  # confirmed two days before: Monday the 7th
    assert "lundi 7 décembre 2026" in page

    stranger = people.sign_in(app, people.customer(now, "paul@exemple.example"))
    assert reference not in stranger.get(f"{WITHDRAW}?commande={reference}").text


def test_a_guest_comes_from_the_order_s_page_with_its_secret(client: FlaskClient, reference: str):
    order = db.session.scalars(select(Order)).one()
    query = {"commande": reference, "jeton": order.token}
    assert f'value="{reference}"' in client.get(WITHDRAW, query_string=query).text
    query["jeton"] = "autre"
    assert reference not in client.get(WITHDRAW, query_string=query).text


def test_the_owner_may_ask_for_the_acknowledgement_elsewhere(
    app: Flask, reference: str, now: datetime
):
    browser = people.sign_in(app, people.customer(now))
    declare(browser, WITHDRAW, contract=reference, email="ailleurs@exemple.example")
    assert len(matches()) == 1
    assert messages("withdrawal_received")[0].recipient == "ailleurs@exemple.example"


def test_a_shop_without_published_terms_receives_withdrawals_too(client: FlaskClient):
    page = client.get(declare(client, WITHDRAW, contract="mon guide")).text
    assert "14&nbsp;jours" in page


def test_too_many_from_one_place_wait_and_lose_nothing(app: Flask, client: FlaskClient):
    for number in range(6):
        declare(client, WITHDRAW, contract=f"article {number}")
    carried = read_again(client, WITHDRAW, contract="article 7")
    answer = client.post(WITHDRAW, data={**carried, "suite": "envoyer"})
    assert answer.status_code == 429
    assert "un courriel a la même valeur" in answer.text
    assert hidden(answer.text)["contract"] == "article 7"
    assert len(withdrawals()) == 6

    clock = app.extensions["clock"]
    clock.move_to(clock.now() + timedelta(hours=1, minutes=1))
    again = client.post(WITHDRAW, data={**hidden(answer.text), "suite": "envoyer"})
    assert again.status_code == 303


def test_an_unknown_page_does_not_exist(client: FlaskClient):
    assert client.get("/retractation/recue/" + "0" * 64).status_code == 404


def test_the_declaration_cannot_be_changed_nor_deleted(client: FlaskClient, reference: str):
    declare(client, WITHDRAW, contract=reference)
    statements = (update(WithdrawalRequest).values(name="Autre"), delete(WithdrawalRequest))
    for statement in statements:
        with pytest.raises(DatabaseError), transaction() as session:
            session.execute(statement)
    assert withdrawals()[0].name == "Claire Essai"


def test_the_journal_proves_the_declaration_and_names_nobody(client: FlaskClient, reference: str):
    declare(client, WITHDRAW, contract=reference, remark="Secret de Claire")
    entries = db.session.scalars(
        select(JournalEntry).where(JournalEntry.kind.startswith("withdrawal."))
    ).all()
    assert [entry.kind for entry in entries] == ["withdrawal.declared", "withdrawal.matched"]
    assert entries[0].seal
    for entry in entries:
        assert "claire" not in entry.payload.lower()
    assert list(journal.verify()) == []


def test_the_terms_say_in_how_many_days_the_refund_comes(client: FlaskClient, now: datetime):
    with transaction():
        factories.terms(now, refund_days=7)
    assert "7&nbsp;jours" in client.get(WITHDRAW).text
