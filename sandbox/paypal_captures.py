"""Taking money at PayPal: captures of approved orders, and charges of saved accounts.

Called within a transaction of the store. What the payer chose on the approval page decides how a
capture ends; see `paypal_sources`.
"""

from sandbox.core import Sandbox
from sandbox.paypal_errors import PayPalError, unprocessable
from sandbox.paypal_objects import emit, link, payer, paypal_id, with_links
from sandbox.paypal_sources import INSTRUMENT_DECLINED, SOURCES, Source
from sandbox.state import Doc


def capture_order(sandbox: Sandbox, order: Doc) -> Doc:
    """Take the money of an approved order. Raises PayPalError."""
    if order["status"] == "COMPLETED":
        raise unprocessable("ORDER_ALREADY_CAPTURED", "The order has been captured already.")
    if order["status"] != "APPROVED":
        raise unprocessable(
            "ORDER_NOT_APPROVED",
            "The payer has not approved the order; send them to its approval page first.",
        )
    source = SOURCES[order["_source"]]
    _check_invoice(sandbox, order)
    if source.capture == INSTRUMENT_DECLINED:
        raise _declined(sandbox, order)
    order = _take(sandbox, order, source.capture)
    vault = order["_wallet"].get("attributes", {}).get("vault")
    if vault is not None and not source.guest and source.capture != "DECLINED":
        _save_account(sandbox, order, source)
    return sandbox.store.put("order", order)


def _declined(sandbox: Sandbox, order: Doc) -> PayPalError:
    """The account's card was refused: the payer may choose another on the approval page."""
    return unprocessable(
        INSTRUMENT_DECLINED,
        "The bank or PayPal refused what the payer wanted to pay with.",
        links=[link(sandbox, f"/checkoutnow?token={order['id']}", "redirect")],
    )


def _check_invoice(sandbox: Sandbox, order: Doc) -> None:
    invoice = order["purchase_units"][0].get("invoice_id")
    earlier = sandbox.store.find("capture", invoice_id=invoice) if invoice else []
    if any(capture["status"] != "DECLINED" for capture in earlier):
        raise unprocessable(
            "DUPLICATE_INVOICE_ID",
            "A payment with this invoice_id exists already.",
            "/purchase_units/0/invoice_id",
        )


def _take(sandbox: Sandbox, order: Doc, status: str) -> Doc:
    unit = order["purchase_units"][0]
    id, now = paypal_id(), sandbox.clock.iso()
    amount = {key: unit["amount"][key] for key in ("currency_code", "value")}
    path = f"/v2/payments/captures/{id}"
    capture: Doc = {
        "id": id,
        "status": status,
        "amount": amount,
        "final_capture": True,
        "seller_protection": {"status": "ELIGIBLE"},
        "links": [
            link(sandbox, path, "self"),
            link(sandbox, f"{path}/refund", "refund", "POST"),
            link(sandbox, f"/v2/checkout/orders/{order['id']}", "up"),
        ],
        "create_time": now,
        "update_time": now,
        "supplementary_data": {"related_ids": {"order_id": order["id"]}},
        "_order": order["id"],
    }
    capture |= {key: unit[key] for key in ("invoice_id", "custom_id") if key in unit}
    if status == "PENDING":
        capture["status_details"] = {"reason": "PENDING_REVIEW"}
    if status == "DECLINED":
        capture["processor_response"] = {"response_code": "5120"}
    sandbox.store.put("capture", capture)
    order |= {"status": "COMPLETED", "update_time": now}
    order = sandbox.store.put("order", with_links(sandbox, order))
    _capture_event(sandbox, capture)
    return order


def _capture_event(sandbox: Sandbox, capture: Doc) -> None:
    ending = "DENIED" if capture["status"] == "DECLINED" else capture["status"]
    amount = f"{capture['amount']['value']} {capture['amount']['currency_code']}"
    summary = f"Payment {ending.lower()} for {amount}"
    emit(sandbox, f"PAYMENT.CAPTURE.{ending}", "capture", summary, capture)


def settle_pending(sandbox: Sandbox, capture: Doc, *, completed: bool) -> Doc:
    """End the wait of a PENDING capture."""
    capture["status"] = "COMPLETED" if completed else "DECLINED"
    capture["update_time"] = sandbox.clock.iso()
    capture.pop("status_details", None)
    sandbox.store.put("capture", capture)
    _capture_event(sandbox, capture)
    return capture


# Saved accounts


def _save_account(sandbox: Sandbox, order: Doc, source: Source) -> None:
    attributes = order["_wallet"]["attributes"]
    customer = attributes.get("customer", {}).get("id") or paypal_id(10)
    id = paypal_id(17).lower()
    token: Doc = {
        "id": id,
        "customer": {"id": customer},
        "payment_source": {"paypal": dict(order["payment_source"]["paypal"])},
        "links": [
            link(sandbox, f"/v3/vault/payment-tokens/{id}", "self"),
            link(sandbox, f"/v3/vault/payment-tokens/{id}", "delete", "DELETE"),
        ],
        "_later": source.later,
        "_customer": customer,
    }
    sandbox.store.put("payment_token", token)
    order["payment_source"]["paypal"]["attributes"] = {
        "vault": {
            "id": id,
            "status": "VAULTED",
            "customer": {"id": customer},
            "links": token["links"],
        }
    }
    resource = {
        **token,
        "metadata": {"order_id": order["id"]},
        "time_created": sandbox.clock.iso(),
    }
    summary = "A payment token has been created."
    emit(sandbox, "VAULT.PAYMENT-TOKEN.CREATED", "payment_token", summary, resource)


def delete_token(sandbox: Sandbox, token: Doc) -> None:
    """The authorisation ends, by the shop's wish or by the payer's."""
    sandbox.store.delete("payment_token", token["id"])
    summary = "A payment token has been deleted."
    emit(sandbox, "VAULT.PAYMENT-TOKEN.DELETED", "payment_token", summary, token)


def charge_saved_account(sandbox: Sandbox, order: Doc, vault_id: str) -> Doc:
    """Take the money from a saved account, the payer being away."""
    token = sandbox.store.get("payment_token", vault_id)
    if token is None:
        raise unprocessable(
            "TOKEN_ID_NOT_FOUND",
            "No account is saved under this id any more.",
            "/payment_source/paypal/vault_id",
        )
    _check_invoice(sandbox, order)
    wallet = dict(token["payment_source"]["paypal"])
    if token["_later"] == INSTRUMENT_DECLINED:
        raise unprocessable(
            INSTRUMENT_DECLINED, "The bank or PayPal refused the payment by the saved account."
        )
    order |= {"payer": payer(wallet["account_id"]), "payment_source": {"paypal": wallet}}
    return _take(sandbox, order, token["_later"])
