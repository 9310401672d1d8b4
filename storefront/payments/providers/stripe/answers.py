"""Stripe's objects and error codes in the words of the port."""

from __future__ import annotations

from datetime import UTC, datetime

import stripe
from stripe import Customer, Dispute, PaymentIntent, PaymentMethod, Refund, SetupIntent
from stripe.checkout import Session

from storefront.kernel.money import Money
from storefront.payments.providers.base import (
    Decline,
    DisputeOutcome,
    DisputeStatus,
    Outcome,
    OutcomeStatus,
    RefundOutcome,
    RefundStatus,
    SavedReference,
    own_id,
)

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
REFUSED_REFUNDS = frozenset(
    {"charge_already_refunded", "charge_disputed", "refund_disputed_payment"}
)

_BRANDS = {
    "amex": "American Express",
    "cartes_bancaires": "CB",
    "mastercard": "Mastercard",
    "visa": "Visa",
}

# An inquiry that was closed and a dispute that was prevented took nothing from the seller; what
# the provider gave back by itself is a refund, and is read as one.
_DISPUTES_KEPT = frozenset({"won", "warning_closed", "prevented"})


def session_outcome(session: Session) -> Outcome:
    """Where a Checkout Session stands: what it holds, once it is complete."""
    if session.status == "open":
        return Outcome(OutcomeStatus.OPEN)
    if session.status == "expired":
        return Outcome(OutcomeStatus.CANCELLED)
    if isinstance(session.payment_intent, PaymentIntent):
        return intent_outcome(session.payment_intent)
    if isinstance(session.setup_intent, SetupIntent):
        return _set_up(session.setup_intent)
    return Outcome(OutcomeStatus.CANCELLED)


def _set_up(intent: SetupIntent) -> Outcome:
    """A card that is kept while nothing is taken: without one there is nothing to go on with."""
    saved = _reference(intent.payment_method, intent.customer)
    if intent.status == "succeeded" and saved is not None:
        return Outcome(OutcomeStatus.SUCCEEDED, saved=saved)
    if intent.status == "processing":
        return Outcome(OutcomeStatus.PENDING)
    return Outcome(OutcomeStatus.CANCELLED)


def intent_outcome(intent: PaymentIntent) -> Outcome:
    """Where a PaymentIntent stands; the amount is the intent's own."""
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


def refused_payment(error: stripe.CardError) -> Outcome:
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
    if intent.setup_future_usage != "off_session":
        return None
    return _reference(intent.payment_method, intent.customer)


def _reference(
    method: PaymentMethod | str | None, customer: Customer | str | None
) -> SavedReference | None:
    if not customer or not isinstance(method, PaymentMethod):
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


def refund_outcome(refund: Refund) -> RefundOutcome:
    """Where a refund stands; the amount is the refund's own."""
    amount = Money(refund.amount, refund.currency.upper())
    known = own_id(getattr(refund.metadata, "refund_id", None))
    if refund.status in ("failed", "canceled"):
        reason = getattr(refund, "failure_reason", None) or refund.status
        return RefundOutcome(RefundStatus.REFUSED, refund.id, amount, reason, known)
    done = refund.status == "succeeded"
    status = RefundStatus.SUCCEEDED if done else RefundStatus.PENDING
    return RefundOutcome(status, refund.id, amount, refund_id=known)


def refused_refund(error: stripe.InvalidRequestError) -> RefundOutcome | None:
    """The refusal that this error is, or None when our request was wrong."""
    if error.code not in REFUSED_REFUNDS and error.param != "amount":
        return None
    return RefundOutcome(RefundStatus.REFUSED, reason=error.code or "amount_too_large")


def dispute_outcome(dispute: Dispute) -> DisputeOutcome:
    """Where a dispute stands, and until when it can be answered."""
    if dispute.status in _DISPUTES_KEPT:
        status = DisputeStatus.WON
    elif dispute.status == "lost":
        status = DisputeStatus.LOST
    else:
        status = DisputeStatus.OPEN
    due = dispute.evidence_details.due_by
    intent = dispute.payment_intent
    return DisputeOutcome(
        reference=dispute.id,
        status=status,
        amount=Money(dispute.amount, dispute.currency.upper()),
        charge_reference=intent if isinstance(intent, str) or intent is None else intent.id,
        reason=dispute.reason,
        evidence_due_at=datetime.fromtimestamp(due, UTC) if due else None,
    )
