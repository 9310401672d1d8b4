"""What a subscriber sees: what comes next, what the plan allows, month by month (B-01 to B-04)."""

from __future__ import annotations

import re
import uuid
from datetime import date, datetime, timedelta

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from sandbox.testing import RunningSandbox
from storefront import worker
from storefront.catalogue.rules import ProductKind
from storefront.demo.travel import live_through
from storefront.identity import service as identity
from storefront.infra.db import db, transaction
from storefront.kernel.calendar import add_months, paris_date
from storefront.orders.rules import BuyerKind
from storefront.payments.models import Payment, SavedMethod
from storefront.subscriptions.models import Subscription, SubscriptionStatus
from tests import paying
from tests.account.test_pages import queries_of, shown
from tests.identity.people import PASSWORD, customer, sign_in
from tests.subscriptions.rows import Row, Span, months, write

TODAY = date(2026, 11, 24)
NUMBER = re.compile(r'data-label="N°"><span>(\d+)<')


def holder_of(app: Flask, subscription_id: uuid.UUID, now: datetime) -> FlaskClient:
    """The browser of who holds it."""
    found = db.session.get_one(Subscription, subscription_id)
    user = found.order.user
    with transaction():
        identity.set_password(user, PASSWORD, now=now)
    return sign_in(app, user)


def page_of(app: Flask, row: Row, now: datetime) -> str:
    (subscription_id,) = write([row], now)
    client = holder_of(app, subscription_id, now)
    answer = client.get(f"/compte/abonnements/{subscription_id}")
    assert answer.status_code == 200
    return shown(answer.text)


def live(start: datetime, until: datetime) -> None:
    for _ in live_through(start, until):
        pass


def committed(count: int, status: SubscriptionStatus = SubscriptionStatus.ACTIVE) -> Row:
    """Twelve months of commitment, of which so many have begun; the last one began today."""
    first = add_months(TODAY, 1 - count)
    end = add_months(first, 12)
    return Row(months(first, count), status, end, committed_until=end)


def test_the_page_says_what_comes_next_and_on_which_card(
    app: Flask, sandbox: RunningSandbox, now: datetime
) -> None:
    paying.bought(sandbox, ProductKind.PLAN, now, buyer=BuyerKind.PROFESSIONAL)
    (found,) = db.session.scalars(select(Subscription)).all()

    page = shown(holder_of(app, found.id, now).get(f"/compte/abonnements/{found.id}").text)

    assert "20,75 € HT par mois soit 24,90 € TTC" in page
    assert "jeudi 24 décembre 2026 Prélèvement de 24,90 €" in page
    assert "Les prélèvements se font sur Visa •••• 4242" in page
    assert "F-2026-000001" in page


def test_the_card_is_changed_between_two_debits(
    app: Flask, sandbox: RunningSandbox, now: datetime
) -> None:
    """Nothing is owed yet, nothing is taken, and the next month is taken on the new card."""
    paying.bought(sandbox, ProductKind.PLAN, now, buyer=BuyerKind.PROFESSIONAL)
    (found,) = db.session.scalars(select(Subscription)).all()
    client = holder_of(app, found.id, now)
    address = f"/compte/abonnements/{found.id}"
    change = re.search(r'action="(/compte/echeances/[^"]+)/carte"', client.get(address).text)
    assert change

    page = client.post(f"{change[1]}/carte").location
    sandbox.pay_by_card(page, "5555555555554444")
    client.get(f"{change[1]}/retour")

    assert "se font sur Mastercard •••• 4444" in shown(client.get(address).text)
    assert len(sandbox.control("ledger")["stripe"]["taken"]) == 1
    live(now, now + timedelta(days=31))
    assert len(sandbox.control("ledger")["stripe"]["taken"]) == 2
    db.session.rollback()
    second = db.session.scalars(select(Payment).order_by(Payment.created_at.desc())).first()
    method = db.session.get_one(SavedMethod, second.saved_method_id) if second else None
    assert method
    assert method.label == "Mastercard •••• 4444"


def test_what_has_ended_offers_no_card_to_change(app: Flask, now: datetime) -> None:
    ended = Row(months(add_months(TODAY, -6), 2), SubscriptionStatus.ENDED, add_months(TODAY, -4))
    (found,) = write([ended], now)

    page = holder_of(app, found, now).get(f"/compte/abonnements/{found}").text

    assert "/carte" not in page


def test_each_month_has_its_invoice(app: Flask, sandbox: RunningSandbox, now: datetime) -> None:
    paying.bought(sandbox, ProductKind.PLAN, now, buyer=BuyerKind.PROFESSIONAL)
    live(now, now + timedelta(days=62))
    (found,) = db.session.scalars(select(Subscription)).all()

    page = holder_of(app, found.id, now).get(f"/compte/abonnements/{found.id}").text

    for number in ("F-2026-000001", "F-2026-000002", "F-2027-000001"):
        assert f"/compte/factures/{number}.pdf" in page


def test_a_person_reads_prices_with_tax(app: Flask, now: datetime) -> None:
    paying.transferred(ProductKind.SUPPORT_CONTRACT, now)
    worker.run_due(now)
    (found,) = db.session.scalars(select(Subscription)).all()

    page = shown(holder_of(app, found.id, now).get(f"/compte/abonnements/{found.id}").text)

    assert "159,00 € par mois TTC" in page
    assert "HT" not in page
    assert "Vous payez par virement ou par chèque" in page
    assert "Forfait de 1 h" in page


def test_a_commitment_in_its_third_month(app: Flask, now: datetime) -> None:
    page = page_of(app, committed(3), now)

    assert "12 mois, jusqu’au vendredi 24 septembre 2027 : il reste 9 mensualités sur 12" in page
    assert "Se termine le vendredi 24 septembre 2027 , de lui-même" in page
    assert "vendredi 24 septembre 2027 Fin du contrat" in page


def test_a_commitment_in_its_last_month_takes_nothing_more(app: Flask, now: datetime) -> None:
    page = page_of(app, committed(12), now)

    assert "tout est payé jusque-là" in page
    assert "Prélèvement de" not in page
    assert "À payer :" not in page


def test_a_commitment_that_is_over_reads_in_the_past(app: Flask, now: datetime) -> None:
    """The thirteenth month never began."""
    first = add_months(TODAY, -12)
    row = Row(months(first, 12), SubscriptionStatus.ENDED, TODAY, committed_until=TODAY)
    page = page_of(app, row, now)

    assert "12 mois, terminé le mardi 24 novembre 2026" in page
    assert "Terminé le mardi 24 novembre 2026" in page
    assert "Ce qui vient" not in page
    assert "il reste" not in page


def test_a_term_that_goes_on_counts_its_own_months(app: Flask, now: datetime) -> None:
    """The thirteenth month is the first of the second term."""
    first = add_months(TODAY, -12)
    row = Row(months(first, 13), committed_until=add_months(first, 24))

    assert "il reste 11 mensualités sur 12" in page_of(app, row, now)


def test_a_suspended_plan_says_why_and_how_it_comes_back(app: Flask, now: datetime) -> None:
    spans = [*months(add_months(TODAY, -2), 2), Span(TODAY, paid=False)]
    page = page_of(app, Row(spans, SubscriptionStatus.SUSPENDED), now)

    assert "Un mois n’est pas payé : le service est suspendu. Rien n’est effacé" in page
    assert "Le mois du mardi 24 novembre 2026 reste à payer" in page
    assert "Payer 19,00 € maintenant" in page
    assert "Pendant la suspension, rien de ceci n’est ouvert" in page


def test_long_years_are_read_page_by_page(app: Flask, now: datetime) -> None:
    (found,) = write([Row(months(add_months(TODAY, -29), 30))], now)
    client = holder_of(app, found, now)
    address = f"/compte/abonnements/{found}"

    pages = [client.get(f"{address}{key}").text for key in ("", "?avant=19", "?avant=7")]

    numbers = [[int(one) for one in NUMBER.findall(page)] for page in pages]
    assert [sorted(shown) for shown in numbers] == [
        list(range(19, 31)),
        list(range(7, 19)),
        list(range(1, 7)),
    ]
    assert [f"?avant={key}" in page for key, page in zip((19, 7, 1), pages, strict=True)] == [
        True,
        True,
        False,
    ]
    assert client.get(f"{address}?avant=sottise").status_code == 200


def test_the_page_asks_no_more_after_years(app: Flask, now: datetime) -> None:
    few, many = write([Row(months(TODAY, 1)), Row(months(add_months(TODAY, -29), 30))], now)

    counts = [
        queries_of(holder_of(app, one, now), f"/compte/abonnements/{one}") for one in (few, many)
    ]

    assert counts[0] == counts[1]
    # What is announced, ends, credits, incidents and other plans: one question each.
    assert counts[1] <= 15


def test_somebody_else_s_subscription_does_not_exist(app: Flask, now: datetime) -> None:
    (found,) = write([Row(months(TODAY, 1))], now)

    stranger = sign_in(app, customer(now, "autre@exemple.example"))

    assert stranger.get(f"/compte/abonnements/{found}").status_code == 404
    assert stranger.get(f"/compte/abonnements/{uuid.uuid4()}").status_code == 404


def test_what_runs_comes_first_and_what_has_ended_is_folded(app: Flask, now: datetime) -> None:
    ended = Row(months(add_months(TODAY, -6), 2), SubscriptionStatus.ENDED, add_months(TODAY, -4))
    old, running = write([ended, Row(months(add_months(TODAY, -1), 2))], now)
    with transaction():
        one, other = (db.session.get_one(Subscription, key) for key in (old, running))
        one.user_id = other.user_id

    text = holder_of(app, running, now).get("/compte/abonnements").text

    before, folded = text.split("<details>", 1)
    assert str(running) in before
    assert str(old) not in before
    assert "Un abonnement terminé" in folded
    assert str(old) in folded


def test_only_the_past_is_said_when_nothing_runs(app: Flask, now: datetime) -> None:
    ended = Row(months(add_months(TODAY, -6), 2), SubscriptionStatus.ENDED, add_months(TODAY, -4))
    (old,) = write([ended], now)

    page = shown(holder_of(app, old, now).get("/compte/abonnements").text)

    assert "Aucun abonnement ne court. Comparer les offres" in page
    assert paris_date(now) == TODAY
