"""When a message is tried again: pure functions."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

FIRST_RETRY = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=6)
MAX_ATTEMPTS = 14
# A sender that has not reported after this long died: its message is taken over.
LEASE = timedelta(minutes=10)


class EmailStatus(StrEnum):
    """SENDING: claimed by one sender, until `due_at`. FAILED: somebody must look."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


def wait_after(attempts: int) -> timedelta | None:
    """How long to wait after this many attempts failed: 1, 2, 4, 8… minutes, at most 6 hours.

    None after the last one, some 40 hours after the first.
    """
    if attempts >= MAX_ATTEMPTS:
        return None
    return min(FIRST_RETRY * (1 << attempts - 1), LONGEST_WAIT)
