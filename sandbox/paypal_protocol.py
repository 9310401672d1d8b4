"""What all of PayPal's addresses share: the token, the JSON body, PayPal-Request-Id, errors."""

import base64
import binascii
import functools
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from flask import Blueprint, Response, jsonify, request

from sandbox.core import PAYPAL_CLIENT, PAYPAL_SECRET, Sandbox, current
from sandbox.paypal_errors import (
    PayPalError,
    malformed,
    unauthorised,
    unprocessable,
    wrong_parameter,
)
from sandbox.paypal_objects import shown, with_payments
from sandbox.schema import Object, Problem, check
from sandbox.state import Doc, new_id

blueprint = Blueprint("paypal_api", __name__)

TOKEN_LIFE = 9 * 3600


class Made(NamedTuple):
    """What a view answers: the document, its kind in the store, and the members of its minimal
    form (None: none), which PayPal sends unless `Prefer: return=representation` asks for all."""

    doc: Doc
    kind: str
    minimal: tuple[str, ...] | None = None
    status: int = 200


View = Callable[..., Made]


def endpoint(method: str, path: str, schema: Object, *, memory: int = 0) -> Callable[[View], View]:
    """Serve `path` by a function of (sandbox, values, *ids), within one transaction. `memory`: for
    how many seconds a PayPal-Request-Id is remembered there."""

    def register(view: View) -> View:
        @functools.wraps(view)
        def serve(**ids: str) -> Response:
            sandbox = current()
            try:
                check_token(sandbox)
                values = _values(schema) if method == "POST" else {}
                with sandbox.store.transaction():
                    answer = _answer_once(sandbox, view, values, ids, memory)
            except PayPalError as error:
                answer = _respond(error.status, error.body)
            sandbox.webhooks.wake()
            return answer

        blueprint.add_url_rule(path, f"{view.__name__} {method}", serve, methods=[method])
        return view

    return register


def _values(schema: Object) -> Doc:
    text = request.get_data(as_text=True)
    try:
        body = json.loads(text) if text.strip() else {}
    except ValueError:
        raise malformed("MALFORMED_REQUEST_JSON", "The request is not valid JSON.") from None
    try:
        values: Doc = check(schema, {} if body is None else body, coerce=False)
    except Problem as problem:
        raise wrong_parameter(problem) from None
    return values


def _answer_once(
    sandbox: Sandbox, view: View, values: Doc, ids: dict[str, str], memory: int
) -> Response:
    """Act, or answer what the same PayPal-Request-Id led to, in its latest state."""
    given = request.headers.get("PayPal-Request-Id")
    if given is not None and not 1 <= len(given) <= 108:
        raise malformed("INVALID_STRING_LENGTH", "PayPal-Request-Id has 1 to 108 characters.")
    if given is None or not memory:
        try:
            made = view(sandbox, values, **ids)
        except PayPalError as error:
            return _respond(error.status, error.body)
        return _show(sandbox, made)
    key = f"{request.path} {given}" if ids else f"{request.endpoint} {given}"
    fingerprint = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
    sandbox.store.sql(
        "DELETE FROM answers WHERE provider = 'paypal' AND created < ?", sandbox.clock.timestamp()
    )
    rows = sandbox.store.sql("SELECT * FROM answers WHERE provider = 'paypal' AND key = ?", key)
    if rows:
        return _show(sandbox, _remembered(sandbox, rows[0], fingerprint))
    try:
        made = view(sandbox, values, **ids)
    except PayPalError as error:
        return _respond(error.status, error.body)
    sandbox.store.sql(
        "INSERT INTO answers VALUES ('paypal', ?, ?, ?, ?, ?, '')",
        key,
        fingerprint,
        sandbox.clock.timestamp() + memory,
        made.status,
        json.dumps([made.kind, made.doc["id"], made.minimal]),
    )
    return _show(sandbox, made)


def _remembered(sandbox: Sandbox, kept: Any, fingerprint: str) -> Made:
    if kept["fingerprint"] != fingerprint:
        raise unprocessable(
            "DUPLICATE_REQUEST_ID", "This PayPal-Request-Id was used for another request."
        )
    kind, id, minimal = json.loads(kept["body"])
    return Made(sandbox.store.need(kind, id), kind, minimal, 200)


def _show(sandbox: Sandbox, made: Made) -> Response:
    doc = shown(with_payments(sandbox, made.doc) if made.kind == "order" else made.doc)
    if made.minimal is not None and "return=representation" not in request.headers.get(
        "Prefer", ""
    ):
        doc = {key: doc[key] for key in made.minimal if key in doc}
    return _respond(made.status, doc)


def _respond(status: int, body: Doc) -> Response:
    answer = jsonify(body) if status != 204 else Response(status=204)
    answer.status_code = status
    answer.headers["PayPal-Debug-Id"] = new_id("", 13).lower()
    return answer


# Tokens


def check_token(sandbox: Sandbox) -> None:
    """Refuse a request without a bearer token of ours that is still good. Raises PayPalError."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    expiry, _, seal = token.removeprefix("A21AA").partition("-")
    good = expiry.isdigit() and hmac.compare_digest(seal, _seal(sandbox, expiry))
    if scheme != "Bearer" or not good or int(expiry) < time.time():
        raise unauthorised("invalid_token", "Token signature verification failed")


def _seal(sandbox: Sandbox, expiry: str) -> str:
    with sandbox.store.transaction():
        key = sandbox.store.setting("token_key")
        if key is None:
            key = secrets.token_hex(16)
            sandbox.store.set("token_key", key)
    return hmac.new(key.encode(), expiry.encode(), hashlib.sha256).hexdigest()


@blueprint.post("/v1/oauth2/token")
def token() -> Response:
    """A token for the client's credentials. Its life counts in real time, as its bearer does."""
    sandbox = current()
    try:
        _check_client()
    except PayPalError as error:
        return _respond(error.status, error.body)
    expiry = str(int(time.time()) + TOKEN_LIFE)
    return _respond(
        200,
        {
            "scope": "https://uri.paypal.com/payments/orders https://uri.paypal.com/vault",
            "access_token": f"A21AA{expiry}-{_seal(sandbox, expiry)}",
            "token_type": "Bearer",
            "app_id": "APP-SANDBOX",
            "expires_in": TOKEN_LIFE,
            "nonce": new_id("", 20),
        },
    )


def _check_client() -> None:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    try:
        pair = base64.b64decode(given, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        pair = ""
    if scheme != "Basic" or pair != f"{PAYPAL_CLIENT}:{PAYPAL_SECRET}":
        raise unauthorised("invalid_client", "Client Authentication failed")
    if request.form.get("grant_type") != "client_credentials":
        error = unauthorised("unsupported_grant_type", "Only client_credentials is offered here")
        error.status = 400
        raise error
