"""Settings: the environment, read once into a frozen object that refuses to start incomplete."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, cast, get_args

Environment = Literal["demo", "test", "production"]

SANDBOX_API_BASE = "http://127.0.0.1:8001"
PREFIX = "STOREFRONT_"
MOST_CONNECTIONS = 32
DEMO_SELLER = Path(__file__).resolve().parents[1] / "demo" / "content" / "seller.toml"


class UnsafeSettings(Exception):
    """The settings cannot serve a real shop; `problems` names each one in plain words."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Settings:
    """Everything the shop takes from outside. One field per row of the README's table."""

    env: Environment
    instance: Path
    database_url: str
    secret_key: str
    base_url: str
    now: datetime | None
    stripe_secret_key: str
    stripe_webhook_secret: str
    stripe_api_base: str
    paypal_client_id: str
    paypal_client_secret: str
    paypal_webhook_id: str
    paypal_api_base: str
    smtp_url: str
    mail_from: str
    seller_file: Path
    files_folder: Path
    provider_connections: int

    @property
    def sandboxed(self) -> bool:
        """Whether payments go to the local stand-in instead of the real providers."""
        return self.stripe_api_base.startswith("http://")

    @property
    def payment_pages(self) -> tuple[str, ...]:
        """The origins of the pages on which buyers pay: where a form may lead them."""
        if self.sandboxed:
            return tuple(dict.fromkeys((self.stripe_api_base, self.paypal_api_base)))
        return ("https://checkout.stripe.com", "https://www.paypal.com")

    def problems(self) -> list[str]:
        """What is missing or unsafe for production, one sentence each; empty when safe."""
        required = {
            "SECRET_KEY": len(self.secret_key) >= 32,
            "DATABASE_URL": bool(self.database_url),
            "STRIPE_API_BASE": self.stripe_api_base.startswith("https://"),
            "PAYPAL_API_BASE": self.paypal_api_base.startswith("https://"),
            "SMTP_URL": bool(self.smtp_url),
            "MAIL_FROM": "@" in self.mail_from and not self.mail_from.endswith(".example"),
            "SELLER_FILE": self.seller_file != DEMO_SELLER and self.seller_file.is_file(),
            "BASE_URL": self.base_url.startswith("https://"),
        }
        # A provider is left out as a whole or named in full: until then it comes by hand (M-09).
        if self.stripe_secret_key or self.stripe_webhook_secret:
            required |= {
                "STRIPE_SECRET_KEY": self.stripe_secret_key.startswith(("sk_live_", "rk_live_")),
                "STRIPE_WEBHOOK_SECRET": self.stripe_webhook_secret.startswith("whsec_"),
            }
        if self.paypal_client_id or self.paypal_client_secret or self.paypal_webhook_id:
            required |= {
                "PAYPAL_CLIENT_ID": self.paypal_client_id not in ("", "sandbox-client"),
                "PAYPAL_CLIENT_SECRET": self.paypal_client_secret not in ("", "sandbox-secret"),
                "PAYPAL_WEBHOOK_ID": self.paypal_webhook_id not in ("", "WH-SANDBOX"),
            }
        found = [
            f"{PREFIX}{name} is missing or unsafe for production"
            for name, safe in required.items()
            if not safe
        ]
        if self.now is not None:
            found.append(f"{PREFIX}NOW must not be set in production")
        return found

    def refuse_unsafe(self) -> None:
        """Raise `UnsafeSettings` when a production shop would start with these settings."""
        if self.env == "production" and (problems := self.problems()):
            raise UnsafeSettings(problems)


def _kept_secret(instance: Path) -> str:
    """A secret made at first start and kept under the instance folder (demo and tests)."""
    instance.mkdir(parents=True, exist_ok=True)
    path = instance / "secret_key"
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return path.read_text()
    with os.fdopen(descriptor, "w") as file:
        file.write(secret := secrets.token_urlsafe(48))
    return secret


def _instant(text: str | None) -> datetime | None:
    if not text:
        return None
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _connections(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_CONNECTIONS:
        problem = f"{PREFIX}PROVIDER_CONNECTIONS must be from 1 to {MOST_CONNECTIONS}"
        raise UnsafeSettings([problem])
    return int(text)


def load_settings(environ: Mapping[str, str] | None = None, root: Path | None = None) -> Settings:
    """Read the environment once. Production takes no default for anything secret.

    Raises `UnsafeSettings` naming what is missing or unsafe when `STOREFRONT_ENV=production`.
    """
    environ = os.environ if environ is None else environ
    root = root or Path(__file__).resolve().parents[2]

    def read(name: str, default: str = "") -> str:
        return environ.get(PREFIX + name, default)

    env = read("ENV", "demo")
    if env not in get_args(Environment):
        raise UnsafeSettings([f"{PREFIX}ENV must be one of {', '.join(get_args(Environment))}"])
    production = env == "production"

    def demo(value: str) -> str:
        return "" if production else value

    instance = Path(read("INSTANCE", str(root / "instance")))
    settings = Settings(
        env=cast(Environment, env),
        instance=instance,
        database_url=read("DATABASE_URL") or demo(f"sqlite:///{instance / 'shop.sqlite3'}"),
        secret_key=read("SECRET_KEY") or ("" if production else _kept_secret(instance)),
        base_url=read("BASE_URL", demo("http://127.0.0.1:8000")).rstrip("/"),
        now=_instant(read("NOW")),
        stripe_secret_key=read("STRIPE_SECRET_KEY", demo("sk_test_sandbox")),
        stripe_webhook_secret=read("STRIPE_WEBHOOK_SECRET", demo("whsec_sandbox")),
        stripe_api_base=read(
            "STRIPE_API_BASE", "https://api.stripe.com" if production else SANDBOX_API_BASE
        ),
        paypal_client_id=read("PAYPAL_CLIENT_ID", demo("sandbox-client")),
        paypal_client_secret=read("PAYPAL_CLIENT_SECRET", demo("sandbox-secret")),
        paypal_webhook_id=read("PAYPAL_WEBHOOK_ID", demo("WH-SANDBOX")),
        paypal_api_base=read(
            "PAYPAL_API_BASE", "https://api-m.paypal.com" if production else SANDBOX_API_BASE
        ),
        smtp_url=read("SMTP_URL"),
        mail_from=read("MAIL_FROM", demo("boutique@letabli.example")),
        seller_file=Path(read("SELLER_FILE", str(DEMO_SELLER))),
        files_folder=Path(read("FILES_FOLDER", str(DEMO_SELLER.parent / "files"))),
        provider_connections=_connections(read("PROVIDER_CONNECTIONS", "8")),
    )
    settings.refuse_unsafe()
    return settings
