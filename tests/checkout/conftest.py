"""A shop whose requests each have a context of their own, as for real browsers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from storefront.app import create_app
from storefront.infra.config import Settings
from storefront.infra.db import db, transaction
from tests import factories


@pytest.fixture
def shop(settings: Settings, now: datetime) -> Iterator[Flask]:
    """The shop with its terms published, outside of any application context."""
    app = create_app(settings)
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context(), transaction():
        factories.terms(now)
        factories.training_terms(now)
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def browser(shop: Flask) -> FlaskClient:
    """A visitor's browser."""
    return shop.test_client()
