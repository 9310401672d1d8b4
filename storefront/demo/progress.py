"""How far the demo's stories have been told: kept in the instance, beside the demo's clock.

A load that was interrupted goes on where it stopped, and one that is whole does nothing.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from flask import current_app

from storefront.legal.queries import by_reference
from storefront.legal.rules import TERMS


@dataclass
class Progress:
    """`now`: the instant of the first loading, which all stories are counted from."""

    path: Path
    now: datetime
    shop: str = ""
    told: list[str] = field(default_factory=list)
    whole: bool = False

    def note(self, key: str) -> None:
        """This step was told."""
        self.told.append(key)
        self.save()

    def save(self) -> None:
        """Write it down, whole or not at all."""
        kept = asdict(self) | {"now": self.now.isoformat(), "shop": _shop()}
        kept.pop("path")
        draft = self.path.with_suffix(".new")
        draft.write_text(json.dumps(kept))
        draft.replace(self.path)


def progress(now: datetime) -> Progress:
    """What was told to this shop so far; nothing to another one, or before its first terms."""
    path = Path(current_app.config["SETTINGS"].instance) / "demo.json"
    try:
        kept = json.loads(path.read_text())
    except FileNotFoundError:
        return Progress(path, now)
    if not kept["shop"] or kept["shop"] != _shop():
        return Progress(path, now)
    return Progress(path, **kept | {"now": datetime.fromisoformat(kept["now"])})


def _shop() -> str:
    """What tells this database from another: its first terms."""
    first = by_reference(f"{TERMS}-1")
    return str(first.id) if first else ""
