"""What happens to subscriptions."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from storefront.kernel.events import Event


@dataclass(frozen=True)
class PeriodPaid(Event):
    """A month was paid, the first with its order."""

    period_id: uuid.UUID


@dataclass(frozen=True)
class SubscriptionPastDue(Event):
    """A month's debit failed; the service is kept for the grace days (B-04)."""

    subscription_id: uuid.UUID


@dataclass(frozen=True)
class SubscriptionSuspended(Event):
    """The grace days are over and nothing was paid."""

    subscription_id: uuid.UUID


@dataclass(frozen=True)
class SubscriptionResumed(Event):
    """What was owed is paid: the service is back by itself (B-04)."""

    subscription_id: uuid.UUID


@dataclass(frozen=True)
class OutageCreditLeft(Event):
    """A granted credit that no debit is left for: what remains of it is to be paid back (B-06)."""

    credit_id: uuid.UUID
