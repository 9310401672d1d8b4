"""One order, for its owner or a guest with the token."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("orders", __name__)
