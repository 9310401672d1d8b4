"""Numbers follow each other without gaps, whoever draws them at the same time (INV-02)."""

import pytest
from flask import Flask

from storefront.infra.db import transaction
from storefront.infra.numbering import next_number
from tests.parallel import at_once


class Crash(Exception):
    pass


def draw(series: str = "F-2026", *, fail: bool = False) -> int:
    with transaction():
        number = next_number(series)
        if fail:
            raise Crash
    return number


@pytest.mark.usefixtures("app")
def test_numbers_start_at_one_and_follow_each_other():
    assert [draw(), draw(), draw()] == [1, 2, 3]


@pytest.mark.usefixtures("app")
def test_each_series_counts_for_itself():
    assert [draw("F-2026"), draw("F-2027"), draw("F-2026")] == [1, 1, 2]


@pytest.mark.usefixtures("app")
def test_a_number_drawn_for_nothing_is_given_back():
    draw()
    with pytest.raises(Crash):
        draw(fail=True)
    assert draw() == 2


def test_fifty_at_once_draw_fifty_consecutive_numbers(app: Flask):
    """The series does not exist yet: opening it is raced for, too."""
    assert sorted(map(int, at_once(app, lambda _: draw(), 50))) == list(range(1, 51))


def test_those_who_fail_among_many_leave_no_hole(app: Flask):
    given = at_once(app, lambda number: draw(fail=number % 3 == 0), 30)
    drawn = sorted(number for number in given if isinstance(number, int))
    assert drawn == list(range(1, 21))
    assert sum(isinstance(error, Crash) for error in given) == 10
