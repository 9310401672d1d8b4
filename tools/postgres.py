"""A PostgreSQL of our own for the time of a command: no port, no password, nothing left behind.

Also by hand: `python3 -m tools.postgres .venv/bin/pytest tests/orders`
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools import processes

URL_SETTING = "STOREFRONT_TEST_DATABASE_URL"
START_SECONDS = 30

# What a crash would lose here is thrown away anyway.
_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class PostgresFailed(Exception):
    """The server did not start; the message holds what it said."""


def find_programs() -> Path | None:
    """The folder of the newest `initdb`, where Debian puts it or on the PATH; None without one."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda path: int(path.parts[-3]),
    )
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


@contextmanager
def temporary_cluster() -> Iterator[str]:
    """Run a server on a socket in a temporary folder, and yield the address of its database.

    The server refuses to run as root, so root hands it over to the user `postgres`.
    Raises PostgresFailed when it does not start.
    """
    programs = find_programs()
    if programs is None:
        raise PostgresFailed("PostgreSQL is not installed.")
    user = "postgres" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="storefront-postgres-"))
    server = None
    try:
        if user:
            entry = pwd.getpwnam(user)
            os.chown(folder, entry.pw_uid, entry.pw_gid)
        _initialise(programs, folder, user)
        server = _serve(programs, folder, user)
        yield f"postgresql+psycopg://postgres@/postgres?host={folder}"
    finally:
        if server is not None:
            # The polite signal waits for clients that stay connected; this one does not.
            processes.stop(server, signal.SIGINT)
        shutil.rmtree(folder, ignore_errors=True)


def _initialise(programs: Path, folder: Path, user: str | None) -> None:
    done = subprocess.run(
        [
            *(programs / "initdb", "--pgdata", folder / "data", "--username=postgres"),
            *("--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"),
        ],
        user=user,
        group=user,
        extra_groups=[] if user else None,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode != 0:
        raise PostgresFailed(done.stdout)


def _serve(programs: Path, folder: Path, user: str | None) -> subprocess.Popen[bytes]:
    settings = ("listen_addresses=", f"unix_socket_directories={folder}", "max_connections=200")
    flags = [flag for setting in (*settings, *_FAST) for flag in ("-c", setting)]
    log = folder / "log"
    with log.open("wb") as output:
        server = processes.start(
            [str(programs / "postgres"), "-D", str(folder / "data"), *flags],
            user=user,
            output=output.fileno(),
            death_signal=signal.SIGINT,
        )
    ready = [str(programs / "pg_isready"), "--quiet", "--host", str(folder)]
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        if subprocess.run(ready, stdin=subprocess.DEVNULL).returncode == 0:
            return server
        time.sleep(0.1)
    processes.stop(server, signal.SIGINT)
    raise PostgresFailed(log.read_text())


def main() -> int:
    """Run the command given, with the address of a fresh server in its environment."""
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    with temporary_cluster() as url:
        return subprocess.run(sys.argv[1:], env={**os.environ, URL_SETTING: url}).returncode


if __name__ == "__main__":
    sys.exit(main())
