"""What follows from what is unpaid."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date

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
class RestFellDue(Event):
    """The rest of what this schedule was to bring is owed on `owed_on` (M-05): what stood on it is
    moved already, what was to come by itself is for who knows it to add."""

    instalment_id: uuid.UUID
    owed_on: date


@dataclass(frozen=True)
class ArrearsSettled(Event):
    """A sum that the customer was reminded of is paid: what was to follow does not."""

    case_id: uuid.UUID


@dataclass(frozen=True)
class DeferralGranted(Event):
    """Staff agreed in writing to wait for a sum until another day."""

    deferral_id: uuid.UUID
