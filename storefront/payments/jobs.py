"""The conversations with providers: reserve, commit, call, record. Never inside a transaction.

Each function here may be interrupted at any point and called again: our row says what was asked,
and the provider knows it by the same key.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from datetime import datetime

from flask import Flask, current_app

from storefront.infra.db import db, transaction
from storefront.infra.jobs import Job, side_by_side
from storefront.payments import queries, service
from storefront.payments.models import Payment, PaymentStatus, SavedMethod, WebhookReceipt
from storefront.payments.providers.base import (
    ChargeRequest,
    Outcome,
    PageRequest,
    Provider,
    ProviderRejected,
    ProviderSettings,
    ProviderUnavailable,
    SavedReference,
)
from storefront.payments.providers.registry import build_providers

log = logging.getLogger(__name__)


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
    payment = _read(payment_id)
    try:
        outcome = _ask(payment)
    except (ProviderUnavailable, ProviderRejected):
        with transaction():
            service.record_doubt(service.locked(payment_id), now=now)
        raise
    with transaction():
        if outcome is None:
            service.record_unopened(service.locked(payment_id), now=now)
        else:
            service.record_outcome(service.locked(payment_id), outcome, now=now)
    return db.session.get_one(Payment, payment_id)


def _ask(payment: Payment) -> Outcome | None:
    """The provider's word; None while no page was opened that anybody could have paid."""
    provider = providers()[payment.provider]
    if payment.page_reference:
        take = queries.still_wanted(payment)
        db.session.rollback()
        return provider.fetch_page(payment.page_reference, take=take)
    if payment.charge_reference:
        return provider.fetch_charge(payment.charge_reference)
    if payment.status is PaymentStatus.CHARGING:
        return provider.charge(_charge_request(payment))
    return None


def charge(payment_id: uuid.UUID, now: datetime) -> Payment:
    """Debit the saved means of payment that the row names; safe to call again on doubt."""
    return refresh(payment_id, now)


def _charge_request(payment: Payment) -> ChargeRequest:
    method = db.session.get_one(SavedMethod, payment.saved_method_id)
    saved = SavedReference(method.customer_reference, method.method_reference, method.label)
    db.session.rollback()
    return ChargeRequest(
        payment_id=payment.id,
        attempt=payment.attempt,
        amount=payment.amount,
        order_reference=payment.order_reference,
        description=payment.description,
        saved=saved,
        usage=payment.usage.value,
    )


def handle_notice(receipt_id: uuid.UUID, now: datetime) -> None:
    """Act on a stored webhook: never on its content, always on what the provider says now."""
    receipt = db.session.get_one(WebhookReceipt, receipt_id)
    payment = queries.payment_of_notice(receipt)
    payment_id = payment.id if payment else None
    provider, reference = receipt.provider, receipt.reference
    handled = False
    if payment_id is not None:
        try:
            handled = refresh(payment_id, now).status is not PaymentStatus.RESERVED
        except (ProviderUnavailable, ProviderRejected) as error:
            log.warning("payment %s stays in doubt: %s", payment_id, error)
    with transaction() as session:
        if payment_id is None and reference is not None:
            handled = service.revoke_method(provider, reference, now=now)
        receipt = session.get_one(WebhookReceipt, receipt_id, with_for_update=True)
        service.settle_notice(receipt, handled=handled, now=now)


def check_doubtful(now: datetime) -> int:
    """Ask again about every payment whose end is not known; returns how many were asked."""
    return side_by_side(queries.to_check(now), lambda one: _check(one, now), what="questions")


def _check(payment_id: uuid.UUID, now: datetime) -> int:
    try:
        refresh(payment_id, now)
    except (ProviderUnavailable, ProviderRejected) as error:
        log.warning("payment %s stays in doubt: %s", payment_id, error)
    return 1


def handle_notices(now: datetime) -> int:
    """Try the webhooks that could not be handled when they came."""
    receipts = queries.notices_to_try(now)
    for receipt_id in receipts:
        handle_notice(receipt_id, now)
    return len(receipts)


JOBS: tuple[Job, ...] = (
    Job("payments.notices", handle_notices, queries.next_notice_at),
    Job("payments.doubtful", check_doubtful, queries.next_check_at),
)
