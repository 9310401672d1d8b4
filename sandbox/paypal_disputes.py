"""A payer who contests a payment at PayPal. Called within a transaction of the store."""

from datetime import UTC, datetime, timedelta

from sandbox import money
from sandbox.core import Sandbox
from sandbox.paypal_objects import emit, link, paypal_id
from sandbox.state import Doc

_ANSWER_WITHIN = timedelta(days=10)


def open_on(sandbox: Sandbox, capture: Doc) -> Doc:
    """The payer opens a case about what is left of a payment."""
    currency = capture["amount"]["currency_code"]
    left = money.to_minor(capture["amount"]["value"], currency) - sum(
        money.to_minor(refund["amount"]["value"], currency)
        for refund in sandbox.store.find("paypal_refund", _capture=capture["id"])
    )
    id, now = f"PP-D-{paypal_id(8)}", sandbox.clock.iso()
    due = datetime.fromtimestamp(sandbox.clock.timestamp(), UTC) + _ANSWER_WITHIN
    dispute: Doc = {
        # The address of the API and the store know it by `id`, the API itself by `dispute_id`.
        "id": id,
        "dispute_id": id,
        "create_time": now,
        "update_time": now,
        "disputed_transactions": [
            {
                "buyer_transaction_id": paypal_id(),
                "seller_transaction_id": capture["id"],
                "gross_amount": capture["amount"],
                **({"custom": capture["custom_id"]} if "custom_id" in capture else {}),
            }
        ],
        "reason": "MERCHANDISE_OR_SERVICE_NOT_RECEIVED",
        "status": "WAITING_FOR_SELLER_RESPONSE",
        "dispute_amount": {"currency_code": currency, "value": money.to_major(left, currency)},
        "dispute_life_cycle_stage": "CHARGEBACK",
        "dispute_channel": "INTERNAL",
        "seller_response_due_date": f"{due:%Y-%m-%dT%H:%M:%SZ}",
        "links": [link(sandbox, f"/v1/customer/disputes/{id}", "self")],
        "_capture": capture["id"],
        "_ending": "",
    }
    sandbox.store.put("paypal_dispute", dispute)
    _tell(sandbox, "CREATED", dispute)
    return dispute


def close(sandbox: Sandbox, dispute: Doc, *, won: bool) -> Doc:
    """PayPal decides, seen from the shop."""
    code = "RESOLVED_SELLER_FAVOUR" if won else "RESOLVED_BUYER_FAVOUR"
    outcome: Doc = {"outcome_code": code}
    if not won:
        outcome["amount_refunded"] = dispute["dispute_amount"]
    dispute |= {
        "status": "RESOLVED",
        "update_time": sandbox.clock.iso(),
        "dispute_outcome": outcome,
        "_ending": "won" if won else "lost",
    }
    dispute.pop("seller_response_due_date", None)
    sandbox.store.put("paypal_dispute", dispute)
    _tell(sandbox, "RESOLVED", dispute)
    return dispute


def _tell(sandbox: Sandbox, what: str, dispute: Doc) -> None:
    resource = {key: value for key, value in dispute.items() if key != "id"}
    emit(sandbox, f"CUSTOMER.DISPUTE.{what}", "dispute", "A dispute.", resource)
