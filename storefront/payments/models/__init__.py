"""The ledger of what was asked of the providers and what they said."""

from storefront.payments.models.payments import (
    PAYMENT_LIFECYCLE,
    Arrival,
    ArrivalWay,
    Payment,
    PaymentStatus,
    PaymentUsage,
    SavedMethod,
    WebhookReceipt,
)
from storefront.payments.models.refunds import (
    DISPUTE_LIFECYCLE,
    REFUND_LIFECYCLE,
    Dispute,
    DisputeStatus,
    Refund,
    RefundReason,
    RefundStatus,
)

__all__ = [
    "DISPUTE_LIFECYCLE",
    "PAYMENT_LIFECYCLE",
    "REFUND_LIFECYCLE",
    "Arrival",
    "ArrivalWay",
    "Dispute",
    "DisputeStatus",
    "Payment",
    "PaymentStatus",
    "PaymentUsage",
    "Refund",
    "RefundReason",
    "RefundStatus",
    "SavedMethod",
    "WebhookReceipt",
]
