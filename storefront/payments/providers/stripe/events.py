"""Stripe's webhooks: who signed them, and which of our references they are about."""

from __future__ import annotations

import json
from typing import Any

import stripe
from stripe import WebhookSignature

from storefront.payments.providers.base import InvalidSignature, WebhookNotice, own_id


def is_signed(body: bytes, signature: str, secret: str) -> bool:
    """Whether this secret made the signature; its age is not judged here."""
    try:
        WebhookSignature.verify_header(body, signature, secret, tolerance=None)
    except (stripe.SignatureVerificationError, UnicodeDecodeError):
        return False
    return True


def signed_at(signature: str) -> int:
    """The timestamp a verified signature covers: its first `t`, read just as the SDK reads it."""
    parts = (part.split("=", 2) for part in signature.split(","))
    return next(int(part[1]) for part in parts if part[0] == "t")


def read_event(body: bytes) -> WebhookNotice:
    """What to fetch again. Only identifiers are read from a payload."""
    try:
        event = json.loads(body)
        event_id, kind, thing = str(event["id"]), str(event["type"]), event["data"]["object"]
        metadata = thing.get("metadata")
        hint = metadata.get("payment_id") if isinstance(metadata, dict) else None
        dispute = thing.get("id") if thing.get("object") == "dispute" else None
        refunded = kind.startswith(("refund.", "charge.refund"))
        return WebhookNotice(
            event_id, kind, _reference(kind, thing), own_id(hint), dispute, refunded
        )
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise InvalidSignature("signed, but no Stripe event") from error


def _reference(kind: str, thing: dict[str, Any]) -> str | None:
    match thing.get("object"):
        case "checkout.session" | "payment_intent":
            reference = thing.get("id")
        case "payment_method":
            # A card is named when it was taken away, not when it was attached or renewed.
            reference = thing.get("id") if kind == "payment_method.detached" else None
        case "charge" | "refund" | "dispute":
            reference = thing.get("payment_intent")
        case _:
            reference = None
    return reference if isinstance(reference, str) else None
