"""What the payments room asks of a provider, for one training paid in three instalments."""

from __future__ import annotations

import socket
import uuid
from datetime import UTC, datetime
from typing import Any

from sandbox.testing import RunningSandbox
from storefront.kernel.money import Money
from storefront.payments.providers.base import (
    PAGE_LIFETIME,
    ChargeRequest,
    PageRequest,
    ProviderSettings,
    RefundRequest,
    SavedReference,
)

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
RETURN_URL = "http://127.0.0.1:8000/commande/retour"


def settings_for(sandbox: RunningSandbox, **changes: str) -> ProviderSettings:
    """The settings with which the providers talk to the sandbox."""
    values = {
        "stripe_secret_key": sandbox.stripe_key,
        "stripe_webhook_secret": sandbox.stripe_webhook_secret,
        "stripe_api_base": sandbox.base_url,
        "paypal_client_id": sandbox.paypal_client,
        "paypal_client_secret": sandbox.paypal_secret,
        "paypal_webhook_id": sandbox.paypal_webhook_id,
        "paypal_api_base": sandbox.base_url,
    }
    return ProviderSettings(**{**values, **changes})


def page_request(**changes: Any) -> PageRequest:
    """The first instalment, on the provider's page, keeping the means of payment."""
    values: dict[str, Any] = {
        "payment_id": uuid.uuid4(),
        "amount": Money(18000),
        "order_reference": "CMD-2026-000042",
        "description": "Formation « Dépannage électrique », échéance 1 sur 3",
        "email": "camille@exemple.test",
        "save_method": True,
        "return_url": RETURN_URL,
        "cancel_url": "http://127.0.0.1:8000/commande/paiement",
        "expires_at": NOW + PAGE_LIFETIME,
    }
    return PageRequest(**{**values, **changes})


def charge_request(saved: SavedReference, **changes: Any) -> ChargeRequest:
    """The second instalment, without the buyer."""
    values: dict[str, Any] = {
        "payment_id": uuid.uuid4(),
        "attempt": 1,
        "amount": Money(6000),
        "order_reference": "CMD-2026-000042",
        "description": "Formation « Dépannage électrique », échéance 2 sur 3",
        "saved": saved,
        "usage": "instalment",
    }
    return ChargeRequest(**{**values, **changes})


def refund_request(charge_reference: str | None, minor: int) -> RefundRequest:
    """Part of a payment back."""
    assert charge_reference is not None
    return RefundRequest(uuid.uuid4(), charge_reference, Money(minor))


def nobody_listens_here() -> str:
    """An address at which connections are refused."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"
