"""What a provider's answer means for our row, and when to ask again. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from storefront.kernel.money import Money
from storefront.payments.providers.base import Capabilities, OutcomeStatus, Provider

FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=6)
# A page may be paid in its last second and told a little later.
PAGE_GRACE = timedelta(minutes=5)
# A notice about a payment that we do not know may have overtaken our own commit; later than
# this it is about something that was never ours.
NOTICE_LIFETIME = timedelta(days=3)

# An open dispute is asked about once a day, should its last webhook be lost.
DISPUTE_PAUSE = timedelta(days=1)


def next_check(now: datetime, checks: int) -> datetime:
    """When to ask the provider again after `checks` fruitless questions: doubling, bounded."""
    return now + min(FIRST_WAIT * (1 << min(checks, 20)), LONGEST_WAIT)


def abandoned(expires_at: datetime | None, now: datetime) -> bool:
    """Whether a page that is still open has had its time: nobody is on it any more.

    A success told later is still a success: cancelling is only giving up waiting.
    """
    return expires_at is not None and expires_at + PAGE_GRACE <= now


def mismatch(asked: Money, taken: Money | None) -> str | None:
    """Why money that the provider took is not what we asked for; None when it is.

    The amount and the currency must be ours exactly: another order's intent grants nothing.
    Nothing is taken when nothing was asked (a set-up).
    """
    if asked.is_zero and taken is None:
        return None
    if taken is None:
        return "no amount"
    if taken.currency != asked.currency:
        return f"asked {asked.currency}, took {taken.currency}"
    if taken.minor != asked.minor:
        return f"asked {asked.minor}, took {taken.minor}"
    return None


class NotOffered(StrEnum):
    """Why a means of payment is not offered; worded in templates/payments/not_offered.html."""

    CURRENCY = "currency"  # it does not take this money
    SAVED_METHOD = "saved_method"  # something is due later, and it keeps nothing to debit
    SET_UP = "set_up"  # nothing is due today, and it keeps nothing without a payment


def why_not_offered(
    able: Capabilities, currency: str, *, debited_later: bool, due_today: bool
) -> NotOffered | None:
    """Why a provider with these capabilities cannot take this; None when it can (M-01)."""
    if currency not in able.currencies:
        return NotOffered.CURRENCY
    if debited_later and not able.saved_method:
        return NotOffered.SAVED_METHOD
    return NotOffered.SET_UP if not due_today and not able.set_up else None


@dataclass(frozen=True)
class WaysToPay:
    """How something can be paid, in the order in which buyers see it, and why not otherwise."""

    offered: tuple[Provider, ...]
    not_offered: tuple[tuple[Provider, NotOffered], ...]


def ways_to_pay(
    providers: Sequence[Provider], currency: str, *, debited_later: bool, due_today: bool
) -> WaysToPay:
    """The ways in which an order can be paid, by what each provider declares that it can do (M-09).

    On a hosted page a means must be kept for what is to come, or while nothing is due yet; who pays
    by their own means is told each time. "On request" stands in for a provider, never beside one,
    and so does any of them while nothing is due: a kept card is the better promise.
    """
    asked = [
        (
            one,
            why_not_offered(
                one.capabilities, currency, debited_later=debited_later, due_today=due_today
            ),
        )
        for one in providers
        if one.capabilities.hosted_page
    ]
    hosted = [page for page, reason in asked if reason is None]
    by_hand = [
        one
        for one in providers
        if not one.capabilities.hosted_page
        and currency in one.capabilities.currencies
        and not (hosted and (not due_today or one.capabilities.fallback))
    ]
    return WaysToPay((*hosted, *by_hand), tuple((page, why) for page, why in asked if why))


def closes(status: OutcomeStatus) -> bool:
    """Whether the provider has given its last word on this attempt."""
    return status not in (OutcomeStatus.OPEN, OutcomeStatus.PENDING)
