"""Tokens and transport to PayPal's REST API, over the `paypalrestsdk` package.

PayPal has deprecated that package, and its classes for payments speak an API of the past. It is
kept for what still holds (fetching and caching the access token, telling answers apart), and no
other file imports it. What the package does wrong is put right here:

* it has no timeout, and asks again without end when the answer is 401;
* it turns a 400 into an ordinary return value, and sends the body `null` with every GET;
* it hands the caller's headers, hence PayPal-Request-Id, on to the token request as well;
* it logs credentials and bodies at DEBUG.
"""

from __future__ import annotations

import json
import logging
import threading
from typing import Any
from urllib.parse import quote

import paypalrestsdk
import requests
from paypalrestsdk import exceptions
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from storefront.payments.providers.base import ProviderRejected, ProviderUnavailable

logging.getLogger("paypalrestsdk").setLevel(logging.WARNING)
log = logging.getLogger(__name__)

Json = dict[str, Any]

_TIMEOUT_SECONDS = 20
# Every request of ours is a GET or carries PayPal-Request-Id, so sending it again is safe.
_RETRY = Retry(
    total=2, connect=2, read=2, status=0, redirect=0, allowed_methods=None, backoff_factor=0.2
)

_TELLING = frozenset({"status", "resource"})


class PayPalRefusal(ProviderRejected):
    """A 4xx answer. `issues` are PayPal's codes: every `details[].issue`, then the `name`."""

    def __init__(self, status: int, issues: tuple[str, ...], debug_id: str) -> None:
        super().__init__(f"PayPal: {status} {', '.join(issues) or 'unknown'} ({debug_id})")
        self.status = status
        self.issues = issues


class Transport:
    """Calls to one PayPal account. Safe to share between threads."""

    def __init__(
        self,
        api_base: str,
        client_id: str,
        client_secret: str,
        timeout: float = _TIMEOUT_SECONDS,
    ) -> None:
        base = api_base.rstrip("/")
        # Mode "live" only names the address and the logging of the package: we give both.
        self._api = _Api(
            timeout, mode="live", endpoint=base, client_id=client_id, client_secret=client_secret
        )
        self._base = base
        self._token_lock = threading.Lock()

    def get(self, *path: str) -> Json:
        """Read an object. `path` is a list of segments, each quoted."""
        return self._call("GET", path, body=None, request_id=None)

    def post(self, *path: str, body: Json, request_id: str) -> Json:
        """Act, once: `request_id` becomes PayPal-Request-Id. Answers the whole object."""
        return self._call("POST", path, body=body, request_id=request_id)

    def _call(
        self, method: str, path: tuple[str, ...], body: Json | None, request_id: str | None
    ) -> Json:
        url = "/".join((self._base, *(quote(segment, safe="") for segment in path)))
        try:
            try:
                return self._attempt(method, url, body, request_id)
            except exceptions.UnauthorizedAccess:
                # The token was revoked before its time: one fresh token, then no more.
                self._api.token_hash = None
                return self._attempt(method, url, body, request_id)
        except (exceptions.ConnectionError, requests.RequestException, ValueError) as error:
            raise _translated(error) from error

    def _attempt(self, method: str, url: str, body: Json | None, request_id: str | None) -> Json:
        with self._token_lock:
            headers: dict[str, str] = self._api.headers()
        if request_id is not None:
            headers |= {"PayPal-Request-Id": request_id, "Prefer": "return=representation"}
        data = None if body is None else json.dumps(body)
        answer = self._api.http_call(url, method, data=data, headers=headers)
        # Payments have a status, events have what they are about.
        if not isinstance(answer, dict) or "id" not in answer or not _TELLING & answer.keys():
            raise ValueError("not an object of PayPal's")
        return answer


class _Api(paypalrestsdk.Api):  # type: ignore[misc] # the package has no types
    """The package's token cache and reading of answers, with a transport of ours."""

    def __init__(self, timeout: float, **options: str) -> None:
        super().__init__(**options)
        self._timeout = timeout
        self._local = threading.local()

    def http_call(self, url: str, method: str, **kwargs: Any) -> Any:
        """Send one request, within a time limit, logging no header and no body."""
        response = self._session().request(
            method,
            url,
            data=kwargs.get("data"),
            headers=kwargs.get("headers"),
            timeout=self._timeout,
            allow_redirects=False,
        )
        debug_id = response.headers.get("PayPal-Debug-Id", "")
        log.info("%s %s: %d %s", method, url, response.status_code, debug_id)
        return self.handle_response(response, response.content.decode())

    def _session(self) -> requests.Session:
        """One session a thread: they keep connections open and are not made to be shared."""
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = requests.Session()
            session.mount("https://", HTTPAdapter(max_retries=_RETRY))
            session.mount("http://", HTTPAdapter(max_retries=_RETRY))
            # Without an `auth` of its own, a .netrc entry would replace the Authorization header.
            session.auth = _leave_headers_alone
        return session


def _leave_headers_alone(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _translated(error: Exception) -> Exception:
    """The port's error for one of the package: doubt, or a refusal with its codes."""
    if isinstance(error, exceptions.Redirection):
        return ProviderRejected(f"PayPal: unexpected redirection {error.response.status_code}")
    if isinstance(error, exceptions.ClientError):
        status = error.response.status_code
        # 409: the same request is being worked on. 408 and 429: later.
        if status not in (408, 409, 429):
            return PayPalRefusal(status, *_issues(error.content))
    # The text of these errors holds whole bodies, hence buyers' data: their kind says enough.
    return ProviderUnavailable(f"PayPal: {type(error).__name__}")


def _issues(content: str) -> tuple[tuple[str, ...], str]:
    """The codes in an error body and PayPal's own reference for its support."""
    try:
        body = json.loads(content)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return (), "no debug id"
    details = body.get("details") or []
    found = [item.get("issue") for item in details if isinstance(item, dict)]
    found.append(body.get("name") or body.get("error"))
    return tuple(str(issue) for issue in found if issue), str(body.get("debug_id", "no debug id"))
