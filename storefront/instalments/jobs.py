"""The billing run: announce, claim, charge, many at once (M-03)."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime

from storefront.infra.db import transaction
from storefront.infra.jobs import Job, one_by_one, side_by_side
from storefront.instalments import emails, queries, rules, service
from storefront.payments import jobs as payments
from storefront.payments import queries as payment_queries
from storefront.payments import service as payment_service

log = logging.getLogger(__name__)

Tell = Callable[[int, int], None]

# Debits that are claimed, asked for and written down together.
SOME = 200


def charge_due(now: datetime, tell: Tell | None = None) -> int:
    """Take everything that is due; what a provider leaves in doubt is asked again later.

    Some are claimed together, so that of two runs one takes each; then they are asked for at
    once, then what became of them is written down. `tell` is told how many are behind, of how
    many. Raises ExceptionGroup with what nobody foresaw, once all the others are taken.
    """
    due = queries.to_charge(rules.working_day(now))
    done = 0
    failed: list[Exception] = []
    with side_by_side("debits") as together:
        for start in range(0, len(due), SOME):
            claimed, left = _claim(due[start : start + SOME], now, failed)
            done += left
            try:
                done += payments.refresh_all(claimed, now, together)
            except ExceptionGroup as group:
                failed.extend(group.exceptions)
            (tell or _say)(min(start + SOME, len(due)), len(due))
    if failed:
        raise ExceptionGroup(f"{len(failed)} failed", failed)
    return done


def _say(behind: int, of: int) -> None:
    if of > SOME:
        log.info("debits: %d of %d", behind, of)


def _claim(
    instalment_ids: Sequence[uuid.UUID], now: datetime, failed: list[Exception]
) -> tuple[list[uuid.UUID], int]:
    """The payments that were written down, and how many parts were left to their customers.

    One row that cannot be claimed holds up no other.
    """
    try:
        with transaction():
            claimed = service.claim(instalment_ids, now=now)
            return [debit.id for debit in claimed.debits], claimed.left
    except Exception as error:
        if len(instalment_ids) == 1:
            failed.append(error)
            return [], 0
    each = [_claim([one], now, failed) for one in instalment_ids]
    return [debit for debits, _ in each for debit in debits], sum(left for _, left in each)


def announce_due(now: datetime) -> int:
    """Tell customers of the debits to come, as many days ahead as their terms say."""
    due = queries.to_announce(rules.working_day(now))
    return one_by_one(due, lambda instalment_id: _announce(instalment_id, now))


def _announce(instalment_id: uuid.UUID, now: datetime) -> int:
    instalment = service.announce(instalment_id, now=now)
    if instalment is None:
        return 0
    if instalment.order.by_hand:
        return int(service.ask_for(instalment, now=now))
    emails.announce(instalment, now=now)
    return 1


def remind_due(now: datetime) -> int:
    """Remind those who pay by their own means, before what they ordered is given back."""
    return one_by_one(payment_queries.to_remind(now), lambda one: _remind(one, now))


def _remind(payment_id: uuid.UUID, now: datetime) -> int:
    payment = payment_service.locked(payment_id)
    if payment.remind_at is None or payment.remind_at > now:
        return 0
    emails.remind(payment, now=now)
    payment_service.reminded(payment)
    return 1


JOBS: tuple[Job, ...] = (
    Job("instalments.announce", announce_due, queries.next_announcement_at),
    Job("instalments.charge", charge_due, queries.next_charge_at),
    Job("instalments.remind", remind_due, payment_queries.next_reminder_at),
)
