"""What a provider's answer means for our row, and when to ask again. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from storefront.kernel.money import Money
from storefront.payments.providers.base import OutcomeStatus, Provider

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


def closes(status: OutcomeStatus) -> bool:
    """Whether the provider has given its last word on this attempt."""
    return status not in (OutcomeStatus.OPEN, OutcomeStatus.PENDING)


def ways_to_pay(
    providers: Iterable[Provider], currency: str, *, more_to_come: bool, nothing_yet: bool
) -> tuple[Provider, ...]:
    """The ways in which an order can be paid, by what each provider declares that it can do (M-09).

    On a hosted page a means must be kept for what is to come, or while nothing is due yet; who pays
    by their own means is told each time. "On request" stands in for a provider, never beside one,
    and so does any of them while nothing is due: a kept card is the better promise.
    """
    able = [one for one in providers if currency in one.capabilities.currencies]
    hosted = [
        one
        for one in able
        if one.capabilities.hosted_page
        and (one.capabilities.saved_method or not more_to_come)
        and (one.capabilities.set_up or not nothing_yet)
    ]
    by_hand = [
        one
        for one in able
        if not one.capabilities.hosted_page
        and not (hosted and (nothing_yet or one.capabilities.fallback))
    ]
    return (*hosted, *by_hand)
