"""Terms, versions and legal pages."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("legal", __name__)
