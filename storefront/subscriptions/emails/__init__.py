"""What subscribers are told: their months, what will change, and the end of their term."""

from storefront.subscriptions.emails.months import month_invoice, past_due, resumed, suspended
from storefront.subscriptions.emails.notices import change, left, renewal, renewed

__all__ = [
    "change",
    "left",
    "month_invoice",
    "past_due",
    "renewal",
    "renewed",
    "resumed",
    "suspended",
]
