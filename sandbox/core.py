"""The sandbox as one object: its store, clock, webhooks, faults and request log."""

import json
import threading
from pathlib import Path
from typing import Any, cast

from flask import current_app

from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.signing import PayPalSigner
from sandbox.state import Store
from sandbox.webhooks import Webhooks

STRIPE_KEY = "sk_test_sandbox"
STRIPE_WEBHOOK_SECRET = "whsec_sandbox"  # noqa: S105 - public, like everything here
PAYPAL_CLIENT = "sandbox-client"
PAYPAL_SECRET = "sandbox-secret"  # noqa: S105
PAYPAL_WEBHOOK_ID = "WH-SANDBOX"

# What a reset leaves alone: who the providers are and where the shop is.
KEPT_AT_RESET = ("webhook_base", "stripe_webhook_secrets", "paypal_key", "token_key")


class Sandbox:
    """Made once per process; `current()` gives it to the request being served."""

    def __init__(
        self,
        state: Path | str,
        *,
        log: Path | str | None = None,
        webhook_base: str | None = None,
        stripe_webhook_secret: str | None = None,
    ) -> None:
        self.base_url = "http://127.0.0.1"
        self.store = Store(state)
        self.clock = Clock(self.store)
        self.faults = Faults()
        self.signer = PayPalSigner(self.store)
        self.webhooks = Webhooks(self)
        self._log_lock = threading.Lock()
        self.log_path = Path(log) if log else None
        if webhook_base is not None:
            self.store.set("webhook_base", webhook_base)
        if stripe_webhook_secret is not None:
            self.store.set("stripe_webhook_secrets", [stripe_webhook_secret])

    @property
    def stripe_webhook_secrets(self) -> list[str]:
        """One secret, or two while it is being rotated: events are then signed with both."""
        return cast(
            "list[str]", self.store.setting("stripe_webhook_secrets", [STRIPE_WEBHOOK_SECRET])
        )

    def log(self, provider: str, method: str, path: str, body: bytes) -> None:
        """Append one API request to the log, as it was sent."""
        if self.log_path is None:
            return
        text = body.decode("utf-8", "replace") if body else None
        entry: dict[str, Any] = {"provider": provider, "method": method, "path": path, "body": text}
        line = json.dumps(entry, ensure_ascii=False) + "\n"
        with self._log_lock, self.log_path.open("a", encoding="utf-8") as file:
            file.write(line)

    def reset(self) -> None:
        """Forget all payments, faults and webhook settings; credentials and addresses stay."""
        self.faults.clear()
        self.store.clear(KEPT_AT_RESET)

    def close(self) -> None:
        self.webhooks.stop()
        self.store.close()


def current() -> Sandbox:
    return cast(Sandbox, current_app.extensions["sandbox"])
