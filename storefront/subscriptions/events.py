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
class PlanChangeScheduled(Event):
    """Another plan was chosen for the next period."""

    change_id: uuid.UUID


@dataclass(frozen=True)
class PlanChangeTakenBack(Event):
    """The plan that was chosen for the next period was not wanted after all."""

    change_id: uuid.UUID


@dataclass(frozen=True)
class PlanChanged(Event):
    """A subscription follows another plan: paid, or on its day."""

    change_id: uuid.UUID
