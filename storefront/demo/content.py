"""What the demo's files say, and the calendar that turns their days into instants."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from storefront.infra.seller import seller
from storefront.kernel.calendar import paris_date, paris_instant

CONTENT = Path(__file__).with_name("content")


def read(name: str) -> dict[str, Any]:
    """One of the demo's TOML files. Raises TOMLDecodeError."""
    return tomllib.loads((CONTENT / name).read_text(encoding="utf-8"))


@dataclass(frozen=True)
class FirstDay:
    """The day on which the demo is loaded: stories count back from it, sessions forward.

    `now` is the instant of loading; nothing that is told lies after it.
    """

    now: datetime

    def day(self, offset: int) -> date:
        """So many days after the first day; before it when negative."""
        return paris_date(self.now) + timedelta(days=offset)

    def instant(self, offset: int, wall: str) -> datetime:
        """That day at a time of the clock in Paris, `"09:30"`."""
        return paris_instant(self.day(offset), time.fromisoformat(wall))

    def past(self, offset: int, wall: str, *, ago: timedelta) -> datetime:
        """The same, but at least `ago` before now: the demo may be loaded early in the day."""
        return min(self.instant(offset, wall), self.now - ago)

    def open_day(self, offset: int, length: int = 1) -> date:
        """The first day from then on that begins `length` days on which the seller is open."""
        day = self.day(offset)
        while not all(_open(day + timedelta(days=index)) for index in range(length)):
            day += timedelta(days=1)
        return day

    def last_open_day(self, offset: int) -> date:
        """The last day until then on which the seller was open."""
        day = self.day(offset)
        while not _open(day):
            day -= timedelta(days=1)
        return day


def _open(day: date) -> bool:
    return seller().opening_hours.is_open_on(day)


def lessons_of(products: Iterable[dict[str, Any]], contained: Iterable[str]) -> list[str]:
    """The lessons of the trainings that a bundle contains, in its order."""
    by_slug = {product["slug"]: product for product in products}
    return [
        lesson
        for slug in contained
        for lesson in by_slug[slug].get("features", {}).get("lessons", [])
    ]
