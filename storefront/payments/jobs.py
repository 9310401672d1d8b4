"""The conversations with providers: reserve, commit, call, record. Never inside a transaction.

Each function here may be interrupted at any point and called again: our row says what was asked,
and the provider knows it by the same key.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TypeAlias, TypeGuard

from flask import Flask, current_app
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from storefront.infra.db import db, transaction
from storefront.infra.jobs import Job, Together, in_batches, side_by_side
from storefront.infra.seller import seller
from storefront.payments import queries, service
from storefront.payments.models import (
    Dispute,
    Payment,
    PaymentStatus,
    Refund,
    RefundStatus,
    WebhookReceipt,
)
from storefront.payments.providers.base import (
    ChargeRequest,
    Outcome,
    PageRequest,
    Provider,
    ProviderRejected,
    ProviderSettings,
    ProviderUnavailable,
    RefundOutcome,
    RefundRequest,
    SavedReference,
)
from storefront.payments.providers.offline import CHEQUE, ON_REQUEST, TRANSFER
from storefront.payments.providers.registry import build_providers

log = logging.getLogger(__name__)

# What a provider said of a payment, or why it did not; None: there was nothing to ask.
Told: TypeAlias = Outcome | Exception | None

SENDABLE = (RefundStatus.RESERVED, RefundStatus.PENDING)


def init_app(app: Flask) -> None:
    """Build the providers from the settings. Raises `IncompleteSettings`."""
    settings = app.config["SETTINGS"]
    app.extensions["providers"] = build_providers(
        ProviderSettings(
            stripe_secret_key=settings.stripe_secret_key,
            stripe_webhook_secret=settings.stripe_webhook_secret,
            stripe_api_base=settings.stripe_api_base,
            paypal_client_id=settings.paypal_client_id,
            paypal_client_secret=settings.paypal_client_secret,
            paypal_webhook_id=settings.paypal_webhook_id,
            paypal_api_base=settings.paypal_api_base,
        )
    )


def providers() -> Mapping[str, Provider]:
    """The providers of this shop by key, in the order in which buyers see them."""
    found: Mapping[str, Provider] = current_app.extensions["providers"]
    return found


def offered() -> list[Provider]:
    """The providers that the seller has: those with a hosted page, and what their file names."""
    ways = seller().offline
    named = {
        TRANSFER: ways.transfer is not None,
        CHEQUE: ways.cheque is not None,
        ON_REQUEST: ways.on_request,
    }
    return [one for key, one in providers().items() if named.get(key, True)]


def _read(payment_id: uuid.UUID) -> Payment:
    """The payment, detached: talking to a provider keeps no transaction open."""
    payment = db.session.get_one(Payment, payment_id, populate_existing=True)
    db.session.expunge(payment)
    db.session.rollback()
    return payment


def open_page(
    payment_id: uuid.UUID, *, email: str, return_url: str, cancel_url: str, now: datetime
) -> str:
    """The address where the buyer pays; the same page when asked again.

    Raises `ProviderUnavailable` (try again: the row and its key stay) or `ProviderRejected`.
    """
    payment = _read(payment_id)
    if payment.page_url and payment.status is PaymentStatus.OPEN:
        return payment.page_url
    page = providers()[payment.provider].open_page(
        PageRequest(
            payment_id=payment.id,
            amount=payment.amount,
            order_reference=payment.order_reference,
            description=payment.description,
            email=email,
            save_method=payment.save_method,
            return_url=return_url,
            cancel_url=cancel_url,
            expires_at=payment.expires_at or now,
        )
    )
    with transaction():
        service.record_page(service.locked(payment_id), page, now=now)
    return page.url


def close_page(payment_id: uuid.UUID, now: datetime) -> Payment:
    """Give up an open page before another way is tried, so that nobody can pay both.

    The payment is settled all the same when the buyer was quicker. Raises `ProviderUnavailable`.
    """
    payment = _read(payment_id)
    if payment.page_reference is None or payment.status is not PaymentStatus.OPEN:
        return payment
    outcome = providers()[payment.provider].close_page(payment.page_reference)
    with transaction():
        service.record_outcome(service.locked(payment_id), outcome, now=now)
    return db.session.get_one(Payment, payment_id)


def refresh(payment_id: uuid.UUID, now: datetime) -> Payment:
    """Ask the provider what became of a payment and write it down.

    The browser's return, the webhook and the worker all come here. Raises
    `ProviderUnavailable` after having planned the next question.
    """
    question = _question(db.session.get_one(Payment, payment_id, populate_existing=True))
    db.session.rollback()
    answer: Told
    try:
        answer = question() if question else None
    except (ProviderUnavailable, ProviderRejected) as error:
        answer = error
    with transaction():
        _record([payment_id], {payment_id: answer}, now)
    if isinstance(answer, Exception):
        raise answer
    return db.session.get_one(Payment, payment_id)


def refresh_all(payment_ids: Sequence[uuid.UUID], now: datetime, together: Together) -> int:
    """Ask about several payments at once, which takes those that are debits under way.

    Safe to call again on doubt: the same row is the same question. Returns how many were asked;
    raises ExceptionGroup with what nobody foresaw, once all the others are written down.
    """
    rows = db.session.scalars(
        select(Payment)
        .where(Payment.id.in_(payment_ids))
        .options(joinedload(Payment.saved_method))
        .execution_options(populate_existing=True)
    ).all()
    asked: dict[uuid.UUID, Callable[[], Outcome]] = {}
    told: dict[uuid.UUID, Told] = {payment.id: None for payment in rows}
    for payment in rows:
        try:
            question = _question(payment)
        except LookupError as error:
            # Its provider is not set up any more: nobody to ask, and the others go on.
            told[payment.id] = error
            continue
        if question is not None:
            asked[payment.id] = question
    told |= zip(asked, together(list(asked.values())), strict=True)
    strange = {one: answer for one, answer in told.items() if _is_strange(answer)}
    known = [one for one in told if one not in strange]
    in_batches(known, lambda some: _record(some, told, now))
    if strange:
        raise ExceptionGroup(f"{len(strange)} failed", list(filter(_is_strange, strange.values())))
    return len(told)


def _is_strange(answer: object) -> TypeGuard[Exception]:
    doubt = (ProviderUnavailable, ProviderRejected)
    return isinstance(answer, Exception) and not isinstance(answer, doubt)


def _record(payment_ids: Sequence[uuid.UUID], told: Mapping[uuid.UUID, Told], now: datetime) -> int:
    payments = service.locked_all(payment_ids)
    for payment in payments:
        answer = told[payment.id]
        if isinstance(answer, Exception):
            log.warning("payment %s stays in doubt: %s", payment.id, answer)
            service.record_doubt(payment, now=now)
        elif answer is None:
            service.record_unopened(payment, now=now)
        else:
            service.record_outcome(payment, answer, now=now)
    return len(payments)


def _question(payment: Payment) -> Callable[[], Outcome] | None:
    """What to ask the provider, which needs no database any more; None while no page was opened
    that anybody could have paid."""
    provider = providers()[payment.provider]
    if payment.page_reference:
        take = queries.still_wanted(payment)
        return partial(provider.fetch_page, payment.page_reference, take=take)
    if payment.charge_reference:
        return partial(provider.fetch_charge, payment.charge_reference)
    if payment.status is PaymentStatus.CHARGING:
        return partial(provider.charge, _charge_request(payment))
    return None


def _charge_request(payment: Payment) -> ChargeRequest:
    method = payment.saved_method
    if method is None:
        raise LookupError(f"payment {payment.id} has no means of payment to debit")
    saved = SavedReference(method.customer_reference, method.method_reference, method.label)
    return ChargeRequest(
        payment_id=payment.id,
        attempt=payment.attempt,
        amount=payment.amount,
        order_reference=payment.order_reference,
        description=payment.description,
        saved=saved,
        usage=payment.usage.value,
    )


def send_refund(refund_id: uuid.UUID, now: datetime) -> Refund:
    """Ask the provider for a refund that is written down; safe to call again on any doubt.

    Its own list is asked first: a provider forgets keys after a day, and a refund made under a
    forgotten key would be made twice. Raises `ProviderUnavailable` or `ProviderRejected` after
    having planned the next question.
    """
    refund = db.session.get_one(Refund, refund_id)
    payment_id, charge = refund.payment_id, refund.payment.charge_reference
    provider, asked = providers()[refund.provider], refund.status in SENDABLE
    request = RefundRequest(refund_id, charge or "", refund.amount)
    db.session.rollback()
    if not asked or not provider.capabilities.refund:
        return refund
    try:
        told = provider.refunds_of(request.charge_reference)
        if not _names(told, refund_id, refund.provider_reference):
            told = (*told, replace(provider.refund(request), refund_id=refund_id))
    except (ProviderUnavailable, ProviderRejected):
        with transaction():
            service.record_refund_doubt(service.locked_refund(refund_id), now=now)
        raise
    with transaction():
        service.adopt(payment_id, told, now=now)
        service.still_waiting(service.locked_refund(refund_id), now=now)
    return db.session.get_one(Refund, refund_id)


def _names(told: Iterable[RefundOutcome], refund_id: uuid.UUID, reference: str | None) -> bool:
    return any(
        one.refund_id == refund_id or (reference is not None and one.reference == reference)
        for one in told
    )


def sync_refunds(payment_id: uuid.UUID, now: datetime) -> bool:
    """Write down every refund that the provider knows of a payment; says whether all could be."""
    payment = _read(payment_id)
    if payment.charge_reference is None or payment.status is not PaymentStatus.SUCCEEDED:
        return False
    told = providers()[payment.provider].refunds_of(payment.charge_reference)
    with transaction():
        return service.adopt(payment_id, told, now=now)


def handle_notice(receipt_id: uuid.UUID, now: datetime) -> None:
    """Act on a stored webhook: never on its content, always on what the provider says now."""
    receipt = db.session.get_one(WebhookReceipt, receipt_id)
    payment = queries.payment_of_notice(receipt)
    payment_id = payment.id if payment else None
    provider, reference = receipt.provider, receipt.reference
    dispute, refunded = receipt.dispute, receipt.refunded
    handled = False
    try:
        if dispute is not None:
            handled = _learn_dispute(provider, dispute, now)
        elif payment_id is not None:
            handled = refresh(payment_id, now).status is not PaymentStatus.RESERVED
            if refunded:
                handled = sync_refunds(payment_id, now)
    except (ProviderUnavailable, ProviderRejected) as error:
        log.warning("webhook %s about %s stays in doubt: %s", receipt_id, payment_id, error)
        handled = False
    with transaction() as session:
        if payment_id is None and dispute is None and reference is not None:
            handled = service.revoke_method(provider, reference, now=now)
        receipt = session.get_one(WebhookReceipt, receipt_id, with_for_update=True)
        service.settle_notice(receipt, handled=handled, now=now)


def _learn_dispute(provider: str, dispute: str, now: datetime) -> bool:
    """Ask how a dispute stands and write it down; says whether it is about a payment of ours."""
    db.session.rollback()
    told = providers()[provider].fetch_dispute(dispute)
    if told.charge_reference is None:
        return False
    with transaction():
        payment = queries.payment_of_charge(provider, told.charge_reference)
        if payment is None:
            return False
        service.record_dispute(payment, told, dispute, now=now)
    return True


def check_doubtful(now: datetime) -> int:
    """Ask again about every payment whose end is not known; returns how many were asked."""
    if not (doubtful := queries.to_check(now)):
        return 0
    with side_by_side("questions") as together:
        return refresh_all(doubtful, now, together)


def send_refunds(now: datetime) -> int:
    """Ask for every refund that is not decided; returns how many were asked for."""
    return send_at_once(queries.refunds_to_check(now), now)


def send_at_once(refund_ids: Sequence[uuid.UUID], now: datetime) -> int:
    """Ask for these refunds now; what stays in doubt is asked again by the worker."""
    for refund_id in refund_ids:
        try:
            send_refund(refund_id, now)
        except (ProviderUnavailable, ProviderRejected) as error:
            log.warning("refund %s stays in doubt: %s", refund_id, error)
    return len(refund_ids)


def check_disputes(now: datetime) -> int:
    """Ask about the disputes whose end is not known, once a day; returns how many."""
    due = queries.disputes_to_check(now)
    for dispute_id in due:
        dispute = db.session.get_one(Dispute, dispute_id)
        try:
            _learn_dispute(dispute.provider, dispute.asked_by_reference, now)
        except (ProviderUnavailable, ProviderRejected) as error:
            log.warning("dispute %s stays in doubt: %s", dispute_id, error)
            with transaction() as session:
                service.postpone_dispute(session.get_one(Dispute, dispute_id), now=now)
    return len(due)


def handle_notices(now: datetime) -> int:
    """Try the webhooks that could not be handled when they came."""
    receipts = queries.notices_to_try(now)
    for receipt_id in receipts:
        handle_notice(receipt_id, now)
    return len(receipts)


JOBS: tuple[Job, ...] = (
    Job("payments.notices", handle_notices, queries.next_notice_at),
    Job("payments.doubtful", check_doubtful, queries.next_check_at),
    Job("payments.refunds", send_refunds, queries.next_refund_check_at),
    Job("payments.disputes", check_disputes, queries.next_dispute_check_at),
)
