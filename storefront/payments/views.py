"""The way back from the hosted page, and the webhooks."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("payments", __name__)
