"""Stripe's API, /v1: which function and which parameters belong to an address.

What is common to all addresses (key, form, idempotency, expansion) is in `stripe_protocol`.
"""

from typing import Any

from sandbox import stripe_engine as engine
from sandbox import stripe_objects as objects
from sandbox import stripe_refunds, stripe_sessions
from sandbox import stripe_schema as schema
from sandbox.core import Sandbox
from sandbox.state import Doc
from sandbox.stripe_errors import invalid, missing, refused
from sandbox.stripe_protocol import endpoint, page

_MOST = 99_999_999
_LEAST = 50


def _need(sandbox: Sandbox, kind: str, id: str, name: str | None = None) -> Doc:
    doc = sandbox.store.get(kind, id)
    if doc is None:
        raise missing(name or kind, id)
    return doc


def _customer_named(sandbox: Sandbox, values: Doc) -> None:
    id = values.get("customer")
    if id is None:
        return
    customer = sandbox.store.get("customer", id)
    if customer is None or customer.get("deleted"):
        raise missing("customer", id, "customer", status=400)


# Customers


@endpoint("POST", "/customers", schema.CUSTOMER)
def create_customer(sandbox: Sandbox, values: Doc) -> Doc:
    customer = objects.customer(sandbox, values)
    engine.emit(sandbox, "customer.created", customer)
    return customer


@endpoint("GET", "/customers", schema.CUSTOMER_LIST)
def list_customers(sandbox: Sandbox, values: Doc) -> Doc:
    return page(sandbox, "customer", values, "email")


@endpoint("GET", "/customers/<id>", schema.RETRIEVE)
def retrieve_customer(sandbox: Sandbox, values: Doc, id: str) -> Doc:
    return _need(sandbox, "customer", id)


@endpoint("POST", "/customers/<id>", schema.CUSTOMER)
def update_customer(sandbox: Sandbox, values: Doc, id: str) -> Doc:
    customer = _need(sandbox, "customer", id)
    merge_metadata(customer, values)
    customer |= values
    engine.emit(sandbox, "customer.updated", customer)
    return sandbox.store.put("customer", customer)


@endpoint("DELETE", "/customers/<id>", schema.RETRIEVE)
def delete_customer(sandbox: Sandbox, values: Doc, id: str) -> Doc:
    customer = _need(sandbox, "customer", id)
    for method in sandbox.store.find("payment_method", customer=id):
        engine.detach(sandbox, method)
    sandbox.store.put("customer", {"id": id, "object": "customer", "deleted": True})
    engine.emit(sandbox, "customer.deleted", customer)
    return {"id": id, "object": "customer", "deleted": True}


def merge_metadata(doc: Doc, values: Doc) -> None:
    """Metadata is updated key by key; an empty value removes its key."""
    given = values.pop("metadata", None)
    if given is not None:
        merged = {**doc["metadata"], **given}
        doc["metadata"] = {key: value for key, value in merged.items() if value != ""}


# Payment methods


@endpoint("GET", "/payment_methods", schema.METHOD_LIST)
def list_methods(sandbox: Sandbox, values: Doc) -> Doc:
    return page(sandbox, "payment_method", values, "customer")


@endpoint("GET", "/customers/<id>/payment_methods", schema.METHOD_LIST)
def list_methods_of_customer(sandbox: Sandbox, values: Doc, id: str) -> Doc:
    _need(sandbox, "customer", id)
    return page(sandbox, "payment_method", {**values, "customer": id}, "customer")


@endpoint("GET", "/payment_methods/<id>", schema.RETRIEVE)
def retrieve_method(sandbox: Sandbox, values: Doc, id: str) -> Doc:
    return _need(sandbox, "payment_method", id, "PaymentMethod")


@endpoint("POST", "/payment_methods/<id>/attach", schema.METHOD_ATTACH)
def attach_method(sandbox: Sandbox, values: Doc, id: str) -> Doc:
    _customer_named(sandbox, values)
    method = engine.find_method(sandbox, id)
    engine.check_owner(values["customer"], method)
    engine.attach(sandbox, method, values["customer"], set_up=False)
    return method


@endpoint("POST", "/payment_methods/<id>/detach", schema.RETRIEVE)
def detach_method(sandbox: Sandbox, values: Doc, id: str) -> Doc:
    method = _need(sandbox, "payment_method", id, "PaymentMethod")
    if method["customer"] is None:
        raise refused("The payment method you provided is not attached to a customer.")
    return engine.detach(sandbox, method)


# Payment intents


@endpoint("POST", "/payment_intents", schema.INTENT_CREATE)
def create_intent(sandbox: Sandbox, values: Doc) -> Doc:
    _customer_named(sandbox, values)
    if values["amount"] < _LEAST:
        raise invalid(
            "The amount must be at least 50 of the smallest currency unit.",
            "amount",
            "amount_too_small",
        )
    if values["amount"] > _MOST:
        raise invalid("Amount must be no more than 99999999.", "amount", "amount_too_large")
    confirmed = values.get("confirm", False)
    for name in ("off_session", "return_url", "error_on_requires_action"):
        if name in values and not confirmed:
            raise invalid(f"You cannot set `{name}` when `confirm` is not true.", name)
    method = None
    if "payment_method" in values:
        method = engine.find_method(sandbox, values["payment_method"])
        values["payment_method"] = method["id"]
    if confirmed and method is None:
        raise invalid(
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            "payment_method",
            "payment_intent_unexpected_state",
        )
    if confirmed and method is not None:
        _check_chargeable(values.get("customer"), method, values)
    intent = objects.payment_intent(sandbox, values)
    engine.emit(sandbox, "payment_intent.created", intent)
    return _confirm(sandbox, intent, method, values) if confirmed and method else intent


def _check_chargeable(customer: str | None, method: Doc, values: Doc) -> None:
    """Refuse before anything is written, so that a wrong request leaves no intent behind."""
    engine.check_owner(customer, method)
    if values.get("off_session") and method["customer"] is None:
        raise refused(
            "The PaymentMethod must be attached to a customer to be charged off session.",
            "payment_method",
        )


def _confirm(sandbox: Sandbox, intent: Doc, method: Doc, values: Doc) -> Doc:
    return engine.confirm(
        sandbox,
        intent,
        method,
        off_session=values.get("off_session", False),
        return_url=values.get("return_url"),
    )


@endpoint("GET", "/payment_intents", schema.INTENT_LIST)
def list_intents(sandbox: Sandbox, values: Doc) -> Doc:
    return page(sandbox, "payment_intent", values, "customer")


@endpoint("GET", "/payment_intents/<id>", schema.RETRIEVE)
def retrieve_intent(sandbox: Sandbox, values: Doc, id: str) -> Doc:
    return _need(sandbox, "payment_intent", id)


@endpoint("POST", "/payment_intents/<id>", schema.INTENT_UPDATE)
def update_intent(sandbox: Sandbox, values: Doc, id: str) -> Doc:
    intent = _need(sandbox, "payment_intent", id)
    if "amount" in values and intent["status"] not in engine.CONFIRMABLE:
        raise refused(
            f"This PaymentIntent's amount could not be updated because it has a status of"
            f" {intent['status']}.",
            "amount",
            "payment_intent_unexpected_state",
        )
    merge_metadata(intent, values)
    intent |= values
    return sandbox.store.put("payment_intent", intent)


@endpoint("POST", "/payment_intents/<id>/confirm", schema.INTENT_CONFIRM)
def confirm_intent(sandbox: Sandbox, values: Doc, id: str) -> Doc:
    intent = _need(sandbox, "payment_intent", id)
    method_id = values.get("payment_method") or intent["payment_method"]
    if method_id is None:
        raise invalid(
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            "payment_method",
            "payment_intent_unexpected_state",
        )
    if "setup_future_usage" in values:
        intent["setup_future_usage"] = values["setup_future_usage"]
    method = engine.find_method(sandbox, method_id)
    _check_chargeable(intent["customer"], method, values)
    return _confirm(sandbox, intent, method, values)


@endpoint("POST", "/payment_intents/<id>/cancel", schema.INTENT_CANCEL)
def cancel_intent(sandbox: Sandbox, values: Doc, id: str) -> Doc:
    intent = _need(sandbox, "payment_intent", id)
    if intent["status"] not in engine.CONFIRMABLE:
        raise refused(
            f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}.",
            None,
            "payment_intent_unexpected_state",
        )
    intent |= {
        "status": "canceled",
        "canceled_at": sandbox.clock.timestamp(),
        "cancellation_reason": values.get("cancellation_reason"),
        "next_action": None,
    }
    engine.emit(sandbox, "payment_intent.canceled", intent)
    return sandbox.store.put("payment_intent", intent)


# Checkout sessions


@endpoint("POST", "/checkout/sessions", schema.SESSION_CREATE)
def create_session(sandbox: Sandbox, values: Doc) -> Doc:
    return stripe_sessions.create(sandbox, values)


@endpoint("GET", "/checkout/sessions", schema.SESSION_LIST)
def list_sessions(sandbox: Sandbox, values: Doc) -> Doc:
    return page(sandbox, "session", values, "customer", "payment_intent", "status")


@endpoint("GET", "/checkout/sessions/<id>", schema.RETRIEVE)
def retrieve_session(sandbox: Sandbox, values: Doc, id: str) -> Doc:
    session = _need(sandbox, "session", id, "checkout.session")
    return stripe_sessions.expire_if_late(sandbox, session)


@endpoint("POST", "/checkout/sessions/<id>", schema.SESSION_UPDATE)
def update_session(sandbox: Sandbox, values: Doc, id: str) -> Doc:
    session = _need(sandbox, "session", id, "checkout.session")
    merge_metadata(session, values)
    return sandbox.store.put("session", session)


@endpoint("POST", "/checkout/sessions/<id>/expire", schema.RETRIEVE)
def expire_session(sandbox: Sandbox, values: Doc, id: str) -> Doc:
    session = _need(sandbox, "session", id, "checkout.session")
    return stripe_sessions.expire(sandbox, stripe_sessions.expire_if_late(sandbox, session))


@endpoint("GET", "/checkout/sessions/<id>/line_items", schema.listing())
def list_lines(sandbox: Sandbox, values: Doc, id: str) -> Doc:
    session = _need(sandbox, "session", id, "checkout.session")
    return {
        "object": "list",
        "data": session["_lines"],
        "has_more": False,
        "url": f"/v1/checkout/sessions/{id}/line_items",
    }


# Refunds, charges, disputes, set-ups, events


@endpoint("POST", "/refunds", schema.REFUND_CREATE)
def create_refund(sandbox: Sandbox, values: Doc) -> Doc:
    return stripe_refunds.create(sandbox, values)


def _readable(path: str, kind: str, name: str, listed: Any, *filters: str) -> None:
    """The two addresses of objects that are only read: one of them, and their list."""

    @endpoint("GET", f"{path}/<id>", schema.RETRIEVE)
    def retrieve(sandbox: Sandbox, values: Doc, id: str) -> Doc:
        return _need(sandbox, kind, id, name)

    @endpoint("GET", path, listed)
    def list_all(sandbox: Sandbox, values: Doc) -> Doc:
        return page(sandbox, kind, values, *filters)


_readable("/refunds", "refund", "refund", schema.REFUND_LIST, "payment_intent", "charge")
_readable("/charges", "charge", "charge", schema.CHARGE_LIST, "payment_intent", "customer")
_readable("/disputes", "dispute", "dispute", schema.DISPUTE_LIST, "payment_intent", "charge")
_readable(
    "/setup_intents", "setup_intent", "setupintent", schema.SETUP_LIST, "customer", "payment_method"
)
_readable("/events", "stripe_event", "event", schema.EVENT_LIST, "type")
