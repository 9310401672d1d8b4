"""Ways to an order. The page itself stands in checkout, which sees money and fulfilment too."""

from __future__ import annotations

from flask import Blueprint, redirect
from werkzeug.wrappers import Response

bp = Blueprint("orders", __name__)


@bp.get("/commandes")
@bp.get("/commandes/")
def all_orders() -> Response:
    """A customer's orders are on the account."""
    return redirect("/compte/commandes")
