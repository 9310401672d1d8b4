"""The client's and the staff's pages, over HTTP."""

from __future__ import annotations

import re
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, event, select

from storefront.credits import queries as credits
from storefront.infra.db import db, transaction
from storefront.tickets import service
from storefront.tickets.models import Intervention, Proposal, Ticket, TicketMessage
from storefront.tickets.rules import (
    Happening,
    InterventionStatus,
    MessageKind,
    ProposalStatus,
    TicketStatus,
)
from tests import factories
from tests.credits.lots import lot_of
from tests.tickets.desk import BOXES, Desk, sign_in, user


@pytest.fixture
def desk(app: Flask, now: datetime) -> Desk:
    return Desk(now)


@pytest.fixture
def client(app: Flask, desk: Desk, now: datetime) -> FlaskClient:
    """The client's browser."""
    browser = app.test_client()
    sign_in(browser, desk.client_id, at=now)
    return browser


@pytest.fixture
def staff(app: Flask, desk: Desk, now: datetime) -> FlaskClient:
    """The technician's browser."""
    browser = app.test_client()
    sign_in(browser, desk.staff_id, at=now)
    return browser


def at(desk: Desk) -> str:
    return f"/assistance/{desk.ticket().reference}"


def at_desk(desk: Desk) -> str:
    return f"/gestion/assistance/{desk.ticket().reference}"


def proposal_form(desk: Desk, **changed: str) -> dict[str, str]:
    return {
        "seen": str(desk.ticket().version),
        "once": str(uuid.uuid4()),
        "day": "2026-11-26",
        "at": "14:00",
        "minutes": "60",
        "technician": str(desk.staff_id),
        "description": "Réinstaller le pilote du son.",
        **changed,
    }


def statements(browser: FlaskClient, path: str) -> int:
    """How often a page asks the database, once its session is warm."""
    browser.get(path)
    db.session.rollback()
    db.session.expunge_all()
    seen: list[str] = []

    def keep(_c: Connection, _cur: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", keep)
    try:
        assert browser.get(path).status_code == 200
    finally:
        event.remove(db.engine, "before_cursor_execute", keep)
    return len(seen)


def test_a_visitor_reads_how_help_works(app: Flask, now: datetime):
    with transaction():
        factories.product(name="Forfait 3 heures")
    page = app.test_client().get("/assistance")
    assert page.status_code == 200
    assert "Ouvrir une demande" in page.text
    assert "Forfait 3 heures" in page.text


def test_a_visitor_who_asks_for_help_signs_in_first(app: Flask):
    assert app.test_client().get("/assistance/nouveau").headers["Location"].startswith("/connexion")


def test_a_client_without_hours_is_led_to_buying_some(app: Flask, now: datetime):
    desk = Desk(now, 60)
    desk.agreed(60)
    with transaction():
        factories.product(name="Forfait 1 heure", features={"minutes": 60})
    browser = app.test_client()
    sign_in(browser, desk.client_id, at=now)
    page = browser.get("/assistance/nouveau")
    assert "Il vous faut d’abord du temps d’assistance" in page.text
    assert 'action="/panier/ajouter"' in page.text


def test_a_ticket_is_opened_and_a_doubled_click_opens_no_other(
    client: FlaskClient, desk: Desk, now: datetime
):
    page = client.get("/assistance/nouveau")
    once = re.search(r'name="once" value="([^"]+)"', page.text)
    assert once
    sent = {
        "once": once[1],
        "lot": str(desk.lot_id),
        "subject": "Écran noir",
        "description": "Depuis ce matin.",
    }
    first, second = (client.post("/assistance/nouveau", data=sent) for _ in range(2))
    assert first.status_code == 303
    assert first.headers["Location"] == second.headers["Location"]
    shown = client.get(first.headers["Location"])
    assert "mercredi 25 novembre 2026" in shown.text
    assert "un jour ouvré" in shown.text
    assert "Depuis ce matin." in shown.text
    assert len(db.session.scalars(select(Ticket)).all()) == 2


def test_what_is_missing_is_said_and_what_was_typed_is_kept(client: FlaskClient, desk: Desk):
    page = client.post(
        "/assistance/nouveau", data={"lot": str(desk.lot_id), "subject": "", "description": "Aïe."}
    )
    assert page.status_code == 422
    assert "Dites en quelques mots de quoi il s’agit." in page.text
    assert "Aïe." in page.text


@pytest.mark.parametrize("whose", ["foreign", "nobody", "tampered"])
def test_hours_that_are_not_one_s_own_are_refused(
    client: FlaskClient, desk: Desk, now: datetime, whose: str
):
    with transaction():
        foreign = lot_of(now, email="luc@exemple.example").id
    lot = {"foreign": str(foreign), "nobody": str(uuid.uuid4()), "tampered": "x"}[whose]
    page = client.post(
        "/assistance/nouveau", data={"lot": lot, "subject": "Écran", "description": "Noir."}
    )
    assert page.status_code == 422
    assert "Ce forfait n’est pas sur votre compte" in page.text
    assert "Noir." in page.text
    assert len(db.session.scalars(select(Ticket)).all()) == 1


def test_expired_hours_are_refused_in_words(app: Flask, now: datetime):
    desk = Desk(now)
    with transaction():
        lot = credits.get(desk.lot_id)
        assert lot is not None
        lot.expires_on = (now - timedelta(days=1)).date()
    browser = app.test_client()
    sign_in(browser, desk.client_id, at=now)
    page = browser.post(
        "/assistance/nouveau",
        data={"lot": str(desk.lot_id), "subject": "Écran", "description": "Noir."},
    )
    assert page.status_code == 422
    assert "Ce forfait a expiré" in page.text


def test_somebody_else_s_ticket_does_not_exist(app: Flask, desk: Desk, now: datetime):
    proposal_id, reference = desk.propose(), at(desk)
    with transaction():
        stranger = lot_of(now, email="luc@exemple.example").user_id
    browser = app.test_client()
    sign_in(browser, stranger, at=now)
    assert browser.get(reference).status_code == 404
    for act in ("messages", f"propositions/{proposal_id}/accepter", "cloturer"):
        assert browser.post(f"{reference}/{act}", data=BOXES).status_code == 404
    assert desk.proposal(proposal_id).status is ProposalStatus.PROPOSED


def test_another_ticket_s_proposal_does_not_exist_on_this_one(client: FlaskClient, desk: Desk):
    other = desk.open()
    proposal_id = desk.propose(ticket_id=other)
    page = client.post(f"{at(desk)}/propositions/{proposal_id}/accepter", data=BOXES)
    assert page.status_code == 404


def test_a_message_sent_twice_is_written_once(client: FlaskClient, desk: Desk):
    sent = {"once": str(uuid.uuid4()), "body": "Un <b>portable</b>."}
    for _ in range(2):
        assert client.post(f"{at(desk)}/messages", data=sent).status_code == 303
    page = client.get(at(desk)).text
    assert page.count("Un &lt;b&gt;portable&lt;/b&gt;.") == 1


def test_an_empty_message_is_refused_in_words(client: FlaskClient, desk: Desk):
    page = client.post(f"{at(desk)}/messages", data={"body": "  "})
    assert page.status_code == 422
    assert "Écrivez votre message avant de l’envoyer." in page.text


def test_the_proposal_is_accepted_with_every_declaration_ticked(client: FlaskClient, desk: Desk):
    proposal_id = desk.propose()
    page = client.get(at(desk)).text
    assert "jeudi 26 novembre 2026 à 10" in page
    assert "Accepter et réserver 1\u00a0h" in page
    assert not re.search(r"<input[^>]* checked", page)
    accept = f"{at(desk)}/propositions/{proposal_id}/accepter"
    refused = client.post(accept, data={**BOXES, "backup_made": "false"})
    assert refused.status_code == 422
    assert "Cochez cette déclaration" in refused.text
    for _ in range(2):
        assert client.post(accept, data=BOXES).status_code == 303
    page = client.get(at(desk)).text
    assert "Rendez-vous le jeudi 26 novembre 2026 à 10" in page
    assert len(db.session.scalars(select(Intervention)).all()) == 1


def test_too_little_time_leads_to_buying_more_and_back(
    client: FlaskClient, desk: Desk, now: datetime
):
    with transaction():
        factories.product(name="Forfait 1 heure", price=5900, features={"minutes": 60})
        factories.product(name="Forfait 5 heures", price=24500, features={"minutes": 300})
    proposal_id = desk.propose(minutes=240)
    page = client.get(at(desk)).text
    assert "Il vous manque 1\u00a0h pour ce rendez-vous" in page
    assert "Ajouter 1\u00a0h au panier" in page
    accept = f"{at(desk)}/propositions/{proposal_id}/accepter"
    client.post(accept, data=BOXES)
    assert "rien n’est réservé" in client.get(at(desk)).text
    with transaction():
        lot_of(now, 60)
    assert "Accepter et réserver 4\u00a0h" in client.get(at(desk)).text
    client.post(accept, data=BOXES)
    assert desk.proposal(proposal_id).status is ProposalStatus.ACCEPTED


def test_another_time_is_asked_for_in_words(client: FlaskClient, desk: Desk):
    proposal_id = desk.propose()
    act = f"{at(desk)}/propositions/{proposal_id}/autre-moment"
    assert client.post(act, data={"wish": ""}).status_code == 422
    client.post(act, data={"wish": "Plutôt jeudi."})
    assert desk.proposal(proposal_id).status is ProposalStatus.OTHER_TIME
    assert "Plutôt jeudi." in client.get(at(desk)).text


def test_the_withdrawal_period_is_explained_to_client_and_staff(app: Flask, now: datetime):
    desk = Desk(now, consents=())
    browser = app.test_client()
    sign_in(browser, desk.client_id, at=now)
    assert "Pas d’intervention avant le mercredi 9 décembre 2026" in browser.get(at(desk)).text
    sign_in(browser, desk.staff_id, at=now)
    page = browser.post(f"{at_desk(desk)}/proposer", data=proposal_form(desk))
    assert page.status_code == 422
    assert "rendez-vous possible à partir du mercredi 9 décembre 2026" in page.text


def test_the_desk_is_for_staff_with_their_second_factor(
    app: Flask, client: FlaskClient, desk: Desk
):
    assert client.get("/gestion/assistance").status_code == 404
    with app.test_client() as browser:
        with browser.session_transaction() as session:
            session["_user_id"] = user(desk.staff_id).get_id()
        assert "/connexion/code" in browser.get("/gestion/assistance").headers["Location"]


def test_the_queue_shows_what_is_late(staff: FlaskClient, desk: Desk):
    with transaction():
        ticket = db.session.get_one(Ticket, desk.ticket_id)
        ticket.reply_due_at -= timedelta(days=3)
    page = staff.get("/gestion/assistance").text
    assert "1 en retard" in page
    assert "Plus de son" in page


def test_a_note_is_for_staff_only(staff: FlaskClient, client: FlaskClient, desk: Desk):
    sent = {"once": str(uuid.uuid4()), "remark": "Déjà vu en mai."}
    assert staff.post(f"{at_desk(desk)}/noter", data=sent).status_code == 303
    assert "Déjà vu en mai." in staff.get(at_desk(desk)).text
    assert "Déjà vu en mai." not in client.get(at(desk)).text


def test_staff_answer_and_propose(staff: FlaskClient, client: FlaskClient, desk: Desk):
    sent = {"once": str(uuid.uuid4()), "body": "Bonjour, quel modèle ?"}
    assert staff.post(f"{at_desk(desk)}/repondre", data=sent).status_code == 303
    form = proposal_form(desk)
    for _ in range(2):
        assert staff.post(f"{at_desk(desk)}/proposer", data=form).status_code == 303
    assert len(db.session.scalars(select(Proposal)).all()) == 1
    page = client.get(at(desk)).text
    assert "Bonjour, quel modèle ?" in page
    assert "Rendez-vous proposé le jeudi 26 novembre 2026 à 14" in page


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"day": "2026-11-23"}, "Ce moment est déjà passé"),
        ({"day": "2027-03-28", "at": "02:30"}, "Cette heure n’existe pas ce jour-là"),
        ({"day": "2026-02-30"}, "Cette date n’existe pas"),
        ({"day": ""}, "Choisissez la date."),
        ({"at": "25:00"}, "Cette heure n’existe pas"),
        ({"at": "14:07"}, "au quart d’heure"),
        ({"minutes": "0"}, "de 15 minutes à 8 heures"),
        ({"minutes": "-60"}, "de 15 minutes à 8 heures"),
        ({"minutes": "1000000000"}, "de 15 minutes à 8 heures"),
        ({"minutes": "une heure"}, "un nombre entier de minutes"),
        ({"technician": str(uuid.uuid4())}, "Choisissez un technicien de la liste."),
        ({"description": ""}, "Dites au client ce qui sera fait."),
        ({"day": "9999-12-31"}, "au plus un an à l’avance"),
    ],
)
def test_a_time_that_cannot_be_is_refused_and_the_rest_is_kept(
    staff: FlaskClient, desk: Desk, changed: dict[str, str], said: str
):
    form = proposal_form(desk, **changed)
    page = staff.post(f"{at_desk(desk)}/proposer", data=form)
    assert page.status_code == 422
    assert said in page.text
    assert form["description"] in page.text
    assert db.session.scalars(select(Proposal)).all() == []


def test_the_hour_that_comes_twice_is_the_first_of_the_two(staff: FlaskClient, desk: Desk):
    staff.post(f"{at_desk(desk)}/proposer", data=proposal_form(desk, day="2027-10-31", at="02:30"))
    (proposal,) = db.session.scalars(select(Proposal))
    assert proposal.starts_at.isoformat() == "2027-10-31T00:30:00+00:00"


def test_a_time_outside_the_promise_is_possible_and_said(staff: FlaskClient, desk: Desk):
    staff.post(f"{at_desk(desk)}/proposer", data=proposal_form(desk, day="2026-12-10"))
    assert "Ce moment sort du délai promis" in staff.get(at_desk(desk)).text


def test_a_busy_technician_is_not_proposed(staff: FlaskClient, desk: Desk, now: datetime):
    other = desk.open()
    desk.accept(desk.propose(now + timedelta(days=2, hours=4), ticket_id=other))
    page = staff.post(f"{at_desk(desk)}/proposer", data=proposal_form(desk))
    assert page.status_code == 422
    assert "Ce technicien a déjà un rendez-vous à ce moment-là." in page.text


@pytest.mark.parametrize("seen", ["1", "", "x"])
def test_a_page_that_is_out_of_date_changes_nothing(
    staff: FlaskClient, desk: Desk, now: datetime, seen: str
):
    form = proposal_form(desk)
    with transaction():
        service.reply(uuid.uuid4(), desk.ticket_id, user(desk.client_id), "Au fait…", now=now)
    page = staff.post(f"{at_desk(desk)}/proposer", data={**form, "seen": seen})
    assert page.status_code == 409
    assert db.session.scalars(select(Proposal)).all() == []


def test_the_work_from_start_to_report_and_the_client_s_statement(
    staff: FlaskClient, client: FlaskClient, desk: Desk
):
    intervention_id = desk.agreed()
    acts = f"{at_desk(desk)}/interventions/{intervention_id}"
    for act in ("demarrer", "arreter", "reprendre", "arreter"):
        sent = {"seen": str(desk.ticket().version)}
        assert staff.post(f"{acts}/{act}", data=sent).status_code == 303
    report = {"seen": str(desk.ticket().version), "report": "Pilote réinstallé."}
    bad = staff.post(f"{acts}/compte-rendu", data={**report, "corrected": "61"})
    assert bad.status_code == 422
    assert "Dites pourquoi le temps est corrigé" in bad.text
    good = {**report, "corrected": "61", "why": "Le compteur a été lancé après."}
    assert staff.post(f"{acts}/compte-rendu", data=good).status_code == 303
    page = client.get(at(desk)).text
    assert "Pilote réinstallé." in page
    assert "1\u00a0h\u00a001" in page
    assert "−2\u00a0h" in page
    assert "Le compteur a été lancé après." in page
    mine = f"{at(desk)}/interventions/{intervention_id}"
    assert client.post(f"{mine}/confirmer").status_code == 303
    assert desk.ticket().status is TicketStatus.CLOSED
    assert staff.get(at_desk(desk)).status_code == 200


def test_a_report_beyond_the_hours_left_says_what_to_do(app: Flask, now: datetime):
    desk = Desk(now, 60)
    intervention_id = desk.agreed(60)
    desk.worked(intervention_id, 90)
    browser = app.test_client()
    sign_in(browser, desk.staff_id, at=now)
    page = browser.post(
        f"{at_desk(desk)}/interventions/{intervention_id}/compte-rendu",
        data={"seen": str(desk.ticket().version), "report": "Un long travail."},
    )
    assert page.status_code == 409
    assert "Demandez-lui de compléter ses heures" in page.text
    assert "Un long travail." in page.text
    assert desk.intervention(intervention_id).status is InterventionStatus.STOPPED


def test_a_refusal_names_a_reason_of_the_terms(staff: FlaskClient, client: FlaskClient, desk: Desk):
    sent = {"seen": str(desk.ticket().version), "explanation": "Panne matérielle."}
    page = staff.post(f"{at_desk(desk)}/refuser", data={**sent, "ground": "humeur"})
    assert page.status_code == 422
    assert (
        staff.post(
            f"{at_desk(desk)}/refuser", data={**sent, "ground": "not_as_planned"}
        ).status_code
        == 303
    )
    page = client.get(at(desk))
    assert "Les conditions ne correspondent pas à ce qui était prévu." in page.text
    assert "Panne matérielle." in page.text


def test_the_client_interrupts_and_cancels(client: FlaskClient, desk: Desk, now: datetime):
    first = desk.agreed()
    assert client.post(f"{at(desk)}/interventions/{first}/annuler").status_code == 303
    assert "revenu" not in client.get(at(desk)).text
    assert credits.balance(desk.lot_id) == 180
    second = desk.agreed()
    with transaction():
        service.start(second, user(desk.staff_id), seen=desk_version(desk), now=now)
    assert client.post(f"{at(desk)}/interventions/{second}/interrompre").status_code == 303
    assert desk.intervention(second).status is InterventionStatus.STOPPED
    assert client.post(f"{at(desk)}/interventions/{second}/confirmer").status_code == 409
    assert client.post(f"{at(desk)}/interventions/{second}/danser").status_code == 404


def desk_version(desk: Desk) -> int:
    return db.session.get_one(Ticket, desk.ticket_id, populate_existing=True).version


def test_every_event_of_the_timeline_has_its_words(app: Flask, client: FlaskClient, desk: Desk):
    with transaction():
        db.session.add_all(
            TicketMessage(
                ticket_id=desk.ticket_id,
                number=100 + number,
                kind=MessageKind.EVENT,
                body=what.value,
                facts={
                    "starts_at": "2026-11-26T13:00:00+00:00",
                    "minutes": 60,
                    "worked": 61,
                    "reason": "not_as_planned",
                    "explanation": "Parce que.",
                },
                written_at=desk.now,
            )
            for number, what in enumerate(Happening)
        )
    page = client.get(at(desk)).text
    titles = re.findall(r"<h3>(.*?)</h3>", page, re.DOTALL)
    assert all(title.strip() for title in titles)
    assert len(titles) >= len(Happening)


def test_lists_ask_the_database_as_often_for_many_tickets_as_for_one(
    client: FlaskClient, staff: FlaskClient, desk: Desk, now: datetime
):
    desk.propose()
    once = statements(client, "/assistance"), statements(staff, "/gestion/assistance")
    for number in range(6):
        other = desk.open(now=now + timedelta(minutes=number))
        desk.propose(now + timedelta(days=2, hours=2 + number), ticket_id=other)
    assert (statements(client, "/assistance"), statements(staff, "/gestion/assistance")) == once
    assert once[0] <= 6
    assert once[1] <= 8
