"""The virtual environment, made from the hashed locks and only when they have changed."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
RUNTIME = ("requirements.txt",)
DEVELOPMENT = ("requirements.txt", "requirements-dev.txt")
OLDEST_PYTHON = (3, 11)


class SetUpFailed(Exception):
    """The machine lacks something; the message says what, and what to do about it."""


def prepare(locks: tuple[str, ...]) -> None:
    """Make `.venv` hold what the locks list. Costs nothing when it already does.

    Raises SetUpFailed, in plain words, when the machine does not allow it.
    """
    if sys.version_info < OLDEST_PYTHON:
        wanted = ".".join(map(str, OLDEST_PYTHON))
        raise SetUpFailed(f"Python {wanted} or later is needed; this is {sys.version.split()[0]}.")
    with (ROOT / locks[0]).open() as lock:
        # ./run and ./check started together set up one after the other.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _reads(_stamp(locks)) == _fingerprint(locks) and PYTHON.exists():
            return
        _make_venv()
        print(
            f"Installing the packages of {' and '.join(locks)} (only when they change) …",
            flush=True,
        )
        _install(locks)
        for count in range(1, len(locks) + 1):
            installed = locks[:count]
            _stamp(installed).write_text(_fingerprint(installed))


def install_debian_packages(packages: list[str], purpose: str) -> None:
    """Install Debian packages, when this is Debian and we are root.

    Raises SetUpFailed naming the packages otherwise, or when apt cannot.
    """
    by_hand = f"apt-get install {' '.join(packages)}"
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise SetUpFailed(f"{purpose} needs packages of the system. Please run: sudo {by_hand}")
    print(f"Installing {', '.join(packages)} …", flush=True)
    # RUNLEVEL=1: a database server that comes with its package is not to be started.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    install = ["apt-get", "install", "-qq", "--yes", "--no-install-recommends", *packages]
    for command in (["apt-get", "update", "-qq"], install):
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode != 0:
            raise SetUpFailed(
                f"{done.stdout}\n{' '.join(command)} failed; its last lines say why. "
                f"{purpose} needs: {by_hand}"
            )


def _fingerprint(locks: tuple[str, ...]) -> str:
    """What the environment depends on: the locks, the interpreter, the folder it was made in."""
    interpreter = f"{sys.implementation.cache_tag} {platform.machine()}"
    digest = hashlib.sha256(f"{interpreter}\0{VENV}".encode())
    for lock in locks:
        digest.update((ROOT / lock).read_bytes())
    return digest.hexdigest()


def _stamp(locks: tuple[str, ...]) -> Path:
    return VENV / f"installed-{locks[-1]}.sha256"


def _reads(path: Path) -> str | None:
    return path.read_text() if path.exists() else None


def _make_venv() -> None:
    if _has_pip():
        return
    if importlib.util.find_spec("ensurepip") is None:
        install_debian_packages(["python3-venv"], "A virtual environment")
    print("Making the virtual environment .venv …", flush=True)
    clear = ["--clear"] if VENV.exists() else []
    _run([sys.executable, "-m", "venv", *clear, str(VENV)], "The virtual environment failed.")


def _has_pip() -> bool:
    """Whether `.venv` is whole: an interrupted or moved one is not, and is made again."""
    if not PYTHON.exists() or _made_elsewhere():
        return False
    return subprocess.run([PYTHON, "-c", "import pip"], stderr=subprocess.DEVNULL).returncode == 0


def _made_elsewhere() -> bool:
    """Whether the folder was moved since: the commands in `.venv/bin` carry its old address."""
    activate = VENV / "bin" / "activate"
    return not activate.exists() or str(VENV) not in activate.read_text()


def _install(locks: tuple[str, ...]) -> None:
    listed = [argument for lock in locks for argument in ("-r", lock)]
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run(
        [*pip, "--no-input", "--require-hashes", "--only-binary", ":all:", *listed],
        "The packages could not be installed; the lines above say why. "
        "The first time, a Python package index must be reachable.",
    )


def _run(command: list[str], failure: str) -> None:
    if subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL).returncode != 0:
        raise SetUpFailed(failure)
