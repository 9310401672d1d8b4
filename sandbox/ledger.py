"""All money the providers took, gave back or lost to disputes, as they would account for it."""

from sandbox import money
from sandbox.state import Doc, Store


def of(store: Store) -> Doc:
    """By provider: the payments taken, the refunds, and totals in minor units by currency."""
    return {"stripe": _stripe(store), "paypal": _paypal(store)}


def _stripe(store: Store) -> Doc:
    taken = [
        {
            "id": charge["id"],
            "payment_intent": charge["payment_intent"],
            "amount": charge["amount"],
            "currency": charge["currency"].upper(),
            "created": charge["created"],
            "metadata": charge["metadata"],
        }
        for charge in reversed(store.find("charge"))
        if charge["paid"]
    ]
    refunded = [
        {
            "id": refund["id"],
            "payment_intent": refund["payment_intent"],
            "amount": refund["amount"],
            "currency": refund["currency"].upper(),
            "created": refund["created"],
            "metadata": refund["metadata"],
        }
        for refund in reversed(store.find("refund"))
        if refund["status"] != "failed"
    ]
    lost = [
        {
            "id": dispute["id"],
            "payment_intent": dispute["payment_intent"],
            "amount": dispute["amount"],
            "currency": dispute["currency"].upper(),
        }
        for dispute in reversed(store.find("dispute", status="lost"))
    ]
    return _account(taken, refunded, lost)


def _paypal(store: Store) -> Doc:
    taken = [
        _paypal_entry(capture)
        for capture in reversed(store.find("capture"))
        if capture["status"] in ("COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED")
    ]
    refunded = [_paypal_entry(refund) for refund in reversed(store.find("paypal_refund"))]
    lost = [
        {
            "id": dispute["id"],
            "capture": dispute["_capture"],
            "amount": money.to_minor(
                dispute["dispute_amount"]["value"], dispute["dispute_amount"]["currency_code"]
            ),
            "currency": dispute["dispute_amount"]["currency_code"],
        }
        for dispute in reversed(store.find("paypal_dispute", _ending="lost"))
    ]
    return _account(taken, refunded, lost)


def _paypal_entry(doc: Doc) -> Doc:
    currency = doc["amount"]["currency_code"]
    return {
        "id": doc["id"],
        "amount": money.to_minor(doc["amount"]["value"], currency),
        "currency": currency,
        "created": doc["create_time"],
        "invoice_id": doc.get("invoice_id"),
        "custom_id": doc.get("custom_id"),
    }


def _account(taken: list[Doc], refunded: list[Doc], lost: list[Doc]) -> Doc:
    totals: dict[str, Doc] = {}
    account = {"taken": taken, "refunded": refunded, "lost": lost}
    for name, entries in account.items():
        for entry in entries:
            total = totals.setdefault(entry["currency"], dict.fromkeys(account, 0))
            total[name] += entry["amount"]
    return {**account, "totals": totals}
