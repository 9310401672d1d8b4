"""PayPal's orders: made by the shop, approved by the payer.

Called within a transaction of the store.
"""

from sandbox.core import Sandbox
from sandbox.paypal_captures import charge_saved_account
from sandbox.paypal_errors import not_found, unprocessable
from sandbox.paypal_objects import amount_of, check_breakdown, emit, payer, paypal_id, with_links
from sandbox.paypal_sources import SOURCES
from sandbox.state import Doc

ORDER_LIFE = 6 * 3600


def create_order(sandbox: Sandbox, values: Doc) -> Doc:
    """A new order; one by `vault_id` is captured at once. Raises PayPalError."""
    unit = values["purchase_units"][0]
    unit["amount"] = {**unit["amount"], **amount_of(unit["amount"], "/purchase_units/0/amount")}
    check_breakdown(unit)
    unit.setdefault("reference_id", "default")
    wallet = values.get("payment_source", {}).get("paypal")
    now = sandbox.clock.iso()
    order: Doc = {
        "id": paypal_id(),
        "intent": "CAPTURE",
        "status": "CREATED" if wallet is None else "PAYER_ACTION_REQUIRED",
        "purchase_units": [unit],
        "create_time": now,
        "update_time": now,
        "_created": sandbox.clock.timestamp(),
        "_wallet": wallet or {},
        "_context": (wallet or {}).get("experience_context")
        or values.get("application_context", {}),
        "_source": None,
    }
    if wallet is not None:
        order["payment_source"] = {"paypal": {}}
    if wallet and "vault_id" in wallet:
        return charge_saved_account(sandbox, order, wallet["vault_id"])
    if wallet is not None and "vault" in wallet.get("attributes", {}):
        for name in ("return_url", "cancel_url"):
            if name not in order["_context"]:
                raise unprocessable(
                    f"{name.upper()}_REQUIRED",
                    "Saving an account calls for this address.",
                    f"/payment_source/paypal/experience_context/{name}",
                )
    return sandbox.store.put("order", with_links(sandbox, order))


def find_order(sandbox: Sandbox, id: str) -> Doc:
    """The order, unless it was never approved in time. Raises PayPalError 404."""
    order = sandbox.store.get("order", id)
    if order is None or is_stale(sandbox, order):
        raise not_found(id)
    return order


def is_stale(sandbox: Sandbox, order: Doc) -> bool:
    waiting = order["status"] in ("CREATED", "PAYER_ACTION_REQUIRED")
    return waiting and sandbox.clock.timestamp() >= order["_created"] + ORDER_LIFE


def approve(sandbox: Sandbox, order: Doc, source: str) -> Doc:
    """The payer agrees and has chosen what to pay with."""
    payer_id = order.get("payer", {}).get("payer_id") or paypal_id(13)
    order |= {
        "status": "APPROVED",
        "update_time": sandbox.clock.iso(),
        "payer": payer(payer_id),
        "payment_source": {"paypal": _wallet_answer(payer_id, guest=SOURCES[source].guest)},
        "_source": source,
    }
    order = sandbox.store.put("order", with_links(sandbox, order))
    summary = "An order has been approved by buyer"
    emit(sandbox, "CHECKOUT.ORDER.APPROVED", "checkout-order", summary, order)
    return order


def _wallet_answer(payer_id: str, *, guest: bool) -> Doc:
    return {
        "email_address": "camille@exemple.test",
        "account_id": payer_id,
        "account_status": "UNVERIFIED" if guest else "VERIFIED",
        "name": {"given_name": "Camille", "surname": "Exemple"},
        "address": {"country_code": "FR"},
    }
