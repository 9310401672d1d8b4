"""Another text with the same CRC32: what anybody can do to a PayPal webhook they have seen."""

from __future__ import annotations

import json
import zlib
from typing import Any

_BITS = 64


def collide(event: dict[str, Any], checksum: int) -> bytes:
    """`event` as JSON with one more member, chosen so that its CRC32 is `checksum`.

    CRC32 is linear: turning one letter of the member into another flips a known set of its bits, so
    32 equations over the letters say which to turn.
    """
    head, tail = json.dumps({**event, "padding": "?"}).encode().split(b"?")

    def text(turned: int) -> bytes:
        letters = bytes(ord("c" if turned >> place & 1 else "a") for place in range(_BITS))
        return head + letters + tail

    plain = zlib.crc32(text(0))
    rows = [(zlib.crc32(text(1 << place)) ^ plain, 1 << place) for place in range(_BITS)]
    wanted, turned = plain ^ checksum, 0
    for bit in range(32):
        pivot = next(row for row in rows if row[0] >> bit & 1)
        rows.remove(pivot)
        rows = [
            (row[0] ^ pivot[0], row[1] ^ pivot[1]) if row[0] >> bit & 1 else row for row in rows
        ]
        if wanted >> bit & 1:
            wanted, turned = wanted ^ pivot[0], turned ^ pivot[1]
    assert zlib.crc32(text(turned)) == checksum
    return text(turned)
