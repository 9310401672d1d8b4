"""Whose minutes, how many, until when: docs/algorithms/hour-consumption.md."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import pytest

from storefront.credits import rules
from storefront.credits.rules import Available, EntryKind

NOVEMBER = date(2026, 11, 26)
DECEMBER = date(2026, 12, 3)


@dataclass(frozen=True)
class Entry:
    kind: EntryKind
    minutes: int
    cause_id: uuid.UUID = field(default_factory=uuid.uuid4)
    used_on: date | None = None


@dataclass(frozen=True)
class Lot:
    expires_on: date = date(2027, 11, 24)
    granted_at: datetime = datetime(2026, 11, 24, tzinfo=UTC)
    single_use: bool = False
    monthly_minutes: int | None = None
    monthly_interventions: int | None = None
    id: uuid.UUID = field(default_factory=uuid.uuid4)


def test_what_adds_is_positive_and_what_takes_is_negative():
    for kind in EntryKind:
        adds = kind in (EntryKind.GRANTED, EntryKind.RELEASED, EntryKind.GIVEN_BACK)
        assert rules.signed(kind, 60) == (60 if adds else -60)
        assert rules.signed(kind, 0) == 0


def test_a_movement_is_never_counted_in_negative_minutes():
    with pytest.raises(ValueError, match="positive"):
        rules.signed(EntryKind.GRANTED, -1)


@pytest.mark.parametrize(
    ("bought", "months", "last"),
    [
        (date(2026, 11, 24), 12, date(2027, 11, 24)),
        (date(2028, 2, 29), 12, date(2029, 2, 28)),
        (date(2026, 8, 31), 6, date(2027, 2, 28)),
    ],
)
def test_hours_are_valid_to_the_day(bought: date, months: int, last: date):
    assert rules.last_day(bought, months) == last


def test_hours_can_still_be_used_on_their_last_day():
    last = date(2027, 11, 24)
    assert not rules.is_over(last, last)
    assert rules.is_over(last, date(2027, 11, 25))


def test_what_is_left_is_written_off_the_morning_after():
    # 8 h in Paris is 7 h in winter and 6 h in summer, in UTC.
    assert rules.expiry_instant(date(2027, 11, 24)) == datetime(2027, 11, 25, 7, tzinfo=UTC)
    assert rules.expiry_instant(date(2027, 6, 24)) == datetime(2027, 6, 25, 6, tzinfo=UTC)


def test_reminders_come_in_their_order_and_then_no_more():
    expires_on, days = date(2027, 11, 24), (60, 30, 7)
    assert rules.next_reminder(expires_on, days, date(2026, 11, 24)) == date(2027, 9, 25)
    assert rules.next_reminder(expires_on, days, date(2027, 9, 25)) == date(2027, 10, 25)
    assert rules.next_reminder(expires_on, days, date(2027, 11, 1)) == date(2027, 11, 17)
    assert rules.next_reminder(expires_on, days, date(2027, 11, 17)) is None


def test_the_lot_that_expires_first_is_used_first():
    later, sooner = Lot(expires_on=date(2028, 1, 1)), Lot(expires_on=date(2027, 3, 1))
    newer = Lot(expires_on=date(2027, 3, 1), granted_at=datetime(2026, 12, 1, tzinfo=UTC))
    assert rules.order_of_use([later, newer, sooner]) == [sooner, newer, later]


@pytest.mark.parametrize(
    ("needed", "offers", "parts"),
    [
        (60, [60], [60]),
        (120, [30, 180], [30, 90]),
        (60, [0, 60], [0, 60]),
        (0, [60], [0]),
        (61, [60], None),
        (60, [], None),
    ],
)
def test_each_lot_gives_what_it_can_until_there_is_enough(
    needed: int, offers: list[int], parts: list[int] | None
):
    assert rules.share(needed, [Available(minutes) for minutes in offers]) == parts


def test_a_hold_is_not_available_to_others_but_is_to_its_own_intervention():
    mine = uuid.uuid4()
    entries = [Entry(EntryKind.GRANTED, 180), Entry(EntryKind.HELD, -120, mine, NOVEMBER)]
    assert rules.balance(entries) == 60
    assert rules.held(entries) == 120
    assert rules.held_by(entries, mine) == 120
    assert rules.available(Lot(), entries, NOVEMBER).minutes == 60
    assert rules.available(Lot(), entries, NOVEMBER, mine).minutes == 180


def test_a_released_hold_is_no_hold():
    mine = uuid.uuid4()
    entries = [Entry(EntryKind.HELD, -60, mine), Entry(EntryKind.RELEASED, 60, mine)]
    assert rules.held_by(entries, mine) is None
    assert rules.held(entries) == 0


def test_the_limit_of_the_month_counts_what_is_planned_and_done_in_it():
    lot = Lot(monthly_minutes=240)
    entries = [
        Entry(EntryKind.GRANTED, 600),
        Entry(EntryKind.USED, -120, used_on=NOVEMBER),
        Entry(EntryKind.HELD, -60, used_on=NOVEMBER),
        Entry(EntryKind.USED, -60, used_on=date(2025, 11, 26)),
    ]
    assert rules.available(lot, entries, NOVEMBER) == Available(60, "minutes")
    assert rules.available(lot, entries, DECEMBER) == Available(240, "minutes")


def test_the_month_s_interventions_are_counted_too():
    lot = Lot(monthly_interventions=2)
    given_up = uuid.uuid4()
    entries = [
        Entry(EntryKind.GRANTED, 600),
        Entry(EntryKind.HELD, -60, given_up, NOVEMBER),
        Entry(EntryKind.RELEASED, 60, given_up, NOVEMBER),
        Entry(EntryKind.USED, -60, used_on=NOVEMBER),
    ]
    assert rules.available(lot, entries, NOVEMBER).minutes == 540
    entries.append(Entry(EntryKind.HELD, -60, used_on=NOVEMBER))
    assert rules.available(lot, entries, NOVEMBER) == Available(0, "interventions")
    assert rules.available(lot, entries, DECEMBER).minutes == 480


def test_a_one_shot_pack_serves_one_intervention_whole():
    first, second = uuid.uuid4(), uuid.uuid4()
    entries = [Entry(EntryKind.GRANTED, 0)]
    assert rules.serves(entries, first)
    entries.append(Entry(EntryKind.HELD, 0, first))
    assert rules.serves(entries, first)
    assert not rules.serves(entries, second)
    entries.append(Entry(EntryKind.RELEASED, 0, first))
    assert rules.serves(entries, second)
    entries.append(Entry(EntryKind.EXPIRED, 0))
    assert not rules.serves(entries, second)
