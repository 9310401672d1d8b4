"""Attempts to be paid: written before anybody is asked, their end recorded once."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from storefront.infra import journal
from storefront.infra.db import db
from storefront.infra.outbox import publish
from storefront.kernel.money import Money
from storefront.payments import queries, rules
from storefront.payments.events import (
    MethodSetUp,
    PaymentAwaited,
    PaymentFailed,
    PaymentSucceeded,
)
from storefront.payments.models import (
    PAYMENT_LIFECYCLE,
    Payment,
    PaymentStatus,
    PaymentUsage,
    SavedMethod,
    WebhookReceipt,
)
from storefront.payments.providers.base import (
    HostedPage,
    Outcome,
    OutcomeStatus,
    SavedReference,
    WebhookNotice,
)
from storefront.payments.providers.offline import OFFLINE, reference_of

STATUS_OF: dict[OutcomeStatus, PaymentStatus | None] = {
    OutcomeStatus.OPEN: None,
    OutcomeStatus.PENDING: PaymentStatus.PENDING,
    OutcomeStatus.SUCCEEDED: PaymentStatus.SUCCEEDED,
    OutcomeStatus.DECLINED: PaymentStatus.DECLINED,
    OutcomeStatus.CANCELLED: PaymentStatus.CANCELLED,
    OutcomeStatus.NEEDS_CUSTOMER: PaymentStatus.NEEDS_CUSTOMER,
}


def reserve(
    *,
    order_id: uuid.UUID,
    user_id: uuid.UUID,
    provider: str,
    amount: Money,
    order_reference: str,
    description: str,
    instalment_id: uuid.UUID,
    made: Sequence[Payment] | None = None,
    usage: PaymentUsage = PaymentUsage.INSTALMENT,
    save_method: bool = False,
    saved_method_id: uuid.UUID | None = None,
    expires_at: datetime | None = None,
    remind_at: datetime | None = None,
    tell: bool = True,
    now: datetime,
) -> Payment:
    """Write down an attempt before anybody is asked for money.

    With a saved method the attempt is a debit under way (CHARGING); without one it waits for
    its hosted page; an amount of zero only keeps a method for later (`save_method` is needed).
    What is paid by hand waits at once, and its payer is told how unless `tell` is False.
    UNIQUE(instalment, attempt) lets only one of two callers start an attempt; `made` are those
    before it, read here unless the caller knows them.
    """
    by_hand = provider in OFFLINE
    if made is None:
        made = queries.attempts_at([instalment_id])[instalment_id]
    debit = saved_method_id is not None
    payment = Payment(
        id=uuid.uuid4(),
        order_id=order_id,
        user_id=user_id,
        instalment_id=instalment_id,
        usage=usage,
        attempt=max((one.attempt for one in made), default=0) + 1,
        provider=provider,
        currency=amount.currency,
        amount_minor=amount.minor,
        order_reference=order_reference,
        description=description[:250],
        status=PaymentStatus.CHARGING if debit else PaymentStatus.RESERVED,
        save_method=save_method,
        saved_method_id=saved_method_id,
        decline_final=False,
        taken_minor=0,
        refunded_minor=0,
        taken_back_minor=0,
        created_at=now,
        updated_at=now,
        expires_at=expires_at,
        check_at=rules.next_check(now, 0) if debit else expires_at,
        checks=0,
    )
    if by_hand:
        payment.status = PaymentStatus.OPEN
        payment.page_reference = reference_of(provider, payment.id)
        payment.expires_at = payment.check_at = None
        payment.remind_at = remind_at
    db.session.add(payment)
    journal.record(
        "payment.reserved",
        payment,
        {"order": order_id, "amount": amount.minor, "currency": amount.currency},
        now=now,
    )
    if by_hand and tell:
        publish(PaymentAwaited(payment.id), now=now)
    return payment


def locked(payment_id: uuid.UUID) -> Payment:
    """The payment as it is now, locked until the end of the transaction."""
    return db.session.get_one(Payment, payment_id, with_for_update=True, populate_existing=True)


def locked_all(payment_ids: Collection[uuid.UUID]) -> Sequence[Payment]:
    """The same for several in one question, in the order of their ids."""
    return db.session.scalars(
        select(Payment)
        .where(Payment.id.in_(payment_ids))
        .order_by(Payment.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def record_page(payment: Payment, page: HostedPage, *, now: datetime) -> None:
    """Keep where the buyer pays. A notice may already have settled the payment: it stays so."""
    if payment.page_reference is None:
        payment.page_reference, payment.page_url = page.reference, page.url
        facts = {"order": payment.order_id, "reference": page.reference}
        journal.record("payment.opened", payment, facts, now=now)
    if payment.status is PaymentStatus.RESERVED:
        payment.status = PaymentStatus.OPEN
    payment.updated_at = now


def record_outcome(payment: Payment, outcome: Outcome, *, now: datetime) -> None:
    """Write down what the provider says, once, whoever tells it first and however often.

    A success is never undone by a later word. Money that is not what we asked for, in amount
    or currency, is kept visible and settles nothing (O-04, M-08).
    """
    if outcome.charge_reference and payment.charge_reference is None:
        payment.charge_reference = outcome.charge_reference
    if outcome.saved is not None:
        payment.saved_method_id = _save_method(payment, outcome.saved, now).id
    wanted = STATUS_OF[outcome.status]
    if wanted is None and rules.abandoned(payment.expires_at, now):
        wanted = PaymentStatus.CANCELLED
    undecided = payment.status in queries.UNDECIDED
    part_came = undecided and payment.taken_minor > 0 and wanted is PaymentStatus.CANCELLED
    if wanted is None or wanted is payment.status or part_came:
        _ask_again(payment, now)
        return
    if not PAYMENT_LIFECYCLE.can(payment.status, wanted):
        payment.check_at = None
        return
    payment.status, payment.updated_at = wanted, now
    if wanted is PaymentStatus.PENDING:
        _ask_again(payment, now)
    else:
        payment.check_at = None
    if outcome.decline:
        payment.decline_code = outcome.decline.code
        payment.decline_final = not outcome.decline.retryable
    _tell(payment, outcome, now)


def _tell(payment: Payment, outcome: Outcome, now: datetime) -> None:
    if payment.status is PaymentStatus.SUCCEEDED:
        payment.settled_at = None if payment.is_set_up else now
        if outcome.amount is not None:
            payment.taken_minor = outcome.amount.minor
            payment.taken_currency = outcome.amount.currency
        payment.mismatch = rules.mismatch(payment.amount, outcome.amount)
        if payment.mismatch is None:
            arrived = MethodSetUp if payment.is_set_up else PaymentSucceeded
            publish(arrived(payment.id), now=now)
    elif payment.status is not PaymentStatus.PENDING:
        publish(PaymentFailed(payment.id), now=now)
    journal.record(
        f"payment.{payment.status}",
        payment,
        {
            "order": payment.order_id,
            "asked": payment.amount_minor,
            "taken": outcome.amount.minor if outcome.amount else None,
            "currency": payment.currency,
            "mismatch": payment.mismatch,
            "code": payment.decline_code,
            "reference": payment.charge_reference,
        },
        now=now,
    )


def record_doubt(payment: Payment, *, now: datetime) -> None:
    """The provider could not be asked: nothing is guessed, the question stays open."""
    _ask_again(payment, now)


def _ask_again(payment: Payment, now: datetime) -> None:
    if payment.status not in queries.UNDECIDED or payment.by_hand:
        payment.check_at = None
        return
    open_until = payment.expires_at
    if payment.status is PaymentStatus.OPEN and open_until and open_until > now:
        payment.check_at = open_until
        return
    payment.check_at = rules.next_check(now, payment.checks)
    payment.checks += 1


def record_unopened(payment: Payment, *, now: datetime) -> None:
    """No page is known for this attempt: until it expires one may still be opened, then never.

    The buyer is sent to a page only after it was written down, so nobody can have paid.
    """
    if payment.status is not PaymentStatus.RESERVED:
        return
    if payment.expires_at and payment.expires_at > now:
        payment.check_at = payment.expires_at
        return
    give_up_unopened(payment, now=now)


def give_up_unopened(payment: Payment, *, now: datetime) -> None:
    """The buyer chose another way before any page was shown: nobody can have paid this one."""
    PAYMENT_LIFECYCLE.check(payment.status, PaymentStatus.CANCELLED)
    payment.status, payment.updated_at, payment.check_at = PaymentStatus.CANCELLED, now, None
    publish(PaymentFailed(payment.id), now=now)
    journal.record("payment.cancelled", payment, {"order": payment.order_id}, now=now)


def _save_method(payment: Payment, saved: SavedReference, now: datetime) -> SavedMethod:
    method = db.session.scalars(
        select(SavedMethod).where(
            SavedMethod.provider == payment.provider,
            SavedMethod.method_reference == saved.method,
        )
    ).first()
    if method is None:
        method = SavedMethod(
            id=uuid.uuid4(),
            user_id=payment.user_id,
            provider=payment.provider,
            customer_reference=saved.customer,
            method_reference=saved.method,
            label=saved.label,
            saved_at=now,
        )
        db.session.add(method)
        db.session.flush()
        journal.record("payment.method_saved", method, {"payment": payment.id}, now=now)
    return method


def store_notice(provider: str, notice: WebhookNotice, *, now: datetime) -> uuid.UUID | None:
    """Keep a verified webhook before acting on it; None when it was received before.

    A notice that is about nothing of ours is kept as handled: providers add kinds at will.
    """
    receipt_id = uuid.uuid4()
    nothing = notice.reference is None and notice.payment_id is None
    try:
        with db.session.begin_nested():
            db.session.execute(
                insert(WebhookReceipt).values(
                    id=receipt_id,
                    provider=provider,
                    event_id=notice.event_id,
                    kind=notice.kind,
                    reference=notice.reference,
                    payment_id=notice.payment_id,
                    dispute=notice.dispute,
                    refunded=notice.refunded,
                    received_at=now,
                    try_at=None if nothing else now,
                    tries=0,
                )
            )
    except IntegrityError:
        return None
    return None if nothing else receipt_id


def settle_notice(receipt: WebhookReceipt, *, handled: bool, now: datetime) -> None:
    """A handled notice is done; another waits for our own commit, then is let go."""
    receipt.tries += 1
    expired = receipt.received_at + rules.NOTICE_LIFETIME <= now
    receipt.try_at = None if handled or expired else rules.next_check(now, receipt.tries)


def revoke_method(provider: str, reference: str, *, now: datetime) -> bool:
    """The payer took a means of payment away at the provider; says whether it was ours."""
    method = db.session.scalars(
        select(SavedMethod).where(
            SavedMethod.provider == provider, SavedMethod.method_reference == reference
        )
    ).first()
    if method is None:
        return False
    if method.revoked_at is None:
        method.revoked_at = now
        journal.record("payment.method_revoked", method, {}, now=now)
    return True
