"""PayPal's API: Orders v2, Payments v2, Vault v3 and the verification of webhooks."""

import json

from flask import Response, jsonify, request

from sandbox import paypal_captures, paypal_orders, paypal_refunds
from sandbox import paypal_schema as schema
from sandbox.core import PAYPAL_WEBHOOK_ID, Sandbox, current
from sandbox.paypal_errors import PayPalError, malformed, not_found, wrong_parameter
from sandbox.paypal_objects import shown
from sandbox.paypal_protocol import Made, blueprint, check_token, endpoint
from sandbox.schema import Problem, check
from sandbox.signing import CERTIFICATE_PATH, paypal_message, raw_member
from sandbox.state import Doc

_SIX_HOURS, _MONTH_AND_HALF = 6 * 3600, 45 * 86400
_ORDER = ("id", "status", "payment_source", "links")
_CAPTURED = ("id", "status", "payment_source", "purchase_units", "payer", "links")
_REFUND = ("id", "status", "links")


def _need(sandbox: Sandbox, kind: str, id: str) -> Doc:
    doc = sandbox.store.get(kind, id)
    if doc is None:
        raise not_found(id)
    return doc


# Orders


@endpoint("POST", "/v2/checkout/orders", schema.ORDER_CREATE, memory=_SIX_HOURS)
def create_order(sandbox: Sandbox, values: Doc) -> Made:
    if "payment_source" in values and "PayPal-Request-Id" not in request.headers:
        raise malformed(
            "PAYPAL_REQUEST_ID_REQUIRED", "An order with a payment_source needs PayPal-Request-Id."
        )
    order = paypal_orders.create_order(sandbox, values)
    return Made(order, "order", _ORDER, 201)


@endpoint("GET", "/v2/checkout/orders/<id>", schema.NOTHING)
def retrieve_order(sandbox: Sandbox, values: Doc, id: str) -> Made:
    return Made(paypal_orders.find_order(sandbox, id), "order")


@endpoint("POST", "/v2/checkout/orders/<id>/capture", schema.NOTHING, memory=_SIX_HOURS)
def capture_order(sandbox: Sandbox, values: Doc, id: str) -> Made:
    order = paypal_captures.capture_order(sandbox, paypal_orders.find_order(sandbox, id))
    return Made(order, "order", _CAPTURED, 201)


# Captures and refunds


@endpoint("GET", "/v2/payments/captures/<id>", schema.NOTHING)
def retrieve_capture(sandbox: Sandbox, values: Doc, id: str) -> Made:
    return Made(_need(sandbox, "capture", id), "capture")


@endpoint("POST", "/v2/payments/captures/<id>/refund", schema.REFUND, memory=_MONTH_AND_HALF)
def refund_capture(sandbox: Sandbox, values: Doc, id: str) -> Made:
    capture = _need(sandbox, "capture", id)
    refund = paypal_refunds.refund_capture(sandbox, capture, values)
    return Made(refund, "paypal_refund", _REFUND, 201)


@endpoint("GET", "/v2/payments/refunds/<id>", schema.NOTHING)
def retrieve_refund(sandbox: Sandbox, values: Doc, id: str) -> Made:
    return Made(_need(sandbox, "paypal_refund", id), "paypal_refund")


# Saved accounts


@endpoint("GET", "/v3/vault/payment-tokens/<id>", schema.NOTHING)
def retrieve_token(sandbox: Sandbox, values: Doc, id: str) -> Made:
    return Made(_need(sandbox, "payment_token", id), "payment_token")


@endpoint("DELETE", "/v3/vault/payment-tokens/<id>", schema.NOTHING)
def delete_token(sandbox: Sandbox, values: Doc, id: str) -> Made:
    token = sandbox.store.get("payment_token", id)
    if token is not None:
        paypal_captures.delete_token(sandbox, token)
    return Made({}, "payment_token", None, 204)


@endpoint("GET", "/v3/vault/payment-tokens", schema.NOTHING)
def list_tokens(sandbox: Sandbox, values: Doc) -> Made:
    customer = request.args.get("customer_id")
    if not customer:
        raise malformed("MISSING_REQUIRED_PARAMETER", "customer_id is wanted.", "customer_id")
    tokens = [shown(token) for token in sandbox.store.find("payment_token", _customer=customer)]
    return Made(
        {"customer": {"id": customer}, "payment_tokens": tokens, "links": []}, "payment_token"
    )


# Webhooks


@endpoint("GET", "/v1/notifications/webhooks-events/<id>", schema.NOTHING)
def retrieve_event(sandbox: Sandbox, values: Doc, id: str) -> Made:
    return Made(_need(sandbox, "paypal_event", id), "paypal_event")


@blueprint.get(CERTIFICATE_PATH)
def certificate() -> Response:
    """What verifies the signatures, in PEM; for anybody, as at PayPal."""
    return Response(current().signer.certificate, content_type="application/x-pem-file")


@blueprint.post("/v1/notifications/verify-webhook-signature")
def verify_signature() -> tuple[Response, int]:
    """Whether a webhook is ours. The event must be sent as it was received, byte for byte."""
    sandbox = current()
    text = request.get_data(as_text=True)
    try:
        check_token(sandbox)
        given = _notice(text)
    except PayPalError as error:
        return jsonify(error.body), error.status
    event = raw_member(text, "webhook_event") or ""
    message = paypal_message(
        given["transmission_id"], given["transmission_time"], given["webhook_id"], event.encode()
    )
    ours = (
        given["webhook_id"] == PAYPAL_WEBHOOK_ID
        and given["auth_algo"] == "SHA256withRSA"
        and given["cert_url"] == sandbox.base_url + CERTIFICATE_PATH
        and sandbox.signer.verifies(message, given["transmission_sig"])
    )
    return jsonify(verification_status="SUCCESS" if ours else "FAILURE"), 200


def _notice(text: str) -> Doc:
    try:
        body = json.loads(text)
    except ValueError:
        raise malformed("MALFORMED_REQUEST_JSON", "The request is not valid JSON.") from None
    event = body.pop("webhook_event", None) if isinstance(body, dict) else None
    try:
        if not isinstance(event, dict):
            raise Problem(("webhook_event",), "missing" if event is None else "object")
        values: Doc = check(schema.VERIFY, body, coerce=False)
    except Problem as problem:
        raise wrong_parameter(problem) from None
    return values
