"""The threaded server on loopback, and its life."""

import threading
from pathlib import Path

from werkzeug.serving import WSGIRequestHandler, make_server

from sandbox.app import wsgi
from sandbox.core import Sandbox


class _QuietHandler(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """The request log is the sandbox's own."""

    def connection_dropped(self, error: BaseException, environ: object = None) -> None:
        """A caller went away, or a fault closes the connection: nothing to say, nothing more to
        wait for, though HTTP/1.1 would keep it open."""
        self.close_connection = True


class Server:
    """One running sandbox: its state, its thread of webhooks and its HTTP server."""

    def __init__(
        self,
        state: Path | str,
        *,
        port: int = 0,
        log: Path | str | None = None,
        webhook_base: str | None = None,
        stripe_webhook_secret: str | None = None,
    ) -> None:
        self.sandbox = Sandbox(
            state,
            log=log,
            webhook_base=webhook_base,
            stripe_webhook_secret=stripe_webhook_secret,
        )
        self._http = make_server(
            "127.0.0.1",
            port,
            wsgi(self.sandbox),
            threaded=True,
            request_handler=_QuietHandler,
        )
        self.base_url = f"http://127.0.0.1:{self._http.server_port}"
        self.sandbox.base_url = self.base_url
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Serve from a thread of its own."""
        self.sandbox.webhooks.start()
        self._thread = threading.Thread(
            target=self._http.serve_forever,
            kwargs={"poll_interval": 0.05},
            name="sandbox-http",
            daemon=True,
        )
        self._thread.start()

    def serve(self) -> None:
        """Serve from this thread until interrupted."""
        self.sandbox.webhooks.start()
        self._http.serve_forever()

    def stop(self) -> None:
        if self._thread is not None:
            self._http.shutdown()
            self._thread.join(timeout=5)
        self._http.server_close()
        self.sandbox.close()
