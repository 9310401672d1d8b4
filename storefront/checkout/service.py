"""The order click: everything that it writes is written in one transaction, or nothing is."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta

from sqlalchemy import select

from storefront.arrears import service as arrears
from storefront.cart import service as carts
from storefront.cart.models import Cart
from storefront.catalogue.rules import is_subscription
from storefront.checkout.queries import Review
from storefront.checkout.rules import Consents, MissingConsent
from storefront.identity import queries as people
from storefront.identity import service as identity
from storefront.infra.db import db
from storefront.instalments import service as instalments
from storefront.instalments.models import PRICE, Instalment
from storefront.kernel.calendar import end_of_day, paris_date
from storefront.legal import service as legal
from storefront.legal.rules import AcceptanceKind
from storefront.legal.service import AcceptedBox
from storefront.orders import service as orders
from storefront.orders.models import Order, OrderStatus
from storefront.payments import queries as payment_queries
from storefront.payments.models import Payment, PaymentStatus, PaymentUsage
from storefront.payments.providers.base import PAGE_LIFETIME
from storefront.payments.providers.offline import OFFLINE
from storefront.subscriptions import service as subscriptions
from storefront.subscriptions.service import Wanted

# A buyer who pays in the page's last minute still comes back to what was kept.
GRACE = timedelta(minutes=5)
FREE = "none"


def accepted_boxes(review: Review, consents: Consents) -> list[AcceptedBox]:
    """What was accepted, with the exact sentences shown.

    Raises `MissingConsent` when a needed box was not ticked, whoever sends the form (R-03).
    """
    if not consents.terms:
        raise MissingConsent(box="terms")
    boxes = [AcceptedBox(AcceptanceKind.TERMS, review.terms, review.parameters.acceptance_sentence)]
    if len(consents.particular) != len(review.particular) or not all(consents.particular):
        raise MissingConsent(box="particular_terms")
    boxes += [
        AcceptedBox(AcceptanceKind.PARTICULAR_TERMS, version, review.particular_sentence(version))
        for version in review.particular
    ]
    if review.boxes.early_start_required and not consents.early_start:
        raise MissingConsent(box="early_start")
    if review.boxes.early_start and consents.early_start:
        sentence = review.parameters.early_start_sentence
        boxes.append(AcceptedBox(AcceptanceKind.EARLY_START, review.terms, sentence))
    if review.boxes.digital_waiver and consents.digital_waiver:
        sentence = review.parameters.digital_waiver_sentence
        boxes.append(AcceptedBox(AcceptanceKind.DIGITAL_WAIVER, review.terms, sentence))
    return boxes


def lock_cart(cart_id: uuid.UUID) -> Cart | None:
    """The cart, locked until the end of the transaction: of two clicks one waits for the other."""
    return db.session.scalars(
        select(Cart)
        .where(Cart.id == cart_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()


def check_may_buy(review: Review, user_id: uuid.UUID | None, *, now: datetime) -> None:
    """Raise `InArrears` when this buyer owes something and services are bought (O-07), and
    `AlreadySubscribed` when a plan of the same family runs already (B-07).

    Somebody who is not signed in is known by the address that the order would belong to.
    """
    known = people.by_email(review.buyer.email) if user_id is None else None
    customer_id = known.id if known else user_id
    if customer_id is not None:
        kinds = [line.kind for line, _ in review.priced.lines]
        arrears.check_standing(customer_id, kinds, signed_in=user_id is not None, now=now)
        wanted = [
            Wanted(line.kind, line.features, amounts.gross) for line, amounts in review.priced.lines
        ]
        subscriptions.check_free(customer_id, wanted, signed_in=user_id is not None)


def place_order(
    cart: Cart,
    review: Review,
    consents: Consents,
    *,
    user_id: uuid.UUID | None,
    provider: str,
    instalment_count: int,
    trainee: str,
    ip: str,
    user_agent: str,
    now: datetime,
) -> tuple[Order, Payment | None]:
    """Place the order of a cart that the caller has locked and found not ordered yet.

    Without a signed-in customer the account of the e-mail address is found or made; nobody is
    signed in by ordering (O-02). Raises `MissingConsent`, `SoldOut`, `InArrears` for services to
    who owes something (O-07); KeyError for a number of instalments that is not offered. A free
    order runs at once and has no payment.
    """
    boxes = accepted_boxes(review, consents)
    check_may_buy(review, user_id, now=now)
    buyer, free = review.buyer, review.priced.gross == 0
    plan = review.plan(1 if free else instalment_count)
    signed_in = user_id is not None
    if user_id is None:
        user_id = identity.find_or_create_customer(buyer.email, buyer.name, buyer.phone, now=now).id
    order = orders.place(
        user_id=user_id,
        buyer=buyer,
        priced=review.priced,
        terms=review.terms,
        payment_provider=FREE if free else provider,
        instalment_count=len(plan),
        held_until=_kept_until(review, provider, now),
        cart_id=cart.id,
        trainees={
            line.variant_id: trainee or buyer.name
            for line, _ in review.priced.lines
            if line.facts.instalment_family == "training"
        },
        now=now,
    )
    legal.record_acceptances(order.id, user_id, boxes, ip, user_agent, now=now)
    # Who is not signed in may type anybody's address: what that person said before stands.
    if consents.marketing and (signed_in or people.marketing_choice(user_id) is None):
        identity.choose_marketing(
            user_id, True, consents.marketing, "order", ip=ip, user_agent=user_agent, now=now
        )
    carts.mark_ordered(cart, order.id, now=now)
    if free:
        orders.confirm(order, now=now)
        return order, None
    first = instalments.schedule(order, plan, now=now)[0]
    db.session.flush()
    if order.by_hand and not _is_due(first, order):
        # Nothing may be asked yet (FOR-03), so there is nothing to wait for.
        orders.confirm(order, now=now)
        return order, None
    return order, _reserve(order, first, provider, now)


def _kept_until(review: Review, provider: str, now: datetime) -> datetime:
    """As long as a page can be paid, or until the end of the day that was shown (C-03, M-09)."""
    if provider in OFFLINE and review.pay_by is not None:
        return end_of_day(review.pay_by)
    held = timedelta(minutes=review.parameters.seat_hold_minutes)
    return now + max(held, PAGE_LIFETIME + GRACE)


def current_attempt(order: Order) -> Payment | None:
    """The last attempt to pay the order's first instalment."""
    attempts = payment_queries.of_order(order.id)
    return attempts[-1] if attempts else None


def pay_again(order: Order, provider: str, *, now: datetime) -> Payment:
    """Another attempt on an order that waits, by the same or another means (M-08).

    A page that is still open with the same provider is used again, so that a second click
    finds the first. What the order claims is held again; for money sent by hand, until the day
    that it would have been when the order was placed. Raises `OrderEnded`, `SoldOut`, and
    `PaymentUnderWay` when the last attempt may have succeeded, or has in part.
    """
    order = orders.locked(order.id)
    orders.claim_again(order, _claimed_until(order, provider, now), now=now)
    first = _first_instalment(order)
    last = payment_queries.undecided_of_instalment(first.id)
    pending = last is not None and last.status is PaymentStatus.PENDING
    in_part = last is not None and last.taken_minor > 0 and last.provider != provider
    if pending or in_part or payment_queries.arrived(order.id):
        raise instalments.PaymentUnderWay(provider=provider, until=None, instalment=first.id)
    usable = last is not None and (last.expires_at is None or last.expires_at > now)
    if last is not None and usable and last.provider == provider:
        return last
    order.payment_provider = provider
    return _reserve(order, first, provider, now)


def _claimed_until(order: Order, provider: str, now: datetime) -> datetime:
    last_day = last_day_by_hand(order, now) if provider in OFFLINE else None
    return end_of_day(last_day) if last_day else now + PAGE_LIFETIME + GRACE


def last_day_by_hand(order: Order, now: datetime) -> date | None:
    """Until the end of which day money can be sent for this order; None once that is over."""
    last = instalments.last_day(order, paris_date(order.placed_at))
    return last if last is not None and last >= paris_date(now) else None


def _first_instalment(order: Order) -> Instalment:
    return db.session.scalars(
        select(Instalment).where(
            Instalment.order_id == order.id, Instalment.schedule == PRICE, Instalment.rank == 1
        )
    ).one()


def due_at_order(order: Order) -> bool:
    """Whether something is paid with the order, rather than a means of payment only kept."""
    return _is_due(_first_instalment(order), order)


def _is_due(first: Instalment, order: Order) -> bool:
    return first.due_on <= paris_date(order.placed_at)


def _reserve(order: Order, first: Instalment, provider: str, now: datetime) -> Payment:
    """An attempt at the first part, or at keeping a means of payment when it is due later."""
    due = _is_due(first, order)
    subscribes = any(is_subscription(line.kind) for line in order.lines)
    return instalments.attempt(
        first,
        provider,
        takes=due,
        usage=PaymentUsage.SUBSCRIPTION if subscribes else PaymentUsage.INSTALMENT,
        save_method=(subscribes or order.instalment_count > 1 or not due)
        and provider not in OFFLINE,
        expires_at=now + PAGE_LIFETIME,
        remind_at=instalments.reminder(order, order.kept_on, now)
        if provider in OFFLINE and order.kept_on
        else None,
        now=now,
    )


def is_waiting(order: Order) -> bool:
    """Whether the order still waits for its first payment, of which nothing has arrived."""
    return order.status is OrderStatus.AWAITING_PAYMENT and not payment_queries.arrived(order.id)
