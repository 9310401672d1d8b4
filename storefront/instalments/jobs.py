"""The billing run: announce, claim, charge. One transaction an instalment (M-03)."""

from __future__ import annotations

import logging
import uuid
from datetime import datetime

from storefront.infra.db import transaction
from storefront.infra.jobs import Job, one_by_one, side_by_side
from storefront.instalments import emails, queries, rules, service
from storefront.instalments.models import InstalmentStatus
from storefront.payments import jobs as payments
from storefront.payments import queries as payment_queries
from storefront.payments import service as payment_service
from storefront.payments.providers.base import ProviderRejected, ProviderUnavailable

log = logging.getLogger(__name__)


def charge_due(now: datetime) -> int:
    """Take everything that is due; what a provider leaves in doubt is asked again later.

    Several debits are under way at once, each one claimed first: of two runs one takes it.
    """
    due = queries.to_charge(rules.working_day(now))
    return side_by_side(due, lambda instalment_id: _charge(instalment_id, now), what="debits")


def _charge(instalment_id: uuid.UUID, now: datetime) -> int:
    with transaction():
        payment = service.claim(instalment_id, now=now)
        payment_id: uuid.UUID | None = payment.id if payment else None
        left = service.locked(instalment_id).status is InstalmentStatus.UNPAID
    if payment_id is None:
        return int(left)
    try:
        payments.charge(payment_id, now)
    except (ProviderUnavailable, ProviderRejected) as error:
        log.warning("payment %s stays in doubt: %s", payment_id, error)
    return 1


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
