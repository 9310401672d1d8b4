"""The facts of a journal entry, as a person can read them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from storefront.infra.journal import JournalEntry

# Ids and hashes: their beginning is enough to recognise them, the entry keeps them whole.
_LONG = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{64}")


def readable_facts(entries: Iterable[JournalEntry]) -> dict[int, list[tuple[str, str]]]:
    """By number of entry, its facts that say something: names and shortened values."""
    return {
        entry.seq: [
            (name, _shown(value))
            for name, value in json.loads(entry.payload).items()
            if value is not None
        ]
        for entry in entries
    }


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"{text[:8]}…" if _LONG.fullmatch(text) else text
