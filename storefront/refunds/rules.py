"""How an amount that goes back is divided, and until when. Pure functions."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from enum import StrEnum

from storefront.catalogue.rules import ProductKind, is_subscription

# What the law leaves for a withdrawal (L221-24) and for what was not supplied (L216-7). We hold
# ourselves to it for money that we should never have had as well: no text names another delay.
REFUND_WITHIN = timedelta(days=14)


class Happens(StrEnum):
    """What happens to money that goes back."""

    TO_REFUND = "to_refund"
    REFUNDED = "refunded"


def due_on(asked_on: date) -> date:
    """The last day for a refund that was due, or asked for, on this day."""
    return asked_on + REFUND_WITHIN


def spread(amount_minor: int, left: Sequence[tuple[uuid.UUID, int]]) -> list[tuple[uuid.UUID, int]]:
    """Take an amount from payments in the order given, each as far as it goes (minor units).

    Raises ValueError when they do not hold as much.
    """
    taken = []
    for payment_id, available in left:
        part = min(amount_minor, available)
        if part > 0:
            taken.append((payment_id, part))
            amount_minor -= part
    if amount_minor:
        raise ValueError(f"{amount_minor} more than all the payments hold")
    return taken


def portions(
    parts: Sequence[tuple[uuid.UUID, int]], amounts: Sequence[int]
) -> list[tuple[tuple[uuid.UUID, int], ...]]:
    """Which order lines each of several refunds gives back: the lines fill them one by one."""
    waiting = list(parts)
    shares = []
    for amount in amounts:
        share = []
        while amount and waiting:
            line, minor = waiting.pop(0)
            given = min(minor, amount)
            share.append((line, given))
            amount -= given
            if given < minor:
                waiting.insert(0, (line, minor - given))
        shares.append(tuple(share))
    return shares


def rest_is_decided(kinds: Iterable[ProductKind | None]) -> bool:
    """Whether staff decide on what else was paid of an order that a lost dispute ended (M-10).

    The contract is over, and what was paid and not contested stays the seller's as far as it was
    supplied: nobody but a person can say how far that is. The months of a subscription were
    supplied one by one and stay.
    """
    return not any(is_subscription(kind) for kind in kinds)
