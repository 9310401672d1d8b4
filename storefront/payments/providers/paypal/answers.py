"""PayPal's objects and error codes in the words of the port."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from storefront.kernel.errors import Refusal
from storefront.kernel.money import Money
from storefront.payments.providers.base import (
    Decline,
    DisputeOutcome,
    DisputeStatus,
    Outcome,
    OutcomeStatus,
    ProviderUnavailable,
    RefundOutcome,
    RefundStatus,
    SavedReference,
    own_id,
)

Json = dict[str, Any]

# The payer or the bank says no, and may say yes another time.
_SOFT_DECLINES = frozenset(
    {
        "DECLINED_DUE_TO_RELATED_TXN",
        "INSTRUMENT_DECLINED",
        "MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED",
        "PAYMENT_DENIED",
        "PAYMENT_SOURCE_DECLINED_BY_PROCESSOR",
        "TRANSACTION_LIMIT_EXCEEDED",
        "TRANSACTION_REFUSED",
    }
)
# This account or authorisation will not pay any more.
_HARD_DECLINES = frozenset(
    {
        "AGREEMENT_ALREADY_CANCELLED",
        "BILLING_AGREEMENT_NOT_FOUND",
        "CARD_EXPIRED",
        "COMPLIANCE_VIOLATION",
        "CONSENT_NEEDED",
        "PAYEE_BLOCKED_TRANSACTION",
        "PAYER_ACCOUNT_LOCKED_OR_CLOSED",
        "PAYER_ACCOUNT_RESTRICTED",
        "PAYER_CANNOT_PAY",
        "PAYMENT_SOURCE_CANNOT_BE_USED",
        "REFERENCED_CARD_EXPIRED",
        "TOKEN_EXPIRED",
        "TOKEN_ID_NOT_FOUND",
        "TRANSACTION_BLOCKED_BY_PAYEE",
    }
)
_NEEDS_CUSTOMER = frozenset({"PAYER_ACTION_REQUIRED", "REDIRECT_PAYER_FOR_ALTERNATE_FUNDING"})

# A refund that PayPal will not make, whatever we send.
_REFUSED_REFUNDS = frozenset(
    {
        "CAPTURE_FULLY_REFUNDED",
        "MAX_NUMBER_OF_REFUNDS_EXCEEDED",
        "PARTIAL_REFUND_NOT_ALLOWED",
        "PAYER_ACCOUNT_LOCKED_OR_CLOSED",
        "PENDING_CAPTURE",
        "REFUND_AMOUNT_EXCEEDED",
        "REFUND_AMOUNT_TOO_LOW",
        "REFUND_FAILED_INSUFFICIENT_FUNDS",
        "REFUND_IS_RESTRICTED",
        "REFUND_NOT_ALLOWED",
        "REFUND_NOT_PERMITTED_DUE_TO_CHARGEBACK",
        "REFUND_TIME_LIMIT_EXCEEDED",
        "TRANSACTION_DISPUTED",
    }
)

# How a resolved dispute can end. The seller keeps the money when the case was decided or taken
# back so, or when PayPal paid the buyer itself.
_DISPUTE_ENDS = {
    "ACCEPTED": DisputeStatus.LOST,
    "RESOLVED_BUYER_FAVOUR": DisputeStatus.LOST,
    "CANCELED_BY_BUYER": DisputeStatus.WON,
    "DENIED": DisputeStatus.WON,
    "NONE": DisputeStatus.WON,
    "RESOLVED_SELLER_FAVOUR": DisputeStatus.WON,
    "RESOLVED_WITH_PAYOUT": DisputeStatus.WON,
}

# Money that came and went again did come: refunds are told apart from payments.
_CAPTURED = ("COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED")


def amount_json(amount: Money) -> Json:
    """PayPal writes amounts as strings in major units."""
    return {"currency_code": amount.currency, "value": amount.major_string()}


def order_outcome(order: Json) -> Outcome:
    """Where an order stands, without acting on it."""
    captures = [
        capture
        for unit in order.get("purchase_units", [])
        for capture in unit.get("payments", {}).get("captures", [])
    ]
    if captures:
        # One order takes money once; earlier captures, if any, are refusals.
        best = next((one for one in captures if one["status"] in _CAPTURED), captures[-1])
        return capture_outcome(best, _saved(order))
    if order["status"] == "VOIDED":
        return Outcome(OutcomeStatus.CANCELLED)
    return Outcome(OutcomeStatus.OPEN)


def capture_outcome(capture: Json, saved: SavedReference | None = None) -> Outcome:
    """Where a capture stands; the amount is the capture's own."""
    reference = str(capture["id"])
    if capture["status"] in _CAPTURED:
        status = OutcomeStatus.SUCCEEDED
    elif capture["status"] == "PENDING":
        status = OutcomeStatus.PENDING
    else:
        reason = capture.get("status_details", {}).get("reason") or f"CAPTURE_{capture['status']}"
        decline = Decline(str(reason), retryable=True)
        return Outcome(OutcomeStatus.DECLINED, charge_reference=reference, decline=decline)
    return Outcome(status, _money(capture["amount"]), reference, saved)


def refused_payment(issues: tuple[str, ...]) -> Outcome | None:
    """The outcome these error codes mean, or None when they are no answer of the payer's side."""
    for issue in issues:
        if issue in _NEEDS_CUSTOMER:
            return Outcome(OutcomeStatus.NEEDS_CUSTOMER, decline=Decline(issue, retryable=False))
        if issue in _SOFT_DECLINES or issue in _HARD_DECLINES:
            decline = Decline(issue, retryable=issue in _SOFT_DECLINES)
            return Outcome(OutcomeStatus.DECLINED, decline=decline)
    return None


def refund_outcome(refund: Json) -> RefundOutcome:
    """Where a refund stands; the amount is the refund's own."""
    reference, status = str(refund["id"]), refund["status"]
    amount, known = _money(refund["amount"]), own_id(refund.get("custom_id"))
    if status in ("COMPLETED", "PENDING"):
        done = status == "COMPLETED"
        moved = RefundStatus.SUCCEEDED if done else RefundStatus.PENDING
        return RefundOutcome(moved, reference, amount, refund_id=known)
    reason = refund.get("status_details", {}).get("reason") or f"REFUND_{status}"
    return RefundOutcome(RefundStatus.REFUSED, reference, amount, str(reason), known)


def refunds_in(order: Json, capture_id: str) -> tuple[RefundOutcome, ...]:
    """The refunds of one capture, as its order lists them."""
    return tuple(
        refund_outcome(refund)
        for unit in order.get("purchase_units", [])
        for refund in unit.get("payments", {}).get("refunds", [])
        if capture_of(refund) == capture_id
    )


def capture_of(refund: Json) -> str | None:
    """Which capture a refund gives back: PayPal says it by a link only."""
    for link in refund.get("links", []):
        if link.get("rel") == "up":
            return urlsplit(link["href"]).path.rpartition("/")[2] or None
    return None


def dispute_outcome(dispute: Json) -> DisputeOutcome:
    """Where a dispute stands. An ending that we cannot read is none: it stays open, for staff."""
    code = dispute.get("dispute_outcome", {}).get("outcome_code")
    ended = dispute["status"] == "RESOLVED"
    status = _DISPUTE_ENDS.get(code, DisputeStatus.OPEN) if ended else DisputeStatus.OPEN
    due = dispute.get("seller_response_due_date")
    transactions = dispute.get("disputed_transactions") or [{}]
    charge = transactions[0].get("seller_transaction_id")
    return DisputeOutcome(
        reference=str(dispute["dispute_id"]),
        status=status,
        amount=_money(dispute["dispute_amount"]),
        charge_reference=str(charge) if charge else None,
        reason=str(dispute.get("reason", "OTHER")),
        evidence_due_at=datetime.fromisoformat(due) if due else None,
    )


def refused_refund(issues: tuple[str, ...]) -> RefundOutcome | None:
    """The refusal these error codes mean, or None when our request was wrong."""
    issue = next((one for one in issues if one in _REFUSED_REFUNDS), None)
    return RefundOutcome(RefundStatus.REFUSED, reason=issue) if issue else None


def page_url(order: Json) -> str | None:
    """Where the buyer approves the order; None once there is nothing left to approve."""
    links = {link.get("rel"): link.get("href") for link in order.get("links", [])}
    url = links.get("payer-action") or links.get("approve")
    return str(url) if url else None


def _money(amount: Json) -> Money:
    try:
        return Money.from_major_string(amount["value"], amount["currency_code"])
    except Refusal as error:  # worded for a person's input, which this is not
        raise ProviderUnavailable("PayPal: unreadable amount") from error


def _saved(order: Json) -> SavedReference | None:
    wallet = order.get("payment_source", {}).get("paypal", {})
    vault = wallet.get("attributes", {}).get("vault", {})
    method, customer = vault.get("id"), vault.get("customer", {}).get("id")
    if not method or not customer:
        return None
    return SavedReference(str(customer), str(method), _label(str(wallet.get("email_address", ""))))


def _label(email: str) -> str:
    """The account, without showing the whole address."""
    name, at, domain = email.partition("@")
    return f"PayPal ({name[:1]}•••@{domain[:40]})" if at else "PayPal"
