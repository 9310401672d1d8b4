"""PayPal's approval page: the payer signs in, chooses what to pay with, agrees or turns back."""

from urllib.parse import urlencode

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from sandbox import money, paypal_orders
from sandbox.core import current
from sandbox.paypal_sources import SOURCES, Source
from sandbox.state import Doc

blueprint = Blueprint("paypal_pages", __name__)


@blueprint.route("/checkoutnow", methods=["GET", "POST"])
def checkout() -> Response | str | tuple[str, int]:
    sandbox = current()
    with sandbox.store.transaction():
        order = sandbox.store.get("order", request.args.get("token", ""))
        if order is None:
            return render_template("gone.html", reason="unknown", back=None), 404
        if paypal_orders.is_stale(sandbox, order):
            return render_template("gone.html", reason="expired", back=cancel_url(order)), 410
        if order["status"] == "COMPLETED":
            return render_template("gone.html", reason="complete", back=return_url(order))
        if request.method == "GET":
            return _page(order, None)
        if request.form.get("cancel"):
            return redirect(cancel_url(order) or "/", 303)
        chosen = request.form.get("source", "")
        if chosen not in _offered(order):
            return _page(order, "Choisissez avec quoi vous payez."), 422
        order = paypal_orders.approve(sandbox, order, chosen)
    sandbox.webhooks.wake()
    back = return_url(order)
    if back is None:
        return render_template("gone.html", reason="complete", back=None)
    return redirect(back, 303)


def _saves(order: Doc) -> bool:
    return "vault" in order["_wallet"].get("attributes", {})


def _offered(order: Doc) -> dict[str, Source]:
    """A card without account cannot be saved: it is offered for a single payment only."""
    saves = _saves(order)
    return {
        name: source
        for name, source in SOURCES.items()
        if not (saves and source.guest) and (saves or source.later == "COMPLETED")
    }


def _page(order: Doc, error: str | None) -> str:
    unit = order["purchase_units"][0]
    currency = unit["amount"]["currency_code"]
    minor = money.to_minor(unit["amount"]["value"], currency)
    return render_template(
        "paypal_approve.html",
        amount=money.french(minor, currency),
        shop=order["_context"].get("brand_name"),
        description=unit.get("description"),
        sources=_offered(order),
        saves=_saves(order),
        cancel=cancel_url(order) is not None,
        error=error,
    )


def return_url(order: Doc) -> str | None:
    payer = order.get("payer", {}).get("payer_id", "")
    return _with(order["_context"].get("return_url"), token=order["id"], PayerID=payer)


def cancel_url(order: Doc) -> str | None:
    return _with(order["_context"].get("cancel_url"), token=order["id"])


def _with(url: str | None, **parameters: str) -> str | None:
    if url is None:
        return None
    return f"{url}{'&' if '?' in url else '?'}{urlencode(parameters)}"
