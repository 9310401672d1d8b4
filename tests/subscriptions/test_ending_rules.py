"""When an announced end takes effect, what goes back, what a pause moves: as dates and instants."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from storefront.kernel.calendar import PARIS
from storefront.subscriptions import rules
from storefront.subscriptions.rules import Ground, Notice, RunningDays

pytestmark = pytest.mark.once

TERMS = Notice(hours=48, platform_days=0, cure_days=15)
PLATFORM = Notice(hours=48, platform_days=30, cure_days=15)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS).astimezone(UTC)


def test_hours_are_real_whatever_zone_the_instant_came_in() -> None:
    in_paris = at("2027-03-27T18:00").astimezone(PARIS)
    found = rules.announced(Ground.MISCONDUCT, TERMS, in_paris, None)
    assert found.effective_at == at("2027-03-29T19:00")


@pytest.mark.parametrize(
    ("notified", "ends"),
    [
        ("2027-02-10T14:37", "2027-03-13T00:00"),
        ("2027-03-10T23:59", "2027-04-10T00:00"),
        ("2026-10-01T00:00", "2026-11-01T00:00"),
    ],
)
def test_a_platform_gives_thirty_whole_days_across_a_change_of_clocks(
    notified: str, ends: str
) -> None:
    """Règl. (UE) 2019/1150, art. 4: the day of the notice is not counted."""
    for ground in (Ground.MISCONDUCT, Ground.CLOSURE, Ground.BREACH):
        assert rules.announced(ground, PLATFORM, at(notified), None).effective_at == at(ends)


def test_a_serious_fault_ends_at_once_even_on_a_platform() -> None:
    now = at("2027-02-10T14:37")
    assert (
        rules.announced(Ground.SERIOUS_FAULT, PLATFORM, now, date(2028, 1, 1)).effective_at == now
    )


@pytest.mark.parametrize("ground", [Ground.BREACH, Ground.SELLER_BREACH])
def test_fifteen_days_to_cure_end_with_the_last_of_them(ground: Ground) -> None:
    """B-08."""
    found = rules.announced(ground, TERMS, at("2027-03-20T09:00"), None)
    assert found.cure_until == date(2027, 4, 4)
    assert found.effective_at == at("2027-04-05T00:00")


def test_a_seller_without_a_complaint_keeps_to_the_commitment_too() -> None:
    bound = date(2027, 12, 10)
    notified = at("2027-02-10T14:37")
    assert rules.announced(Ground.CLOSURE, TERMS, notified, bound).effective_at == at(
        "2027-12-10T00:00"
    )
    assert rules.announced(Ground.MISCONDUCT, TERMS, notified, bound).effective_at == at(
        "2027-02-12T14:37"
    )


def test_a_holders_wish_has_no_notice() -> None:
    with pytest.raises(ValueError, match="holder says when"):
        rules.announced(Ground.WISH, TERMS, at("2027-02-10T14:37"), None)


def test_days_that_have_begun_were_used_and_what_does_not_divide_is_the_customers() -> None:
    january = (date(2027, 1, 1), date(2027, 2, 1))
    assert (
        rules.unused_minor(3100, *january, rules.first_unused_day(at("2027-01-11T00:00"))) == 2100
    )
    assert (
        rules.unused_minor(3100, *january, rules.first_unused_day(at("2027-01-11T00:01"))) == 2000
    )
    assert rules.unused_minor(1000, *january, date(2027, 1, 31)) == 33  # 32.26
    assert rules.unused_minor(3100, *january, date(2027, 2, 1)) == 0
    assert rules.unused_minor(3100, *january, date(2026, 12, 1)) == 3100


def test_a_pause_moves_the_period_and_counts_the_months_left_from_its_new_end() -> None:
    """Anchor 31 January 2028: the period to 29 February is five days longer."""
    course = RunningDays(date(2028, 2, 29), date(2029, 1, 31), None)
    moved = rules.after_pause(course, date(2028, 2, 10), date(2028, 2, 15))
    assert moved == RunningDays(date(2028, 3, 5), date(2029, 2, 5), None)


def test_a_pause_over_a_short_month_leaves_no_period_of_a_day() -> None:
    """28 February and 30 days are 30 March; eleven months on is 29 February, not 1 March."""
    course = RunningDays(date(2027, 2, 28), date(2028, 1, 31), date(2028, 1, 31))
    moved = rules.after_pause(course, date(2027, 2, 1), date(2027, 3, 3))
    assert moved == RunningDays(date(2027, 3, 30), date(2028, 2, 29), date(2028, 2, 29))


def test_an_end_within_a_period_moves_by_the_days_lost() -> None:
    course = RunningDays(date(2027, 3, 10), None, date(2027, 2, 20))
    moved = rules.after_pause(course, date(2027, 2, 12), date(2027, 2, 15))
    assert moved.ends_on == date(2027, 2, 23)


def test_the_hour_of_a_deadline_stays_over_a_change_of_clocks() -> None:
    assert rules.later_by(at("2027-03-27T18:00"), 2) == at("2027-03-29T18:00")


def test_a_period_that_a_pause_made_longer_is_not_cut_short() -> None:
    """The anchor is still to come: whoever ends it before ends it there."""
    anchor = date(2028, 3, 5)
    assert rules.ends_on(anchor, anchor, None, notified_on=date(2028, 2, 2)) == anchor
    assert rules.ends_on(anchor, anchor, None, notified_on=date(2028, 2, 28)) == anchor


def test_nothing_goes_on_from_the_day_of_the_end() -> None:
    assert rules.goes_on(None, date(2027, 1, 1))
    assert rules.goes_on(date(2027, 1, 2), date(2027, 1, 1))
    assert not rules.goes_on(date(2027, 1, 1), date(2027, 1, 1))
