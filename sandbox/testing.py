"""A running sandbox for tests: in this process, on a free port, gone at the end."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from sandbox.core import PAYPAL_CLIENT, PAYPAL_SECRET, PAYPAL_WEBHOOK_ID, STRIPE_KEY
from sandbox.core import STRIPE_WEBHOOK_SECRET as STRIPE_SECRET
from sandbox.server import Server

_TIMEOUT = 15


class RunningSandbox:
    """What a test holds in its hands; everything goes over HTTP, as for anybody else."""

    stripe_key = STRIPE_KEY
    stripe_webhook_secret = STRIPE_SECRET
    paypal_client = PAYPAL_CLIENT
    paypal_secret = PAYPAL_SECRET
    paypal_webhook_id = PAYPAL_WEBHOOK_ID

    def __init__(self, base_url: str, log: Path | None = None) -> None:
        self.base_url = base_url
        self.log = log

    def control(self, path: str, method: str | None = None, /, **body: Any) -> Any:
        """Ask one of the controls under /_sandbox/; POST by default when there is a body.

        Returns the JSON answer; raises `requests.HTTPError` when the control refuses.
        """
        verb = method or ("POST" if body else "GET")
        answer = requests.request(
            verb,
            f"{self.base_url}/_sandbox/{path.lstrip('/')}",
            json=body if verb != "GET" else None,
            timeout=_TIMEOUT,
        )
        answer.raise_for_status()
        return answer.json()

    # The payer's browser, in a few words

    def pay_by_card(
        self, page: str, number: str = "4242424242424242", *, agree: bool = True
    ) -> requests.Response:
        """Fill Stripe's hosted page, answering 3-D Secure if asked; redirects are not followed.

        The answer is a redirection to the shop, or the page again with the reason of a refusal.
        """
        form = {
            "email": "camille@exemple.test",
            "number": number,
            "expiry": "12/34",
            "cvc": "123",
            "name": "Camille Exemple",
        }
        answer = requests.post(page, data=form, allow_redirects=False, timeout=_TIMEOUT)
        target = answer.headers.get("Location", "")
        if target.startswith(f"{self.base_url}/3d-secure/"):
            word = {"answer": "agree" if agree else "refuse"}
            answer = requests.post(target, data=word, allow_redirects=False, timeout=_TIMEOUT)
            if answer.headers.get("Location", "").startswith(self.base_url):
                answer = requests.get(answer.headers["Location"], timeout=_TIMEOUT)
        return answer

    def pay_by_paypal(self, page: str, source: str = "account") -> requests.Response:
        """Answer PayPal's approval page by one of its sources; redirects are not followed."""
        return requests.post(page, data={"source": source}, allow_redirects=False, timeout=_TIMEOUT)

    # Webhooks, for tests whose shop listens on no port

    def events(self, provider: str, kind: str | None = None) -> list[dict[str, Any]]:
        """Events of a provider, oldest first; of one kind when named."""
        name = "type" if provider == "stripe" else "event_type"
        found: list[dict[str, Any]] = self.control(f"events/{provider}")[::-1]
        return [event for event in found if kind is None or event[name] == kind]

    def signed(self, provider: str, event_id: str) -> tuple[dict[str, str], bytes]:
        """Headers and body of an event, signed now, ready to be posted to the shop."""
        answer = self.control(f"events/{provider}/{event_id}/signed")
        return answer["headers"], answer["body"].encode()

    def wait_for_deliveries(self, seconds: float = 10.0) -> None:
        """Return once no delivery is under way; raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while self.control("state")["deliveries"].get("pending", 0):
            if time.monotonic() > deadline:
                raise TimeoutError("webhooks are still under way")
            time.sleep(0.02)


@contextmanager
def running_sandbox(
    tmp_path: Path, webhook_base: str | None = None, *, log: Path | None = None
) -> Iterator[RunningSandbox]:
    """A sandbox with its state in `tmp_path`; a second one there finds what the first saved.

    Requests are logged to `log`, by default `tmp_path / "requests.jsonl"`.
    """
    log = log or tmp_path / "requests.jsonl"
    server = Server(tmp_path / "sandbox.sqlite3", log=log, webhook_base=webhook_base)
    server.start()
    try:
        yield RunningSandbox(server.base_url, log)
    finally:
        server.stop()
