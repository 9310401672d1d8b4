"""A shop reduced to its webhook addresses: it keeps what arrives and answers as it is told."""

import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any


@dataclass(frozen=True)
class Notice:
    path: str
    headers: dict[str, str]
    body: bytes


class Receiver:
    """`statuses` are answered one by one, then 200 for ever."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []
        self.statuses: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                body = self.rfile.read(length)
                receiver.notices.append(Notice(self.path, dict(self.headers), body))
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base_url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    def __enter__(self) -> "Receiver":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait_for(self, count: int, seconds: float = 10.0) -> list[Notice]:
        """The notices, once at least `count` have come. Raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while len(self.notices) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(self.notices)} notices came, not {count}")
            time.sleep(0.02)
        return self.notices
