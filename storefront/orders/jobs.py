"""What falls due here: orders that nobody paid."""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from storefront.infra.db import db, transaction
from storefront.infra.jobs import Job
from storefront.orders import queries, rules, service
from storefront.orders.models import Order, OrderStatus
from storefront.payments import jobs as payments
from storefront.payments import queries as payment_queries
from storefront.payments.models import Payment, PaymentStatus
from storefront.payments.providers.base import ProviderRejected, ProviderUnavailable

# A page that its provider never closes is not waited for longer than this after its end.
FORGOTTEN_AFTER = timedelta(days=1)

log = logging.getLogger(__name__)

GIVEN_UP = (PaymentStatus.DECLINED, PaymentStatus.CANCELLED, PaymentStatus.NEEDS_CUSTOMER)


def cancel_unpaid(now: datetime) -> int:
    """End the orders whose time is over, once the provider says that no payment is under way.

    When the provider cannot tell, the order keeps what it claims a while longer: money that
    arrives for a cancelled order is a customer to apologise to.
    """
    due = queries.waited_for(now)
    for order_id in due:
        in_doubt = _payment_in_doubt(order_id, now)
        with transaction():
            order = service.locked(order_id)
            if order.status is not OrderStatus.AWAITING_PAYMENT or _not_yet(order, now):
                continue
            # Staff may have recorded its money at this moment.
            if in_doubt or payment_queries.arrived(order_id):
                service.wait_until(order, rules.wait_again(order.placed_at, now))
            else:
                service.cancel(order, "unpaid", now=now)
    return len(due)


def _not_yet(order: Order, now: datetime) -> bool:
    return order.held_until is not None and order.held_until > now


def _payment_in_doubt(order_id: uuid.UUID, now: datetime) -> bool:
    """Whether any attempt to pay may still succeed, or has, as far as anybody can tell."""
    attempts = [_Attempt.of(row) for row in payment_queries.of_order(order_id)]
    db.session.rollback()
    return any(_may_succeed(attempt, now) for attempt in attempts)


@dataclass(frozen=True)
class _Attempt:
    """What must be known of a payment while no transaction is open."""

    payment_id: uuid.UUID
    status: PaymentStatus
    mismatch: bool
    by_hand: bool
    expires_at: datetime | None

    @classmethod
    def of(cls, row: Payment) -> _Attempt:
        return cls(row.id, row.status, row.mismatch is not None, row.by_hand, row.expires_at)


def _may_succeed(attempt: _Attempt, now: datetime) -> bool:
    if attempt.status in GIVEN_UP or attempt.mismatch:
        return False
    if attempt.status is PaymentStatus.SUCCEEDED:
        return True  # its reaction has not run yet
    if attempt.by_hand:
        return False  # nobody can be asked, and the day that its buyer was told is over
    try:
        status = payments.refresh(attempt.payment_id, now).status
    except (ProviderUnavailable, ProviderRejected) as error:
        log.warning("payment %s stays in doubt: %s", attempt.payment_id, error)
        return True
    if status is PaymentStatus.OPEN and attempt.expires_at is not None:
        return now < attempt.expires_at + FORGOTTEN_AFTER
    return status not in GIVEN_UP


JOBS: tuple[Job, ...] = (Job("orders.cancel_unpaid", cancel_unpaid, queries.next_wait_over),)
