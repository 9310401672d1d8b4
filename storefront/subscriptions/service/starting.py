"""A paid order starts what goes on; one plan of a family at a time (B-01, B-07)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from storefront.catalogue.rules import ProductKind, is_subscription
from storefront.infra import journal
from storefront.infra.db import db
from storefront.infra.outbox import publish
from storefront.instalments.events import MoneyNotDue
from storefront.kernel.calendar import paris_date
from storefront.kernel.errors import Refusal
from storefront.orders.events import OrderConfirmed
from storefront.orders.models import Order, OrderLine
from storefront.payments import queries as payments
from storefront.payments.models import PaymentStatus
from storefront.subscriptions import queries, rules
from storefront.subscriptions.events import PeriodPaid
from storefront.subscriptions.models import Subscription, SubscriptionStatus
from storefront.subscriptions.service.months import open_month
from storefront.subscriptions.service.states import end
from storefront.subscriptions.service.versions import version_of


class AlreadySubscribed(Refusal):
    """A plan of this family runs already: it is changed, not bought again (B-07).

    Details: subscription (its id), name, signed_in (what runs is for its holder's eyes).
    """

    status = 409


class Wanted(NamedTuple):
    """A line that somebody is about to order, as far as it matters here; minor units."""

    kind: ProductKind | None
    features: Mapping[str, Any]
    gross_minor: int


def check_free(user_id: uuid.UUID, lines: Iterable[Wanted], *, signed_in: bool) -> None:
    """Raise `AlreadySubscribed` when one of these lines is a plan whose family runs already.

    A free plan gives way to a paid one, so it stands in the way of another free one only.
    """
    for line in lines:
        family = rules.contract_of(line.features).family if is_subscription(line.kind) else None
        running = queries.running_of_family(user_id, family) if family else None
        if running is not None and not (line.gross_minor and running.gross_minor == 0):
            raise AlreadySubscribed(subscription=running.id, name=running.name, signed_in=signed_in)


def start_for_order(event: OrderConfirmed, *, now: datetime) -> None:
    """Start what goes on period after period; its first one was paid with the order."""
    order = db.session.get_one(Order, event.order_id)
    for line in order.lines:
        if is_subscription(line.kind) and queries.of_line(line.id) is None:
            _start(order, line, now)


def _start(order: Order, line: OrderLine, now: datetime) -> None:
    version = version_of(line, order.currency, now=now)
    contract = rules.contract_of(version.features)
    if not _make_room(order, line, contract.family, now):
        return
    anchor = paris_date(order.confirmed_at or now)
    committed = rules.committed_until(anchor, contract.term_months)
    subscription = Subscription(
        id=uuid.uuid4(),
        user_id=order.user_id,
        order_id=order.id,
        order_line_id=line.id,
        version_id=version.id,
        version=version,
        kind=version.kind,
        family=contract.family,
        name=line.name,
        status=SubscriptionStatus.ACTIVE,
        anchor_on=anchor,
        anchor_number=1,
        billing_months=contract.billing_months,
        currency=order.currency,
        net_minor=line.net_minor,
        vat_minor=line.vat_minor,
        gross_minor=line.gross_minor,
        term_months=contract.term_months,
        renewal=contract.renewal,
        committed_until=committed,
        ends_on=rules.first_end(contract, anchor),
        terms_version_id=order.terms_version_id,
        terms_version=order.terms_version,
        created_at=now,
    )
    subscription.renewal_notice_on = queries.ask_on(subscription)
    db.session.add(subscription)
    first = open_month(subscription, 1, now)
    first.paid_at = now
    journal.record(
        "subscription.started",
        subscription,
        {"order": order.id, "anchor": anchor, "committed_until": committed},
        now=now,
    )
    publish(PeriodPaid(first.id), now=now)


def _make_room(order: Order, line: OrderLine, family: str | None, now: datetime) -> bool:
    """End the free plan that this one follows; False when a paid one runs, which stays.

    Two orders paid at once are both kept visible: the second one's money is proposed for refund.
    """
    running = queries.running_of_family(order.user_id, family) if family else None
    if running is None:
        return True
    if running.gross_minor == 0:
        end(running, paris_date(now), "replaced", now=now)
        db.session.flush()
        return True
    journal.record("subscription.duplicate", line, {"running": running.id}, now=now)
    for payment in payments.of_order(order.id):
        if payment.status is PaymentStatus.SUCCEEDED and payment.taken_minor:
            publish(MoneyNotDue(payment.id), now=now)
    return False
