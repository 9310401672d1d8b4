"""Giving PayPal money back. Called within a transaction of the store."""

from sandbox import money
from sandbox.core import Sandbox
from sandbox.paypal_errors import unprocessable
from sandbox.paypal_objects import amount_of, emit, link, paypal_id
from sandbox.state import Doc


def refund_capture(sandbox: Sandbox, capture: Doc, values: Doc) -> Doc:
    """Give back a capture in full or in part, never more than is left. Raises PayPalError."""
    if capture["status"] == "PENDING":
        raise unprocessable("PENDING_CAPTURE", "The payment is pending; it cannot be refunded yet.")
    if capture["status"] == "REFUNDED":
        raise unprocessable("CAPTURE_FULLY_REFUNDED", "The payment was refunded in full already.")
    if capture["status"] not in ("COMPLETED", "PARTIALLY_REFUNDED"):
        raise unprocessable("REFUND_NOT_ALLOWED", "There is no money to give back.")
    disputes = sandbox.store.find("paypal_dispute", _capture=capture["id"])
    if any(dispute["_ending"] == "lost" for dispute in disputes):
        raise unprocessable(
            "REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK", "The payer has the money again already."
        )
    if any(dispute["_ending"] == "" for dispute in disputes):
        raise unprocessable("TRANSACTION_DISPUTED", "There is an open case on this payment.")
    currency = capture["amount"]["currency_code"]
    earlier = sandbox.store.find("paypal_refund", _capture=capture["id"])
    left = money.to_minor(capture["amount"]["value"], currency) - sum(
        money.to_minor(refund["amount"]["value"], currency) for refund in earlier
    )
    wanted = left
    if "amount" in values:
        given = amount_of(values["amount"], "/amount")
        if given["currency_code"] != currency:
            raise unprocessable(
                "REFUND_CAPTURE_CURRENCY_MISMATCH",
                "A refund is in the currency of its payment.",
                "/amount/currency_code",
            )
        wanted = money.to_minor(given["value"], currency)
    if wanted > left:
        raise unprocessable(
            "REFUND_AMOUNT_EXCEEDED", "More than is left of the payment.", "/amount/value"
        )
    return _give_back(sandbox, capture, wanted, left, values)


def _give_back(sandbox: Sandbox, capture: Doc, amount: int, left: int, values: Doc) -> Doc:
    currency = capture["amount"]["currency_code"]
    id, now = paypal_id(), sandbox.clock.iso()
    refund: Doc = {
        "id": id,
        "status": "COMPLETED",
        "amount": {"currency_code": currency, "value": money.to_major(amount, currency)},
        "create_time": now,
        "update_time": now,
        "links": [
            link(sandbox, f"/v2/payments/refunds/{id}", "self"),
            link(sandbox, f"/v2/payments/captures/{capture['id']}", "up"),
        ],
        "_capture": capture["id"],
    }
    refund |= {
        key: values[key] for key in ("invoice_id", "custom_id", "note_to_payer") if key in values
    }
    sandbox.store.put("paypal_refund", refund)
    capture["status"] = "REFUNDED" if amount == left else "PARTIALLY_REFUNDED"
    capture["update_time"] = now
    sandbox.store.put("capture", capture)
    summary = f"A {refund['amount']['value']} {currency} capture payment was refunded"
    emit(sandbox, "PAYMENT.CAPTURE.REFUNDED", "refund", summary, refund)
    return refund
