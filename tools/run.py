"""./run: set up, migrate, load the demo shop once, then serve it until Ctrl-C."""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import FrameType

from tools import environment, processes
from tools.environment import PYTHON, ROOT, SetUpFailed

LOOPBACK = "127.0.0.1"
START_SECONDS = 60
FLASK = [str(PYTHON), "-m", "flask", "--app", "wsgi"]


class Stopped(Exception):
    """Somebody asked the shop to stop."""


def main() -> int:
    """Serve the demo shop; 0 after Ctrl-C, 1 when something stands in the way."""
    arguments = _arguments()
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    try:
        _serve_demo(arguments.port, reset=arguments.reset)
    except Stopped:
        print("\nStopped. ./run starts the shop again, with its data.")
        return 0
    except SetUpFailed as failure:
        print(f"\n{failure}", file=sys.stderr)
        return 1
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./run",
        description="Set up and serve the demo shop on this machine only: the web server, "
        "the worker and a stand-in for the payment providers. Ctrl-C stops all three.",
    )
    parser.add_argument(
        "--port",
        type=_port,
        default=8000,
        help="the shop's port (default: 8000); the payment stand-in takes the next one",
    )
    parser.add_argument(
        "--reset", action="store_true", help="delete the demo's data and start afresh"
    )
    return parser.parse_args()


def _port(text: str) -> int:
    port = int(text)
    if not 1 <= port <= 65534:
        raise argparse.ArgumentTypeError("a port between 1 and 65534 is needed")
    return port


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise Stopped


def _serve_demo(port: int, *, reset: bool) -> None:
    settings = _settings(port)
    instance = Path(settings["STOREFRONT_INSTANCE"])
    for taken in (port, port + 1):
        _refuse_taken(taken)
    with (ROOT / "run").open() as itself:
        try:
            fcntl.flock(itself, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SetUpFailed("This checkout is already being served by another ./run.") from None
        environment.prepare(environment.RUNTIME)
        if reset:
            _delete_data(instance)
        instance.mkdir(parents=True, exist_ok=True)
        _serve(settings, instance, port)


def _settings(port: int) -> dict[str, str]:
    """The environment of every child: what the caller set, and the demo's addresses.

    Raises SetUpFailed for a production shop, which this command does not serve.
    """
    kind = os.environ.get("STOREFRONT_ENV", "demo")
    if kind != "demo":
        raise SetUpFailed(
            f"./run serves the demo only, and STOREFRONT_ENV is {kind!r}. "
            "README.md says how to serve a real shop."
        )
    stand_in = f"http://{LOOPBACK}:{port + 1}"
    return {
        "STOREFRONT_INSTANCE": str(ROOT / "instance"),
        "STOREFRONT_BASE_URL": f"http://{LOOPBACK}:{port}",
        "STOREFRONT_STRIPE_API_BASE": stand_in,
        "STOREFRONT_PAYPAL_API_BASE": stand_in,
        **os.environ,
    }


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except PermissionError:
            raise SetUpFailed(f"Port {port} is reserved for root: choose one above 1023.") from None
        except OSError:
            raise SetUpFailed(
                f"Port {port} is taken by another program, perhaps another ./run. "
                f"Choose another port: ./run --port {port + 100 if port < 65000 else 8000}"
            ) from None


def _delete_data(instance: Path) -> None:
    if "STOREFRONT_DATABASE_URL" in os.environ:
        raise SetUpFailed(
            "--reset only deletes the demo's own files, and STOREFRONT_DATABASE_URL names "
            "another database: empty that one by hand, or unset the variable."
        )
    if instance.exists():
        print(f"Deleting the demo's data in {instance} …", flush=True)
        shutil.rmtree(instance)


def _command(settings: dict[str, str], *arguments: str, shown: bool = False) -> None:
    """Run one of the shop's own commands, showing what it says or keeping it for the failure.

    Raises SetUpFailed when it does not succeed.
    """
    done = subprocess.run(
        [*FLASK, *arguments],
        cwd=ROOT,
        env=settings,
        stdin=subprocess.DEVNULL,
        stdout=None if shown else subprocess.PIPE,
        stderr=None if shown else subprocess.STDOUT,
        text=True,
    )
    if done.returncode != 0:
        raise SetUpFailed(
            f"{done.stdout or ''}\nflask {' '.join(arguments)} failed; the lines above say why. "
            "./run --reset starts the demo afresh, and deletes its data."
        )


def _serve(settings: dict[str, str], instance: Path, port: int) -> None:
    """The stand-in first: the demo's people pay there while they are told of."""
    children: dict[str, subprocess.Popen[bytes]] = {}

    def start(name: str, command: list[str]) -> None:
        children[name] = processes.start(command, environment=settings)

    try:
        start("payment stand-in", _stand_in(instance, port))
        _command(settings, "db", "upgrade")
        _wait_for_stand_in(children, port + 1)
        _command(settings, "demo", "load", shown=True)
        start("web server", _web_server(port))
        start("worker", [*FLASK, "worker"])
        _wait_until_well(children, port)
        _announce(settings, settings["STOREFRONT_BASE_URL"], port)
        while True:
            _refuse_dead(children)
            time.sleep(0.5)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for child in children.values():
            child.terminate()
        for child in children.values():
            processes.stop(child)


def _stand_in(instance: Path, port: int) -> list[str]:
    return [
        *(str(PYTHON), "-m", "sandbox", "--port", str(port + 1)),
        *("--state", str(instance / "sandbox.sqlite3")),
        *("--log", str(instance / "sandbox-requests.jsonl")),
        *("--webhook-base", f"http://{LOOPBACK}:{port}"),
    ]


def _web_server(port: int) -> list[str]:
    return [
        *(str(PYTHON), "-m", "granian", "--interface", "wsgi", "--host", LOOPBACK),
        *("--port", str(port), "--workers", "1", "--blocking-threads", "4"),
        *("--log-level", "warning", "wsgi:app"),
    ]


def _wait_for_stand_in(children: dict[str, subprocess.Popen[bytes]], port: int) -> None:
    """Wait until the stand-in takes connections. Raises SetUpFailed when it never does."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        _refuse_dead(children)
        with socket.socket() as probe:
            if probe.connect_ex((LOOPBACK, port)) == 0:
                return
        time.sleep(0.1)
    raise SetUpFailed(f"The payment stand-in does not start within {START_SECONDS} seconds.")


def _wait_until_well(children: dict[str, subprocess.Popen[bytes]], port: int) -> None:
    """Wait for /sante to answer that all is well. Raises SetUpFailed with what it says instead."""
    said = "nothing yet"
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        _refuse_dead(children)
        try:
            with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/sante", timeout=5) as answer:
                if answer.status == 200:
                    return
        except urllib.error.HTTPError as refusal:
            said = refusal.read().decode(errors="replace")
        except OSError as failure:
            said = str(failure)
        time.sleep(0.2)
    raise SetUpFailed(f"The shop is not well after {START_SECONDS} seconds. /sante says: {said}")


def _refuse_dead(children: dict[str, subprocess.Popen[bytes]]) -> None:
    for name, child in children.items():
        status = child.poll()
        if status is not None:
            how = f"by signal {-status}" if status < 0 else f"with status {status}"
            raise SetUpFailed(
                f"The {name} ended by itself, {how}; the lines above say why. "
                "The others are stopped too."
            )


def _announce(settings: dict[str, str], base: str, port: int) -> None:
    print(f"\nThe shop         {base}/")
    print(f"The staff area   {base}/gestion")
    print(f"Payment stand-in http://{LOOPBACK}:{port + 1}/\n", flush=True)
    subprocess.run([*FLASK, "demo", "sign-ins"], cwd=ROOT, env=settings, stdin=subprocess.DEVNULL)
    print("\nCtrl-C stops everything; the data stays.", flush=True)


if __name__ == "__main__":
    sys.exit(main())
