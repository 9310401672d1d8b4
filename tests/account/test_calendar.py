"""The calendar of everything that a customer ordered (X-03)."""

from __future__ import annotations

from datetime import datetime

from flask import Flask

from tests.account.test_pages import claire, everything, queries_of, shown
from tests.identity.people import customer, sign_in

PAGE = "/compte/calendrier"


def test_what_comes_of_every_order_stands_on_one_line(app: Flask, now: datetime) -> None:
    everything(now)
    page = shown(claire(app, now).get(PAGE).text)

    assert "Aujourd’hui, mardi 24 novembre 2026" in page
    assert "CMD-2026-000001" in page
    assert "Fin du délai de rétractation" in page


def test_it_asks_no_more_when_there_is_more_to_show(app: Flask, now: datetime) -> None:
    everything(now)
    client = claire(app, now)
    client.get(PAGE)
    few = queries_of(client, PAGE)
    everything(now)

    assert queries_of(client, PAGE) == few <= 24


def test_it_is_its_owners_alone_and_empty_at_first(app: Flask, now: datetime) -> None:
    assert app.test_client().get(PAGE).location == "/connexion"
    assert 'class="empty"' in sign_in(app, customer(now)).get(PAGE).text
