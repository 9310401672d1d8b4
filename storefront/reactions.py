"""Which event makes whom react: the one table of consequences. Reactions are idempotent."""

from __future__ import annotations

from flask import Flask

from storefront.infra import outbox


def register(app: Flask) -> None:
    """Subscribe every reaction."""
    _ = (app, outbox)
