"""What all of Stripe's addresses share: the key, the form, idempotency, paging and expansion."""

import base64
import binascii
import functools
import hashlib
import json
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request

from sandbox.core import STRIPE_KEY, Sandbox, current
from sandbox.schema import Object, Problem, check
from sandbox.state import Doc, new_id
from sandbox.stripe_errors import StripeError, invalid, missing, wrong_parameter
from sandbox.stripe_objects import API_VERSION, public
from sandbox.stripe_schema import parse_form

blueprint = Blueprint("stripe_api", __name__, url_prefix="/v1")

_KEY_LIFE = 24 * 3600
_EXPANDABLE = {
    "customer": "customer",
    "payment_intent": "payment_intent",
    "payment_method": "payment_method",
    "latest_charge": "charge",
    "charge": "charge",
    "setup_intent": "setup_intent",
}

View = Callable[..., Doc]


def endpoint(method: str, path: str, schema: Object) -> Callable[[View], View]:
    """Serve `path` by a function of (sandbox, values, *ids), within one transaction."""

    def register(view: View) -> View:
        @functools.wraps(view)
        def serve(**ids: str) -> Response:
            return _serve(schema, view, ids)

        name = f"{view.__name__} {method} {path}".replace(".", "_")
        blueprint.add_url_rule(path, name, serve, methods=[method])
        return view

    return register


def _serve(schema: Object, view: View, ids: dict[str, str]) -> Response:
    sandbox = current()
    try:
        _check_key()
        values = _values(schema)
        expand = values.pop("expand", [])
        with sandbox.store.transaction():
            answer = _answer_once(sandbox, view, values, expand, ids)
    except StripeError as error:
        return _respond(error.status, json.dumps(error.body, indent=2), new_id("req_", 14))
    sandbox.webhooks.wake()
    return answer


def _check_key() -> None:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme == "Basic":
        try:
            given = base64.b64decode(given).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            given = ""
    if not given:
        error = invalid("You did not provide an API key.")
        error.status = 401
        raise error
    if given != STRIPE_KEY:
        error = invalid(f"Invalid API Key provided: {given[:7]}****{given[-4:]}")
        error.status = 401
        raise error


def _values(schema: Object) -> Doc:
    body = request.query_string if request.method in ("GET", "DELETE") else request.get_data()
    if request.method == "DELETE" and request.get_data():
        body = request.get_data()
    try:
        values: Doc = check(schema, parse_form(body.decode("utf-8", "replace")), coerce=True)
    except Problem as problem:
        raise wrong_parameter(problem) from None
    return values


# Idempotency


def _answer_once(
    sandbox: Sandbox, view: View, values: Doc, expand: list[str], ids: dict[str, str]
) -> Response:
    key = request.headers.get("Idempotency-Key")
    if key is None or request.method != "POST":
        status, body, _ = _act(sandbox, view, values, expand, ids)
        return _respond(status, body, new_id("req_", 14))
    if len(key) > 255:
        raise invalid("Idempotency-Key cannot be longer than 255 characters.")
    said = json.dumps([request.path, values, expand], sort_keys=True)
    fingerprint = hashlib.sha256(said.encode()).hexdigest()
    kept = _kept(sandbox, key)
    if kept is not None:
        return _replay(kept, key, fingerprint)
    status, body, keep = _act(sandbox, view, values, expand, ids)
    request_id = new_id("req_", 14)
    if keep:
        sandbox.store.sql(
            "INSERT INTO answers VALUES ('stripe', ?, ?, ?, ?, ?, ?)",
            key,
            fingerprint,
            sandbox.clock.timestamp(),
            status,
            body,
            request_id,
        )
    return _respond(status, body, request_id, {"Idempotency-Key": key})


def _kept(sandbox: Sandbox, key: str) -> Any:
    """The answer kept under a key, forgotten after a day."""
    oldest = sandbox.clock.timestamp() - _KEY_LIFE
    sandbox.store.sql("DELETE FROM answers WHERE provider = 'stripe' AND created < ?", oldest)
    rows = sandbox.store.sql("SELECT * FROM answers WHERE provider = 'stripe' AND key = ?", key)
    return rows[0] if rows else None


def _replay(kept: Any, key: str, fingerprint: str) -> Response:
    if kept["fingerprint"] != fingerprint:
        raise StripeError(
            400,
            {
                "type": "idempotency_error",
                "message": "Keys for idempotent requests can only be used with the same parameters"
                f" they were first used with. Try using a key other than '{key}' if you meant to"
                " execute a different request.",
            },
        )
    return _respond(
        kept["status"],
        kept["body"],
        new_id("req_", 14),
        {
            "Idempotency-Key": key,
            "Idempotent-Replayed": "true",
            "Original-Request": kept["request_id"],
        },
    )


def _act(
    sandbox: Sandbox, view: View, values: Doc, expand: list[str], ids: dict[str, str]
) -> tuple[int, str, bool]:
    """Status, body, and whether an idempotency key keeps them (once acting has begun, it does)."""
    try:
        doc = view(sandbox, values, **ids)
        for path in expand:
            doc = expanded(sandbox, doc, path.split("."), path)
        return 200, json.dumps(public(doc), indent=2, ensure_ascii=False), True
    except StripeError as error:
        return error.status, json.dumps(error.body, indent=2, ensure_ascii=False), error.kept


def _respond(
    status: int, body: str, request_id: str, headers: dict[str, str] | None = None
) -> Response:
    answer = Response(body, status, content_type="application/json")
    answer.headers["Request-Id"] = request_id
    answer.headers["Stripe-Version"] = request.headers.get("Stripe-Version", API_VERSION)
    answer.headers.update(headers or {})
    return answer


# Lists and expansion


def page(sandbox: Sandbox, kind: str, values: Doc, *filters: str) -> Doc:
    """One page of a list, newest first, filtered by equality of the named fields and by date."""
    wanted = {name: values[name] for name in filters if name in values}
    docs = [doc for doc in sandbox.store.find(kind, **wanted) if not doc.get("deleted")]
    if "types" in values:
        docs = [doc for doc in docs if doc["type"] in values["types"]]
    for bound, limit in values.get("created", {}).items():
        docs = [doc for doc in docs if _within(doc["created"], bound, limit)]
    ids = [doc["id"] for doc in docs]
    for name in ("starting_after", "ending_before"):
        if name in values and values[name] not in ids:
            raise missing(kind, values[name], name, status=400)
    if "starting_after" in values:
        docs = docs[ids.index(values["starting_after"]) + 1 :]
    limit = values.get("limit", 10)
    if "ending_before" in values:
        docs = docs[: ids.index(values["ending_before"])]
        more, docs = len(docs) > limit, docs[-limit:]
    else:
        more, docs = len(docs) > limit, docs[:limit]
    return {"object": "list", "data": docs, "has_more": more, "url": request.path}


def _within(created: int, bound: str, limit: int) -> bool:
    return {
        "gt": created > limit,
        "gte": created >= limit,
        "lt": created < limit,
        "lte": created <= limit,
    }[bound]


def expanded(sandbox: Sandbox, doc: Doc, path: list[str], whole: str) -> Doc:
    """A copy of `doc` with the id at `path` replaced by its object. Raises StripeError."""
    name, rest = path[0], path[1:]
    if name == "data" and doc.get("object") == "list" and rest:
        return {**doc, "data": [expanded(sandbox, item, rest, whole) for item in doc["data"]]}
    if name == "line_items" and doc.get("object") == "checkout.session":
        lines = {"object": "list", "data": doc["_lines"], "has_more": False, "url": ""}
        return {**doc, "line_items": lines}
    if name not in _EXPANDABLE or name not in doc:
        raise invalid(f"This property cannot be expanded ({whole}).", "expand")
    value = doc[name]
    if isinstance(value, str):
        value = sandbox.store.need(_EXPANDABLE[name], value)
    if value is not None and rest:
        value = expanded(sandbox, value, rest, whole)
    return {**doc, name: value}
