"""How the service does, for everybody: no account, no script (MRE-04)."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template, request

from storefront.infra import clock
from storefront.subscriptions.queries.status import status

bp = Blueprint("status", __name__)

FRESH_SECONDS = 30


@bp.get("/etat-du-service")
def page() -> Response:
    """Now, the last twelve months, the incidents that are over.

    The same for every visitor who has no cart and no account; kept half a minute, so that an outage
    that everybody looks up does not become another.
    """
    now = clock.now()
    response = make_response(render_template("subscriptions/status.html", status=status(now)))
    visitor = not request.cookies
    response.headers["Cache-Control"] = (
        f"public, max-age={FRESH_SECONDS}" if visitor else "private, no-cache"
    )
    response.vary.add("Cookie")
    return response
