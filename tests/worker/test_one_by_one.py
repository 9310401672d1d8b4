"""Rows of one job: each in a transaction of its own, whatever happens to the others."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from flask import Flask

from storefront.infra.db import transaction
from storefront.infra.jobs import in_batches, one_by_one, side_by_side
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


def test_a_batch_that_fails_is_done_one_by_one(app: Flask) -> None:
    def act(numbers: Sequence[int]) -> int:
        for number in numbers:
            next_number("batch")
            if number == 2:
                raise LookupError("the second")
        return len(numbers)

    with pytest.raises(ExceptionGroup, match="1 failed") as raised:
        in_batches([1, 2, 3, 4, 5], act, size=3)

    assert [str(error) for error in raised.value.exceptions] == ["the second"]
    with transaction():
        assert next_number("batch") == 5, "four were done, the failed one left nothing"


def test_several_hands_give_back_what_was_returned_or_raised_in_order(app: Flask) -> None:
    def no_answer() -> str:
        raise TimeoutError("nobody")

    with side_by_side("questions") as together:
        first, second, third = together([lambda: "one", no_answer, lambda: "three"])

    assert (first, third) == ("one", "three")
    assert isinstance(second, TimeoutError)
