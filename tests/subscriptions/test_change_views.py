"""The pages of a change of plan: seen before, clicked once, paid, taken back (B-07, PRE-03)."""

from __future__ import annotations

import html
import re
import uuid
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from sandbox.testing import RunningSandbox
from storefront import worker
from storefront.fulfilment.events import SupplyRevoked
from storefront.identity import queries as people
from storefront.identity import service as identity
from storefront.infra.db import db, transaction
from storefront.legal.models import Acceptance, AcceptanceKind
from storefront.payments.models import Payment, PaymentStatus
from storefront.subscriptions import service
from storefront.subscriptions.models import ChangeStatus, Subscription
from tests.identity.people import PASSWORD, customer, sign_in
from tests.subscriptions.plans import (
    EMAIL,
    changes,
    choose,
    money_comes,
    product,
    subscribe,
    subscription,
)

pytestmark = pytest.mark.once

HALF = datetime.fromisoformat("2026-12-09T00:00:00+01:00")
MORNING = datetime.fromisoformat("2026-12-24T06:00:00+01:00")


def shown(text: str) -> str:
    """What a page says, without its tags and with plain spaces."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def claire(app: Flask, at: datetime) -> FlaskClient:
    """The browser of the subscriber, at this instant."""
    app.extensions["clock"].move_to(at)
    user = people.by_email(EMAIL)
    assert user is not None
    with transaction():
        identity.set_password(user, PASSWORD, now=at)
    return sign_in(app, user)


def home() -> str:
    return f"/compte/abonnements/{subscription().id}"


def hidden(page: str) -> dict[str, str]:
    """What the form of the confirmation page sends back."""
    found = re.findall(r'name="(counted_from|seen)" value="([^"]*)"', page)
    return {name: html.unescape(value) for name, value in found}


def test_the_page_of_a_plan_shows_the_others_side_by_side(app: Flask, now: datetime):
    subscribe("essentiel", now)

    page = claire(app, HALF).get(home()).text

    assert "Revenir à Libre" in page
    assert "Passer à Premium" in page
    assert f"{home()}/changer/premium" in page
    assert "49,00 € par mois hors taxes, soit 58,80 € TTC" in shown(page)


def test_everything_is_said_before_the_click(app: Flask, now: datetime):
    subscribe("essentiel", now)

    page = shown(claire(app, HALF).get(f"{home()}/changer/premium").text)

    assert "En plus : l’agenda." in page
    assert "Photographies : 12 aujourd’hui, sans limite ensuite" in page
    # Half of thirty days, less the seconds that the shop's clock went on since.
    assert re.search(
        r"il en reste 1[45] jours .*, soit 1 29[56] \d{3} secondes sur 2 592 000", page
    )
    assert "Premium pour ce temps (49,00 € × 50 %) 24,50 €" in page
    assert "Déjà payé pour ce temps − 9,50 €" in page
    assert "Différence hors taxes 15,00 €" in page
    assert "À payer maintenant, TTC 18,00 €" in page
    assert "jeudi 24 décembre 2026 , 58,80 € TTC" in page
    assert "conditions générales, version 1" in page
    assert "Changer d’offre avec obligation de paiement (18,00 €)" in page
    assert "Je paie 18,00 € TTC maintenant" in page


def test_what_a_lower_plan_hides_is_said_before(app: Flask, now: datetime):
    subscribe("premium", now)

    page = shown(claire(app, HALF).get(f"{home()}/changer/libre").text)

    assert "vos photographies restent conservées, 3 visibles" in page
    assert "Ne sera plus ouvert : la messagerie." in page
    assert "Rien n’est effacé" in page
    assert "Revenir à l’offre Libre, sans rien payer" in page
    assert "aucun : cette offre est gratuite" in page


def test_up_from_the_page_to_the_bank_and_back(app: Flask, now: datetime, sandbox: RunningSandbox):
    subscribe("essentiel", now)
    client = claire(app, HALF)
    sandbox.control("clock", now=HALF.isoformat())
    address = f"{home()}/changer/premium"
    form = hidden(client.get(address).text)

    answer = client.post(address, data=form)
    again = client.post(address, data=form)

    assert answer.status_code == 303
    assert again.location == answer.location
    assert len(changes()) == 1
    waiting = shown(client.get(home()).text)
    assert "Votre passage à Premium attend son paiement" in waiting
    assert "Reprendre le paiement de 18,00 €" in waiting
    assert client.post(f"{home()}/changement/payer").location == answer.location
    sandbox.pay_by_card(answer.location, "4242424242424242")
    assert client.get(f"{home()}/changement/retour").location == home()
    page = shown(client.get(home()).text)
    assert subscription().name == "Premium"
    assert "Votre paiement est reçu" in page
    assert "Votre offre aujourd’hui Premium" in page
    kept = select(Acceptance).where(Acceptance.kind == AcceptanceKind.PLAN_CHANGE)
    sentence = db.session.scalars(kept).one().sentence
    assert sentence.startswith("Je change l’offre Essentiel pour l’offre Premium dès le paiement.")
    assert "CMD-2026" in sentence
    assert "Passage à Premium" in shown(client.get("/compte/echeances").text)


def test_an_upgrade_is_taken_back_and_its_page_leads_nowhere(
    app: Flask, now: datetime, sandbox: RunningSandbox
):
    subscribe("essentiel", now)
    client = claire(app, HALF)
    sandbox.control("clock", now=HALF.isoformat())
    address = f"{home()}/changer/premium"
    client.post(address, data=hidden(client.get(address).text))

    taken = client.post(f"{home()}/changement/annuler")

    assert taken.location == home()
    assert [one.status for one in changes()] == [ChangeStatus.TAKEN_BACK]
    assert "Votre changement est annulé" in shown(client.get(home()).text)
    asked = select(Payment.status).where(Payment.instalment_id == changes()[0].instalment_id)
    assert db.session.scalars(asked).all() == [PaymentStatus.CANCELLED]


def test_down_is_one_click_and_can_be_taken_back(app: Flask, now: datetime):
    subscribe("premium", now)
    client = claire(app, HALF)
    address = f"{home()}/changer/essentiel"

    answer = client.post(address, data=hidden(client.get(address).text))

    assert answer.location == home()
    page = shown(client.get(home()).text)
    assert "Vous passez à Essentiel le jeudi 24 décembre 2026" in page
    assert "Prélèvement de 22,80 €" in page
    assert "Annuler ce changement" in page
    assert "Prélèvement de 22,80 €" in shown(client.get("/compte").text)
    client.post(f"{home()}/changement/annuler")
    assert changes()[0].status is ChangeStatus.TAKEN_BACK
    assert "Prélèvement de 58,80 €" in shown(client.get(home()).text)
    answer = client.post(f"{home()}/changement/annuler")
    assert "Aucun changement n’attend" in shown(client.get(answer.location).text)


def test_an_old_page_is_shown_again_with_todays_amounts(app: Flask, now: datetime):
    subscribe("essentiel", now)
    client = claire(app, HALF)
    address = f"{home()}/changer/premium"
    old = hidden(client.get(address).text)
    later = claire(app, HALF + timedelta(days=5))

    answer = later.post(address, data=old)

    assert answer.status_code == 409
    assert "Les montants ont été recalculés" in shown(answer.text)
    assert "À payer maintenant, TTC 12,00 €" in shown(answer.text)
    assert hidden(answer.text)["counted_from"] != old["counted_from"]
    assert changes() == []


@pytest.mark.parametrize("typed", ["", "hier", "2026-12-09", "2026-12-09T00:00:00"])
def test_what_our_page_did_not_write_changes_nothing(app: Flask, now: datetime, typed: str):
    subscribe("essentiel", now)
    client = claire(app, HALF)

    answer = client.post(
        f"{home()}/changer/premium", data={"counted_from": typed, "seen": "up.0.0.0"}
    )

    assert answer.status_code == 409
    assert changes() == []


@pytest.mark.parametrize(
    ("at", "slug", "said"),
    [
        (HALF, "jamais-vue", "Cette offre ne peut pas être choisie ici"),
        (MORNING, "premium", "Une période reste à payer"),
        (MORNING - timedelta(hours=2), "premium", "Votre nouvelle période commence ce matin"),
    ],
)
def test_what_cannot_be_chosen_now_says_why_and_what_to_do(
    app: Flask, now: datetime, at: datetime, slug: str, said: str
):
    subscribe("essentiel", now)
    worker.run_due(at)

    answer = claire(app, at).get(f"{home()}/changer/{slug}")

    assert answer.status_code == 409
    assert said in shown(answer.text)
    assert "Rien n’a été débité ni changé." in shown(answer.text)
    assert home() in answer.text


def test_while_one_waits_another_is_refused_with_its_way_on(app: Flask, now: datetime):
    subscribe("essentiel", now)
    choose("premium", HALF)

    client = claire(app, HALF)

    assert "Un changement attend déjà son paiement" in client.get(f"{home()}/changer/atelier").text
    assert "Payez ou annulez d’abord le changement en cours" in client.get(home()).text


def test_a_page_that_is_over_is_not_paid_any_more(app: Flask, now: datetime):
    subscribe("essentiel", now)
    choose("premium", HALF)

    answer = claire(app, HALF + timedelta(minutes=32)).post(f"{home()}/changement/payer")

    assert answer.status_code == 409
    assert "il s’annule de lui-même et vous ne devez rien" in shown(answer.text)


def test_from_the_free_plan_the_page_leads_to_the_order(app: Flask, now: datetime):
    subscribe("essentiel", now)
    choose("libre", HALF)
    worker.run_due(MORNING)
    client = claire(app, MORNING)

    assert 'href="/produits/premium"' in client.get(home()).text
    assert client.get(f"{home()}/changer/premium").location == "/produits/premium"


def test_an_ended_plan_says_what_is_kept_and_how_to_take_it_again(app: Flask, now: datetime):
    subscribe("essentiel", now)
    with transaction():
        found = db.session.scalars(select(Subscription)).one()
        service.end_revoked(SupplyRevoked(found.order_id, "refused"), now=now)
    client = claire(app, HALF)

    page = client.get(home()).text

    assert "n’est pas effacé" in page
    assert 'href="/produits/essentiel"' in page
    assert "Passer à Premium" not in page
    with transaction():
        product("essentiel").on_sale = False
    assert 'href="/offres"' in client.get(home()).text


def test_somebody_elses_plan_does_not_exist(app: Flask, now: datetime):
    subscribe("essentiel", now)
    other = sign_in(app, customer(now, "paul@exemple.example"))

    for address in ("/changer/premium", "/changement/retour"):
        assert other.get(f"{home()}{address}").status_code == 404
    for address in ("/changer/premium", "/changement/payer", "/changement/annuler"):
        assert other.post(f"{home()}{address}").status_code == 404
    assert other.get(f"/compte/abonnements/{uuid.uuid4()}/changer/x").status_code == 404
    assert app.test_client().get(f"{home()}/changer/premium").location == "/connexion"


def test_a_form_without_its_token_changes_nothing(app: Flask, now: datetime):
    subscribe("premium", now)
    client = claire(app, HALF)
    app.config["WTF_CSRF_ENABLED"] = True

    for address in ("/changer/essentiel", "/changement/annuler", "/changement/payer"):
        assert client.post(f"{home()}{address}").status_code in (400, 403)
    assert changes() == []


def test_what_was_accepted_stands_on_the_page_of_the_order(app: Flask, now: datetime):
    subscribe("essentiel", now)
    money_comes(choose("premium", HALF).instalment_id, HALF)

    page = claire(app, HALF).get(f"/commandes/{subscription().order.reference}").text

    assert "Je change d’offre." in page
