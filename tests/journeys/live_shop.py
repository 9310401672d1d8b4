"""A shop served for real: web server, worker and the providers' stand-in, each a process."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, TypeVar

import pyotp
import requests
from sqlalchemy import select

from storefront.app import create_app
from storefront.demo import shelves
from storefront.demo.content import CONTENT, FirstDay, read
from storefront.identity import service as identity
from storefront.identity.models import Role
from storefront.infra.config import load_settings
from storefront.infra.db import db, transaction
from storefront.legal import service as legal
from storefront.legal.models import TermsVersion
from tools import processes

ROOT = Path(__file__).resolve().parents[2]
LOOPBACK = "127.0.0.1"
PATIENCE_SECONDS = 40

STAFF_PASSWORD = "quatre-mots-pour-entrer"
TECHNICIAN = "technique@letabli.example"
MANAGER = "gerance@letabli.example"
STAFF = {TECHNICIAN: ("Ilyes Bercot", Role.TECHNICIAN), MANAGER: ("Solène Marchegay", Role.MANAGER)}

T = TypeVar("T")


def eventually(ask: Callable[[], T | None], what: str) -> T:
    """What `ask` answers, as soon as it is something. Raises AssertionError naming `what`."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if answer := ask():
            return answer
        time.sleep(0.1)
    raise AssertionError(f"{what}: not after {PATIENCE_SECONDS} seconds")


def _environment(folder: Path, web: int, stand_in: int) -> dict[str, str]:
    """The settings of every process of one shop; nothing of the caller's own shop gets in."""
    inherited = {name: text for name, text in os.environ.items() if "STOREFRONT" not in name}
    return {
        **inherited,
        "STOREFRONT_ENV": "demo",
        "STOREFRONT_INSTANCE": str(folder),
        "STOREFRONT_BASE_URL": f"http://{LOOPBACK}:{web}",
        "STOREFRONT_STRIPE_API_BASE": f"http://{LOOPBACK}:{stand_in}",
        "STOREFRONT_PAYPAL_API_BASE": f"http://{LOOPBACK}:{stand_in}",
    }


def _flask(environment: dict[str, str], *arguments: str) -> str:
    """Run one of the shop's commands and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", *arguments],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, f"flask {' '.join(arguments)}:\n{done.stdout}"
    return done.stdout


def stock(folder: Path, now: datetime) -> dict[str, str]:
    """A shop as on its first day: migrated, terms published, shelves filled, staff hired.

    Returns the secrets of the staff's second factors, by address.
    """
    environment = _environment(folder, 1, 1)
    _flask(environment, "db", "upgrade")
    app = create_app(load_settings(environment))
    published = read("terms/published.toml")["published"]
    oldest = max(one["days_ago"] for one in published)
    texts = [(f"terms/{one['file']}", one["days_ago"]) for one in published]
    texts += [(f"pages/{path.name}", oldest) for path in sorted((CONTENT / "pages").glob("*.md"))]
    with app.app_context():
        for name, days_ago in texts:
            with transaction():
                text = (CONTENT / name).read_text(encoding="utf-8")
                legal.publish(text, now=now - timedelta(days=days_ago))
        with transaction():
            shelves.fill(FirstDay(now))
        assert db.session.scalar(select(TermsVersion.id)) is not None
        db.session.rollback()
        secrets = {email: _hire(email, name, role, now) for email, (name, role) in STAFF.items()}
        db.session.remove()
        db.engine.dispose()
    return secrets


def _hire(email: str, name: str, role: Role, now: datetime) -> str:
    """A member of staff whose telephone holds the second factor; returns its secret."""
    earlier = now - timedelta(days=1)
    with transaction():
        user = identity.create_staff(email, name, role, STAFF_PASSWORD, now=earlier)
        secret = identity.start_second_factor(user)
        identity.use_code(user, pyotp.TOTP(secret).at(earlier), now=earlier)
    return secret


@dataclass
class LiveShop:
    """What a journey holds in its hands besides the browser."""

    folder: Path
    base_url: str
    stand_in: str
    environment: dict[str, str] = field(repr=False)
    secrets: dict[str, str] = field(repr=False)
    logs: dict[str, Path] = field(default_factory=dict)

    def now(self) -> datetime:
        """The shop's present instant."""
        shift = json.loads((self.folder / "clock.json").read_text())["shift_seconds"]
        return datetime.now(UTC) + timedelta(seconds=shift)

    def code(self, email: str) -> str:
        """What this member of staff's telephone shows now."""
        return pyotp.TOTP(self.secrets[email]).at(self.now())

    def advance_to(self, instant: str) -> str:
        """Let the days go by; returns what the command says of them."""
        return _flask(self.environment, "demo", "advance-to", instant)

    def letters(self, recipient: str, subject: str = "") -> list[EmailMessage]:
        """What this person's mailbox holds, oldest first, whose subject contains `subject`."""
        files = sorted((self.folder / "mail").glob("*.eml"))
        letters = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
        return [
            letter
            for letter in letters
            if recipient in str(letter["To"]) and subject in str(letter["Subject"])
        ]

    def letter(self, recipient: str, subject: str) -> EmailMessage:
        """The newest such letter, waited for."""
        found = eventually(
            lambda: self.letters(recipient, subject), f"an e-mail « {subject} » to {recipient}"
        )
        return found[-1]

    @contextmanager
    def mail_down(self) -> Iterator[None]:
        """Meanwhile no message can be handed over: something stands where they are put."""
        mail, away = self.folder / "mail", self.folder / "mail-kept"
        mail.rename(away)
        mail.touch()
        try:
            yield
        finally:
            mail.unlink()
            away.rename(mail)

    def control(self, path: str, **body: Any) -> Any:
        """Ask or tell the providers' stand-in something."""
        answer = requests.request(
            "POST" if body else "GET",
            f"{self.stand_in}/_sandbox/{path}",
            json=body or None,
            timeout=15,
        )
        answer.raise_for_status()
        return answer.json()

    def taken(self, provider: str, reference: str) -> list[int]:
        """What was taken from the payer for an order, in minor units, as the provider knows."""
        taken = self.control("ledger")[provider]["taken"]
        return [entry["amount"] for entry in taken if reference in json.dumps(entry)]

    def count(self, statement: str, *values: str) -> int:
        """What one SELECT counts in the shop's own database."""
        with closing(sqlite3.connect(f"file:{self.folder}/shop.sqlite3?mode=ro", uri=True)) as base:
            return int(base.execute(statement, values).fetchone()[0])

    def complaints(self) -> list[str]:
        """Errors that a process has written into its log."""
        return [
            f"{name}: {line}"
            for name, path in self.logs.items()
            for line in path.read_text(errors="replace").splitlines()
            if "Traceback" in line or " ERROR " in line or line.startswith("ERROR")
        ]

    def last_lines(self, count: int = 40) -> str:
        """The end of every log, to read when a journey failed."""
        parts = []
        for name, path in self.logs.items():
            lines = path.read_text(errors="replace").splitlines()[-count:]
            parts.append("\n".join([f"--- {name}", *lines]))
        return "\n".join(parts)


Serving = Callable[[], AbstractContextManager[LiveShop]]


@contextmanager
def serve(
    stocked: Path, folder: Path, secrets: dict[str, str], now: datetime, request_log: Path | None
) -> Iterator[LiveShop]:
    """Serve a copy of a stocked shop on free ports, its clock at `now`, until the end."""
    shutil.copytree(stocked, folder)
    web, stand_in = _free_port(), _free_port()
    environment = _environment(folder, web, stand_in)
    # The shop's own file: web, worker and commands tell the same time by it.
    shift = (now - datetime.now(UTC)).total_seconds()
    (folder / "clock.json").write_text(json.dumps({"shift_seconds": shift}))
    shop = LiveShop(
        folder,
        environment["STOREFRONT_BASE_URL"],
        environment["STOREFRONT_STRIPE_API_BASE"],
        environment,
        secrets,
    )
    commands = {
        "stand-in": [
            *("-m", "sandbox", "--port", str(stand_in), "--webhook-base", shop.base_url),
            *("--state", str(folder / "sandbox.sqlite3")),
            *("--log", str(request_log or folder / "requests.jsonl")),
        ],
        "web": [
            *("-m", "granian", "--interface", "wsgi", "--host", LOOPBACK, "--port", str(web)),
            *("--workers", "1", "--blocking-threads", "4", "--log-level", "warning", "wsgi:app"),
        ],
        "worker": ["-m", "flask", "--app", "wsgi", "worker"],
    }
    children: list[subprocess.Popen[bytes]] = []
    try:
        for name, command in commands.items():
            shop.logs[name] = folder / f"{name}.log"
            with shop.logs[name].open("wb") as log:
                children.append(
                    processes.start(
                        [sys.executable, *command], environment=environment, output=log.fileno()
                    )
                )
        _wait_until_well(shop, children)
        shop.control("clock", now=shop.now().isoformat())
        yield shop
    finally:
        for child in children:
            child.terminate()
        for child in children:
            processes.stop(child)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def _wait_until_well(shop: LiveShop, children: list[subprocess.Popen[bytes]]) -> None:
    """Until web, worker and database say so themselves, and the stand-in answers."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    addresses = [f"{shop.stand_in}/_sandbox/state", f"{shop.base_url}/sante"]
    while addresses and time.monotonic() < deadline:
        assert all(child.poll() is None for child in children), shop.last_lines()
        try:
            if requests.get(addresses[0], timeout=5).ok:
                del addresses[0]
                continue
        except requests.ConnectionError:
            pass
        time.sleep(0.1)
    assert not addresses, f"{addresses[0]} is not well:\n{shop.last_lines()}"
