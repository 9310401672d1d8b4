"""Child processes that never outlive the command that started them."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence

_PR_SET_PDEATHSIG = 1


def start(
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    user: str | None = None,
    output: int | None = None,
    death_signal: signal.Signals = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start a child in a process group of its own, ended even when this process is killed.

    Of its own, so that Ctrl-C reaches this process alone, which then stops the children in order.
    """
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def die_with_parent() -> None:
        if libc is not None:
            libc.prctl(_PR_SET_PDEATHSIG, int(death_signal))

    return subprocess.Popen(
        command,
        env=environment,
        user=user,
        group=user,
        extra_groups=[] if user else None,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output is not None else None,
        start_new_session=True,
        preexec_fn=die_with_parent,
    )


def stop(
    child: subprocess.Popen[bytes],
    with_signal: signal.Signals = signal.SIGTERM,
    patience: float = 10,
) -> None:
    """Ask a child to stop, and end it with its whole group after `patience` seconds."""
    if child.poll() is None:
        child.send_signal(with_signal)
        try:
            child.wait(patience)
        except subprocess.TimeoutExpired:
            print(f"{child.args!r} does not stop: ended.", file=sys.stderr)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
