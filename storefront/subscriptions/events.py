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
class TermNotRenewed(Event):
    """A committed contract ends at its term for want of what its holder owes (O-07)."""

    notice_id: uuid.UUID


@dataclass(frozen=True)
class HolderStops(Event):
    """Its holder ended it from the account, as an announcement or a term allows."""

    subscription_id: uuid.UUID


@dataclass(frozen=True)
class OutageCreditLeft(Event):
    """A granted credit that no debit is left for: what remains of it is to be paid back (B-06)."""

    credit_id: uuid.UUID


@dataclass(frozen=True)
class EndScheduled(Event):
    """Its holder ended a contract from the account or by e-mail (B-03)."""

    termination_id: uuid.UUID


@dataclass(frozen=True)
class EndTakenBack(Event):
    """Its holder keeps a contract after all, before the end came (B-03)."""

    termination_id: uuid.UUID


@dataclass(frozen=True)
class NoticeGiven(Event):
    """The seller ends a contract, or one side gives the other time to put something right."""

    termination_id: uuid.UUID


@dataclass(frozen=True)
class NoticeClosed(Event):
    """It was put right in time, or whoever gave the notice took it back: the contract goes on."""

    termination_id: uuid.UUID


@dataclass(frozen=True)
class NoticeEffective(Event):
    """A notice came to its end, and the contract with it (B-05, B-08)."""

    termination_id: uuid.UUID


@dataclass(frozen=True)
class PeriodUnused(Event):
    """Part of a paid period was never supplied: this much of this payment goes back.

    `request_id` is one per period and end; `order_line_id`: the line of the order's own invoice,
    None for a month with an invoice of its own. `due_on`: by when, where a law sets another day
    than for any refund (L215-1). Minor units.
    """

    payment_id: uuid.UUID
    amount_minor: int
    request_id: uuid.UUID
    order_line_id: uuid.UUID | None
    due_on: date | None = None


@dataclass(frozen=True)
class SubscriptionPaused(Event):
    """It cannot be supplied for a while, through nobody's fault (B-08)."""

    pause_id: uuid.UUID


@dataclass(frozen=True)
class SubscriptionUnpaused(Event):
    """It is supplied again, and every day of it is later by those that were lost (B-08)."""

    pause_id: uuid.UUID


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
