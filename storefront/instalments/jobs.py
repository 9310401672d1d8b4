"""The billing run: announce, claim, charge. One transaction an instalment (M-03)."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime

from storefront.infra.db import transaction
from storefront.infra.jobs import Job, one_by_one, side_by_side
from storefront.instalments import emails, queries, rules, service
from storefront.payments import jobs as payments

log = logging.getLogger(__name__)

Tell = Callable[[int, int], None]

# Debits that are claimed, asked for and written down together.
SOME = 64


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
            claimed = _claim(due[start : start + SOME], now, failed)
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
) -> list[uuid.UUID]:
    """The payments that were written down; one row that cannot be holds up no other."""
    try:
        with transaction():
            claimed = [service.claim(one, now=now) for one in instalment_ids]
            return [payment.id for payment in claimed if payment is not None]
    except Exception as error:
        if len(instalment_ids) == 1:
            failed.append(error)
            return []
    return [paid for one in instalment_ids for paid in _claim([one], now, failed)]


def announce_due(now: datetime) -> int:
    """Tell customers of the debits to come, as many days ahead as their terms say."""
    due = queries.to_announce(rules.working_day(now))
    return one_by_one(due, lambda instalment_id: _announce(instalment_id, now))


def _announce(instalment_id: uuid.UUID, now: datetime) -> int:
    instalment = service.announce(instalment_id, now=now)
    if instalment is None:
        return 0
    emails.announce(instalment, now=now)
    return 1


JOBS: tuple[Job, ...] = (
    Job("instalments.announce", announce_due, queries.next_announcement_at),
    Job("instalments.charge", charge_due, queries.next_charge_at),
)
