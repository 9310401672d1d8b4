"""How a card payment goes at Stripe: attempts, 3-D Secure, declines, saved cards, sessions.

Called within a transaction of the store. A declined card raises `StripeError` (402) after its trace
has been written; the caller still commits.
"""

from sandbox import stripe_objects as objects
from sandbox.cards import (
    AUTHENTICATION_FAILED,
    AUTHENTICATION_REQUIRED,
    BY_TOKEN,
    GENERIC,
    Card,
    Refusal,
)
from sandbox.core import Sandbox
from sandbox.state import Doc, new_id
from sandbox.stripe_errors import card_error, missing, refused

CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")


def emit(sandbox: Sandbox, type: str, object: Doc) -> None:
    sandbox.webhooks.emit("stripe", objects.event(sandbox, type, object))


def find_method(sandbox: Sandbox, id: str, param: str = "payment_method") -> Doc:
    """A stored payment method, or a new one from a test token such as `pm_card_visa`."""
    method = sandbox.store.get("payment_method", id)
    if method is None and id in BY_TOKEN:
        method = objects.payment_method(sandbox, BY_TOKEN[id])
    if method is None:
        raise missing("PaymentMethod", id, param, status=400)
    return method


def attach(sandbox: Sandbox, method: Doc, customer: str, *, set_up: bool) -> None:
    """Save a card for a customer; `set_up` when the payer agreed to payments off session."""
    if method["customer"] is None:
        method["customer"] = customer
        method["_set_up"] = method["_set_up"] or set_up
        sandbox.store.put("payment_method", method)
        emit(sandbox, "payment_method.attached", method)


def detach(sandbox: Sandbox, method: Doc) -> Doc:
    """The saved card goes away; it can never be charged again."""
    method |= {"customer": None, "_detached": True}
    emit(sandbox, "payment_method.detached", method)
    return sandbox.store.put("payment_method", method)


def check_owner(customer: str | None, method: Doc) -> None:
    """Refuse a card that was detached, or that another customer saved. Raises StripeError."""
    if method.get("_detached"):
        raise refused(
            "This PaymentMethod was previously detached from a Customer and may not be used again.",
            "payment_method",
        )
    owner = method["customer"]
    if owner is not None and customer is None:
        raise refused(
            "The PaymentMethod you provided is attached to a customer so for security purposes you"
            " must provide the customer in the request.",
            "customer",
        )
    if owner is not None and owner != customer:
        raise refused(
            f"The customer does not have a payment method with the ID {method['id']}. The payment"
            " method must belong to the customer.",
            "payment_method",
            "resource_missing",
        )


def confirm(
    sandbox: Sandbox,
    intent: Doc,
    method: Doc,
    *,
    off_session: bool,
    return_url: str | None = None,
    session: str | None = None,
) -> Doc:
    """Try to take the money. The intent becomes succeeded, processing or requires_action.

    Raises StripeError 402 when the card refuses, 400 when the intent can no longer be confirmed.
    """
    if intent["status"] not in CONFIRMABLE:
        raise refused(
            f"This PaymentIntent's status is {intent['status']}; it cannot be confirmed.",
            None,
            "payment_intent_unexpected_state",
        )
    check_owner(intent["customer"], method)
    intent["payment_method"] = method["id"]
    card = objects.card_of(method)
    if card.challenge and not off_session and card.refusal is None:
        return _challenge(sandbox, intent, method, return_url, session)
    return settle_attempt(sandbox, intent, method, _refusal(card, method, off_session))


def _refusal(card: Card, method: Doc, off_session: bool) -> Refusal | None:
    if card.refusal is not None or not off_session:
        return card.refusal
    if card.always_challenge or (card.challenge and not method["_set_up"]):
        return AUTHENTICATION_REQUIRED
    return card.later_refusal


def settle_attempt(sandbox: Sandbox, intent: Doc, method: Doc, refusal: Refusal | None) -> Doc:
    """Write the outcome of one attempt and its events."""
    charge = objects.charge(sandbox, intent, method, refusal)
    intent["latest_charge"] = charge["id"]
    intent["next_action"] = None
    if refusal is not None:
        raise _decline(sandbox, intent, method, charge, refusal)
    if intent["setup_future_usage"] and intent["customer"]:
        set_up = intent["setup_future_usage"] == "off_session"
        attach(sandbox, method, intent["customer"], set_up=set_up)
    intent["last_payment_error"] = None
    if objects.card_of(method).pending:
        intent["status"] = "processing"
        sandbox.store.put("payment_intent", intent)
        emit(sandbox, "charge.pending", charge)
        emit(sandbox, "payment_intent.processing", intent)
        return intent
    return succeed(sandbox, intent, charge)


def succeed(sandbox: Sandbox, intent: Doc, charge: Doc) -> Doc:
    """The money is there. A disputed card complains at once."""
    intent |= {"status": "succeeded", "amount_received": intent["amount"]}
    sandbox.store.put("payment_intent", intent)
    emit(sandbox, "charge.succeeded", charge)
    emit(sandbox, "payment_intent.succeeded", intent)
    method = sandbox.store.need("payment_method", charge["payment_method"])
    if objects.card_of(method).disputed:
        open_dispute(sandbox, charge)
    return intent


def settle_processing(sandbox: Sandbox, intent: Doc, *, succeeded: bool) -> Doc:
    """End the wait of a `processing` intent, and tell its session."""
    charge = sandbox.store.need("charge", intent["latest_charge"])
    method = sandbox.store.need("payment_method", charge["payment_method"])
    session = next(iter(sandbox.store.find("session", payment_intent=intent["id"])), None)
    if succeeded:
        charge |= {
            "status": "succeeded",
            "paid": True,
            "amount_captured": charge["amount"],
            "balance_transaction": new_id("txn_3"),
        }
        sandbox.store.put("charge", charge)
        succeed(sandbox, intent, charge)
    else:
        charge |= {"status": "failed", "failure_code": GENERIC.code}
        sandbox.store.put("charge", charge)
        _decline(sandbox, intent, method, charge, GENERIC)
    if session is not None:
        session["payment_status"] = "paid" if succeeded else "unpaid"
        sandbox.store.put("session", session)
        ending = "succeeded" if succeeded else "failed"
        emit(sandbox, f"checkout.session.async_payment_{ending}", session)
    return intent


def _decline(
    sandbox: Sandbox, intent: Doc, method: Doc, charge: Doc | None, refusal: Refusal
) -> Exception:
    """Write the failed attempt; the error to raise, in Stripe's shape."""
    error: Doc = {
        "type": "card_error" if refusal is not AUTHENTICATION_FAILED else "invalid_request_error",
        "code": refusal.code,
        "doc_url": f"https://docs.stripe.com/error-codes/{refusal.code.replace('_', '-')}",
        "message": refusal.message,
        "payment_method": objects.public(method),
    }
    if charge is not None:
        error["charge"] = charge["id"]
    if refusal.decline_code is not None:
        error["decline_code"] = refusal.decline_code
    if refusal.advice_code is not None:
        error["advice_code"] = refusal.advice_code
    intent |= {
        "status": "requires_payment_method",
        "payment_method": None,
        "next_action": None,
        "last_payment_error": error,
    }
    sandbox.store.put("payment_intent", intent)
    if charge is not None:
        emit(sandbox, "charge.failed", charge)
    emit(sandbox, "payment_intent.payment_failed", intent)
    return card_error({**error, "payment_intent": objects.public(intent)})


# 3-D Secure


def _challenge(
    sandbox: Sandbox, intent: Doc, method: Doc, return_url: str | None, session: str | None
) -> Doc:
    challenge = open_challenge(sandbox, intent["id"], method, return_url, session)
    intent["status"] = "requires_action"
    intent["next_action"] = {
        "type": "redirect_to_url",
        "redirect_to_url": {"url": challenge_url(sandbox, challenge), "return_url": return_url},
    }
    sandbox.store.put("payment_intent", intent)
    emit(sandbox, "payment_intent.requires_action", intent)
    return intent


def open_challenge(
    sandbox: Sandbox, intent: str, method: Doc, return_url: str | None, session: str | None
) -> Doc:
    """A page on which the bank asks the card's holder to agree; for an intent of either kind."""
    challenge: Doc = {
        "id": new_id("tds_"),
        "intent": intent,
        "method": method["id"],
        "return_url": return_url,
        "session": session,
        "state": "open",
    }
    return sandbox.store.put("challenge", challenge)


def challenge_url(sandbox: Sandbox, challenge: Doc) -> str:
    return f"{sandbox.base_url}/3d-secure/{challenge['id']}"


def answer_challenge(sandbox: Sandbox, challenge: Doc, intent: Doc, *, agreed: bool) -> Doc:
    """What the holder answered. Raises StripeError 402 when refused or when the card declines."""
    challenge["state"] = "agreed" if agreed else "refused"
    sandbox.store.put("challenge", challenge)
    method = sandbox.store.need("payment_method", challenge["method"])
    if not agreed:
        raise _decline(sandbox, intent, method, None, AUTHENTICATION_FAILED)
    return settle_attempt(sandbox, intent, method, None)


# Disputes


def open_dispute(sandbox: Sandbox, charge: Doc) -> Doc:
    """The card's holder contests a payment at the bank."""
    dispute = objects.dispute(sandbox, charge)
    charge["disputed"] = True
    sandbox.store.put("charge", charge)
    emit(sandbox, "charge.dispute.created", dispute)
    emit(sandbox, "charge.dispute.funds_withdrawn", dispute)
    return dispute


def close_dispute(sandbox: Sandbox, dispute: Doc, *, won: bool) -> Doc:
    dispute["status"] = "won" if won else "lost"
    sandbox.store.put("dispute", dispute)
    if won:
        emit(sandbox, "charge.dispute.funds_reinstated", dispute)
    emit(sandbox, "charge.dispute.closed", dispute)
    return dispute
