"""What happens to subscriptions."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date

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
class ChangeAnnounced(Event):
    """A new price or new terms are to be told to one subscriber (R-06)."""

    notice_id: uuid.UUID


@dataclass(frozen=True)
class RenewalNear(Event):
    """The holder of a committed contract is to be told, or asked, about its next term (B-09)."""

    notice_id: uuid.UUID


@dataclass(frozen=True)
class TermRenewed(Event):
    """A committed contract goes on for another term, or until its holder ends it."""

    notice_id: uuid.UUID


@dataclass(frozen=True)
class HolderStops(Event):
    """Its holder ended it from the account, as an announcement or a term allows."""

    subscription_id: uuid.UUID


@dataclass(frozen=True)
class AdvanceNotDue(Event):
    """Part of a paid period will not be supplied: `amount_minor` goes back by `due_on`.

    `period_id` names what it is for, so that it goes back once.
    """

    period_id: uuid.UUID
    order_id: uuid.UUID
    instalment_id: uuid.UUID | None
    amount_minor: int
    due_on: date


@dataclass(frozen=True)
class OutageCreditLeft(Event):
    """A granted credit that no debit is left for: what remains of it is to be paid back (B-06)."""

    credit_id: uuid.UUID
