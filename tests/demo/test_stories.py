"""The stories make sense on whatever day and at whatever hour the demo is loaded."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from flask import Flask

from storefront.demo import stories
from storefront.demo.content import FirstDay
from storefront.demo.support import propose

# More than a year, at every hour of the day, over holidays and closures of the shop.
LOADED = [datetime(2026, 11, 22, tzinfo=UTC) + timedelta(hours=55) * step for step in range(200)]


def test_every_step_is_told_in_its_order_and_before_now(app: Flask) -> None:
    for now in LOADED:
        told: dict[str, list[tuple[str, datetime]]] = defaultdict(list)
        for step in stories.steps(FirstDay(now)):
            story, _, part = step.key.rpartition("/")
            told[story].append((part, step.at))
            assert step.at <= now, (now, step)
        for story, parts in told.items():
            assert parts == sorted(parts), (now, story, parts)


def test_an_appointment_is_proposed_and_accepted_before_it_starts(app: Flask) -> None:
    for now in LOADED:
        proposed: dict[str, datetime] = {}
        for step in stories.steps(FirstDay(now)):
            story, _, part = step.key.rpartition("/")
            if part == "3-propose":
                assert step.act.func is propose  # type: ignore[attr-defined]
                proposed[story] = step.act.args[1]  # type: ignore[attr-defined]
            if part in ("3-propose", "4-accept"):
                assert step.at < proposed[story], (now, step)


def test_nobody_is_in_two_appointments_at_once(app: Flask) -> None:
    for now in LOADED:
        starts = [
            (step.act.args[1], step.act.args[0].given["appointment"]["minutes"])  # type: ignore[attr-defined]
            for step in stories.steps(FirstDay(now))
            if step.key.endswith("3-propose")
        ]
        spans = sorted((start, start + timedelta(minutes=minutes)) for start, minutes in starts)
        for (_, end), (start, _) in pairwise(spans):
            assert end <= start, (now, spans)
