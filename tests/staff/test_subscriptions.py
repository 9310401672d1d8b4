"""Subscriptions for staff: what recurs, what fails, what ends, each one whole (B-01 to B-04)."""

from __future__ import annotations

import csv
import io
import re
import uuid
from datetime import date, datetime

import pytest
from flask import Flask
from sqlalchemy import select

from storefront import worker
from storefront.catalogue.rules import ProductKind
from storefront.identity.models import Role
from storefront.infra.db import db, transaction
from storefront.infra.journal import JournalEntry
from storefront.kernel.calendar import add_months
from storefront.subscriptions.models import Subscription, SubscriptionStatus
from storefront.subscriptions.rules import Renewal
from tests import paying
from tests.account.test_pages import queries_of, shown
from tests.identity.people import at_work, customer, sign_in
from tests.subscriptions.rows import Row, Span, months, write

TODAY = date(2026, 11, 24)
BOARD = "/gestion/abonnements"
LIST = f"{BOARD}/liste"
LINK = re.compile(r'<a href="/gestion/abonnements/([0-9a-f-]{36})">')


def late(status: SubscriptionStatus = SubscriptionStatus.PAST_DUE) -> Row:
    """One month paid, the second one refused."""
    return Row([Span(add_months(TODAY, -1)), Span(TODAY, paid=False)], status)


def mixed() -> list[Row]:
    """A year of everything."""
    gone = SubscriptionStatus.ENDED
    return [
        Row(months(add_months(TODAY, -12), 13)),
        Row(months(add_months(TODAY, -5), 6, 4900)),
        Row(months(add_months(TODAY, -5), 2), gone, add_months(TODAY, -3)),
        Row(months(add_months(TODAY, -1), 2), ends_on=add_months(TODAY, 1)),
        late(),
        late(SubscriptionStatus.SUSPENDED),
    ]


def test_an_empty_shop_says_what_will_be_there(app: Flask, now: datetime) -> None:
    client = at_work(app, Role.SHOPKEEPER, now)
    for page in (BOARD, LIST):
        answer = client.get(page)
        assert answer.status_code == 200
        assert 'class="empty"' in answer.text


def test_the_board_tells_what_recurs_and_what_stands_beside(app: Flask, now: datetime) -> None:
    write(mixed(), now)

    page = shown(at_work(app, Role.SHOPKEEPER, now).get(BOARD).text)

    assert "Revenu récurrent 87,00 € par mois hors taxes, 3 abonnements en cours" in page
    assert "19,00 € 1 en retard de paiement, hors du revenu récurrent" in page
    assert "19,00 € 1 en suspension, hors du revenu récurrent" in page
    assert "Clients perdus ce mois 0 %" in page
    assert "Nouvel essai le 29 nov. 2026" in page
    assert "24 déc. 2026" in page
    assert "Se termine" in page


def test_a_term_that_comes_up_says_what_happens_then(app: Flask, now: datetime) -> None:
    end = add_months(TODAY, 1)
    tacit, express, none = write(
        [Row(months(add_months(TODAY, -10), 11), committed_until=end)] * 3, now
    )
    with transaction():
        for key, renewal in ((tacit, Renewal.TACIT), (express, Renewal.EXPRESS)):
            one = db.session.get_one(Subscription, key)
            one.renewal, one.ends_on = renewal, None

    page = shown(at_work(app, Role.SHOPKEEPER, now).get(BOARD).text)

    for words in (
        "Reconduit, sauf refus du client",
        "S’arrête, sauf demande du client",
        "S’arrête à son terme",
    ):
        assert page.count(words) == 1
    assert none


def test_the_board_asks_no_more_when_there_are_many(app: Flask, now: datetime) -> None:
    client = at_work(app, Role.SHOPKEEPER, now)
    write(mixed(), now)
    few = {page: queries_of(client, page) for page in (BOARD, LIST)}
    write(mixed() * 12, now)

    assert {page: queries_of(client, page) for page in (BOARD, LIST)} == few
    assert max(few.values()) <= 10, few


def test_a_long_list_is_cut_and_says_where_the_rest_is(app: Flask, now: datetime) -> None:
    write([late() for _ in range(17)], now)

    page = at_work(app, Role.SHOPKEEPER, now).get(BOARD).text

    assert len(LINK.findall(page)) == 15
    assert "/gestion/abonnements/liste?etat=past_due" in page


def test_the_list_is_narrowed_by_state_plan_family_and_words(app: Flask, now: datetime) -> None:
    ids = [str(one) for one in write(mixed(), now)]
    found = db.session.get_one(Subscription, uuid.UUID(ids[1]))
    reference, product_id = found.order.reference, found.version.product_id
    client = at_work(app, Role.SHOPKEEPER, now)

    def listed(query: str) -> set[str]:
        return set(LINK.findall(client.get(f"{LIST}?{query}").text))

    assert listed("") == set(ids)
    assert listed("etat=ended") == {ids[2]}
    assert listed(f"q={reference}") == {ids[1]}
    assert listed(f"offre={product_id}&famille=annuaire") == set(ids)
    assert listed(f"offre={uuid.uuid4()}") == set()
    assert listed("famille=inconnue") == set()
    assert "Aucun abonnement ne correspond" in client.get(f"{LIST}?q=personne").text


@pytest.mark.parametrize("query", ["etat=sottise&offre=sottise", "avant=sottise", "q=%25%5F"])
def test_a_strange_address_is_no_error(app: Flask, now: datetime, query: str) -> None:
    write(mixed(), now)

    assert at_work(app, Role.SHOPKEEPER, now).get(f"{LIST}?{query}").status_code == 200


def test_a_long_list_is_read_page_by_page_and_misses_nobody(app: Flask, now: datetime) -> None:
    """Many began at the same instant."""
    ids = {str(one) for one in write([Row(months(TODAY, 1)) for _ in range(120)], now)}
    client = at_work(app, Role.SHOPKEEPER, now)

    read: list[str] = []
    address: str | None = LIST
    while address:
        page = client.get(address).text
        read += LINK.findall(page)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        address = following[1].replace("&amp;", "&") if following else None

    assert len(read) == 120
    assert set(read) == ids


def test_the_file_holds_what_the_list_shows_and_runs_nothing(app: Flask, now: datetime) -> None:
    ids = write(mixed(), now)
    with transaction():
        order = db.session.get_one(Subscription, ids[0]).order
        order.name = "=1+1"
        reference = order.reference

    client = at_work(app, Role.SHOPKEEPER, now)
    answer = client.get(f"{BOARD}/export.csv?q={reference}")

    rows = list(csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff")), delimiter=";"))
    assert [(row["Nom"], row["État"], row["Hors taxes"]) for row in rows] == [
        ("'=1+1", "En cours", "19,00")
    ]
    taken = select(JournalEntry).where(JournalEntry.kind == "subscriptions.exported")
    assert len(list(db.session.scalars(taken))) == 1


def test_one_subscription_is_seen_whole(app: Flask, now: datetime) -> None:
    paying.transferred(ProductKind.SUPPORT_CONTRACT, now)
    worker.run_due(now)
    (found,) = db.session.scalars(select(Subscription)).all()
    reference = found.order.reference

    answer = at_work(app, Role.SHOPKEEPER, now).get(f"{BOARD}/{found.id}")

    page = shown(answer.text)
    assert "12 mois, jusqu’au mercredi 24 novembre 2027 , reconduction aucune" in page
    assert "1 h par mois" in page
    assert "Abonnement commencé" in page
    assert f"/gestion/commandes/{reference}/factures/F-2026-000001.pdf" in answer.text


def test_only_who_keeps_the_shop_sees_them(app: Flask, now: datetime) -> None:
    (found,) = write([late()], now)
    pages = (BOARD, LIST, f"{BOARD}/export.csv", f"{BOARD}/{found}")

    technician = at_work(app, Role.TECHNICIAN, now)
    assert {technician.get(page).status_code for page in pages} == {403}
    buyer = sign_in(app, customer(now))
    assert {buyer.get(page).status_code for page in pages} == {404}
    assert {app.test_client().get(page).location for page in pages} == {"/connexion"}


def test_an_unknown_one_does_not_exist(app: Flask, now: datetime) -> None:
    client = at_work(app, Role.SHOPKEEPER, now)

    assert client.get(f"{BOARD}/{uuid.uuid4()}").status_code == 404
