"""`python -m sandbox`: serve the stand-in on 127.0.0.1 until interrupted."""

import argparse
import signal
from pathlib import Path

from sandbox.server import Server


def _interrupt(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # whoever asks twice lets the first asking end
    raise KeyboardInterrupt


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=8001, help="0 picks a free one")
    parser.add_argument("--state", type=Path, required=True, help="SQLite file, kept")
    parser.add_argument("--log", type=Path, help="JSON lines, one for each API request")
    parser.add_argument("--webhook-base", help="the shop's address, e.g. http://127.0.0.1:8000")
    parser.add_argument("--stripe-webhook-secret", help="default: whsec_sandbox")
    options = parser.parse_args()
    server = Server(
        options.state,
        port=options.port,
        log=options.log,
        webhook_base=options.webhook_base,
        stripe_webhook_secret=options.stripe_webhook_secret,
    )
    signal.signal(signal.SIGTERM, _interrupt)
    print(f"sandbox listening on {server.base_url}", flush=True)
    try:
        server.serve()
    except KeyboardInterrupt:
        pass
    finally:
        server.stop()


if __name__ == "__main__":
    main()
