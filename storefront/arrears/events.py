"""What follows from what is unpaid."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from storefront.kernel.events import Event


@dataclass(frozen=True)
class PlanSuspended(Event):
    """Something unpaid stops what this order sold (M-04)."""

    order_id: uuid.UUID


@dataclass(frozen=True)
class PlanResumed(Event):
    """What stopped this order was paid or deferred; something else may still be unpaid."""

    order_id: uuid.UUID


@dataclass(frozen=True)
class ArrearsSettled(Event):
    """A sum that the customer was reminded of is paid: what was to follow does not."""

    case_id: uuid.UUID


@dataclass(frozen=True)
class DeferralGranted(Event):
    """Staff agreed in writing to wait for a sum until another day."""

    deferral_id: uuid.UUID
