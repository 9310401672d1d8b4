"""Debits begin: what is due is claimed, so that of two runs one takes it (M-03)."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import NamedTuple

from storefront.instalments import rules
from storefront.instalments.models import Instalment, InstalmentStatus
from storefront.instalments.queries import NO_METHOD, TO_TAKE
from storefront.instalments.service.schedules import (
    attempt,
    leave_to_customer,
    locked_all,
    move,
)
from storefront.payments import queries as payment_queries
from storefront.payments import service as payments
from storefront.payments.models import Payment, SavedMethod


class Claimed(NamedTuple):
    """The debits that were written down, and how many parts were left to their customers."""

    debits: Sequence[Payment]
    left: int


def claim(instalment_ids: Collection[uuid.UUID], *, now: datetime) -> Claimed:
    """Start a debit of each that is due, but of what another run has or cannot be debited.

    Without a usable means of payment an instalment is left to the customer. What is paid by hand,
    or came in part, is never debited: it is unpaid once its whole day is over (M-09).
    """
    today = rules.working_day(now)
    found = locked_all(instalment_ids)
    attempts = payment_queries.attempts_at([one.id for one in found])
    contested = payment_queries.disputed_among([one.order_id for one in found])
    methods = payment_queries.usable_methods([one.order.user_id for one in found])
    debits = []
    left = 0
    for part in found:
        order, made = part.order, attempts[part.id]
        if order.debits_stopped_at or order.id in contested or not _is_due(part, made, today):
            continue
        debit = _claim(part, made, methods.get((order.user_id, order.payment_provider)), now)
        if debit is not None:
            debits.append(debit)
        left += part.status is InstalmentStatus.UNPAID
    return Claimed(debits, left)


def _is_due(instalment: Instalment, made: Sequence[Payment], today: date) -> bool:
    """Whether it is to be taken, and no attempt made at it took it or still may."""
    if instalment.status not in TO_TAKE or instalment.next_attempt_on > today:
        return False
    if instalment.held_at is not None or instalment.voluntary:
        return False
    waiting = payment_queries.undecided_among(made)
    if waiting is not None and not waiting.by_hand:
        return False
    return not payment_queries.money_among(made)


def _claim(
    instalment: Instalment, made: Sequence[Payment], method: SavedMethod | None, now: datetime
) -> Payment | None:
    """The debit of a locked part that is due, after the attempts that were made."""
    waiting = payment_queries.undecided_among(made)
    part_came = instalment.received_minor > 0 or (waiting is not None and waiting.taken_minor > 0)
    if instalment.order.by_hand or part_came:
        if instalment.next_attempt_on < rules.working_day(now):
            leave_to_customer(instalment, "not_received", now)
        return None
    if waiting is not None:
        payments.put_aside(waiting, now=now)
    if method is None:
        leave_to_customer(instalment, NO_METHOD, now)
        return None
    move(instalment, InstalmentStatus.CHARGING)
    return attempt(instalment, method.provider, made=made, saved_method_id=method.id, now=now)
