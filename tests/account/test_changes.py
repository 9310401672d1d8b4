"""What a subscriber sees of a change and of a term, and what they decide there (R-06, B-09)."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta

from flask import Flask
from flask.testing import FlaskClient

from storefront.catalogue.rules import ProductKind
from storefront.infra.db import db, transaction
from storefront.orders.rules import BuyerKind
from storefront.subscriptions.models import Subscription
from tests.account.test_pages import claire, shown
from tests.identity.people import customer, sign_in
from tests.subscriptions.telling import live, new_terms, notice, subscribe, the, told

YEAR = {"billing_interval": "year", "commitment_months": 12, "renewal": "tacit"}


def consumer(now: datetime, features: dict) -> uuid.UUID:
    return subscribe(now, features, buyer=BuyerKind.CONSUMER, kind=ProductKind.SUPPORT_CONTRACT)


def page(client: FlaskClient, one: uuid.UUID) -> str:
    return shown(client.get(f"/compte/abonnements/{one}").text)


def test_a_change_is_shown_with_its_day_and_refused_in_one_click(app: Flask, now: datetime) -> None:
    one = subscribe(now)
    told(one, now, price=19900)
    client = claire(app, now)
    said = page(client, one)
    assert "passe de 159,00 € à 199,00 € TTC par mois" in said
    assert "Arrêtez sans frais jusqu’au mercredi 23 décembre 2026 inclus" in said
    assert "Votre offre change" in shown(client.get("/compte").text)

    url = f"/compte/abonnements/{one}/changements/{notice(one).id}"
    assert client.post(f"{url}/arreter").status_code == 303
    assert the(one).ends_on == date(2026, 12, 24)
    assert "Vous arrêtez avant ce changement" in page(client, one)
    assert client.post(f"{url}/continuer").status_code == 303
    assert the(one).ends_on is None


def test_the_next_debit_is_shown_at_the_price_that_was_announced(app: Flask, now: datetime) -> None:
    one = subscribe(now)
    told(one, now, price=19900)

    assert "Prélèvement de 199,00 €" in page(claire(app, now), one)


def test_new_terms_are_shown_with_their_text(app: Flask, now: datetime) -> None:
    one = subscribe(now)
    new_terms(now, subscription_grace_days=10)

    said = page(claire(app, now), one)

    assert "De nouvelles conditions générales" in said
    assert "Un délai change." in said


def test_a_decision_that_comes_too_late_is_refused_in_words(app: Flask, now: datetime) -> None:
    one = subscribe(now)
    told(one, now, price=9900)
    client = claire(app, now)

    answer = client.post(f"/compte/abonnements/{one}/changements/{notice(one).id}/arreter")

    assert answer.status_code == 409
    assert "Il est trop tard pour ce choix" in answer.text


def test_what_is_somebody_elses_does_not_exist(app: Flask, now: datetime) -> None:
    one = subscribe(now)
    told(one, now, price=19900)
    url = f"/compte/abonnements/{one}"
    other = sign_in(app, customer(now, "autre@exemple.example"))

    for act in (f"changements/{notice(one).id}/arreter", "reconduction", "arret"):
        assert other.post(f"{url}/{act}", data={"reponse": "non"}).status_code == 404
        assert app.test_client().post(f"{url}/{act}").status_code in (302, 303)
    mine = claire(app, now)
    assert mine.post(f"{url}/changements/{uuid.uuid4()}/arreter").status_code == 404
    assert mine.post(f"{url}/reconduction", data={"reponse": "peut-être"}).status_code == 400


def test_a_renewal_is_refused_and_wanted_again_in_one_click(app: Flask, now: datetime) -> None:
    one = consumer(now, YEAR)
    client = claire(app, now)
    said = page(client, one)
    assert "Votre contrat est reconduit pour 12 mois, jusqu’au vendredi 24 novembre 2028" in said
    assert "Date limite pour ne pas reconduire : lundi 25 octobre 2027 inclus" in said
    overview = shown(client.get("/compte").text)
    assert "Dernier jour pour ne pas reconduire" in overview
    assert "Reconduction pour 12 mois" in overview

    client.post(f"/compte/abonnements/{one}/reconduction", data={"reponse": "non"})
    assert the(one).ends_on == date(2027, 11, 24)
    assert "Reconduire pour 12 mois" in page(client, one)
    client.post(f"/compte/abonnements/{one}/reconduction", data={"reponse": "oui"})
    assert the(one).ends_on is None


def test_an_express_renewal_has_its_button(app: Flask, now: datetime) -> None:
    one = consumer(now, {**YEAR, "renewal": "express"})
    client = claire(app, now)
    assert "sauf si vous le reconduisez pour 12 mois" in page(client, one)
    assert "Dernier jour pour reconduire" in shown(client.get("/compte").text)

    client.post(f"/compte/abonnements/{one}/reconduction", data={"reponse": "oui"})

    assert "Ne pas reconduire" in page(client, one)


def test_who_was_not_told_leaves_from_the_account(app: Flask, now: datetime) -> None:
    one = consumer(now, YEAR)
    with transaction():
        # As the renewal left it today, for want of a message in time.
        renewed = db.session.get_one(Subscription, one)
        renewed.committed_until = None
        renewed.free_exit_since = renewed.anchor_on
    client = claire(app, now)
    assert "Arrêter aujourd’hui et être remboursé de 158,57 €" in page(client, one)

    client.post(f"/compte/abonnements/{one}/arret")

    assert the(one).ends_on == renewed.anchor_on + timedelta(days=1)
    live(now)
    assert client.post(f"/compte/abonnements/{one}/arret").status_code == 303
