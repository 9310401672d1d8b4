"""What happens to subscriptions."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from storefront.kernel.events import Event


@dataclass(frozen=True)
class PeriodPaid(Event):
    """A month after the first was paid."""

    period_id: uuid.UUID


@dataclass(frozen=True)
class PeriodFailed(Event):
    """A month's debit failed; the service is kept for the grace days (B-04)."""

    period_id: uuid.UUID


@dataclass(frozen=True)
class SubscriptionSuspended(Event):
    """The grace days are over and nothing was paid."""

    subscription_id: uuid.UUID
