"""Every kind of moment has its French, whether it is over or to come."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

import pytest
from flask import Flask

from storefront.kernel.moments import Moment
from storefront.kernel.money import Money
from storefront.staff.deadlines.forms import KIND_NAMES
from storefront.timeline.queries import SOURCES
from storefront.timeline.rules import BY

pytestmark = pytest.mark.once


@pytest.mark.parametrize("done", [True, False])
def test_every_kind_is_worded(app: Flask, done: bool) -> None:
    words = app.jinja_env.get_template("timeline/words.html").module

    def title(kind: StrEnum) -> str:
        moment = Moment(date(2027, 1, 1), kind, "Nom", Money(100), 2)
        return str(words.title_of(moment, done)).strip()  # type: ignore[attr-defined]

    assert not [kind.value for kind in BY if not title(kind)]


def test_every_kind_of_the_queue_can_be_chosen(app: Flask) -> None:
    assert {source.kind for source in SOURCES} == set(KIND_NAMES)
