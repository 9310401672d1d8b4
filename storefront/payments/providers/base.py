"""The port every payment provider answers to.

Nothing above this folder knows a provider's name, its SDK or its vocabulary: the payments
room speaks in the values of this file. Adding a provider is one file that fulfils `Provider`
and one line in `registry.py`.

Three rules hold for every provider, and the types are shaped to make them easy to keep:

* **Amounts come back from the provider.** `Outcome.amount` is read from the provider's own
  object, never from what was asked: the payments room compares the two and refuses to settle
  an order with another order's money.
* **Doubt is not failure.** `ProviderUnavailable` means that nobody knows whether the money
  moved. The caller leaves its row as it stands and asks again later with the same row, hence
  the same idempotency key.
* **A webhook is a knock on the door.** `WebhookNotice` carries references to fetch again and
  no state at all, so there is nothing in a payload that could be acted upon.

Idempotency keys derive from the business row and from nothing else (`page:{payment_id}`,
`charge:{payment_id}:{attempt}`, `refund:{refund_id}`). A key sent again must carry the very same
request, so callers build requests from stored values only, never from the clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal, Protocol
from uuid import UUID

from storefront.kernel.money import Money

PAGE_LIFETIME = timedelta(minutes=31)
"""How long a hosted page stays open: Stripe's minimum is 30 minutes, counted on its clock."""

_LONGEST_NAME = 120


class ProviderUnavailable(Exception):
    """The provider gave no usable answer (timeout, connection, 5xx, throttling).

    The money may or may not have moved. Nothing may be guessed: ask again with the same row.
    """


class ProviderRejected(Exception):
    """The provider refused our request, and it was no decline: a bug or wrong settings.

    Sending the same again gives the same answer, so this must become visible to staff.
    The message names the provider's error code and never holds personal data or secrets.
    """


class InvalidSignature(Exception):
    """A webhook was not signed by the provider, not for us, or not at about this time."""


class IncompleteSettings(ValueError):
    """A provider has some of its settings but not all: the shop must not start like that."""


@dataclass(frozen=True)
class ProviderSettings:
    """What the providers need from the environment; an empty first key leaves a provider out.

    `stripe_webhook_secret` and `paypal_webhook_id` accept several values parted by commas, so
    that a secret can be rotated without losing an event in between. Secrets stay out of `repr`.
    """

    stripe_secret_key: str = field(default="", repr=False)
    stripe_webhook_secret: str = field(default="", repr=False)
    stripe_api_base: str = "https://api.stripe.com"
    paypal_client_id: str = ""
    paypal_client_secret: str = field(default="", repr=False)
    paypal_webhook_id: str = ""
    paypal_api_base: str = "https://api-m.paypal.com"


@dataclass(frozen=True)
class Capabilities:
    """What a provider can do, asked before it is offered to a buyer.

    `saved_method`: later payments can be taken without the buyer (instalments, plans).
    `set_up`: a method can be kept while nothing is taken yet.
    `currencies`: ISO 4217 codes it takes and whose minor units it counts as we do.
    `refund`: refunds go back through the provider rather than by hand.
    `guest`: a buyer without an account at the provider can pay.
    `hosted_page`: the page the buyer is sent to is the provider's; when False the buyer stays
    with us and `HostedPage.reference` is what the transfer must quote.
    `fallback`: offered only when nobody with a hosted page takes the order.
    """

    saved_method: bool
    currencies: frozenset[str]
    refund: bool
    guest: bool
    hosted_page: bool = True
    set_up: bool = False
    fallback: bool = False


class OutcomeStatus(StrEnum):
    """Where a payment stands according to the provider, at the moment it was asked."""

    SUCCEEDED = "succeeded"
    PENDING = "pending"
    """Accepted but not there yet (bank debit, review): ask again, or wait for the webhook."""
    DECLINED = "declined"
    CANCELLED = "cancelled"
    """The page expired or was voided, and nothing was paid."""
    OPEN = "open"
    """The buyer has not finished yet."""
    NEEDS_CUSTOMER = "needs_customer"
    """The bank wants the customer to authenticate: only a new page on session can settle it."""


@dataclass(frozen=True)
class Decline:
    """Why money was refused. `retryable` is False when the same method will never work."""

    code: str
    retryable: bool


@dataclass(frozen=True)
class SavedReference:
    """A payment method kept at the provider. `label` is safe to show: "Visa •••• 4242"."""

    customer: str
    method: str
    label: str


@dataclass(frozen=True)
class HostedPage:
    """`reference`: what `fetch_page` asks about; `url`: where the browser goes now."""

    reference: str
    url: str


@dataclass(frozen=True)
class Outcome:
    """What the provider says of one payment.

    `amount` is the money that really moved (or is about to, while PENDING), from the provider's
    object; None when there is none yet. `charge_reference` is what `refund` and `fetch_charge`
    take. `saved` is set once a method was kept for later.
    """

    status: OutcomeStatus
    amount: Money | None = None
    charge_reference: str | None = None
    saved: SavedReference | None = None
    decline: Decline | None = None


class RefundStatus(StrEnum):
    """Where a refund stands according to the provider."""

    SUCCEEDED = "succeeded"
    PENDING = "pending"
    REFUSED = "refused"


@dataclass(frozen=True)
class RefundOutcome:
    """`reference` and `amount` come from the provider; `reason` is its code when REFUSED.

    `refund_id` is our own id as the provider kept it; None: made by hand on its dashboard.
    """

    status: RefundStatus
    reference: str | None = None
    amount: Money | None = None
    reason: str | None = None
    refund_id: UUID | None = None


class DisputeStatus(StrEnum):
    """Where a dispute stands according to the provider, seen from the seller."""

    OPEN = "open"
    WON = "won"
    """Closed, and the seller keeps the money."""
    LOST = "lost"
    """Closed, and the money went back to the payer."""


@dataclass(frozen=True)
class DisputeOutcome:
    """A payer contests a charge, at the provider or at their bank.

    `reference` names the dispute for ever; `reason` is the provider's code; `evidence_due_at` is
    the last instant for the seller's answer, None when none is awaited.
    """

    reference: str
    status: DisputeStatus
    amount: Money
    charge_reference: str | None
    reason: str
    evidence_due_at: datetime | None = None


@dataclass(frozen=True)
class PageRequest:
    """A first payment on the provider's page. `expires_at` is stored with the payment.

    An amount of zero takes nothing and keeps the method: only for who has `set_up`.
    """

    payment_id: UUID
    amount: Money
    order_reference: str
    description: str
    email: str
    save_method: bool
    return_url: str
    cancel_url: str
    expires_at: datetime


@dataclass(frozen=True)
class ChargeRequest:
    """A later payment without the buyer. `attempt` starts at 1; a new attempt is a new key."""

    payment_id: UUID
    attempt: int
    amount: Money
    order_reference: str
    description: str
    saved: SavedReference
    usage: Literal["instalment", "subscription"]


@dataclass(frozen=True)
class RefundRequest:
    """Money back on one charge, whole or in part; `refund_id` is our refund row."""

    refund_id: UUID
    charge_reference: str
    amount: Money


@dataclass(frozen=True)
class WebhookNotice:
    """Something happened at the provider; nothing here says what the state is.

    `reference` names one of ours to fetch again: a page, a charge, or (a card taken away) a saved
    method. `payment_id` is our own id as the provider kept it, to find a row that was charged
    just before a crash and knows no reference yet. `dispute` is what `fetch_dispute` takes, and
    `refunded` says to ask for the refunds of the charge. Nothing of it: nothing for us.

    Raises `ValueError` for what no provider would send and no column would hold.
    """

    event_id: str
    kind: str
    reference: str | None
    payment_id: UUID | None = None
    dispute: str | None = None
    refunded: bool = False

    def __post_init__(self) -> None:
        for text in (self.event_id, self.kind, self.reference or "-", self.dispute or "-"):
            if not 0 < len(text) <= _LONGEST_NAME or not text.isascii() or not text.isprintable():
                raise ValueError("not a provider's identifier")


class Provider(Protocol):
    """One payment provider.

    Every method may raise `ProviderUnavailable` or `ProviderRejected`; none may be called inside
    a database transaction. Instances are shared between threads.
    """

    @property
    def key(self) -> str:
        """Short stable name, stored with payments: "stripe"."""

    @property
    def name_fr(self) -> str:
        """What the buyer reads when choosing how to pay."""

    @property
    def capabilities(self) -> Capabilities: ...

    def open_page(self, request: PageRequest) -> HostedPage:
        """Open the page on which the buyer pays; the same request again is the same page."""

    def fetch_page(self, reference: str, *, take: bool = True) -> Outcome:
        """Ask what became of a page, after the buyer's return or a webhook.

        Takes the money where the provider leaves that to us (an approved PayPal order), which
        is idempotent: any number of callers, in any order, take it once. Without `take` it only
        looks: for a page that was given up, or whose debt another payment settled.
        """

    def close_page(self, reference: str) -> Outcome:
        """Take no money on a page any more: the buyer chose another way, or the order ended.

        The outcome is final, or says that money is on its way all the same.
        """

    def charge(self, request: ChargeRequest) -> Outcome:
        """Take a later payment on a saved method; the same request again is the same charge."""

    def fetch_charge(self, charge_reference: str) -> Outcome:
        """Ask what became of a charge that was PENDING when it was made."""

    def refund(self, request: RefundRequest) -> RefundOutcome:
        """Give money back; the same request again is the same refund."""

    def refunds_of(self, charge_reference: str) -> tuple[RefundOutcome, ...]:
        """Ask for every refund of a charge, ours and those made by hand at the provider.

        Settles any doubt, also once the provider has forgotten the key of the request.
        """

    def fetch_dispute(self, reference: str) -> DisputeOutcome:
        """Ask where a dispute stands that a webhook named."""

    def read_webhook(self, headers: Mapping[str, str], body: bytes, now: datetime) -> WebhookNotice:
        """Verify a webhook on its raw bytes and say what to fetch again.

        Raises `InvalidSignature` when it is forged, meant for somebody else, too old or dated in
        the future; `ProviderUnavailable` when the proof could not be checked: answer 503, so
        that the provider sends it again.
        """


def header(headers: Mapping[str, str], name: str) -> str:
    """One header by name whatever its case, from any mapping; empty when absent."""
    for key, value in headers.items():
        if key.lower() == name.lower():
            return value
    return ""


def alternatives(setting: str) -> tuple[str, ...]:
    """The values of a setting that may hold several, parted by commas."""
    return tuple(part.strip() for part in setting.split(",") if part.strip())


def own_id(value: object) -> UUID | None:
    """Our id as a provider gives it back, or None when it is not one."""
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def require_currency(provider: Provider, amount: Money) -> None:
    """Raise `ProviderRejected` when the provider does not take this currency."""
    if amount.currency not in provider.capabilities.currencies:
        raise ProviderRejected(f"{provider.key} does not take {amount.currency}")
