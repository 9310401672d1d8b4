"""Cards through Stripe: hosted Checkout first, off-session PaymentIntents afterwards.

References: a page is a Checkout Session (`cs_…`), a charge is a PaymentIntent (`pi_…`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Self

import stripe

from storefront.payments.providers.base import (
    Capabilities,
    ChargeRequest,
    Decline,
    DisputeOutcome,
    HostedPage,
    IncompleteSettings,
    InvalidSignature,
    Outcome,
    OutcomeStatus,
    PageRequest,
    ProviderRejected,
    ProviderSettings,
    ProviderUnavailable,
    RefundOutcome,
    RefundRequest,
    WebhookNotice,
    alternatives,
    header,
    require_currency,
)
from storefront.payments.providers.stripe.answers import (
    dispute_outcome,
    intent_outcome,
    refund_outcome,
    refused_payment,
    refused_refund,
    session_outcome,
)
from storefront.payments.providers.stripe.events import is_signed, read_event, signed_at

if TYPE_CHECKING:
    from stripe.params import PaymentIntentCreateParams, RefundCreateParams
    from stripe.params.checkout import SessionCreateParams

# The SDK writes whole requests at DEBUG, with the buyer's e-mail address.
logging.getLogger("stripe").setLevel(logging.WARNING)
log = logging.getLogger(__name__)

_TIMEOUT_SECONDS = 20  # without one the SDK waits for 80
_NETWORK_RETRIES = 2
_WEBHOOK_TOLERANCE_SECONDS = 300  # Stripe signs each delivery anew, so old means replayed

# Currencies whose minor units Stripe counts as ISO 4217 does (it does not for ISK, UGX or MGA).
_CURRENCIES = frozenset({"CAD", "CHF", "EUR", "GBP", "JPY", "MAD", "USD", "XAF", "XOF", "XPF"})

_SAVED_METHOD_GONE = "saved_method_gone"


class StripeProvider:
    """The provider port over `stripe.StripeClient`."""

    key = "stripe"
    name_fr = "Carte bancaire"
    capabilities = Capabilities(
        saved_method=True, currencies=_CURRENCIES, refund=True, guest=True, set_up=True
    )

    def __init__(
        self,
        secret_key: str,
        webhook_secrets: tuple[str, ...],
        api_base: str,
        timeout: float = _TIMEOUT_SECONDS,
    ) -> None:
        self._client = stripe.StripeClient(
            secret_key,
            base_addresses={"api": api_base.rstrip("/")},
            max_network_retries=_NETWORK_RETRIES,
            http_client=stripe.RequestsClient(timeout=timeout),
        )
        self._webhook_secrets = webhook_secrets

    @classmethod
    def from_settings(cls, settings: ProviderSettings) -> Self | None:
        """None without a key; raises `IncompleteSettings` when webhooks could not be checked."""
        if not settings.stripe_secret_key:
            return None
        secrets = alternatives(settings.stripe_webhook_secret)
        if not secrets:
            raise IncompleteSettings("Stripe has a secret key but no webhook secret")
        return cls(settings.stripe_secret_key, secrets, settings.stripe_api_base)

    def open_page(self, request: PageRequest) -> HostedPage:
        """Open a Checkout Session for one amount (the order's lines stay ours), or to keep a card.

        Stripe makes the customer that the card is kept for.
        """
        require_currency(self, request.amount)
        currency = request.amount.currency.lower()
        metadata = {
            "payment_id": str(request.payment_id),
            "order": request.order_reference,
        }
        params: SessionCreateParams = {
            "ui_mode": "hosted_page",
            "locale": "fr",
            "customer_email": request.email,
            "client_reference_id": str(request.payment_id),
            "metadata": metadata,
            "success_url": request.return_url,
            "cancel_url": request.cancel_url,
            "expires_at": int(request.expires_at.timestamp()),
        }
        if request.save_method:
            params["customer_creation"] = "always"
        if request.amount.is_zero:
            params["mode"] = "setup"
            params["currency"] = currency
            params["setup_intent_data"] = {
                "description": request.description,
                "metadata": metadata,
            }
        else:
            params["mode"] = "payment"
            params["line_items"] = [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": currency,
                        "unit_amount": request.amount.minor,
                        "product_data": {"name": request.description},
                    },
                }
            ]
            params["payment_intent_data"] = {
                "description": request.description,
                "metadata": metadata,
            }
            if request.save_method:
                params["payment_intent_data"]["setup_future_usage"] = "off_session"
        with _port_errors():
            session = self._client.v1.checkout.sessions.create(
                params, {"idempotency_key": f"page:{request.payment_id}"}
            )
        # A page that was paid or has expired has no address any more: the way back says so.
        return HostedPage(reference=session.id, url=session.url or request.return_url)

    def fetch_page(self, reference: str, *, take: bool = True) -> Outcome:
        """Ask for the session and for what it holds; Stripe takes the money itself."""
        with _port_errors():
            session = self._client.v1.checkout.sessions.retrieve(
                reference,
                {"expand": ["payment_intent.payment_method", "setup_intent.payment_method"]},
            )
        return session_outcome(session)

    def close_page(self, reference: str) -> Outcome:
        """Expire the session; one that was paid or has expired meanwhile says so itself."""
        with _port_errors():
            try:
                self._client.v1.checkout.sessions.expire(reference)
            except stripe.InvalidRequestError as error:
                log.info("session %s is not open any more: %s", reference, error.code)
        return self.fetch_page(reference)

    def charge(self, request: ChargeRequest) -> Outcome:
        """Confirm a PaymentIntent off session on the saved card.

        Stripe remembers the key for 24 hours at least.
        """
        require_currency(self, request.amount)
        params: PaymentIntentCreateParams = {
            "amount": request.amount.minor,
            "currency": request.amount.currency.lower(),
            "customer": request.saved.customer,
            "payment_method": request.saved.method,
            "off_session": True,
            "confirm": True,
            "description": request.description,
            "metadata": {
                "payment_id": str(request.payment_id),
                "attempt": str(request.attempt),
                "order": request.order_reference,
                "usage": request.usage,
            },
        }
        key = f"charge:{request.payment_id}:{request.attempt}"
        with _port_errors():
            try:
                intent = self._client.v1.payment_intents.create(params, {"idempotency_key": key})
            except stripe.CardError as error:
                return refused_payment(error)
            except stripe.InvalidRequestError as error:
                if error.param in ("payment_method", "customer"):
                    return Outcome(
                        OutcomeStatus.DECLINED, decline=Decline(_SAVED_METHOD_GONE, retryable=False)
                    )
                raise
        return intent_outcome(intent)

    def fetch_charge(self, charge_reference: str) -> Outcome:
        """Ask for one PaymentIntent."""
        with _port_errors():
            intent = self._client.v1.payment_intents.retrieve(
                charge_reference, {"expand": ["payment_method"]}
            )
        return intent_outcome(intent)

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """Refund part or all of a PaymentIntent."""
        params: RefundCreateParams = {
            "payment_intent": request.charge_reference,
            "amount": request.amount.minor,
            "metadata": {"refund_id": str(request.refund_id)},
        }
        with _port_errors():
            try:
                refund = self._client.v1.refunds.create(
                    params, {"idempotency_key": f"refund:{request.refund_id}"}
                )
            except stripe.InvalidRequestError as error:
                outcome = refused_refund(error)
                if outcome is None:
                    raise
                return outcome
        return refund_outcome(refund)

    def refunds_of(self, charge_reference: str) -> tuple[RefundOutcome, ...]:
        """List the refunds of a PaymentIntent, whoever made them."""
        with _port_errors():
            found = self._client.v1.refunds.list({"payment_intent": charge_reference, "limit": 100})
            return tuple(refund_outcome(refund) for refund in found.auto_paging_iter())

    def fetch_dispute(self, reference: str) -> DisputeOutcome:
        """Ask for one dispute (`du_…`)."""
        with _port_errors():
            return dispute_outcome(self._client.v1.disputes.retrieve(reference))

    def read_webhook(self, headers: Mapping[str, str], body: bytes, now: datetime) -> WebhookNotice:
        """Verify with the SDK's own signature check, but on the shop's clock and both ways.

        `construct_event` compares with the real clock and accepts any timestamp in the future, so
        the window is checked here. Several secrets are tried while one is being rotated.
        """
        signature = header(headers, "Stripe-Signature")
        if not any(is_signed(body, signature, secret) for secret in self._webhook_secrets):
            raise InvalidSignature("no known secret made this signature")
        age = now.timestamp() - signed_at(signature)
        if abs(age) > _WEBHOOK_TOLERANCE_SECONDS:
            raise InvalidSignature(f"signed {age:.0f} s before now")
        return read_event(body)


@contextmanager
def _port_errors() -> Iterator[None]:
    """Turn the SDK's errors into the port's two: doubt, or our mistake."""
    try:
        yield
    except stripe.StripeError as error:
        status = error.http_status or 0
        doubt = (stripe.APIConnectionError, stripe.APIError, stripe.RateLimitError)
        if isinstance(error, doubt):  # every 5xx is an APIError
            raise ProviderUnavailable(f"Stripe: {type(error).__name__} {status}") from error
        code = error.code or type(error).__name__
        raise ProviderRejected(f"Stripe: {status} {code} ({error.request_id})") from error
