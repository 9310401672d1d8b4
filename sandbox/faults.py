"""Trouble on command: lost answers, server errors, closed connections, slowness.

A fault waits for the next `count` API requests that match its provider, method and path, and is
then gone; with `every` it befalls only each n-th of them. Kinds:

- `error`: answer `status` and do nothing;
- `error_after`: do it, then answer `status`;
- `closed`: close the connection and do nothing;
- `lost_answer`: do it, then close the connection without a word;
- `timeout`: do it, keep the caller waiting `seconds`, then close the connection;
- `delay`: wait `seconds`, then do it and answer as usual.
"""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from itertools import count
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

KINDS = ("error", "error_after", "closed", "lost_answer", "timeout", "delay")
_BODIES = {
    "stripe": b'{"error": {"type": "api_error", "message": "The sandbox was told to fail."}}',
    "paypal": b'{"name": "INTERNAL_SERVER_ERROR", "message": "The sandbox was told to fail.",'
    b' "debug_id": "fault", "details": [], "links": []}',
}
_NUMBERS = count(1)


@dataclass
class Fault:
    kind: str
    provider: str = "*"
    method: str = "*"
    path: str = "*"
    count: int = 1
    status: int = 500
    seconds: float = 5.0
    every: int = 1
    seen: int = 0
    id: int = field(default_factory=lambda: next(_NUMBERS))

    def matches(self, provider: str, method: str, path: str) -> bool:
        return (
            fnmatchcase(provider, self.provider)
            and fnmatchcase(method, self.method.upper())
            and fnmatchcase(path, self.path)
        )


class Faults:
    """The faults that are waiting; a negative count never runs out."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._waiting.append(fault)

    def list(self) -> "list[dict[str, Any]]":
        with self._lock:
            return [asdict(fault) for fault in self._waiting]

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def take(self, provider: str, method: str, path: str) -> Fault | None:
        """The fault that befalls this request, counted down."""
        with self._lock:
            for fault in self._waiting:
                if fault.matches(provider, method, path):
                    fault.seen += 1
                    if fault.seen % fault.every:
                        continue
                    fault.count -= 1
                    if fault.count == 0:
                        self._waiting.remove(fault)
                    return fault
        return None


class ConnectionClosed(ConnectionError):
    """Raised towards the server, which then closes without answering."""


class FaultyTransport:
    """WSGI middleware around the API that applies the waiting faults.

    `provider_of` tells whose API a path belongs to, None for what is never spoilt; `log` is called
    with the requests that a fault keeps from the application, which would have logged them.
    """

    def __init__(
        self,
        app: "WSGIApplication",
        faults: Faults,
        provider_of: Callable[[str], str | None],
        log: "Callable[[WSGIEnvironment], None]",
    ) -> None:
        self._app = app
        self._faults = faults
        self._provider_of = provider_of
        self._log = log

    def __call__(self, environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        provider = self._provider_of(path)
        if provider is None:
            return self._app(environ, start)
        fault = self._faults.take(provider, environ["REQUEST_METHOD"], path)
        if fault is None:
            return self._app(environ, start)
        if fault.kind == "delay":
            time.sleep(fault.seconds)
            return self._app(environ, start)
        if fault.kind in ("error", "closed"):
            self._log(environ)
        else:
            self._act(environ)
        if fault.kind == "timeout":
            time.sleep(fault.seconds)
        if fault.kind in ("error", "error_after"):
            start(f"{fault.status} Fault", [("Content-Type", "application/json")])
            return [_BODIES[provider]]
        raise ConnectionClosed(fault.kind)

    def _act(self, environ: "WSGIEnvironment") -> None:
        """Serve the request in full and throw the answer away."""

        def swallow(status: str, headers: Any, exc_info: Any = None) -> Any:
            return lambda data: None

        answer = self._app(environ, swallow)
        for _ in answer:
            pass
        close = getattr(answer, "close", None)
        if close is not None:
            close()
