"""Who pays late: some days after what they bought was suspended, as their story says (M-04, B-04).

Nothing is kept of it. What is still unpaid, and since when it stops what was sold, says who pays
at which instant: a journey that was interrupted goes on, and nobody pays twice.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from flask import current_app
from sqlalchemy import select

from storefront.arrears.models import ArrearsCase, DunningAct
from storefront.arrears.rules import DunningStep
from storefront.catalogue.models import Product
from storefront.demo import people, shopper
from storefront.demo.people import Person
from storefront.infra.db import db, transaction
from storefront.instalments import service as instalments
from storefront.instalments.service import NothingToPay, PaymentUnderWay
from storefront.kernel.calendar import paris_date, paris_instant
from storefront.orders.models import Order, OrderLine
from storefront.payments import jobs as payments
from storefront.payments import queries as payment_queries
from storefront.payments.providers.base import PAGE_LIFETIME
from storefront.subscriptions.models import Subscription, SubscriptionPeriod, SubscriptionStatus


@dataclass(frozen=True)
class LatePayment:
    """Somebody pays one part by hand, at an instant that follows from its suspension."""

    at: datetime
    person: Person
    provider: str
    instalment_id: uuid.UUID


@lru_cache(maxsize=1)
def _tellers() -> list[tuple[Person, dict[str, Any]]]:
    """Whose story says that they pay late, with the purchase that it says so of."""
    return [
        (person, given)
        for person in people.people()
        for given in person.story
        if "pays_late" in given
    ]


def _waiting() -> Iterator[LatePayment]:
    """What is suspended now and will be paid, by the stories."""
    for person, given in _tellers():
        late = given["pays_late"]
        for instalment_id, suspended_on in [*_parts(person, given), *_months(person, given)]:
            day = suspended_on + timedelta(days=late["days_after_suspension"])
            at = paris_instant(day, time.fromisoformat(late["at"]))
            yield LatePayment(at, person, given["by"], instalment_id)


def _parts(person: Person, given: dict[str, Any]) -> list[tuple[uuid.UUID, date]]:
    """What arrears have suspended, with the day (M-04)."""
    found = db.session.execute(
        select(ArrearsCase.instalment_id, DunningAct.made_on)
        .join(DunningAct, DunningAct.case_id == ArrearsCase.id)
        .join(Order, Order.id == ArrearsCase.order_id)
        .join(OrderLine, OrderLine.order_id == Order.id)
        .join(Product, Product.id == OrderLine.product_id)
        .where(
            ArrearsCase.closed_at.is_(None),
            DunningAct.step == DunningStep.SUSPENSION,
            Order.email == person.email,
            Product.slug == given["buys"],
        )
        .order_by(DunningAct.made_on, ArrearsCase.instalment_id)
    )
    return [(instalment_id, suspended_on) for instalment_id, suspended_on in found]


def _months(person: Person, given: dict[str, Any]) -> list[tuple[uuid.UUID, date]]:
    """The months of suspended subscriptions, with the day of the suspension (B-04)."""
    found = db.session.execute(
        select(SubscriptionPeriod.instalment_id, Subscription.suspend_at)
        .join(SubscriptionPeriod.subscription)
        .join(Subscription.order)
        .join(Subscription.order_line)
        .join(Product, Product.id == OrderLine.product_id)
        .where(
            Subscription.status == SubscriptionStatus.SUSPENDED,
            SubscriptionPeriod.paid_at.is_(None),
            Order.email == person.email,
            Product.slug == given["buys"],
        )
        .order_by(SubscriptionPeriod.number)
    )
    return [
        (instalment_id, paris_date(suspended_at))
        for instalment_id, suspended_at in found
        if instalment_id is not None and suspended_at is not None
    ]


def next_due(after: datetime) -> datetime | None:
    """The first instant after `after` at which somebody pays late; None: nobody will."""
    return min((one.at for one in _waiting() if one.at > after), default=None)


def pay_due(now: datetime) -> int:
    """Everybody whose time has come goes and pays; returns how many did.

    Raises `PaymentRefused`, and requests' errors when the page cannot be reached.
    """
    due = [one for one in _waiting() if one.at <= now]
    return sum(_pay(one, now) for one in due)


def _pay(late: LatePayment, now: datetime) -> int:
    """As the account's own page does it; what an interrupted journey left open is asked about
    first."""
    attempt = payment_queries.undecided_of_instalment(late.instalment_id)
    if attempt is not None:
        payments.refresh(attempt.id, now)
    payment_id = None
    with suppress(NothingToPay, PaymentUnderWay), transaction():
        payment_id = instalments.pay_now(
            late.instalment_id, late.provider, expires_at=now + PAGE_LIFETIME, now=now
        ).id
    if payment_id is None:
        return 0
    here = f"{current_app.config['SETTINGS'].base_url}/compte/echeances/{late.instalment_id}"
    page = payments.open_page(
        payment_id,
        email=late.person.email,
        return_url=f"{here}/retour",
        cancel_url=here,
        now=now,
    )
    shopper.pay(page, late.provider, name=late.person.name)
    payments.refresh(payment_id, now)
    return 1
