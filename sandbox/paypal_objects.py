"""What PayPal's objects share: ids, links, events and amounts."""

import secrets
import string

from sandbox import money
from sandbox.core import Sandbox
from sandbox.paypal_errors import unprocessable
from sandbox.paypal_schema import CURRENCIES
from sandbox.state import Doc

_UPPER = string.ascii_uppercase + string.digits


def paypal_id(length: int = 17) -> str:
    return "".join(secrets.choice(_UPPER) for _ in range(length))


def emit(sandbox: Sandbox, type: str, resource_type: str, summary: str, resource: Doc) -> None:
    id = f"WH-{paypal_id()}-{paypal_id()}"
    event: Doc = {
        "id": id,
        "event_version": "1.0",
        "create_time": sandbox.clock.iso(),
        "resource_type": resource_type,
        "resource_version": "2.0",
        "event_type": type,
        "summary": summary,
        "resource": shown(resource),
        "links": [link(sandbox, f"/v1/notifications/webhooks-events/{id}", "self", "GET")],
    }
    sandbox.webhooks.emit("paypal", event)


def shown(doc: Doc) -> Doc:
    """The document as the API shows it, without what only the stand-in knows."""
    return {key: value for key, value in doc.items() if not key.startswith("_")}


def link(sandbox: Sandbox, path: str, rel: str, method: str = "GET") -> Doc:
    return {"href": sandbox.base_url + path, "rel": rel, "method": method}


def with_links(sandbox: Sandbox, order: Doc) -> Doc:
    """The order with the links that its status allows."""
    path = f"/v2/checkout/orders/{order['id']}"
    links = [link(sandbox, path, "self")]
    approval = f"/checkoutnow?token={order['id']}"
    if order["status"] == "CREATED":
        links.append(link(sandbox, approval, "approve"))
    if order["status"] == "PAYER_ACTION_REQUIRED":
        links.append(link(sandbox, approval, "payer-action"))
    if order["status"] in ("CREATED", "APPROVED"):
        links.append(link(sandbox, f"{path}/capture", "capture", "POST"))
    return {**order, "links": links}


def payer(payer_id: str) -> Doc:
    """The one person who pays here."""
    return {
        "payer_id": payer_id,
        "name": {"given_name": "Camille", "surname": "Exemple"},
        "email_address": "camille@exemple.test",
        "address": {"country_code": "FR"},
    }


def with_payments(sandbox: Sandbox, order: Doc) -> Doc:
    """The order with its captures and refunds as they stand now."""
    captures = sandbox.store.find("capture", _order=order["id"])
    if not captures:
        return order
    refunds = [
        shown(refund)
        for capture in captures
        for refund in sandbox.store.find("paypal_refund", _capture=capture["id"])
    ]
    payments: Doc = {"captures": [shown(capture) for capture in captures]}
    if refunds:
        payments["refunds"] = refunds
    unit = {**order["purchase_units"][0], "payments": payments}
    return {**order, "purchase_units": [unit]}


# Amounts


def amount_of(given: Doc, field: str) -> Doc:
    """The amount in PayPal's own writing ("10" becomes "10.00"). Raises PayPalError."""
    currency, value = given["currency_code"], given["value"]
    if currency not in CURRENCIES:
        raise unprocessable(
            "INVALID_CURRENCY_CODE", "This currency is not supported.", f"{field}/currency_code"
        )
    places = money.exponent(currency)
    if len(value.partition(".")[2]) > places:
        issue = "DECIMAL_PRECISION" if places else "DECIMALS_NOT_SUPPORTED"
        raise unprocessable(issue, f"{currency} takes {places} decimals.", f"{field}/value")
    if float(value) <= 0:
        raise unprocessable(
            "CANNOT_BE_ZERO_OR_NEGATIVE", "The amount must be above zero.", f"{field}/value"
        )
    return {
        "currency_code": currency,
        "value": money.to_major(money.to_minor(value, currency), currency),
    }


def check_breakdown(unit: Doc) -> None:
    """Amount, breakdown and items must agree. Raises PayPalError."""
    currency = unit["amount"]["currency_code"]
    breakdown = unit["amount"].get("breakdown", {})

    def minor(name: str) -> int:
        part = breakdown.get(name)
        return money.to_minor(part["value"], currency) if part else 0

    if breakdown:
        parts = ("item_total", "tax_total", "shipping", "handling")
        total = sum(minor(name) for name in parts) - minor("discount")
        if total != money.to_minor(unit["amount"]["value"], currency):
            raise unprocessable(
                "AMOUNT_MISMATCH",
                "The amount is not the sum of its breakdown.",
                "/purchase_units/0/amount/value",
            )
    if unit.get("items"):
        if "item_total" not in breakdown:
            raise unprocessable(
                "ITEM_TOTAL_REQUIRED",
                "Items call for amount.breakdown.item_total.",
                "/purchase_units/0/amount/breakdown/item_total",
            )
        items = sum(
            money.to_minor(item["unit_amount"]["value"], currency) * int(item["quantity"])
            for item in unit["items"]
        )
        if items != minor("item_total"):
            raise unprocessable(
                "ITEM_TOTAL_MISMATCH",
                "item_total is not the sum of the items.",
                "/purchase_units/0/amount/breakdown/item_total",
            )
