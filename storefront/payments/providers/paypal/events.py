"""Which of our references a PayPal event is about. Its state is never read."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from storefront.payments.providers.base import InvalidSignature, WebhookNotice, own_id
from storefront.payments.providers.paypal.answers import capture_of

_ABOUT_REFUNDS = ("PAYMENT.CAPTURE.REFUNDED", "PAYMENT.CAPTURE.REVERSED")


def read_event(body: bytes) -> WebhookNotice:
    """Raises `InvalidSignature` for a body that is no event, though the signature fits it."""
    try:
        event = json.loads(body)
        event_id, kind, resource = str(event["id"]), str(event["event_type"]), event["resource"]
        reference = _reference(kind, resource)
        return WebhookNotice(
            event_id,
            kind,
            reference if isinstance(reference, str) else None,
            _own_id(kind, resource),
            # The event itself is asked for again: it is how the dispute stood.
            event_id if kind.startswith("CUSTOMER.DISPUTE.") else None,
            kind in _ABOUT_REFUNDS,
        )
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise InvalidSignature("signed, but no PayPal event") from error


def _reference(kind: str, resource: dict[str, Any]) -> object:
    if kind.startswith("CHECKOUT.ORDER."):
        return resource.get("id")
    if kind in _ABOUT_REFUNDS:
        return capture_of(resource)  # the resource is the refund
    if kind.startswith("PAYMENT.CAPTURE."):
        related = resource.get("supplementary_data", {}).get("related_ids", {})
        return related.get("order_id") or resource.get("id")
    if kind.startswith("CUSTOMER.DISPUTE."):
        return resource["disputed_transactions"][0].get("seller_transaction_id")
    if kind == "VAULT.PAYMENT-TOKEN.CREATED":
        return resource.get("metadata", {}).get("order_id")
    if kind.startswith("VAULT.PAYMENT-TOKEN."):
        return resource.get("id")
    return None


def _own_id(kind: str, resource: dict[str, Any]) -> UUID | None:
    """Our payment's id; a refund bears its own there, which is nobody's payment."""
    if kind in _ABOUT_REFUNDS:
        return None
    units = resource.get("purchase_units") or [{}]
    return own_id(resource.get("custom_id") or units[0].get("custom_id"))
