"""Where there is no demo, and what is said when its stand-in is not there."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import func, select

from storefront.app import create_app
from storefront.infra import clock
from storefront.infra.config import Settings
from storefront.infra.db import db
from storefront.legal.models import TermsVersion


@pytest.mark.parametrize(
    "arguments",
    [
        ("demo", "load"),
        ("demo", "advance-to", "2030-01-01"),
        ("demo", "sign-ins"),
        ("demo", "code", "quelquun@exemple.example"),
    ],
)
def test_a_real_shop_has_no_demo(settings: Settings, arguments: tuple[str, ...]) -> None:
    real = create_app(replace(settings, env="production"))
    with real.app_context():
        before = clock.now()

        done = real.test_cli_runner().invoke(args=arguments)

        assert done.exit_code == 1
        assert "this is a real shop" in done.output
        assert db.session.scalar(select(func.count()).select_from(TermsVersion)) == 0
        assert (clock.now() - before).total_seconds() < 60
        db.session.remove()
        db.engine.dispose()


@pytest.mark.parametrize("arguments", [("demo", "load"), ("demo", "advance-to", "2030-01-01")])
def test_without_the_stand_in_it_is_said_how_to_start_it(
    settings: Settings, arguments: tuple[str, ...]
) -> None:
    alone = create_app(replace(settings, stripe_api_base="http://127.0.0.1:9"))
    with alone.app_context():
        done = alone.test_cli_runner().invoke(args=arguments)
        db.session.remove()
        db.engine.dispose()

    assert done.exit_code == 1
    assert "does not answer at http://127.0.0.1:9" in done.output
    assert "python -m sandbox --port 9" in done.output


def test_what_is_no_date_is_refused_with_an_example(app: Flask) -> None:
    done = app.test_cli_runner().invoke(args=["demo", "advance-to", "demain"])

    assert done.exit_code == 2
    assert "2027-12-24" in done.output


def test_the_settings_of_a_test_are_not_safe_for_production(app: Flask) -> None:
    done = app.test_cli_runner().invoke(args=["check-config"])

    assert done.exit_code == 1
    assert "STOREFRONT_SMTP_URL is missing or unsafe" in done.output
