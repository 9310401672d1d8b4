"""Schedules: made at order, settled by payments, retried by the accepted terms (M-02, M-03)."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from storefront.catalogue.rules import KIND_FACTS, WithdrawalKind
from storefront.infra import journal
from storefront.infra.db import db
from storefront.infra.outbox import publish
from storefront.instalments import rules
from storefront.instalments.events import InstalmentFailed, InstalmentPaid, MoneyNotDue
from storefront.instalments.models import (
    INSTALMENT_LIFECYCLE,
    PRICE,
    Instalment,
    InstalmentStatus,
)
from storefront.instalments.queries import TO_TAKE
from storefront.kernel.calendar import paris_date
from storefront.kernel.errors import Refusal
from storefront.kernel.money import Money
from storefront.legal.queries import parameters_of
from storefront.orders import service as orders
from storefront.orders.models import Order, OrderStatus
from storefront.orders.queries import ENDED
from storefront.payments import queries as payment_queries
from storefront.payments import service as payments
from storefront.payments.events import MethodSetUp, PaymentFailed, PaymentSucceeded
from storefront.payments.models import Payment, PaymentStatus, PaymentUsage
from storefront.payments.providers.offline import OFFLINE


class NothingToPay(Refusal):
    """Nothing is owed here any more. Details: status, order (its reference)."""

    status = 409


class PaymentUnderWay(Refusal):
    """Another attempt may still succeed. Details: provider, until (None: not known), instalment."""

    status = 409


def locked(instalment_id: uuid.UUID) -> Instalment:
    """The instalment as it is now, locked until the end of the transaction."""
    return db.session.get_one(
        Instalment, instalment_id, with_for_update=True, populate_existing=True
    )


def locked_all(instalment_ids: Collection[uuid.UUID]) -> Sequence[Instalment]:
    """The same for several in one question, in the order of their ids, with their orders."""
    return db.session.scalars(
        select(Instalment)
        .where(Instalment.id.in_(instalment_ids))
        .options(joinedload(Instalment.order, innerjoin=True))
        .order_by(Instalment.id)
        .with_for_update(of=Instalment)
        .execution_options(populate_existing=True)
    ).all()


def attempt(
    instalment: Instalment,
    provider: str,
    *,
    made: Sequence[Payment] | None = None,
    takes: bool = True,
    usage: PaymentUsage | None = None,
    saved_method_id: uuid.UUID | None = None,
    save_method: bool = False,
    expires_at: datetime | None = None,
    remind_at: datetime | None = None,
    tell: bool = True,
    now: datetime,
) -> Payment:
    """Write down an attempt to be paid this part, or only to keep a means of payment for it.

    `takes` is False for the latter; `usage` follows the schedule unless it is given. Of what is
    paid by hand the payer is told now (`tell`), and reminded then. `made`: the attempts before
    it, when they are known.
    """
    order = instalment.order
    return payments.reserve(
        order_id=order.id,
        user_id=order.user_id,
        provider=provider,
        amount=Money(instalment.amount_minor if takes else 0, instalment.currency),
        order_reference=order.reference,
        description=describe(instalment, order),
        instalment_id=instalment.id,
        made=made,
        usage=usage or _usage(instalment),
        saved_method_id=saved_method_id,
        save_method=save_method,
        expires_at=expires_at,
        remind_at=remind_at,
        tell=tell,
        now=now,
    )


PAYABLE = (*TO_TAKE, InstalmentStatus.UNPAID)


def pay_now(
    instalment_id: uuid.UUID, provider: str, *, expires_at: datetime, now: datetime
) -> Payment:
    """Start paying one instalment on a hosted page, due or ahead; a second click finds the first.

    What an attempt leaves open with one provider is not started again with another: nobody pays
    twice. The means of payment is kept when more is to come. Raises `NothingToPay` and
    `PaymentUnderWay`.
    """
    instalment = locked(instalment_id)
    order = instalment.order
    known = payment_queries.undecided_of_instalment(instalment_id)
    busy = instalment.status is InstalmentStatus.CHARGING
    arrived = instalment.status in PAYABLE and payment_queries.money_arrived(instalment_id)
    if busy or arrived or not _can_continue(known, provider):
        raise PaymentUnderWay(
            provider=known.provider if known else None,
            until=known.expires_at if known else None,
            instalment=instalment_id,
        )
    if instalment.status not in PAYABLE or order.status is not OrderStatus.CONFIRMED:
        raise NothingToPay(status=instalment.status, order=order.reference)
    if known is not None and known.provider == provider and not known.is_set_up:
        return known
    if known is not None:
        payments.give_up_unopened(known, now=now)
    by_hand = provider in OFFLINE
    return attempt(
        instalment,
        provider,
        save_method=more_to_come(instalment) and not by_hand,
        expires_at=expires_at,
        now=now,
    )


def change_method(
    instalment_id: uuid.UUID, provider: str, *, expires_at: datetime, now: datetime
) -> Payment:
    """Start keeping another means of payment for what is still to come; nothing is taken (M-03).

    Between two months of a subscription nothing is owed: the last one that was paid stands for
    those to come. A second click finds the first. Raises `NothingToPay` and `PaymentUnderWay`.
    """
    instalment = locked(instalment_id)
    order = instalment.order
    follows = instalment.status is InstalmentStatus.PAID and more_to_come(instalment)
    changeable = instalment.status in TO_TAKE or follows
    if not changeable or order.status is not OrderStatus.CONFIRMED:
        raise NothingToPay(status=instalment.status, order=order.reference)
    known = payment_queries.undecided_of_instalment(instalment_id)
    if known is not None and known.is_set_up and known.provider == provider:
        return known
    if known is not None:
        raise PaymentUnderWay(
            provider=known.provider, until=known.expires_at, instalment=instalment_id
        )
    return attempt(
        instalment, provider, takes=False, save_method=True, expires_at=expires_at, now=now
    )


def _can_continue(attempt: Payment | None, provider: str) -> bool:
    """Whether this attempt is none, its page can be used again, or nobody ever saw its page."""
    if attempt is None or attempt.status is PaymentStatus.RESERVED:
        return True
    usable = attempt.status is PaymentStatus.OPEN and not attempt.is_set_up
    return usable and attempt.provider == provider


def _usage(instalment: Instalment) -> PaymentUsage:
    return PaymentUsage.INSTALMENT if instalment.schedule == PRICE else PaymentUsage.SUBSCRIPTION


def more_to_come(instalment: Instalment) -> bool:
    """Whether this contract is debited again after this instalment."""
    kinds = [line.kind for line in instalment.order.lines if line.kind is not None]
    if instalment.schedule != PRICE or any(KIND_FACTS[kind].is_subscription for kind in kinds):
        return True
    others = select(Instalment.id).where(
        Instalment.order_id == instalment.order_id,
        Instalment.id != instalment.id,
        Instalment.status.in_(PAYABLE),
    )
    return db.session.scalar(others.limit(1)) is not None


def describe(instalment: Instalment, order: Order) -> str:
    """What the payer reads at the provider and on the bank statement's details."""
    if instalment.label:
        return f"{order.reference} – {instalment.label}"
    if order.instalment_count == 1:
        return f"Commande {order.reference}"
    return f"Commande {order.reference}, échéance {instalment.rank} sur {order.instalment_count}"


def settle(events: Sequence[PaymentSucceeded], *, now: datetime) -> None:
    """Money arrived: the instalment is paid; the first of a price confirms its order.

    Money for an order that has ended is kept visible and confirms nothing: staff refund it.
    """
    found = payment_queries.called([event.payment_id for event in events])
    parts = {one.id: one for one in locked_all([one.instalment_id for one in found])}
    arrived = {one.id: one for one in found}
    for event in events:
        payment = arrived[event.payment_id]
        _settle(parts[payment.instalment_id], payment, now)


def _settle(instalment: Instalment, payment: Payment, now: datetime) -> None:
    order = instalment.order
    if instalment.status is InstalmentStatus.PAID:
        if not payment_queries.settles_its_instalment(payment):
            journal.record("instalment.overpaid", instalment, {"payment": payment.id}, now=now)
            publish(MoneyNotDue(payment.id), now=now)
        return
    move(instalment, InstalmentStatus.PAID)
    instalment.paid_at = now
    journal.record(
        "instalment.paid", instalment, {"payment": payment.id, "order": order.id}, now=now
    )
    if payment.save_method and payment.saved_method_id:
        orders.debit_by(order, payment.provider, now=now)
    if order.status in (OrderStatus.CANCELLED, OrderStatus.REFUSED):
        journal.record("order.paid_after_end", order, {"payment": payment.id}, now=now)
        publish(MoneyNotDue(payment.id), now=now)
    elif order.status is OrderStatus.AWAITING_PAYMENT and _begins(instalment):
        if not orders.confirm(order, now=now):
            publish(MoneyNotDue(payment.id), now=now)
    else:
        publish(InstalmentPaid(instalment.id), now=now)


def _begins(instalment: Instalment) -> bool:
    """Whether its payment makes the order run."""
    return instalment.schedule == PRICE and instalment.rank == 1


def begin(event: MethodSetUp, *, now: datetime) -> None:
    """Nothing was due at order and the means of payment is kept: the order runs (FOR-03).

    When a training was placed on an earlier day than it is concluded, its withdrawal period ends
    later than was shown: no part is taken before. Other plans stay as they were accepted (M-02).
    """
    payment = db.session.get_one(Payment, event.payment_id)
    order = locked(payment.instalment_id).order
    orders.debit_by(order, payment.provider, now=now)
    if order.status is not OrderStatus.AWAITING_PAYMENT:
        return
    orders.confirm(order, now=now)
    last_days = [
        line.withdrawal_until
        for line in order.lines
        if line.withdrawal_until and line.withdrawal_kind is WithdrawalKind.TRAINING
    ]
    first = db.session.get_one(Instalment, payment.instalment_id)
    if last_days and first.due_on <= max(last_days):
        first.due_on = first.next_attempt_on = max(last_days) + timedelta(days=1)
        journal.record("instalment.moved", first, {"due_on": first.due_on}, now=now)


def note_failure(event: PaymentFailed, *, now: datetime) -> None:
    """A debit was refused: planned again by the accepted terms, or left to the customer (M-03).

    What the bank refuses for good, or wants the customer for, is never retried blindly. An
    attempt on a page changes nothing here: the customer simply has not paid.
    """
    payment = db.session.get_one(Payment, event.payment_id)
    instalment = locked(payment.instalment_id)
    if instalment.status is not InstalmentStatus.CHARGING:
        return
    if instalment.order.status in ENDED:
        move(instalment, InstalmentStatus.FAILED)
        move(instalment, InstalmentStatus.CANCELLED)
        return
    instalment.attempts += 1
    retry_days = parameters_of(instalment.order.terms_version).debit_retry_days
    again_on = rules.next_attempt(instalment.owed_on, instalment.attempts, retry_days)
    hopeless = payment.decline_final or payment.status is PaymentStatus.NEEDS_CUSTOMER
    if again_on is None or hopeless:
        leave_to_customer(instalment, payment.decline_code or payment.status, now)
        return
    move(instalment, InstalmentStatus.FAILED)
    instalment.next_attempt_on = max(again_on, paris_date(now) + timedelta(days=1))
    _tell_failure(instalment, payment.decline_code or payment.status, now)


def leave_to_customer(instalment: Instalment, why: str, now: datetime) -> None:
    """No attempt is left for a locked part; `why` is a code for the journal."""
    move(instalment, InstalmentStatus.UNPAID)
    _tell_failure(instalment, why, now)


def _tell_failure(instalment: Instalment, why: str, now: datetime) -> None:
    journal.record(
        f"instalment.{instalment.status}",
        instalment,
        {"code": why, "attempts": instalment.attempts, "next": instalment.next_attempt_on},
        now=now,
    )
    publish(InstalmentFailed(instalment.id), now=now)


def announce(instalment_id: uuid.UUID, *, now: datetime) -> Instalment | None:
    """Note that the coming debit is announced, once; None when it was, or need not be."""
    instalment = locked(instalment_id)
    if instalment.announced_at is not None or instalment.status is not InstalmentStatus.SCHEDULED:
        return None
    instalment.announced_at = now
    if not instalment.order.by_hand:
        note_announced(instalment, now=now)
    return instalment


def note_announced(instalment: Instalment, *, now: datetime) -> None:
    """Its customer is told of a part that comes."""
    journal.record("instalment.announced", instalment, {"on": instalment.owed_on}, now=now)


def move(instalment: Instalment, status: InstalmentStatus) -> None:
    """Put a locked instalment in another state. Raises `WrongMove`."""
    INSTALMENT_LIFECYCLE.check(instalment.status, status)
    instalment.status = status
