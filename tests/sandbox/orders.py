"""Requests as a shop sends them, and the few steps before the point of a test."""

import time
from typing import Any

import paypalrestsdk
from stripe import StripeClient
from stripe.checkout import Session

from sandbox.testing import RunningSandbox

SUCCESS = "http://shop.test/retour?session={CHECKOUT_SESSION_ID}"
CANCEL = "http://shop.test/annulation"


def session_parameters(**changes: Any) -> dict[str, Any]:
    return {
        "mode": "payment",
        "ui_mode": "hosted_page",
        "success_url": SUCCESS,
        "cancel_url": CANCEL,
        "customer_email": "lea@exemple.test",
        "customer_creation": "always",
        "client_reference_id": "C-2026-0001",
        "locale": "fr",
        "expires_at": int(time.time()) + 31 * 60,
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": "eur",
                    "unit_amount": 18000,
                    "product_data": {"name": "Stage de sonorisation"},
                },
            }
        ],
        "metadata": {"order": "C-2026-0001"},
        "payment_intent_data": {
            "setup_future_usage": "off_session",
            "metadata": {"payment": "p-1"},
        },
        **changes,
    }


def open_session(stripe: StripeClient, **changes: Any) -> Session:
    return stripe.v1.checkout.sessions.create(session_parameters(**changes))  # type: ignore[arg-type]


def set_up_parameters() -> dict[str, Any]:
    changes = session_parameters(mode="setup", currency="eur")
    del changes["line_items"], changes["payment_intent_data"]
    return changes


def save_card(stripe: StripeClient, sandbox: RunningSandbox, number: str) -> tuple[str, str]:
    """Customer and payment method after a first payment that keeps the card."""
    session = open_session(stripe)
    answer = sandbox.pay_by_card(session.url or "", number)
    assert answer.headers["Location"].startswith("http://shop.test/retour")
    paid = stripe.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    return str(paid.customer), str(paid.payment_intent.payment_method)  # type: ignore[union-attr]


def charge(
    stripe: StripeClient, customer: str, method: str, *, key: str = "charge-1", amount: int = 6000
) -> Any:
    """An instalment, the payer being away."""
    return stripe.v1.payment_intents.create(
        {
            "amount": amount,
            "currency": "eur",
            "customer": customer,
            "payment_method": method,
            "off_session": True,
            "confirm": True,
            "metadata": {"payment": "p-2"},
        },
        {"idempotency_key": key},
    )


def order_parameters(
    *, save: bool = False, value: str = "120.00", invoice: str = "F-1"
) -> dict[str, Any]:
    wallet: dict[str, Any] = {
        "experience_context": {
            "return_url": "http://shop.test/retour?p=1",
            "cancel_url": "http://shop.test/annulation",
            "user_action": "PAY_NOW",
            "shipping_preference": "NO_SHIPPING",
            "locale": "fr-FR",
        }
    }
    if save:
        vault = {"store_in_vault": "ON_SUCCESS", "usage_type": "MERCHANT"}
        wallet["attributes"] = {"vault": vault}
    return {
        "intent": "CAPTURE",
        "purchase_units": [
            {
                "reference_id": "C-2026-0002",
                "custom_id": "p-1",
                "invoice_id": invoice,
                "description": "Stage de sonorisation",
                "amount": {"currency_code": "EUR", "value": value},
            }
        ],
        "payment_source": {"paypal": wallet},
    }


def vaulted_parameters(vault_id: str, *, invoice: str = "F-2") -> dict[str, Any]:
    order = order_parameters(value="30.00", invoice=invoice)
    order["payment_source"] = {
        "paypal": {
            "vault_id": vault_id,
            "stored_credential": {
                "payment_initiator": "MERCHANT",
                "usage": "SUBSEQUENT",
                "usage_pattern": "INSTALLMENT_PREPAID",
            },
        }
    }
    return order


def create_order(paypal: paypalrestsdk.Api, key: str = "order-1", **changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = paypal.post(
        "v2/checkout/orders", order_parameters(**changes), {"PayPal-Request-Id": key}
    )
    return made


def approval_page(order: dict[str, Any]) -> str:
    return next(str(link["href"]) for link in order["links"] if link["rel"] == "payer-action")


def capture(paypal: paypalrestsdk.Api, order: dict[str, Any], key: str = "capture-1") -> Any:
    path = f"v2/checkout/orders/{order['id']}/capture"
    return paypal.post(path, {}, {"PayPal-Request-Id": key})


def paid_order(
    paypal: paypalrestsdk.Api, sandbox: RunningSandbox, source: str = "account", **changes: Any
) -> Any:
    """An order approved and captured; the answer to the capture."""
    order = create_order(paypal, **changes)
    sandbox.pay_by_paypal(approval_page(order), source)
    return capture(paypal, order)


def first_capture(order: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = order["purchase_units"][0]["payments"]["captures"][0]
    return found
