"""Checkout Sessions: a hosted page that takes one payment, or saves a card."""

from typing import Any

from sandbox import stripe_engine as engine
from sandbox import stripe_objects as objects
from sandbox.core import Sandbox
from sandbox.state import Doc, new_id
from sandbox.stripe_errors import StripeError, invalid, missing, refused

_HALF_HOUR, _DAY = 30 * 60, 24 * 3600
_SMALLEST = 50
_PLACEHOLDER = "{CHECKOUT_SESSION_ID}"


def create(sandbox: Sandbox, values: Doc) -> Doc:
    """A new open session. Raises StripeError for combinations that Stripe refuses."""
    mode = values.get("mode")
    if mode is None:
        raise invalid("Missing required param: mode.", "mode", "parameter_missing")
    if "success_url" not in values:
        raise invalid("Missing required param: success_url.", "success_url", "parameter_missing")
    lines = _lines(values, mode)
    now = sandbox.clock.timestamp()
    expires = values.get("expires_at", now + _DAY)
    if not now + _HALF_HOUR <= expires <= now + _DAY:
        raise invalid(
            "The `expires_at` timestamp must be at least 30 minutes and at most 24 hours from"
            " Checkout Session creation.",
            "expires_at",
        )
    customer = _customer(sandbox, values)
    id = new_id("cs_test_", 56)
    card_options = dict(values.get("payment_method_options", {}).get("card", {}))
    card_options.pop("request_three_d_secure", None)
    currency = lines[0]["currency"] if lines else values.get("currency")
    total = sum(line["amount_total"] for line in lines) if lines else None
    doc: Doc = {
        "id": id,
        "object": "checkout.session",
        "amount_subtotal": total,
        "amount_total": total,
        "billing_address_collection": values.get("billing_address_collection"),
        "cancel_url": values.get("cancel_url"),
        "client_reference_id": values.get("client_reference_id"),
        "created": now,
        "currency": currency,
        "custom_text": values.get("custom_text", {}),
        "customer": customer["id"] if customer else None,
        "customer_creation": None if customer else values.get("customer_creation", "if_required"),
        "customer_details": None,
        "customer_email": values.get("customer_email"),
        "expires_at": expires,
        "livemode": False,
        "locale": values.get("locale"),
        "metadata": values.get("metadata", {}),
        "mode": mode,
        "payment_intent": None,
        "payment_link": None,
        "payment_method_types": values.get("payment_method_types", ["card"]),
        "payment_status": "unpaid" if mode == "payment" else "no_payment_required",
        "setup_intent": None,
        "status": "open",
        "submit_type": values.get("submit_type"),
        "success_url": values["success_url"],
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0}
        if mode == "payment"
        else None,
        "ui_mode": "hosted_page",
        "url": f"{sandbox.base_url}/c/pay/{id}",
        "_lines": lines,
        "_intent_data": {**card_options, **values.get("payment_intent_data", {})},
        "_setup_data": values.get("setup_intent_data", {}),
        "_refusal": None,
    }
    if mode == "setup":
        doc["setup_intent"] = _new_setup_intent(sandbox, doc)["id"]
    return sandbox.store.put("session", doc)


def _lines(values: Doc, mode: str) -> list[Doc]:
    if mode == "setup":
        for name in ("line_items", "payment_intent_data", "submit_type"):
            if name in values:
                raise invalid(f"You can not pass `{name}` in `setup` mode.", name)
        if "currency" not in values and "payment_method_types" not in values:
            raise invalid("You must provide `currency` or `payment_method_types`.", "currency")
        return []
    if "setup_intent_data" in values:
        raise invalid("You can not pass `setup_intent_data` in `payment` mode.")
    items: list[Doc] = values.get("line_items", [])
    if not items:
        raise invalid("You must specify `line_items` in `payment` mode.", "line_items")
    if len({item["price_data"]["currency"] for item in items}) > 1:
        raise invalid("All line items must have the same currency.", "line_items")
    lines = [_line(item) for item in items]
    if sum(line["amount_total"] for line in lines) < _SMALLEST:
        raise invalid(
            "The Checkout Session's total amount must convert to at least 50 cents.",
            None,
            "amount_too_small",
        )
    return lines


def _line(item: Doc) -> Doc:
    price, quantity = item["price_data"], item.get("quantity", 1)
    total = price["unit_amount"] * quantity
    return {
        "id": new_id("li_1"),
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": total,
        "amount_tax": 0,
        "amount_total": total,
        "currency": price["currency"],
        "description": price["product_data"]["name"],
        "metadata": item.get("metadata", {}),
        "price": {
            "id": new_id("price_1"),
            "object": "price",
            "currency": price["currency"],
            "unit_amount": price["unit_amount"],
            "type": "one_time",
        },
        "quantity": quantity,
    }


def _customer(sandbox: Sandbox, values: Doc) -> Doc | None:
    id = values.get("customer")
    if id is None:
        return None
    for name in ("customer_email", "customer_creation"):
        if name in values:
            raise invalid(f"You may only specify one of these parameters: customer, {name}.", name)
    customer = sandbox.store.get("customer", id)
    if customer is None or customer.get("deleted"):
        raise missing("customer", id, "customer", status=400)
    return customer


def _new_setup_intent(sandbox: Sandbox, session: Doc) -> Doc:
    return objects.setup_intent(
        sandbox, {**session["_setup_data"], "customer": session["customer"]}
    )


# Life


def expire_if_late(sandbox: Sandbox, session: Doc) -> Doc:
    """An open session whose time has passed is expired; called before a session is looked at."""
    if session["status"] == "open" and sandbox.clock.timestamp() >= session["expires_at"]:
        expire(sandbox, session)
    return session


def expire(sandbox: Sandbox, session: Doc) -> Doc:
    if session["status"] != "open":
        raise refused(
            f'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout'
            f" Session has a status of {session['status']}."
        )
    session |= {"status": "expired", "url": None}
    intent = session["payment_intent"] and sandbox.store.get(
        "payment_intent", session["payment_intent"]
    )
    if intent and intent["status"] in engine.CONFIRMABLE:
        intent |= {
            "status": "canceled",
            "canceled_at": sandbox.clock.timestamp(),
            "cancellation_reason": "automatic",
            "next_action": None,
        }
        sandbox.store.put("payment_intent", intent)
        engine.emit(sandbox, "payment_intent.canceled", intent)
    sandbox.store.put("session", session)
    engine.emit(sandbox, "checkout.session.expired", session)
    return session


def expire_late_ones(sandbox: Sandbox) -> None:
    """Expire every session whose time has passed, as Stripe does by itself."""
    with sandbox.store.transaction():
        for session in sandbox.store.find("session", status="open"):
            expire_if_late(sandbox, session)


# Paying


def pay(sandbox: Sandbox, session: Doc, method: Doc, payer: Doc) -> str:
    """The payer submits the hosted page. Returns the address to go to next: success, or 3-D Secure.

    Raises StripeError when the card refuses; the session then stays open for another card.
    """
    session["_payer"] = payer
    if session["customer"] is None and _needs_customer(session):
        customer = objects.customer(sandbox, {"email": payer["email"], "name": payer["name"]})
        session["customer"] = customer["id"]
        engine.emit(sandbox, "customer.created", customer)
    if session["mode"] == "setup":
        return _set_up(sandbox, session, method)
    intent = _intent_of(sandbox, session)
    sandbox.store.put("session", session)
    intent = engine.confirm(sandbox, intent, method, off_session=False, session=session["id"])
    if intent["status"] == "requires_action":
        url: str = intent["next_action"]["redirect_to_url"]["url"]
        return url
    return complete(sandbox, session, intent)


def _needs_customer(session: Doc) -> bool:
    return (
        session["customer_creation"] == "always"
        or session["mode"] == "setup"
        or session["_intent_data"].get("setup_future_usage") is not None
    )


def _intent_of(sandbox: Sandbox, session: Doc) -> Doc:
    """The session's intent, made when the payer first tries, kept for the next card."""
    if session["payment_intent"]:
        intent = sandbox.store.need("payment_intent", session["payment_intent"])
        intent["customer"] = session["customer"]
        return intent
    intent = objects.payment_intent(
        sandbox,
        {
            **session["_intent_data"],
            "amount": session["amount_total"],
            "currency": session["currency"],
            "customer": session["customer"],
        },
    )
    engine.emit(sandbox, "payment_intent.created", intent)
    session["payment_intent"] = intent["id"]
    return intent


def complete(sandbox: Sandbox, session: Doc, intent: Doc | None) -> str:
    """Close the session as complete; returns where the payer goes."""
    payer: dict[str, Any] = session.get("_payer", {})
    paid = intent is not None and intent["status"] == "succeeded"
    session |= {
        "status": "complete",
        "url": None,
        "_refusal": None,
        "customer_details": {
            "address": None,
            "email": payer.get("email"),
            "name": payer.get("name"),
            "phone": None,
            "tax_exempt": "none",
            "tax_ids": [],
        },
    }
    if session["mode"] == "payment":
        session["payment_status"] = "paid" if paid else "unpaid"
    sandbox.store.put("session", session)
    engine.emit(sandbox, "checkout.session.completed", session)
    return success_url(session)


def success_url(session: Doc) -> str:
    url: str = session["success_url"]
    return url.replace(_PLACEHOLDER, session["id"])


def _set_up(sandbox: Sandbox, session: Doc, method: Doc) -> str:
    setup = sandbox.store.need("setup_intent", session["setup_intent"])
    setup["customer"] = session["customer"]
    sandbox.store.put("session", session)
    card = objects.card_of(method)
    if card.refusal is not None:
        setup["last_setup_error"] = {"type": "card_error", "code": card.refusal.code}
        sandbox.store.put("setup_intent", setup)
        engine.emit(sandbox, "setup_intent.setup_failed", setup)
        raise StripeError(402, {"code": card.refusal.code, "message": card.refusal.message})
    if card.challenge:
        setup["status"] = "requires_action"
        sandbox.store.put("setup_intent", setup)
        challenge = engine.open_challenge(sandbox, setup["id"], method, None, session["id"])
        return engine.challenge_url(sandbox, challenge)
    return finish_set_up(sandbox, session, setup, method)


def finish_set_up(sandbox: Sandbox, session: Doc, setup: Doc, method: Doc) -> str:
    """The card is saved for payments off session; returns where the payer goes."""
    engine.attach(sandbox, method, session["customer"], set_up=True)
    setup |= {"status": "succeeded", "payment_method": method["id"], "next_action": None}
    sandbox.store.put("setup_intent", setup)
    engine.emit(sandbox, "setup_intent.succeeded", setup)
    return complete(sandbox, session, None)
