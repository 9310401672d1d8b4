"""What the rooms above are told about money."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from storefront.kernel.events import Event


@dataclass(frozen=True)
class PaymentSucceeded(Event):
    """The provider holds the money."""

    payment_id: uuid.UUID


@dataclass(frozen=True)
class MethodSetUp(Event):
    """A means of payment is kept for what is due later; no money moved."""

    payment_id: uuid.UUID


@dataclass(frozen=True)
class PaymentAwaited(Event):
    """The buyer pays by their own means: they are told how, and what to quote."""

    payment_id: uuid.UUID


@dataclass(frozen=True)
class PartArrived(Event):
    """Less arrived than was asked: the rest is waited for."""

    payment_id: uuid.UUID
    arrival_id: uuid.UUID


@dataclass(frozen=True)
class MoreArrived(Event):
    """Money arrived that a payment did not ask for; `cause_id` names it once."""

    payment_id: uuid.UUID
    cause_id: uuid.UUID
    amount_minor: int


@dataclass(frozen=True)
class PaymentFailed(Event):
    """Declined, abandoned, or refused until the customer authenticates."""

    payment_id: uuid.UUID


@dataclass(frozen=True)
class RefundSucceeded(Event):
    """Money went back to the payer."""

    refund_id: uuid.UUID


@dataclass(frozen=True)
class RefundRefused(Event):
    """The provider will not give this money back: staff find another way."""

    refund_id: uuid.UUID


@dataclass(frozen=True)
class RefundReturned(Event):
    """Money that had gone back came back to us: it is owed to its payer again."""

    refund_id: uuid.UUID


@dataclass(frozen=True)
class DisputeOpened(Event):
    """A payer contests a payment."""

    dispute_id: uuid.UUID


@dataclass(frozen=True)
class DisputeWon(Event):
    """It is over, and the money stays."""

    dispute_id: uuid.UUID


@dataclass(frozen=True)
class DisputeLost(Event):
    """It is over, and the provider gave the money back to the payer."""

    dispute_id: uuid.UUID
