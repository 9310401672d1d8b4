"""A customer pays one instalment by hand: late, or ahead of its day (M-03)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from sandbox.testing import RunningSandbox
from storefront import worker
from storefront.identity import queries as people
from storefront.identity import service as identity
from storefront.infra import clock
from storefront.infra.db import db, transaction
from storefront.instalments.models import InstalmentStatus
from storefront.instalments.rules import morning_of
from storefront.payments.models import Payment, PaymentStatus
from storefront.payments.providers.base import PAGE_LIFETIME
from tests.identity.people import PASSWORD, customer, sign_in
from tests.plans import CHALLENGED_LATER, buy, live_until, second, taken


def claire(app: Flask, now: datetime) -> FlaskClient:
    """The browser of the customer who bought."""
    user = people.by_email("claire@exemple.example")
    assert user is not None
    with transaction():
        identity.set_password(user, PASSWORD, now=now)
    return sign_in(app, user)


@pytest.fixture
def client(app: Flask, sandbox: RunningSandbox, now: datetime) -> FlaskClient:
    """Claire's browser; she bought a course in two payments and paid the first."""
    buy(sandbox, now)
    return claire(app, now)


def page() -> str:
    return f"/compte/echeances/{second().id}"


def pay(client: FlaskClient, provider: str = "stripe") -> str:
    """Choose a provider; the address of its page."""
    answer = client.post(page(), data={"provider": provider})
    assert answer.status_code == 303, answer.text
    assert answer.location
    return answer.location


def attempts() -> list[Payment]:
    db.session.rollback()
    return list(
        db.session.scalars(
            select(Payment).where(Payment.instalment_id == second().id).order_by(Payment.attempt)
        )
    )


@pytest.mark.parametrize("provider", ["stripe", "paypal"])
def test_an_instalment_is_paid_ahead_of_its_day_and_never_debited_again(
    client: FlaskClient, sandbox: RunningSandbox, provider: str
):
    url = pay(client, provider)
    if provider == "stripe":
        sandbox.pay_by_card(url)
    else:
        sandbox.pay_by_paypal(url)
    assert client.get(f"{page()}/retour").location == page()
    assert "Cette échéance est payée" in client.get(page()).text
    assert second().status is InstalmentStatus.PAID

    live_until(sandbox, morning_of(second().due_on) + timedelta(days=5))
    assert sum(len(taken(sandbox, one)) for one in ("stripe", "paypal")) == 2


def test_what_the_bank_refused_is_paid_by_another_card(
    app: Flask, sandbox: RunningSandbox, now: datetime
):
    buy(sandbox, now, card=CHALLENGED_LATER)
    client = claire(app, now)
    morning = morning_of(second().due_on)
    live_until(sandbox, morning)
    app.extensions["clock"].move_to(morning)
    assert second().status is InstalmentStatus.UNPAID
    text = client.get(page()).text
    assert "Cette échéance reste à payer" in text
    assert "Payer 195,00\u00a0€ maintenant" in text

    sandbox.pay_by_card(pay(client))
    client.get(f"{page()}/retour")
    assert second().status is InstalmentStatus.PAID


def test_the_means_of_payment_is_kept_while_more_is_to_come(
    app: Flask, sandbox: RunningSandbox, now: datetime
):
    buy(sandbox, now, count=3)
    client = claire(app, now)
    assert "servira aussi aux prochaines échéances" in client.get(page()).text
    pay(client)
    assert attempts()[-1].save_method


def test_what_is_still_to_come_is_debited_where_the_customer_last_chose_to_pay(
    app: Flask, sandbox: RunningSandbox, now: datetime
):
    buy(sandbox, now, count=3)
    client = claire(app, now)
    sandbox.pay_by_paypal(pay(client, "paypal"))
    client.get(f"{page()}/retour")
    live_until(sandbox, morning_of(second().due_on) + timedelta(days=31))
    assert len(taken(sandbox)) == 1
    assert len(taken(sandbox, "paypal")) == 2


def test_the_last_instalment_keeps_no_means_of_payment(client: FlaskClient):
    assert "servira aussi aux prochaines échéances" not in client.get(page()).text
    pay(client)
    assert not attempts()[-1].save_method


def test_a_double_click_comes_to_the_same_page(client: FlaskClient):
    assert pay(client) == pay(client)
    assert len(attempts()) == 1


def test_a_page_left_open_can_be_taken_up_again(client: FlaskClient):
    url = pay(client)
    text = client.get(page()).text
    assert "Reprendre votre paiement" in text
    assert "reste ouverte jusqu’à 10 h 31" in text.replace("\u00a0", " ")
    assert pay(client) == url


def test_choosing_another_means_closes_the_page_of_the_first(
    client: FlaskClient, sandbox: RunningSandbox
):
    """Nobody can pay both: the first page is gone before the second is shown."""
    first = pay(client)
    second_page = pay(client, "paypal")
    assert sandbox.pay_by_card(first).status_code == 410
    sandbox.pay_by_paypal(second_page)
    client.get(f"{page()}/retour")

    assert second().status is InstalmentStatus.PAID
    assert [one.status for one in attempts()] == [
        PaymentStatus.CANCELLED,
        PaymentStatus.SUCCEEDED,
    ]


def test_a_page_that_was_paid_meanwhile_is_not_followed_by_another(
    client: FlaskClient, sandbox: RunningSandbox
):
    sandbox.pay_by_card(pay(client))
    answer = client.post(page(), data={"provider": "paypal"})
    worker.run_due(clock.now())

    assert answer.status_code == 409
    assert second().status is InstalmentStatus.PAID
    assert len(attempts()) == 1


def test_another_card_is_kept_for_what_is_to_come_and_nothing_is_taken(
    app: Flask, client: FlaskClient, sandbox: RunningSandbox
):
    shown = client.get(page()).text
    assert "se font sur Visa •••• 4242" in shown
    answer = client.post(f"{page()}/carte")
    sandbox.pay_by_card(answer.location, "5555555555554444")
    client.get(f"{page()}/retour")
    worker.run_due(clock.now())

    assert "se font sur Mastercard •••• 4444" in client.get(page()).text
    assert len(taken(sandbox)) == 1
    live_until(sandbox, morning_of(second().due_on))
    assert second().status is InstalmentStatus.PAID
    assert len(taken(sandbox)) == 2


def test_a_card_cannot_be_changed_for_what_is_paid(client: FlaskClient, sandbox: RunningSandbox):
    sandbox.pay_by_card(pay(client))
    client.get(f"{page()}/retour")
    worker.run_due(clock.now())
    assert client.post(f"{page()}/carte").status_code == 409


def test_once_the_page_has_expired_another_means_can_be_chosen(
    app: Flask, client: FlaskClient, sandbox: RunningSandbox
):
    pay(client)
    later = clock.now() + PAGE_LIFETIME + timedelta(minutes=1)
    sandbox.control("clock", now=later.isoformat())
    app.extensions["clock"].move_to(later)
    sandbox.pay_by_paypal(pay(client, "paypal"))
    client.get(f"{page()}/retour")
    assert second().status is InstalmentStatus.PAID
    assert [one.status for one in attempts()] == [
        PaymentStatus.CANCELLED,
        PaymentStatus.SUCCEEDED,
    ]


def test_a_debit_waits_while_the_customer_is_on_the_page(
    app: Flask, client: FlaskClient, sandbox: RunningSandbox
):
    morning = morning_of(second().due_on)
    app.extensions["clock"].move_to(morning - timedelta(minutes=1))
    sandbox.control("clock", now=morning.isoformat())
    url = pay(client)
    worker.run_due(morning)
    assert len(taken(sandbox)) == 1
    sandbox.pay_by_card(url)
    client.get(f"{page()}/retour")
    worker.run_due(morning + timedelta(days=1))
    assert len(taken(sandbox)) == 2


def test_the_provider_being_down_loses_nothing_and_takes_nothing(
    client: FlaskClient, sandbox: RunningSandbox
):
    sandbox.control("faults", provider="stripe", kind="error", status=503, count=10)
    answer = client.post(page(), data={"provider": "stripe"}, follow_redirects=True)
    assert answer.status_code == 200
    assert "Le service de paiement ne répond pas" in answer.text
    assert "Rien n’a été débité" in answer.text
    sandbox.control("faults", "DELETE")
    sandbox.pay_by_card(pay(client))
    client.get(f"{page()}/retour")
    assert second().status is InstalmentStatus.PAID
    assert len(attempts()) == 1


def test_when_one_provider_is_down_the_other_can_be_chosen_at_once(
    client: FlaskClient, sandbox: RunningSandbox
):
    sandbox.control("faults", provider="stripe", kind="error", status=503, count=10)
    client.post(page(), data={"provider": "stripe"})
    sandbox.pay_by_paypal(pay(client, "paypal"))
    client.get(f"{page()}/retour")
    assert second().status is InstalmentStatus.PAID


def test_not_knowing_yet_is_said_and_settled_later(client: FlaskClient, sandbox: RunningSandbox):
    sandbox.pay_by_card(pay(client))
    sandbox.control("faults", provider="stripe", kind="error", status=503, count=10)
    answer = client.get(f"{page()}/retour", follow_redirects=True)
    assert "ne payez pas une seconde fois" in answer.text
    sandbox.control("faults", "DELETE")
    client.get(f"{page()}/retour")
    assert second().status is InstalmentStatus.PAID


def test_what_is_paid_already_says_so(client: FlaskClient, sandbox: RunningSandbox):
    sandbox.pay_by_card(pay(client))
    client.get(f"{page()}/retour")
    answer = client.post(page(), data={"provider": "stripe"})
    assert answer.status_code == 409
    assert "Cette échéance est déjà payée" in answer.text
    assert len(taken(sandbox)) == 2


@pytest.mark.parametrize("provider", ["", "offline", "autre"])
def test_no_choice_or_an_unknown_one_is_refused(client: FlaskClient, provider: str):
    answer = client.post(page(), data={"provider": provider})
    assert answer.status_code == 422
    assert attempts() == []


def test_somebody_elses_instalment_does_not_exist(app: Flask, client: FlaskClient, now: datetime):
    other = sign_in(app, customer(now, "paul@exemple.example"))
    assert other.get(page()).status_code == 404
    assert other.post(page(), data={"provider": "stripe"}).status_code == 404
    assert other.get(f"{page()}/retour").status_code == 404
    assert other.get("/compte/echeances/00000000-0000-0000-0000-000000000000").status_code == 404
    assert attempts() == []


def test_a_visitor_is_asked_to_sign_in_first(app: Flask, client: FlaskClient):
    visitor = app.test_client()
    assert visitor.get(page()).location == "/connexion"
    assert visitor.post(page(), data={"provider": "stripe"}).location == "/connexion"
