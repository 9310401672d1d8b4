"""Rows of one job: each in a transaction of its own, whatever happens to the others."""

from __future__ import annotations

import pytest
from flask import Flask

from storefront.infra.db import transaction
from storefront.infra.jobs import one_by_one
from storefront.infra.numbering import next_number


def test_a_row_that_fails_holds_up_nobody_and_is_seen(app: Flask) -> None:
    def act(number: int) -> int:
        next_number("tried")
        if number == 2:
            raise LookupError("the second")
        return 1

    with pytest.raises(ExceptionGroup, match="1 failed") as raised:
        one_by_one([1, 2, 3], act)

    assert [str(error) for error in raised.value.exceptions] == ["the second"]
    with transaction():
        assert next_number("tried") == 3, "the one that failed gave its number back"


def test_what_was_done_is_counted(app: Flask) -> None:
    assert one_by_one([1, 0, 1], lambda one: one) == 2
    assert one_by_one([], lambda one: 1) == 0
