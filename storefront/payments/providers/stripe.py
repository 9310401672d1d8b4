"""Cards through Stripe: hosted Checkout first, off-session PaymentIntents afterwards.

References: a page is a Checkout Session (`cs_…`), a charge is a PaymentIntent (`pi_…`).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

import stripe
from stripe import PaymentIntent, PaymentMethod, WebhookSignature

from storefront.kernel.money import Money
from storefront.payments.providers.base import (
    Capabilities,
    ChargeRequest,
    Decline,
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
    RefundStatus,
    SavedReference,
    WebhookNotice,
    alternatives,
    header,
    own_id,
    require_currency,
)

if TYPE_CHECKING:
    from stripe.params import PaymentIntentCreateParams, RefundCreateParams
    from stripe.params.checkout import SessionCreateParams

# The SDK writes whole requests at DEBUG, with the buyer's e-mail address.
logging.getLogger("stripe").setLevel(logging.WARNING)

_TIMEOUT_SECONDS = 20  # without one the SDK waits for 80
_NETWORK_RETRIES = 2
_WEBHOOK_TOLERANCE_SECONDS = 300  # Stripe signs each delivery anew, so old means replayed

# Currencies whose minor units Stripe counts as ISO 4217 does (it does not for ISK, UGX or MGA).
_CURRENCIES = frozenset({"CAD", "CHF", "EUR", "GBP", "JPY", "MAD", "USD", "XAF", "XOF", "XPF"})

# The issuer says nothing about trying again, but the same card cannot work.
_HARD_DECLINES = frozenset(
    {
        "card_not_supported",
        "currency_not_supported",
        "expired_card",
        "fraudulent",
        "highest_risk_level",
        "incorrect_number",
        "invalid_account",
        "invalid_number",
        "lost_card",
        "merchant_blacklist",
        "pickup_card",
        "restricted_card",
        "revocation_of_all_authorizations",
        "revocation_of_authorization",
        "security_violation",
        "stolen_card",
        "stop_payment_order",
        "testmode_decline",
    }
)
_HARD_ADVICE = frozenset({"do_not_try_again", "confirm_card_data"})
_REFUSED_REFUNDS = frozenset(
    {"charge_already_refunded", "charge_disputed", "refund_disputed_payment"}
)
_SAVED_METHOD_GONE = "saved_method_gone"

_BRANDS = {
    "amex": "American Express",
    "cartes_bancaires": "CB",
    "mastercard": "Mastercard",
    "visa": "Visa",
}


class StripeProvider:
    """The provider port over `stripe.StripeClient`."""

    key = "stripe"
    name_fr = "Carte bancaire"
    capabilities = Capabilities(saved_method=True, currencies=_CURRENCIES, refund=True, guest=True)

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
        """Open a Checkout Session for one amount (the order's lines stay ours)."""
        require_currency(self, request.amount)
        metadata = {
            "payment_id": str(request.payment_id),
            "order": request.order_reference,
        }
        params: SessionCreateParams = {
            "mode": "payment",
            "ui_mode": "hosted_page",
            "locale": "fr",
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": request.amount.currency.lower(),
                        "unit_amount": request.amount.minor,
                        "product_data": {"name": request.description},
                    },
                }
            ],
            "customer_email": request.email,
            "client_reference_id": str(request.payment_id),
            "metadata": metadata,
            "payment_intent_data": {"description": request.description, "metadata": metadata},
            "success_url": request.return_url,
            "cancel_url": request.cancel_url,
            "expires_at": int(request.expires_at.timestamp()),
        }
        if request.save_method:
            params["customer_creation"] = "always"
            params["payment_intent_data"]["setup_future_usage"] = "off_session"
        with _port_errors():
            session = self._client.v1.checkout.sessions.create(
                params, {"idempotency_key": f"page:{request.payment_id}"}
            )
        # A page that was paid or has expired has no address any more: the way back says so.
        return HostedPage(reference=session.id, url=session.url or request.return_url)

    def fetch_page(self, reference: str, *, take: bool = True) -> Outcome:
        """Ask for the session and for the payment it holds; Stripe takes the money itself."""
        with _port_errors():
            session = self._client.v1.checkout.sessions.retrieve(
                reference, {"expand": ["payment_intent.payment_method"]}
            )
        if session.status == "open":
            return Outcome(OutcomeStatus.OPEN)
        if session.status == "expired" or not isinstance(session.payment_intent, PaymentIntent):
            return Outcome(OutcomeStatus.CANCELLED)
        return _outcome(session.payment_intent)

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
                return _refused(error)
            except stripe.InvalidRequestError as error:
                if error.param in ("payment_method", "customer"):
                    return Outcome(
                        OutcomeStatus.DECLINED, decline=Decline(_SAVED_METHOD_GONE, retryable=False)
                    )
                raise
        return _outcome(intent)

    def fetch_charge(self, charge_reference: str) -> Outcome:
        """Ask for one PaymentIntent."""
        with _port_errors():
            intent = self._client.v1.payment_intents.retrieve(
                charge_reference, {"expand": ["payment_method"]}
            )
        return _outcome(intent)

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
                if error.code in _REFUSED_REFUNDS or error.param == "amount":
                    reason = error.code or "amount_too_large"
                    return RefundOutcome(RefundStatus.REFUSED, reason=reason)
                raise
        if refund.status in ("failed", "canceled"):
            reason = getattr(refund, "failure_reason", None) or refund.status
            return RefundOutcome(RefundStatus.REFUSED, reference=refund.id, reason=reason)
        done = refund.status == "succeeded"
        return RefundOutcome(
            RefundStatus.SUCCEEDED if done else RefundStatus.PENDING,
            reference=refund.id,
            amount=Money(refund.amount, refund.currency.upper()),
        )

    def read_webhook(self, headers: Mapping[str, str], body: bytes, now: datetime) -> WebhookNotice:
        """Verify with the SDK's own signature check, but on the shop's clock and both ways.

        `construct_event` compares with the real clock and accepts any timestamp in the future, so
        the window is checked here. Several secrets are tried while one is being rotated.
        """
        signature = header(headers, "Stripe-Signature")
        if not any(_is_signed(body, signature, secret) for secret in self._webhook_secrets):
            raise InvalidSignature("no known secret made this signature")
        age = now.timestamp() - _signed_at(signature)
        if abs(age) > _WEBHOOK_TOLERANCE_SECONDS:
            raise InvalidSignature(f"signed {age:.0f} s before now")
        return _notice(body)


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


def _outcome(intent: PaymentIntent) -> Outcome:
    currency = intent.currency.upper()
    if intent.status == "succeeded":
        return Outcome(
            OutcomeStatus.SUCCEEDED,
            amount=Money(intent.amount_received, currency),
            charge_reference=intent.id,
            saved=_saved(intent),
        )
    if intent.status == "canceled":
        return Outcome(OutcomeStatus.CANCELLED, charge_reference=intent.id)
    if intent.status == "requires_action":
        return Outcome(OutcomeStatus.NEEDS_CUSTOMER, charge_reference=intent.id)
    if intent.status == "requires_payment_method":
        error = intent.last_payment_error
        return _declined(
            intent.id,
            getattr(error, "code", None),
            getattr(error, "decline_code", None),
            getattr(error, "advice_code", None),
        )
    # `processing`, and whatever Stripe may add: not there, not refused, to be asked again.
    return Outcome(
        OutcomeStatus.PENDING,
        amount=Money(intent.amount, currency),
        charge_reference=intent.id,
        saved=_saved(intent),
    )


def _refused(error: stripe.CardError) -> Outcome:
    """The 402 of an off-session charge; the intent it names exists and can be fetched."""
    detail = error.error
    intent = getattr(detail, "payment_intent", None)
    return _declined(
        getattr(intent, "id", None),
        error.code,
        getattr(detail, "decline_code", None),
        getattr(detail, "advice_code", None),
    )


def _declined(
    reference: str | None, code: str | None, decline_code: str | None, advice: str | None
) -> Outcome:
    reason = decline_code or code or "declined"
    if "authentication_required" in (code, decline_code):
        status, retryable = OutcomeStatus.NEEDS_CUSTOMER, False
    else:
        status = OutcomeStatus.DECLINED
        retryable = advice not in _HARD_ADVICE and reason not in _HARD_DECLINES
    return Outcome(status, charge_reference=reference, decline=Decline(reason, retryable))


def _saved(intent: PaymentIntent) -> SavedReference | None:
    """The method that was set up for later, when this payment was asked to keep one."""
    method, customer = intent.payment_method, intent.customer
    if intent.setup_future_usage != "off_session" or not customer:
        return None
    if not isinstance(method, PaymentMethod):
        return None
    customer_id = customer if isinstance(customer, str) else customer.id
    return SavedReference(customer=customer_id, method=method.id, label=_label(method))


def _label(method: PaymentMethod) -> str:
    card = getattr(method, "card", None)
    if card is not None:
        return f"{_BRANDS.get(card.brand, 'Carte')} •••• {card.last4}"
    debit = getattr(method, "sepa_debit", None)
    if debit is not None:
        return f"Prélèvement SEPA •••• {debit.last4}"
    return "Moyen de paiement enregistré"


def _is_signed(body: bytes, signature: str, secret: str) -> bool:
    try:
        WebhookSignature.verify_header(body, signature, secret, tolerance=None)
    except (stripe.SignatureVerificationError, UnicodeDecodeError):
        return False
    return True


def _signed_at(signature: str) -> int:
    """The timestamp a verified signature covers: its first `t`, read just as the SDK reads it."""
    parts = (part.split("=", 2) for part in signature.split(","))
    return next(int(part[1]) for part in parts if part[0] == "t")


def _notice(body: bytes) -> WebhookNotice:
    """What to fetch again. Only identifiers are read from a payload."""
    try:
        event = json.loads(body)
        event_id, kind, thing = str(event["id"]), str(event["type"]), event["data"]["object"]
        metadata = thing.get("metadata")
        hint = metadata.get("payment_id") if isinstance(metadata, dict) else None
        return WebhookNotice(event_id, kind, _reference(kind, thing), own_id(hint))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise InvalidSignature("signed, but no Stripe event") from error


def _reference(kind: str, thing: dict[str, Any]) -> str | None:
    match thing.get("object"):
        case "checkout.session" | "payment_intent":
            reference = thing.get("id")
        case "payment_method":
            # A card is named when it was taken away, not when it was attached or renewed.
            reference = thing.get("id") if kind == "payment_method.detached" else None
        case "charge" | "refund" | "dispute":
            reference = thing.get("payment_intent")
        case _:
            reference = None
    return reference if isinstance(reference, str) else None
