"""Who sells: the identity that pages, invoices and terms name (PRI-07, INV-01)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

from flask import Flask, current_app
from stdnum import bic, iban

from storefront.kernel.calendar import OpeningHours


@dataclass(frozen=True)
class Transfer:
    """The account that buyers transfer to; IBAN and BIC without spaces."""

    holder: str
    iban: str
    bic: str


@dataclass(frozen=True)
class Cheque:
    """To whose order a cheque is made out, and where it is sent."""

    payable_to: str
    address: str


@dataclass(frozen=True)
class Offline:
    """How this seller takes money without a provider (M-09); what is absent is not offered."""

    transfer: Transfer | None = None
    cheque: Cheque | None = None
    on_request: bool = False


@dataclass(frozen=True)
class Seller:
    """The seller's file, as attributes; `facts` keeps the rest for templates and terms."""

    name: str
    facts: dict[str, Any]
    opening_hours: OpeningHours
    offline: Offline = Offline()

    def __getattr__(self, name: str) -> Any:
        """A fact of the file by its name; templates and terms write `seller.siren`."""
        try:
            return self.facts[name]
        except KeyError:
            raise AttributeError(name) from None


def load_seller(path: Path) -> Seller:
    """Read the seller's TOML file.

    Raises KeyError or TOMLDecodeError when it is incomplete, and stdnum's ValidationError for an
    IBAN or a BIC that cannot be: nobody's money goes to a mistyped account.
    """
    facts = tomllib.loads(path.read_text(encoding="utf-8"))
    return Seller(facts["name"], facts, _opening_hours(facts), _offline(facts.get("offline", {})))


def _offline(ways: dict[str, Any]) -> Offline:
    transfer, cheque = ways.get("transfer"), ways.get("cheque")
    return Offline(
        transfer=Transfer(
            transfer["holder"], iban.validate(transfer["iban"]), bic.validate(transfer["bic"])
        )
        if transfer
        else None,
        cheque=Cheque(cheque["payable_to"], cheque["address"]) if cheque else None,
        on_request=bool(ways.get("on_request", False)),
    )


def _opening_hours(facts: dict[str, Any]) -> OpeningHours:
    hours = facts["opening_hours"]
    spans = tuple(
        (time.fromisoformat(hours[part]["opens"]), time.fromisoformat(hours[part]["closes"]))
        for part in ("morning", "afternoon")
        if part in hours
    )
    # The file counts Monday as 1, like ISO 8601; Python's calendar as 0.
    weekly = {day - 1: spans for day in hours["days"]}
    closures = frozenset(
        day
        for closure in facts.get("closures", [])
        for day in _days(closure["from"], closure["to"])
    )
    return OpeningHours(weekly=weekly, closures=closures)


def _days(first: str, last: str) -> list[date]:
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    return [start + timedelta(days=offset) for offset in range((end - start).days + 1)]


def init_app(app: Flask) -> None:
    """Load the seller and name it `shop` in every template."""
    seller = load_seller(app.config["SETTINGS"].seller_file)
    app.extensions["seller"] = seller
    app.context_processor(lambda: {"shop": seller})


def seller() -> Seller:
    """The current shop's seller."""
    found: Seller = current_app.extensions["seller"]
    return found
