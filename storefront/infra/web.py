"""What every request goes through: same-origin check, headers, refusals in plain French."""

from __future__ import annotations

import logging
import uuid
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, g, render_template, request
from flask_login import current_user
from flask_wtf import CSRFProtect
from flask_wtf.csrf import CSRFError
from jinja2 import TemplateNotFound
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException

from storefront.infra import clock, outbox
from storefront.infra.db import db
from storefront.kernel.errors import Refusal

log = logging.getLogger(__name__)
csrf = CSRFProtect()

UNSAFE_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})
MAX_BODY = 12 * 1024 * 1024

# Paying posts a form that ends, by a redirect, on the provider's page: browsers want its origin.
CONTENT_POLICY = (
    "default-src 'none'; img-src 'self' data:; style-src 'self'; font-src 'self'; "
    "script-src 'self'; connect-src 'self'; form-action 'self' {payment_pages}; "
    "base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
)

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}

Row = TypeVar("Row")


def owned_or_404(row: Row | None, owner_id: uuid.UUID | None) -> Row:
    """The row when it belongs to this person; somebody else's object does not exist (404)."""
    if row is None or owner_id is None or getattr(row, "user_id", None) != owner_id:
        abort(404)
    return row


def found_or_404(row: Row | None) -> Row:
    """The row, or a page that says it does not exist."""
    if row is None:
        abort(404)
    return row


def client_ip() -> str:
    """The visitor's address, kept as proof with an acceptance (R-03)."""
    return request.remote_addr or ""


def user_agent() -> str:
    """The visitor's browser, kept as proof with an acceptance (R-03)."""
    return (request.user_agent.string or "")[:500]


def _refuse_other_origins() -> None:
    """A form on another site cannot act here, even where a page carries no token."""
    if request.method not in UNSAFE_METHODS or request.path.startswith("/webhooks/"):
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in ("same-origin", "none"):
        abort(403)
    origin = request.headers.get("Origin")
    if origin and origin != "null" and urlsplit(origin).netloc != request.host:
        abort(403)


def _refuse_nul() -> None:
    """No database stores a NUL: an address that holds one leads nowhere."""
    if "\0" in request.path or any("\0" in value for value in request.args.values()):
        abort(404)


def _know_the_actor() -> None:
    if request.endpoint != "static" and current_user.is_authenticated:
        g.actor = f"user:{current_user.id}"


def _secure(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Content-Security-Policy", current_app.extensions["csp"])
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response


def _drain_outbox(response: Response) -> Response:
    """What this request published is reacted to at once; the worker takes what fails."""
    try:
        outbox.drain_request(clock.now())
    except Exception:
        log.exception("draining the outbox after %s", request.path)
        db.session.rollback()
    return response


def _page(status: int, *names: str, **context: Any) -> tuple[str, int]:
    for name in names:
        try:
            return render_template(f"errors/{name}.html", **context), status
        except TemplateNotFound:
            continue
    return render_template("errors/generic.html", status=status, **context), status


def _refusal_page(refusal: Refusal) -> tuple[str, int]:
    db.session.rollback()
    return _page(refusal.status, refusal.name, "refusal", refusal=refusal)


def _http_page(error: HTTPException) -> Any:
    if error.response is not None or (error.code or 500) < 400:
        return error
    return _page(error.code or 500, str(error.code), error=error)


def _csrf_page(error: CSRFError) -> Any:
    return _page(400, "csrf", error=error)


def _stale_page(_error: Exception) -> Any:
    db.session.rollback()
    return _page(409, "stale_write")


def _busy_page(error: OperationalError) -> Any:
    log.error("database unavailable", exc_info=error)
    db.session.rollback()
    return _page(503, "503", error=error)


def _crash_page(error: Exception) -> Any:
    log.exception("unhandled error on %s", request.path, exc_info=error)
    db.session.rollback()
    return _page(500, "500")


def init_app(app: Flask) -> None:
    """Register what every request goes through."""
    settings = app.config["SETTINGS"]
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_BODY,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.base_url.startswith("https://"),
        WTF_CSRF_TIME_LIMIT=None,
    )
    pages = " ".join(settings.payment_pages)
    app.extensions["csp"] = CONTENT_POLICY.format(payment_pages=pages)
    csrf.init_app(app)
    app.before_request(_refuse_other_origins)
    app.before_request(_refuse_nul)
    app.before_request(_know_the_actor)
    app.after_request(_secure)
    app.after_request(_drain_outbox)
    app.register_error_handler(CSRFError, _csrf_page)
    app.register_error_handler(HTTPException, _http_page)
    app.register_error_handler(Refusal, _refusal_page)
    app.register_error_handler(StaleDataError, _stale_page)
    app.register_error_handler(OperationalError, _busy_page)
    if not app.testing:
        app.register_error_handler(Exception, _crash_page)
