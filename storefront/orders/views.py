"""Ways to an order. The page itself stands in checkout, which sees money and fulfilment too."""

from __future__ import annotations

from functools import lru_cache

from babel import Locale
from flask import Blueprint, redirect
from werkzeug.wrappers import Response

bp = Blueprint("orders", __name__)


@bp.app_template_filter("country_fr")
@lru_cache(maxsize=300)
def country_fr(code: str) -> str:
    """A country by its French name, from its ISO code."""
    return str(Locale("fr").territories.get(code, code))


@bp.get("/commandes")
@bp.get("/commandes/")
def all_orders() -> Response:
    """A customer's orders are on the account."""
    return redirect("/compte/commandes")
