"""What customers declared."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from storefront.kernel.events import Event


@dataclass(frozen=True)
class WithdrawalDeclared(Event):
    """Somebody withdraws from a contract (WDR-05)."""

    withdrawal_id: uuid.UUID


@dataclass(frozen=True)
class CancellationNotified(Event):
    """Somebody ends a contract that goes on (SUB-01)."""

    cancellation_id: uuid.UUID


@dataclass(frozen=True)
class CancellationMatched(Event):
    """Staff found the contract that a cancellation is about."""

    cancellation_id: uuid.UUID


@dataclass(frozen=True)
class ReasonDecided(Event):
    """Staff decided of a reason to leave a commitment early (SUB-04)."""

    decision_id: uuid.UUID


@dataclass(frozen=True)
class WithdrawalDecided(Event):
    """Staff decided on lines of a withdrawal: what goes back, what ends."""

    decision_id: uuid.UUID
