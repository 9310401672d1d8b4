"""Events and their delivery to the shop.

An event is written with the change that caused it; a background thread posts it, signed, a moment
later. How they arrive can be spoilt on command: `Delivery` says in which ways.
"""

import json
import logging
import random
import sqlite3
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import requests

from sandbox.signing import CERTIFICATE_PATH, paypal_message, stripe_signature
from sandbox.state import Doc, NotThere

if TYPE_CHECKING:
    from sandbox.core import Sandbox

log = logging.getLogger("sandbox.webhooks")

_BACK_OFF = (0.2, 0.5, 1.0, 2.0, 5.0, 15.0)
_TIMEOUT = 20.0


@dataclass
class Delivery:
    """How events travel. `duplicate` sends each so many more times; `delay` waits so many seconds;
    `shuffle` sends each at a random moment within two seconds; `drop` loses them; `hold` keeps them
    until they are released; `parallel` sends so many at once."""

    duplicate: int = 0
    delay: float = 0.0
    drop: bool = False
    shuffle: bool = False
    hold: bool = False
    parallel: int = 1


class Webhooks:
    """Writes events and delivers them from a thread of its own."""

    def __init__(self, sandbox: "Sandbox") -> None:
        self._sandbox = sandbox
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self.ticks: list[Any] = []  # called about once a second, e.g. to expire sessions

    # Writing

    @property
    def mode(self) -> Delivery:
        return Delivery(**self._sandbox.store.setting("webhook_mode", {}))

    def set_mode(self, mode: Delivery) -> None:
        self._sandbox.store.set("webhook_mode", asdict(mode))

    def emit(self, provider: str, event: Doc) -> None:
        """Record an event and its deliveries, as the mode in force wants them."""
        self._sandbox.store.put(f"{provider}_event", event)
        mode = self.mode
        state = "dropped" if mode.drop else "held" if mode.hold else "pending"
        for _ in range(1 + mode.duplicate):
            self._enqueue(provider, event["id"], state, mode)

    def resend(self, provider: str, event_id: str, times: int = 1) -> None:
        for _ in range(times):
            self._enqueue(provider, event_id, "pending", self.mode)
        self._wake.set()

    def release(self) -> int:
        """Let go of all held deliveries; returns how many."""
        store = self._sandbox.store
        with store.transaction():
            held = store.sql("SELECT seq FROM deliveries WHERE state = 'held'")
            store.sql("UPDATE deliveries SET state = 'pending' WHERE state = 'held'")
        self._wake.set()
        return len(held)

    def deliveries(self) -> list[Doc]:
        rows = self._sandbox.store.sql("SELECT * FROM deliveries ORDER BY seq")
        return [dict(row) for row in rows]

    def _enqueue(self, provider: str, event_id: str, state: str, mode: Delivery) -> None:
        lateness = mode.delay + (random.uniform(0, 2) if mode.shuffle else 0.0)  # noqa: S311
        self._sandbox.store.sql(
            "INSERT INTO deliveries (provider, event_id, state, due) VALUES (?, ?, ?, ?)",
            provider,
            event_id,
            state,
            time.time() + lateness,
        )

    # Signing

    def signed(self, provider: str, event_id: str) -> tuple[dict[str, str], bytes]:
        """Headers and body of one delivery, signed now. Raises NotThere."""
        event = self._sandbox.store.need(f"{provider}_event", event_id)
        if provider == "stripe":
            return self._signed_stripe(event)
        return self._signed_paypal(event)

    def _signed_stripe(self, event: Doc) -> tuple[dict[str, str], bytes]:
        body = json.dumps(event, indent=2, ensure_ascii=False).encode()
        timestamp = self._sandbox.clock.timestamp()
        signature = stripe_signature(body, timestamp, self._sandbox.stripe_webhook_secrets)
        return {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature,
            "User-Agent": "Stripe/1.0 (sandbox)",
        }, body

    def _signed_paypal(self, event: Doc) -> tuple[dict[str, str], bytes]:
        from sandbox.core import PAYPAL_WEBHOOK_ID

        body = json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()
        transmission, sent = str(uuid.uuid4()), self._sandbox.clock.iso()
        message = paypal_message(transmission, sent, PAYPAL_WEBHOOK_ID, body)
        return {
            "Content-Type": "application/json",
            "PAYPAL-TRANSMISSION-ID": transmission,
            "PAYPAL-TRANSMISSION-TIME": sent,
            "PAYPAL-TRANSMISSION-SIG": self._sandbox.signer.sign(message),
            "PAYPAL-CERT-URL": self._sandbox.base_url + CERTIFICATE_PATH,
            "PAYPAL-AUTH-ALGO": "SHA256withRSA",
            "User-Agent": "PayPal/AUHD-1.0 (sandbox)",
        }, body

    # Delivering

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="sandbox-webhooks", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def wake(self) -> None:
        self._wake.set()

    def _run(self) -> None:
        try:
            self._work()
        except sqlite3.ProgrammingError:  # the store was closed while a delivery was under way
            if not self._stopped.is_set():
                raise

    def _work(self) -> None:
        next_tick = 0.0
        while not self._stopped.is_set():
            if time.monotonic() >= next_tick:
                next_tick = time.monotonic() + 1.0
                for tick in self.ticks:
                    tick()
            if not self._deliver_due():
                self._wake.wait(0.1)
                self._wake.clear()

    def _deliver_due(self) -> bool:
        store = self._sandbox.store
        base = store.setting("webhook_base")
        if not base:
            return False
        parallel = max(1, self.mode.parallel)
        rows = store.sql(
            "SELECT * FROM deliveries WHERE state = 'pending' AND due <= ? ORDER BY due LIMIT ?",
            time.time(),
            parallel,
        )
        due = [dict(row) for row in rows]
        if parallel == 1 or len(due) < 2:
            for delivery in due:
                self._post(base, delivery)
        else:
            with ThreadPoolExecutor(parallel) as pool:
                list(pool.map(lambda delivery: self._post(base, delivery), due))
        return bool(due)

    def _post(self, base: str, delivery: Doc) -> None:
        provider, event_id = delivery["provider"], delivery["event_id"]
        try:
            headers, body = self.signed(provider, event_id)
            answer = requests.post(
                f"{base.rstrip('/')}/webhooks/{provider}",
                data=body,
                headers=headers,
                timeout=_TIMEOUT,
                allow_redirects=False,
            )
            accepted, note = 200 <= answer.status_code < 300, f"HTTP {answer.status_code}"
        except NotThere:
            accepted, note = True, "forgotten by a reset"
        except requests.RequestException as error:
            accepted, note = False, type(error).__name__
        attempts = delivery["attempts"] + 1
        state = "delivered" if accepted else "pending" if attempts <= len(_BACK_OFF) else "failed"
        due = time.time() + (_BACK_OFF[attempts - 1] if state == "pending" else 0.0)
        self._sandbox.store.sql(
            "UPDATE deliveries SET state = ?, attempts = ?, due = ?, note = ? WHERE seq = ?",
            state,
            attempts,
            due,
            note,
            delivery["seq"],
        )
        if not accepted:
            log.info("webhook %s to the shop: %s, %s", event_id, note, state)
