"""Bank transfer: the buyer pays through their own bank, and staff record what arrived.

There is no page and no third party, and this provider does not pretend otherwise: the buyer is sent
straight back to the shop, which shows where to transfer and the reference to quote. Nobody can ask
a bank here, so a payment stays `OPEN` until staff record it in the payments room.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NoReturn, Self

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


class OfflineProvider:
    """Bank transfer behind the provider port."""

    key = "offline"
    name_fr = "Virement bancaire"
    capabilities = Capabilities(
        saved_method=False,
        currencies=frozenset({"EUR"}),
        refund=False,
        guest=True,
        hosted_page=False,
    )

    @classmethod
    def from_settings(cls, settings: ProviderSettings) -> Self:
        """Always there: it needs nothing."""
        return cls()

    def open_page(self, request: PageRequest) -> HostedPage:
        """Send the buyer on to our own page, with a short reference to quote in the transfer.

        The reference derives from the payment alone, so that asking twice gives the same one.
        """
        require_currency(self, request.amount)
        return HostedPage(
            reference=f"VIR-{request.payment_id.hex[:10].upper()}", url=request.return_url
        )

    def fetch_page(self, reference: str, *, take: bool = True) -> Outcome:
        """Still open: only staff know whether a transfer arrived."""
        return Outcome(OutcomeStatus.OPEN)

    def close_page(self, reference: str) -> Outcome:
        """Nothing to close: a transfer that arrives all the same is recorded by staff."""
        return Outcome(OutcomeStatus.CANCELLED)

    def charge(self, request: ChargeRequest) -> NoReturn:
        """Refuse: money cannot be drawn from a buyer who pays by transfer."""
        raise ProviderRejected("a bank transfer cannot be taken")

    def fetch_charge(self, charge_reference: str) -> NoReturn:
        """Refuse: there is no charge to ask about."""
        raise ProviderRejected("a bank transfer is recorded by staff")

    def refund(self, request: RefundRequest) -> NoReturn:
        """Refuse: staff transfer the money back and record it."""
        raise ProviderRejected("a bank transfer is refunded by hand")

    def refunds_of(self, charge_reference: str) -> tuple[RefundOutcome, ...]:
        """None are known here: nobody can ask a bank."""
        return ()

    def fetch_dispute(self, reference: str) -> NoReturn:
        """Refuse: a transfer cannot be contested."""
        raise ProviderRejected("a bank transfer is not disputed")

    def read_webhook(self, headers: Mapping[str, str], body: bytes, now: datetime) -> NoReturn:
        """Refuse: nobody may speak for the bank."""
        raise InvalidSignature("no one signs for a bank transfer")
