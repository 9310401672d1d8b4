"""Parts of its own that a product is paid in, where it has them (M-02)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from storefront.kernel.errors import Refusal

LONGEST_FIRST_DELAY = 60


@dataclass(frozen=True)
class OwnParts:
    """The parts that a product has of its own, instead of equal ones (M-02).

    `shares` are whole percent, one a part; the first is due `first_after_days` after the order,
    the others at the interval of the terms.
    """

    shares: tuple[int, ...]
    first_after_days: int = 0


class PartsRefused(Refusal):
    """Not parts that a product can be paid by. Details: reason ("count", "share", "sum",
    "delay"), most (parts), longest (days), sum (percent)."""


def checked_parts(shares: Sequence[int], first_after_days: int, *, most: int) -> OwnParts:
    """The parts as staff set them, at most as many as the terms allow. Raises `PartsRefused`."""
    facts = {"most": most, "longest": LONGEST_FIRST_DELAY, "sum": sum(shares)}
    if not 2 <= len(shares) <= most:
        raise PartsRefused(reason="count", **facts)
    if min(shares) < 1:
        raise PartsRefused(reason="share", **facts)
    if sum(shares) != 100:
        raise PartsRefused(reason="sum", **facts)
    if not 0 <= first_after_days <= LONGEST_FIRST_DELAY:
        raise PartsRefused(reason="delay", **facts)
    return OwnParts(tuple(shares), first_after_days)


def own_parts(features: Mapping[str, Any]) -> OwnParts | None:
    """The parts that a product's features name; None: equal ones."""
    kept = features.get("parts")
    return OwnParts(tuple(kept["shares"]), kept["first_after_days"]) if kept else None
