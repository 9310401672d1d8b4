"""What is decided about hours: signs, balances, slices, expiry. Pure functions."""

from __future__ import annotations

from enum import StrEnum


class EntryKind(StrEnum):
    """Why the minutes of a lot moved."""

    GRANTED = "granted"
    HELD = "held"
    RELEASED = "released"
    USED = "used"
    EXPIRED = "expired"
    DEDUCTED = "deducted"
    GIVEN_BACK = "given_back"
