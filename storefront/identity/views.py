"""Sign-in, passwords, second factor."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("identity", __name__)


def init_app(app: object) -> None:
    """Start flask-login."""
