"""The sandbox as a Flask application behind the faulty transport."""

from typing import TYPE_CHECKING

from flask import Flask, Response, jsonify, request
from werkzeug.wrappers import Request

from sandbox import (
    control,
    control_money,
    paypal_api,
    paypal_pages,
    paypal_protocol,
    stripe_api,
    stripe_pages,
    stripe_protocol,
    stripe_sessions,
)
from sandbox.core import Sandbox
from sandbox.faults import FaultyTransport
from sandbox.paypal_errors import not_found
from sandbox.stripe_errors import invalid

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

_PAYPAL = ("/v1/oauth2/", "/v1/notifications/", "/v2/", "/v3/")
_CERTIFICATES = "/v1/notifications/certs/"


def provider_of(path: str) -> str | None:
    """Whose API an address belongs to; None for pages, certificates and the controls."""
    if path.startswith(_CERTIFICATES):
        return None
    if path.startswith(_PAYPAL):
        return "paypal"
    return "stripe" if path.startswith("/v1/") else None


def log_request(sandbox: Sandbox, request: Request) -> None:
    """Write an API request to the log; pages and controls are none."""
    provider = provider_of(request.path)
    if provider is not None:
        path = request.full_path.rstrip("?")
        sandbox.log(provider, request.method, path, request.get_data())


def create_app(sandbox: Sandbox) -> Flask:
    app = Flask(__name__, static_url_path="/assets")
    app.extensions["sandbox"] = sandbox
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    for module in (stripe_protocol, stripe_pages, paypal_protocol, paypal_pages, control):
        app.register_blueprint(module.blueprint)
    sandbox.webhooks.ticks.append(lambda: stripe_sessions.expire_late_ones(sandbox))

    @app.before_request
    def log_api_request() -> None:
        log_request(sandbox, request)

    @app.after_request
    def protect_pages(response: Response) -> Response:
        if response.mimetype == "text/html":
            response.headers["Content-Security-Policy"] = (
                "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none';"
                " frame-ancestors 'none'"
            )
            response.headers["Referrer-Policy"] = "no-referrer"
            response.headers["Cache-Control"] = "no-store"
        return response

    @app.errorhandler(404)
    def unknown_address(_: Exception) -> tuple[Response | str, int]:
        if provider_of(request.path) == "stripe":
            error = invalid(f"Unrecognized request URL ({request.method}: {request.path}).")
            return jsonify(error.body), 404
        if provider_of(request.path) == "paypal":
            return jsonify(not_found(request.path).body), 404
        return "Page inconnue du bac à sable.", 404

    return app


def wsgi(sandbox: Sandbox) -> "WSGIApplication":
    """What the server runs."""

    def log_unserved(environ: "WSGIEnvironment") -> None:
        log_request(sandbox, Request(environ))

    app = create_app(sandbox)
    return FaultyTransport(app.wsgi_app, sandbox.faults, provider_of, log_unserved)


_ = (stripe_api, paypal_api, control_money)  # imported for the addresses they register
