"""Which other plans a subscriber can have, what that costs at once, what was chosen (B-07)."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import joinedload

from storefront.arrears import queries as arrears
from storefront.catalogue.models import Product
from storefront.catalogue.queries import seller_vat
from storefront.catalogue.rules import (
    LineAmounts,
    NotSoldThere,
    VatRate,
    home_rate,
    price_of,
    sold_in,
    territory_of,
    vat_rate,
)
from storefront.infra.db import db
from storefront.invoicing import queries as invoices
from storefront.invoicing.models import ORDER
from storefront.kernel.calendar import paris_date
from storefront.kernel.money import NetAndVat
from storefront.legal.queries import acceptances_of
from storefront.orders.models import Order
from storefront.orders.rules import BuyerKind
from storefront.payments import queries as payments
from storefront.payments.models import Payment, PaymentStatus
from storefront.payments.queries import UNDECIDED
from storefront.subscriptions import rules
from storefront.subscriptions.models import (
    ChangeStatus,
    PlanChange,
    Subscription,
    SubscriptionPeriod,
    SubscriptionStatus,
)
from storefront.subscriptions.rules import Difference, Direction, Hindrance, ProRata

OPEN = (ChangeStatus.AWAITING_PAYMENT, ChangeStatus.SCHEDULED)


@dataclass(frozen=True)
class Offer:
    """Another plan of the family for one subscriber; amounts of a period, in minor units.

    `purchase`: one goes from a free plan to a paid one by an order, not by a change.
    """

    product: Product
    direction: Direction
    amounts: LineAmounts
    difference: Difference
    purchase: bool


@dataclass(frozen=True)
class Quote:
    """A change as it is shown, and charged, for one instant."""

    offer: Offer
    period: SubscriptionPeriod
    counted_from: datetime
    effective_on: date
    pro_rata: ProRata | None  # None: nothing is paid at once
    due: NetAndVat

    @property
    def seen(self) -> str:
        """What a page showed, so that nobody pays what they did not read."""
        amounts = self.offer.amounts
        figures = (self.offer.direction.value, self.due.gross, amounts.net, amounts.gross)
        return ".".join([*map(str, figures), self.effective_on.isoformat()])


@dataclass(frozen=True)
class Changing:
    """What the page of a subscription says about changing it."""

    open: PlanChange | None
    offers: Sequence[Offer]
    again: Product | None  # the plan of a subscription that ended, while it is on sale


def changing(subscription: Subscription) -> Changing:
    """Everything that the page of a subscription says about changing it."""
    if subscription.status is SubscriptionStatus.ENDED:
        product = db.session.get_one(Product, subscription.version.product_id)
        return Changing(open=None, offers=[], again=product if product.on_sale else None)
    if subscription.family is None:
        return Changing(open=None, offers=[], again=None)
    return Changing(open=subscription.choice, offers=offers(subscription), again=None)


def offers(subscription: Subscription) -> list[Offer]:
    """The plans of its family that this subscriber can have, the lowest first (C-07, C-08)."""
    products = db.session.scalars(
        select(Product).where(
            Product.on_sale,
            Product.kind == subscription.kind,
            Product.currency == subscription.currency,
            Product.id != subscription.version.product_id,
        )
    ).all()
    old = rules.contract_of(subscription.version.features)
    comparable = [
        product
        for product in products
        if rules.comparable(old, rules.contract_of(product.features))
    ]
    found = [_offer(subscription, one) for one in comparable if _sold_to(subscription.order, one)]
    return sorted(found, key=lambda one: rules.contract_of(one.product.features).rank)


def offer(subscription: Subscription, slug: str) -> Offer | None:
    """One of them by the address of its product."""
    return next((one for one in offers(subscription) if one.product.slug == slug), None)


def _offer(subscription: Subscription, product: Product) -> Offer:
    old = rules.contract_of(subscription.version.features)
    new = rules.contract_of(product.features)
    line = subscription.order_line
    amounts = price_of(
        product.price_minor,
        1,
        product.price_basis,
        home_bp=home_rate(product.vat_class, seller_vat()).rate_bp,
        rate=VatRate(line.vat_rate_bp, line.vat_exemption),
    )
    return Offer(
        product=product,
        direction=rules.direction(old, new),
        amounts=amounts,
        difference=rules.difference(old, new),
        purchase=subscription.gross_minor == 0 and amounts.gross > 0,
    )


def _sold_to(order: Order, product: Product) -> bool:
    """Whether the catalogue sells this product to who placed this order, where they are."""
    professional = order.buyer_kind is BuyerKind.PROFESSIONAL
    if product.features.get("professionals_only") and not professional:
        return False
    if not sold_in(product.features, order.country):
        return False
    if product.particular_terms is not None:
        accepted = {one.version.document for one in acceptances_of(order.id)}
        if product.particular_terms not in accepted:
            return False
    try:
        vat_rate(
            product.kind,
            product.vat_class,
            territory=territory_of(order.country, order.postcode),
            professional=professional,
            seller=seller_vat(),
            has_vat_number=bool(order.vat_number),
        )
    except NotSoldThere:
        return False
    return True


def hindrance(subscription: Subscription, direction: Direction, now: datetime) -> Hindrance | None:
    """What keeps a subscription from going up or down now; None: nothing."""
    next_on = subscription.next_period_on
    if subscription.status is SubscriptionStatus.ENDED or next_on is None:
        return Hindrance.ENDED
    if subscription.order.debits_stopped_at is not None:
        return Hindrance.WITHDRAWN
    pending = open_change(subscription.id)
    if pending is not None and pending.status is ChangeStatus.AWAITING_PAYMENT:
        return Hindrance.AWAITING
    if subscription.ends_on is not None and subscription.ends_on <= next_on:
        return Hindrance.ENDING
    if subscription.paused_on is not None:
        return Hindrance.PAUSED
    if direction is Direction.DOWN:
        binds = subscription.committed_until is not None and next_on < subscription.committed_until
        return Hindrance.COMMITTED if binds else None
    return _hindrance_up(subscription, next_on, now)


def _hindrance_up(subscription: Subscription, next_on: date, now: datetime) -> Hindrance | None:
    unpaid = any(period.paid_at is None for period in subscription.periods)
    if unpaid or subscription.status is not SubscriptionStatus.ACTIVE:
        return Hindrance.UNPAID
    if next_on <= paris_date(now):
        return Hindrance.TURNING
    if subscription.periods[-1].starts_on > paris_date(now):
        return Hindrance.AHEAD
    if not arrears.standing(subscription.user_id, now).clear:
        return Hindrance.ARREARS
    return None


def quote(subscription: Subscription, wanted: Offer, at: datetime) -> Quote | None:
    """What a change to this plan costs and does when it is counted from `at`.

    None when that instant is not within the period that runs: another one began since.
    """
    period = subscription.periods[-1]
    up = wanted.direction is Direction.UP
    if up and not period.starts_on <= paris_date(at) < period.ends_on:
        return None
    parts, due = _cost(subscription, period, wanted, at) if up else (None, NetAndVat(0, 0))
    next_on = subscription.next_period_on or period.ends_on
    return Quote(
        offer=wanted,
        period=period,
        counted_from=at,
        effective_on=paris_date(at) if up else next_on,
        pro_rata=parts,
        due=due,
    )


def _cost(
    subscription: Subscription, period: SubscriptionPeriod, wanted: Offer, at: datetime
) -> tuple[ProRata, NetAndVat]:
    done = paid_within(period.id)
    paid = _really_paid(period, done)
    parts = rules.pro_rata(
        wanted.amounts.net,
        max(period.net_minor, *(one.price_net_minor for one in done), 0),
        paid.net,
        period.starts_on,
        period.ends_on,
        at,
    )
    rate = subscription.order_line.vat_rate_bp
    return parts, rules.due_now(parts.net, rate, wanted.amounts.gross, paid.gross)


def paid_within(period_id: uuid.UUID) -> Sequence[PlanChange]:
    """The upgrades that were paid within a period."""
    return db.session.scalars(
        select(PlanChange).where(
            PlanChange.period_id == period_id,
            PlanChange.direction == Direction.UP,
            PlanChange.status == ChangeStatus.DONE,
        )
    ).all()


def _really_paid(period: SubscriptionPeriod, done: Sequence[PlanChange]) -> NetAndVat:
    """What a period was paid with its upgrades, less what was credited of it since."""
    if period.paid_at is None:
        return NetAndVat(0, 0)
    net = period.net_minor + sum(one.net_minor for one in done)
    vat = period.vat_minor + sum(one.vat_minor for one in done)
    order_id = period.subscription.order_id
    credited = _credited(order_id, f"period:{period.id}", 1)
    if period.number == 1:
        position = period.subscription.order_line.position
        credited = _credited(order_id, ORDER, position)
    for one in done:
        more = _credited(order_id, rules.change_schedule(one.id), 1)
        credited = NetAndVat(credited.net + more.net, credited.vat + more.vat)
    return NetAndVat(net - credited.net, vat - credited.vat)


def _credited(order_id: uuid.UUID, cause: str, position: int) -> NetAndVat:
    invoice = invoices.for_cause(order_id, cause)
    if invoice is None:
        return NetAndVat(0, 0)
    by_line = invoices.credited_by_line(invoice.id)
    line = next(line for line in invoice.lines if line.position == position)
    gross, vat = by_line.get(line.id, (0, 0))
    return NetAndVat(gross - vat, vat)


def open_change(subscription_id: uuid.UUID) -> PlanChange | None:
    """The change that waits for its payment or for the next period; one at most."""
    return open_changes([subscription_id]).get(subscription_id)


def last_change(subscription_id: uuid.UUID) -> PlanChange | None:
    """The last choice that was made, whatever became of it."""
    return db.session.scalars(
        select(PlanChange)
        .where(PlanChange.subscription_id == subscription_id)
        .order_by(PlanChange.requested_at.desc())
        .execution_options(populate_existing=True)
    ).first()


def open_changes(subscription_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, PlanChange]:
    """The same for several, by subscription."""
    found = db.session.scalars(
        select(PlanChange)
        .where(PlanChange.subscription_id.in_(subscription_ids), PlanChange.status.in_(OPEN))
        .options(joinedload(PlanChange.to_version))
        .execution_options(populate_existing=True)
    )
    return {change.subscription_id: change for change in found}


def change_of_instalment(instalment_id: uuid.UUID) -> PlanChange | None:
    """The change that an instalment pays."""
    return db.session.scalars(
        select(PlanChange).where(PlanChange.instalment_id == instalment_id)
    ).one_or_none()


def payment_of_change(change: PlanChange) -> Payment | None:
    """The payment that an upgrade was paid with."""
    came = select(Payment).where(
        Payment.instalment_id == change.instalment_id, Payment.status == PaymentStatus.SUCCEEDED
    )
    return next(
        (one for one in db.session.scalars(came) if payments.settles_its_instalment(one)), None
    )


def _hopeless() -> tuple[ColumnElement[bool], ...]:
    """It waits for a payment, no attempt can succeed any more, and none did."""
    money = select(Payment.id).where(
        Payment.instalment_id == PlanChange.instalment_id,
        Payment.status.in_(UNDECIDED)
        | ((Payment.status == PaymentStatus.SUCCEEDED) & Payment.mismatch.is_(None)),
    )
    return PlanChange.status == ChangeStatus.AWAITING_PAYMENT, ~money.exists()


def is_hopeless(change_id: uuid.UUID) -> bool:
    """Whether a change waits for money that cannot come any more."""
    found = select(PlanChange.id).where(PlanChange.id == change_id, *_hopeless())
    return db.session.scalar(found) is not None


def to_lapse(now: datetime, limit: int = 500) -> Sequence[uuid.UUID]:
    """Changes that were not paid in time, and cannot be any more."""
    return db.session.scalars(
        select(PlanChange.id)
        .where(*_hopeless(), PlanChange.expires_at <= now)
        .order_by(PlanChange.expires_at)
        .limit(limit)
    ).all()


def next_lapse_at() -> datetime | None:
    """When the next change can lapse."""
    return db.session.scalar(select(func.min(PlanChange.expires_at)).where(*_hopeless()))
