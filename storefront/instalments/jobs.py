"""The billing run: announce, claim, charge. One transaction an instalment (M-03)."""

from __future__ import annotations

import logging
import uuid
from datetime import datetime

from storefront.infra.db import transaction
from storefront.infra.jobs import Job
from storefront.instalments import emails, queries, rules, service
from storefront.payments import jobs as payments
from storefront.payments.providers.base import ProviderRejected, ProviderUnavailable

log = logging.getLogger(__name__)


def charge_due(now: datetime) -> int:
    """Take everything that is due; what a provider leaves in doubt is asked again later."""
    charged = 0
    for instalment_id in queries.to_charge(rules.working_day(now)):
        with transaction():
            payment = service.claim(instalment_id, now=now)
            payment_id: uuid.UUID | None = payment.id if payment else None
        if payment_id is None:
            continue
        charged += 1
        try:
            payments.charge(payment_id, now)
        except (ProviderUnavailable, ProviderRejected) as error:
            log.warning("payment %s stays in doubt: %s", payment_id, error)
    return charged


def announce_due(now: datetime) -> int:
    """Tell customers of the debits to come, as many days ahead as their terms say."""
    due = queries.to_announce(rules.working_day(now))
    for instalment_id in due:
        with transaction():
            instalment = service.announce(instalment_id, now=now)
            if instalment is not None:
                emails.announce(instalment, now=now)
    return len(due)


JOBS: tuple[Job, ...] = (
    Job("instalments.announce", announce_due, queries.next_announcement_at),
    Job("instalments.charge", charge_due, queries.next_charge_at),
)
