"""The form of an evidence file: names, readable JSON, the manifest (X-01, law.md PRE-06)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storefront.infra.journal import canonical

# Raised when a verifier of before could not read what is written after.
FORMAT = 1
MANIFEST = "manifest.json"
SUMMARY = "resume.pdf"
README = "LISEZMOI.txt"
VERIFIER = "verify.py"
ENTRIES = "journal/extrait.json"
LINKS = "journal/liens.json"


@dataclass(frozen=True)
class Hashed:
    """What the manifest says of one file; the size in bytes."""

    sha256: str
    size: int


def readable(content: Any) -> bytes:
    """JSON that a person can read, with the same values as its canonical form."""
    same = json.loads(canonical(content))
    return (json.dumps(same, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def manifest(
    *,
    order: str,
    shop: str,
    software: str,
    made_at: datetime,
    end: tuple[int, str],
    entries: Sequence[tuple[int, str]],
    files: Mapping[str, Hashed],
) -> bytes:
    """What the file holds: each file's hash and size, the end of the chain at that instant, the
    number and hash of each entry of the excerpt."""
    return readable(
        {
            "format": FORMAT,
            "software": software,
            "shop": shop,
            "order": order,
            "made_at": made_at,
            "chain": {"seq": end[0], "hash": end[1], "entries": entries},
            "files": {
                name: {"sha256": one.sha256, "size": one.size} for name, one in files.items()
            },
        }
    )


def safe_name(name: str) -> str:
    """A file's name that stays in its folder wherever it is unpacked."""
    return "".join("-" if char in '/\\:*?"<>|' or ord(char) < 32 else char for char in name)
