"""Transfer, cheque, "on request": the buyer pays by their own means, staff record what arrived.

There is no page and no third party, and these providers do not pretend otherwise: the buyer is sent
straight back to the shop, which shows how to pay and the reference to quote. Nobody can ask a bank
here, so a payment stays `OPEN` until staff record it in the payments room (M-09).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn
from uuid import UUID

from storefront.payments.providers.base import (
    Capabilities,
    ChargeRequest,
    HostedPage,
    InvalidSignature,
    Outcome,
    OutcomeStatus,
    PageRequest,
    ProviderRejected,
    ProviderSettings,
    RefundOutcome,
    RefundRequest,
    require_currency,
)

TRANSFER, CHEQUE, ON_REQUEST = "offline", "cheque", "on_request"
PREFIXES: Mapping[str, str] = {TRANSFER: "VIR", CHEQUE: "CHQ", ON_REQUEST: "REG"}
OFFLINE = frozenset(PREFIXES)
"""The keys of the ways to pay that staff record, and of no other."""


def reference_of(key: str, payment_id: UUID) -> str:
    """What the buyer quotes: derived from the payment alone, so that it is always the same."""
    return f"{PREFIXES[key]}-{payment_id.hex[:10].upper()}"


@dataclass(frozen=True)
class OfflineProvider:
    """One way to pay that staff record, behind the provider port."""

    key: str
    name_fr: str
    capabilities: Capabilities

    def open_page(self, request: PageRequest) -> HostedPage:
        """Send the buyer on to our own page, with a short reference to quote."""
        require_currency(self, request.amount)
        return HostedPage(reference_of(self.key, request.payment_id), request.return_url)

    def fetch_page(self, reference: str, *, take: bool = True) -> Outcome:
        """Still open: only staff know what arrived."""
        return Outcome(OutcomeStatus.OPEN)

    def close_page(self, reference: str) -> Outcome:
        """Nothing to close: money that arrives all the same is recorded by staff."""
        return Outcome(OutcomeStatus.CANCELLED)

    def charge(self, request: ChargeRequest) -> NoReturn:
        """Refuse: money cannot be drawn from a buyer who pays by their own means."""
        raise ProviderRejected("what is paid by hand cannot be taken")

    def fetch_charge(self, charge_reference: str) -> NoReturn:
        """Refuse: there is no charge to ask about."""
        raise ProviderRejected("what is paid by hand is recorded by staff")

    def refund(self, request: RefundRequest) -> NoReturn:
        """Refuse: staff send the money back and record it."""
        raise ProviderRejected("what is paid by hand is refunded by hand")

    def refunds_of(self, charge_reference: str) -> tuple[RefundOutcome, ...]:
        """None are known here: nobody can ask a bank."""
        return ()

    def fetch_dispute(self, reference: str) -> NoReturn:
        """Refuse: what the buyer sent cannot be contested."""
        raise ProviderRejected("what is paid by hand is not disputed")

    def read_webhook(self, headers: Mapping[str, str], body: bytes, now: datetime) -> NoReturn:
        """Refuse: nobody may speak for the bank."""
        raise InvalidSignature("no one signs for a bank")


def _way(key: str, name_fr: str, *currencies: str, fallback: bool = False) -> OfflineProvider:
    capabilities = Capabilities(
        saved_method=False,
        currencies=frozenset(currencies),
        refund=False,
        guest=True,
        hosted_page=False,
        fallback=fallback,
    )
    return OfflineProvider(key, name_fr, capabilities)


def transfer(settings: ProviderSettings) -> OfflineProvider:
    """Bank transfer, always there: the seller's file says whether it is offered."""
    return _way(TRANSFER, "Virement bancaire", "EUR")


def cheque(settings: ProviderSettings) -> OfflineProvider:
    """A cheque by post."""
    return _way(CHEQUE, "Chèque", "EUR")


def on_request(settings: ProviderSettings) -> OfflineProvider:
    """The seller writes with how to pay; what no hosted provider takes can be ordered all the
    same."""
    return _way(ON_REQUEST, "Sur demande", "EUR", "MAD", fallback=True)
