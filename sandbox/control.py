"""The controls, /_sandbox/…: what a test or the demo asks of the stand-in, in JSON over HTTP.

See `sandbox/README.md` for the list. A wrong request is answered 400 with {"error": …}.
"""

from collections import Counter
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from flask import Blueprint, Response, jsonify, request

from sandbox import ledger, stripe_sessions
from sandbox import stripe_objects as objects
from sandbox.core import current
from sandbox.faults import KINDS, Fault
from sandbox.schema import Flag, Object, Problem, Text, Whole, check, choice, obj
from sandbox.state import Doc, NotThere
from sandbox.webhooks import Delivery

blueprint = Blueprint("control", __name__, url_prefix="/_sandbox")


class Refused(Exception):
    """A control that makes no sense; its text says why."""


@blueprint.errorhandler(Refused)
def refused(error: Refused) -> tuple[Response, int]:
    return jsonify(error=str(error)), 400


@blueprint.errorhandler(NotThere)
def not_there(error: NotThere) -> tuple[Response, int]:
    return jsonify(error=f"no such thing: {error}"), 404


def given_json(schema: Object, *durations: str) -> Doc:
    """The request's JSON, checked; `durations` are seconds beside the schema, fractions allowed.

    Raises Refused.
    """
    body = request.get_json(silent=True) if request.get_data() else {}
    if not isinstance(body, dict):
        raise Refused("the body is not a JSON object")
    seconds = {name: body.pop(name) for name in durations if name in body}
    for name, value in seconds.items():
        if not isinstance(value, int | float) or isinstance(value, bool) or value < 0:
            raise Refused(f"{name}: a number of seconds is wanted")
    try:
        values: Doc = check(schema, body, coerce=False)
    except Problem as problem:
        raise Refused(f"{'.'.join(problem.path)}: {problem.kind} {problem.detail}") from None
    return {**values, **{name: float(value) for name, value in seconds.items()}}


# State


@blueprint.get("/state")
def state() -> Response:
    """How many objects of each kind there are, and the settings in force."""
    sandbox = current()
    rows = sandbox.store.sql("SELECT kind, count(*) AS n FROM objects GROUP BY kind")
    deliveries = Counter(delivery["state"] for delivery in sandbox.webhooks.deliveries())
    return jsonify(
        objects={row["kind"]: row["n"] for row in rows},
        deliveries=dict(deliveries),
        webhook_mode=asdict(sandbox.webhooks.mode),
        webhook_base=sandbox.store.setting("webhook_base"),
        log=str(sandbox.log_path) if sandbox.log_path else None,
        faults=sandbox.faults.list(),
        now=sandbox.clock.now().isoformat(),
    )


@blueprint.get("/objects/<kind>")
def list_objects(kind: str) -> Response:
    """All documents of a kind, newest first, as the APIs show them."""
    return jsonify(objects.public(current().store.find(kind)))


@blueprint.post("/reset")
def reset() -> Response:
    current().reset()
    return state()


@blueprint.get("/ledger")
def money_ledger() -> Response:
    """All money taken and given back, by provider."""
    return jsonify(ledger.of(current().store))


@blueprint.post("/settings")
def settings() -> Response:
    """Where the shop and the request log are, and the secrets that sign Stripe's events."""
    sandbox = current()
    given = given_json(
        obj(webhook_base=Text(may_be_empty=True), log=Text(), stripe_webhook_secret=Text())
    )
    if "webhook_base" in given:
        sandbox.store.set("webhook_base", given["webhook_base"] or None)
    if "stripe_webhook_secret" in given:
        secrets = [secret.strip() for secret in given["stripe_webhook_secret"].split(",")]
        sandbox.store.set("stripe_webhook_secrets", secrets)
    if "log" in given:
        sandbox.log_path = Path(given["log"])
    sandbox.webhooks.wake()
    return state()


# Time


@blueprint.get("/clock")
def clock() -> Response:
    return jsonify(now=current().clock.now().isoformat())


@blueprint.post("/clock")
def set_clock() -> Response:
    """{"now": "2026-12-01T09:00:00+01:00"} makes that the present; an empty body ends it."""
    sandbox = current()
    text = given_json(obj(now=Text())).get("now")
    try:
        instant = datetime.fromisoformat(text) if text else None
    except ValueError:
        raise Refused("now: an ISO 8601 instant is wanted") from None
    if instant is not None and instant.tzinfo is None:
        raise Refused("now: an offset is wanted, e.g. +00:00")
    sandbox.clock.set_now(instant)
    stripe_sessions.expire_late_ones(sandbox)
    return clock()


# Faults


@blueprint.get("/faults")
def faults() -> Response:
    return jsonify(current().faults.list())


@blueprint.post("/faults")
def add_fault() -> Response:
    """Trouble for the next requests; see `sandbox.faults` for the kinds."""
    schema = obj(
        "kind",
        kind=choice(*KINDS),
        provider=choice("stripe", "paypal", "*"),
        method=Text(),
        path=Text(),
        count=Whole(),
        status=Whole(400, 599),
        every=Whole(1),
    )
    given = given_json(schema, "seconds")
    current().faults.add(Fault(**given))
    return faults()


@blueprint.delete("/faults")
def clear_faults() -> Response:
    current().faults.clear()
    return faults()


# Webhooks


@blueprint.get("/webhooks")
def webhooks() -> Response:
    """The mode in force and every delivery with its state."""
    sandbox = current()
    return jsonify(mode=asdict(sandbox.webhooks.mode), deliveries=sandbox.webhooks.deliveries())


@blueprint.post("/webhooks")
def set_webhook_mode() -> Response:
    """Replace the mode; what is not named is as usual, so an empty body ends all trouble."""
    schema = obj(
        duplicate=Whole(0, 1000), drop=Flag(), shuffle=Flag(), hold=Flag(), parallel=Whole(1, 64)
    )
    given = given_json(schema, "delay")
    current().webhooks.set_mode(Delivery(**given))
    return webhooks()


@blueprint.post("/webhooks/release")
def release() -> Response:
    return jsonify(released=current().webhooks.release())


@blueprint.post("/webhooks/flush")
def flush() -> Response:
    """Forget deliveries that have not arrived, held and late ones too."""
    current().store.sql("DELETE FROM deliveries WHERE state IN ('pending', 'held')")
    return webhooks()


@blueprint.get("/events/<provider>")
def events(provider: str) -> Response:
    """Every event of a provider, newest first."""
    return jsonify(current().store.find(f"{provider}_event"))


@blueprint.get("/events/<provider>/<id>/signed")
def signed(provider: str, id: str) -> Response:
    """Headers and body of an event, signed now, for a test that delivers it by itself."""
    headers, body = current().webhooks.signed(provider, id)
    return jsonify(headers=headers, body=body.decode())


@blueprint.post("/events/<provider>/<id>/resend")
def resend(provider: str, id: str) -> Response:
    sandbox = current()
    sandbox.store.need(f"{provider}_event", id)
    times = given_json(obj(times=Whole(1, 1000))).get("times", 1)
    sandbox.webhooks.resend(provider, id, times)
    return jsonify(resent=times)
