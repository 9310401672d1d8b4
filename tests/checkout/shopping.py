"""A buyer's browser: what people do at the checkout, in a few words."""

from __future__ import annotations

import re
import uuid
from contextlib import contextmanager
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.test import TestResponse

from storefront.infra.db import db

DETAILS = {
    "buyer_kind": "consumer",
    "name": "Claire Essai",
    "email": "claire@exemple.fr",
    "phone": "06 39 98 00 01",
    "street": "1 rue de l’Essai",
    "postcode": "75011",
    "city": "Paris",
    "country": "FR",
}
COMPANY = {
    "buyer_kind": "professional",
    "company": "Ateliers Réunis",
    "siren": "123 456 782",
    "vat_number": "FR11123456782",
}
YES = "oui"


def add(client: FlaskClient, variant_id: uuid.UUID, quantity: str = "1") -> TestResponse:
    return client.post("/panier/ajouter", data={"variante": str(variant_id), "quantite": quantity})


def give_details(client: FlaskClient, **changed: str) -> TestResponse:
    return client.post("/commande/coordonnees", data={**DETAILS, **changed})


def seen(client: FlaskClient) -> dict[str, str]:
    """What the page of verification shows and sends back unseen."""
    page = client.get("/commande/verification")
    assert page.status_code == 200, page.text
    return {
        name: re.search(f'name="{name}" value="([^"]*)"', page.text)[1]  # type: ignore[index]
        for name in ("total", "versions")
    }


def click(client: FlaskClient, **changed: Any) -> TestResponse:
    """The order click; a value of None is left out of what is sent."""
    form = {
        **seen(client),
        "instalments": "1",
        "provider": "stripe",
        "terms": YES,
        **changed,
    }
    return client.post(
        "/commande/payer", data={name: value for name, value in form.items() if value is not None}
    )


def order(client: FlaskClient, variant_id: uuid.UUID, **changed: Any) -> TestResponse:
    """From the product to the order click; what is changed goes to the click."""
    assert add(client, variant_id).status_code == 302
    assert give_details(client).status_code == 303
    return click(client, **changed)


def text(page: TestResponse) -> str:
    """What a page says, without its tags and with plain spaces."""
    words = re.sub(r"<[^>]+>", " ", page.text).replace("&nbsp;", " ").replace("&#39;", "'")
    return re.sub(r"[\s\u00a0\u202f]+", " ", words)


@contextmanager
def counted(app: Flask):
    """The SQL statements that run meanwhile."""
    statements: list[str] = []

    def note(_connection, _cursor, statement, *_rest):
        if not statement.startswith(("BEGIN", "PRAGMA")):
            statements.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)
