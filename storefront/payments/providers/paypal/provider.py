"""PayPal: Orders v2 first, vaulted orders without the buyer afterwards.

References: a page is an order, a charge is a capture. An order the buyer approved is captured by
us, so `fetch_page` takes the money; PayPal allows one capture an order, whoever asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Self
from uuid import UUID

from storefront.kernel.money import Money
from storefront.payments.providers.base import (
    Capabilities,
    ChargeRequest,
    Decline,
    DisputeOutcome,
    HostedPage,
    IncompleteSettings,
    Outcome,
    OutcomeStatus,
    PageRequest,
    ProviderSettings,
    ProviderUnavailable,
    RefundOutcome,
    RefundRequest,
    WebhookNotice,
    alternatives,
    require_currency,
)
from storefront.payments.providers.paypal.answers import (
    Json,
    amount_json,
    capture_outcome,
    dispute_outcome,
    order_outcome,
    page_url,
    refund_outcome,
    refunds_in,
    refused_payment,
    refused_refund,
)
from storefront.payments.providers.paypal.events import read_event
from storefront.payments.providers.paypal.signature import TransmissionCheck
from storefront.payments.providers.paypal.transport import PayPalRefusal, Transport

_ORDERS = ("v2", "checkout", "orders")
_CAPTURES = ("v2", "payments", "captures")
_EVENTS = ("v1", "notifications", "webhooks-events")

# Those whose minor units PayPal counts as ISO 4217 does (not HUF nor TWD). No MAD.
_CURRENCIES = frozenset({"CAD", "CHF", "EUR", "GBP", "JPY", "USD"})

_USAGE_PATTERNS = {"instalment": "INSTALLMENT_PREPAID", "subscription": "SUBSCRIPTION_PREPAID"}
_LONGEST_DESCRIPTION = 127


class PayPalProvider:
    """The provider port over PayPal's REST API."""

    key = "paypal"
    name_fr = "PayPal"
    capabilities = Capabilities(saved_method=True, currencies=_CURRENCIES, refund=True, guest=True)

    def __init__(self, transport: Transport, transmissions: TransmissionCheck) -> None:
        self._transport = transport
        self._transmissions = transmissions

    @classmethod
    def from_settings(cls, settings: ProviderSettings) -> Self | None:
        """None without a client; raises `IncompleteSettings` without its secret or webhook."""
        if not settings.paypal_client_id:
            return None
        webhook_ids = alternatives(settings.paypal_webhook_id)
        if not settings.paypal_client_secret or not webhook_ids:
            raise IncompleteSettings("PayPal needs a client secret and a webhook id")
        base = settings.paypal_api_base
        return cls(
            Transport(base, settings.paypal_client_id, settings.paypal_client_secret),
            TransmissionCheck(webhook_ids, base),
        )

    def open_page(self, request: PageRequest) -> HostedPage:
        """Create an order for the buyer to approve.

        PayPal keeps the order open for three hours whatever `expires_at` says: past that instant
        the payments room no longer fetches the page, and what is not fetched is not captured. A
        method can only be kept from an account, so guests are not invited when one must be.
        """
        require_currency(self, request.amount)
        wallet: Json = {
            "experience_context": {
                "return_url": request.return_url,
                "cancel_url": request.cancel_url,
                "user_action": "PAY_NOW",
                "shipping_preference": "NO_SHIPPING",
                "landing_page": "LOGIN" if request.save_method else "NO_PREFERENCE",
                "locale": "fr-FR",
            }
        }
        if request.save_method:
            wallet["attributes"] = {
                "vault": {"store_in_vault": "ON_SUCCESS", "usage_type": "MERCHANT"}
            }
        order = self._transport.post(
            *_ORDERS,
            body=_order(
                request.payment_id,
                request.amount,
                request.order_reference,
                request.description,
                wallet,
            ),
            request_id=f"page:{request.payment_id}",
        )
        return HostedPage(reference=order["id"], url=page_url(order) or request.return_url)

    def fetch_page(self, reference: str, *, take: bool = True) -> Outcome:
        """Read the order, and capture it if the buyer approved it and we still want it."""
        try:
            order = self._transport.get(*_ORDERS, reference)
        except PayPalRefusal as refusal:
            if refusal.status == 404:  # PayPal forgets orders that were never captured
                return Outcome(OutcomeStatus.CANCELLED)
            raise
        if order["status"] == "APPROVED" and take:
            return self._capture(reference)
        return order_outcome(order)

    def close_page(self, reference: str) -> Outcome:
        """Say that the order is given up: PayPal cannot end it, but nobody else can capture it."""
        outcome = self.fetch_page(reference, take=False)
        if outcome.status is OutcomeStatus.OPEN:
            return Outcome(OutcomeStatus.CANCELLED)
        return outcome

    def charge(self, request: ChargeRequest) -> Outcome:
        """Create an order on the vaulted account: PayPal captures it at once.

        PayPal remembers the key for 6 hours. Past them it still refuses to take an invoice number
        twice, and all attempts at one payment bear the same.
        """
        require_currency(self, request.amount)
        wallet: Json = {
            "vault_id": request.saved.method,
            "stored_credential": {
                "payment_initiator": "MERCHANT",
                "usage": "SUBSEQUENT",
                "usage_pattern": _USAGE_PATTERNS[request.usage],
            },
        }
        try:
            order = self._transport.post(
                *_ORDERS,
                body=_order(
                    request.payment_id,
                    request.amount,
                    request.order_reference,
                    request.description,
                    wallet,
                ),
                request_id=f"charge:{request.payment_id}:{request.attempt}",
            )
        except PayPalRefusal as refusal:
            if refusal.status == 404:  # nothing but the vault id can be unknown here
                return Outcome(
                    OutcomeStatus.DECLINED, decline=Decline("TOKEN_ID_NOT_FOUND", retryable=False)
                )
            return _refused(refusal)
        if order["status"] == "APPROVED":
            return self._capture(order["id"])
        outcome = order_outcome(order)
        if outcome.status is OutcomeStatus.OPEN:
            return Outcome(OutcomeStatus.NEEDS_CUSTOMER)
        return outcome

    def fetch_charge(self, charge_reference: str) -> Outcome:
        """Read one capture."""
        return capture_outcome(self._transport.get(*_CAPTURES, charge_reference))

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """Refund part or all of a capture. PayPal remembers the key for 45 days."""
        try:
            refund = self._transport.post(
                *_CAPTURES,
                request.charge_reference,
                "refund",
                body={
                    "amount": amount_json(request.amount),
                    "custom_id": str(request.refund_id),
                },
                request_id=f"refund:{request.refund_id}",
            )
        except PayPalRefusal as refusal:
            outcome = refused_refund(refusal.issues)
            if outcome is None:
                raise
            return outcome
        return refund_outcome(refund)

    def refunds_of(self, charge_reference: str) -> tuple[RefundOutcome, ...]:
        """Read the refunds of a capture in its order: PayPal lists them nowhere else."""
        capture = self._transport.get(*_CAPTURES, charge_reference)
        related = capture.get("supplementary_data", {}).get("related_ids", {})
        if not related.get("order_id"):
            raise ProviderUnavailable("PayPal: this capture does not name its order")
        return refunds_in(self._transport.get(*_ORDERS, related["order_id"]), charge_reference)

    def fetch_dispute(self, reference: str) -> DisputeOutcome:
        """Read a dispute as the named event tells it, from PayPal itself: how it stood then.

        The notifications API asks for no permission beyond that of the webhooks. A dispute that
        has ended stays so, whichever event is read last.
        """
        return dispute_outcome(self._transport.get(*_EVENTS, reference)["resource"])

    def read_webhook(self, headers: Mapping[str, str], body: bytes, now: datetime) -> WebhookNotice:
        """Verify the transmission, then read which object to fetch and nothing else."""
        self._transmissions.verify(headers, body, now)
        return read_event(body)

    def _capture(self, order_id: str) -> Outcome:
        """Take the money of an approved order; somebody else may be taking it at this moment."""
        try:
            order = self._transport.post(
                *_ORDERS, order_id, "capture", body={}, request_id=f"capture:{order_id}"
            )
        except PayPalRefusal as refusal:
            if "ORDER_ALREADY_CAPTURED" in refusal.issues:
                return order_outcome(self._transport.get(*_ORDERS, order_id))
            if "ORDER_NOT_APPROVED" in refusal.issues:
                return Outcome(OutcomeStatus.OPEN)
            if "ORDER_COMPLETION_IN_PROGRESS" in refusal.issues:
                raise ProviderUnavailable("PayPal: this order is being captured") from refusal
            return _refused(refusal)
        return order_outcome(order)


def _order(
    payment_id: UUID, amount: Money, order_reference: str, description: str, wallet: Json
) -> Json:
    return {
        "intent": "CAPTURE",
        "purchase_units": [
            {
                "amount": amount_json(amount),
                "description": description[:_LONGEST_DESCRIPTION],
                "custom_id": str(payment_id),
                # PayPal refuses a second payment under one number.
                "invoice_id": f"{order_reference}-{payment_id.hex[:12]}",
            }
        ],
        "payment_source": {"paypal": wallet},
    }


def _refused(refusal: PayPalRefusal) -> Outcome:
    """The outcome of a refusal, or the refusal itself when it is no answer of the payer's side."""
    if "DUPLICATE_INVOICE_ID" in refusal.issues:
        # This payment was taken before, and we never learnt it: not a failure, and not to be
        # tried under another number. The capture's webhook, or staff, will tell.
        raise ProviderUnavailable("PayPal: already paid under this invoice number") from refusal
    outcome = refused_payment(refusal.issues)
    if outcome is None:
        raise refusal
    return outcome
