"""New Stripe objects, in the shape of the API version that stripe-python 16 is pinned to."""

from typing import Any

from sandbox.cards import BY_NUMBER, Card, Refusal
from sandbox.core import Sandbox
from sandbox.state import Doc, new_id

API_VERSION = "2026-10-28.endive"
_FAR_YEAR = 2034


def customer(sandbox: Sandbox, values: Doc) -> Doc:
    doc: Doc = {
        "id": new_id("cus_", 14),
        "object": "customer",
        "address": values.get("address"),
        "balance": 0,
        "created": sandbox.clock.timestamp(),
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": values.get("description"),
        "email": values.get("email"),
        "livemode": False,
        "metadata": values.get("metadata", {}),
        "name": values.get("name"),
        "phone": values.get("phone"),
        "preferred_locales": values.get("preferred_locales", []),
        "shipping": None,
    }
    return sandbox.store.put("customer", doc)


def payment_method(
    sandbox: Sandbox,
    card: Card,
    *,
    exp_month: int = 12,
    exp_year: int = _FAR_YEAR,
    name: str | None = None,
    email: str | None = None,
) -> Doc:
    doc: Doc = {
        "id": new_id("pm_1"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": {"address": None, "email": email, "name": name, "phone": None},
        "card": {
            "brand": card.brand,
            "checks": {"cvc_check": "pass"},
            "country": "FR",
            "display_brand": card.brand,
            "exp_month": exp_month,
            "exp_year": exp_year,
            "fingerprint": f"fp{card.number[-10:]}",
            "funding": "credit",
            "last4": card.number[-4:],
            "networks": {"available": [card.brand], "preferred": None},
            "three_d_secure_usage": {"supported": True},
            "wallet": None,
        },
        "created": sandbox.clock.timestamp(),
        "customer": None,
        "livemode": False,
        "metadata": {},
        "type": "card",
    }
    # What the issuer knows and the API does not tell; see `card_of` and `public`.
    doc["_number"] = card.number
    doc["_set_up"] = False
    return sandbox.store.put("payment_method", doc)


def card_of(method: Doc) -> Card:
    return BY_NUMBER[method["_number"]]


def payment_intent(sandbox: Sandbox, values: Doc) -> Doc:
    id = new_id("pi_3")
    doc: Doc = {
        "id": id,
        "object": "payment_intent",
        "amount": values["amount"],
        "amount_capturable": 0,
        "amount_received": 0,
        "automatic_payment_methods": values.get("automatic_payment_methods"),
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": values.get("capture_method", "automatic_async"),
        "client_secret": new_id(f"{id}_secret_"),
        "confirmation_method": values.get("confirmation_method", "automatic"),
        "created": sandbox.clock.timestamp(),
        "currency": values["currency"],
        "customer": values.get("customer"),
        "description": values.get("description"),
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": values.get("metadata", {}),
        "next_action": None,
        "payment_method": values.get("payment_method"),
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": values.get("payment_method_types", ["card"]),
        "processing": None,
        "receipt_email": values.get("receipt_email"),
        "setup_future_usage": values.get("setup_future_usage"),
        "shipping": None,
        "statement_descriptor": values.get("statement_descriptor"),
        "statement_descriptor_suffix": values.get("statement_descriptor_suffix"),
        "status": "requires_confirmation"
        if values.get("payment_method")
        else "requires_payment_method",
    }
    return sandbox.store.put("payment_intent", doc)


def charge(sandbox: Sandbox, intent: Doc, method: Doc, refusal: Refusal | None) -> Doc:
    """The trace of one attempt; `refusal` None when the card agreed."""
    pending = refusal is None and card_of(method).pending
    outcome: Doc = {
        "advice_code": refusal.advice_code if refusal else None,
        "network_status": "declined_by_network" if refusal else "approved_by_network",
        "reason": refusal.decline_code if refusal else None,
        "seller_message": refusal.message if refusal else "Payment complete.",
        "type": "issuer_declined" if refusal else "authorized",
    }
    doc: Doc = {
        "id": new_id("ch_3" if not pending else "py_3"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0 if refusal or pending else intent["amount"],
        "amount_refunded": 0,
        "balance_transaction": None if refusal or pending else new_id("txn_3"),
        "billing_details": method["billing_details"],
        "captured": refusal is None,
        "created": sandbox.clock.timestamp(),
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_code": refusal.code if refusal else None,
        "failure_message": refusal.message if refusal else None,
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "outcome": outcome,
        "paid": refusal is None and not pending,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": {
            "card": {
                key: method["card"][key]
                for key in ("brand", "country", "exp_month", "exp_year", "funding", "last4")
            },
            "type": "card",
        },
        "receipt_email": intent["receipt_email"],
        "refunded": False,
        "status": "failed" if refusal else "pending" if pending else "succeeded",
    }
    return sandbox.store.put("charge", doc)


def setup_intent(sandbox: Sandbox, values: Doc) -> Doc:
    id = new_id("seti_1")
    doc: Doc = {
        "id": id,
        "object": "setup_intent",
        "cancellation_reason": None,
        "client_secret": new_id(f"{id}_secret_"),
        "created": sandbox.clock.timestamp(),
        "customer": values.get("customer"),
        "description": values.get("description"),
        "last_setup_error": None,
        "latest_attempt": None,
        "livemode": False,
        "mandate": None,
        "metadata": values.get("metadata", {}),
        "next_action": None,
        "payment_method": None,
        "payment_method_types": ["card"],
        "status": "requires_payment_method",
        "usage": "off_session",
    }
    return sandbox.store.put("setup_intent", doc)


def refund(sandbox: Sandbox, charge: Doc, amount: int, values: Doc) -> Doc:
    method = sandbox.store.need("payment_method", charge["payment_method"])
    doc: Doc = {
        "id": new_id("re_3"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": new_id("txn_3"),
        "charge": charge["id"],
        "created": sandbox.clock.timestamp(),
        "currency": charge["currency"],
        "destination_details": {"card": {"type": "refund"}, "type": "card"},
        "metadata": values.get("metadata", {}),
        "payment_intent": charge["payment_intent"],
        "reason": values.get("reason"),
        "receipt_number": None,
        "status": "pending" if card_of(method).slow_refund else "succeeded",
    }
    return sandbox.store.put("refund", doc)


def dispute(sandbox: Sandbox, charge: Doc) -> Doc:
    now = sandbox.clock.timestamp()
    doc: Doc = {
        "id": new_id("du_1"),
        "object": "dispute",
        "amount": charge["amount"] - charge["amount_refunded"],
        "charge": charge["id"],
        "created": now,
        "currency": charge["currency"],
        "evidence_details": {"due_by": now + 9 * 86400, "has_evidence": False},
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "reason": "fraudulent",
        "status": "needs_response",
    }
    return sandbox.store.put("dispute", doc)


def event(sandbox: Sandbox, type: str, object: Doc, request: Doc | None = None) -> Doc:
    return {
        "id": new_id("evt_1"),
        "object": "event",
        "api_version": API_VERSION,
        "created": sandbox.clock.timestamp(),
        "data": {"object": public(object)},
        "livemode": False,
        "pending_webhooks": 1,
        "request": request or {"id": None, "idempotency_key": None},
        "type": type,
    }


def public(value: Any) -> Any:
    """The object as the API shows it: without the members that start with an underscore."""
    if isinstance(value, dict):
        return {key: public(inner) for key, inner in value.items() if not key.startswith("_")}
    if isinstance(value, list):
        return [public(inner) for inner in value]
    return value
