"""What subscribers are told: their months, what is not paid, how it ends, and what stands still."""

from storefront.subscriptions.emails.endings import (
    end_kept,
    end_scheduled,
    notice_closed,
    notice_effective,
    notice_given,
    paused,
    unpaused,
)
from storefront.subscriptions.emails.months import month_invoice, past_due, resumed, suspended

__all__ = [
    "end_kept",
    "end_scheduled",
    "month_invoice",
    "notice_closed",
    "notice_effective",
    "notice_given",
    "past_due",
    "paused",
    "resumed",
    "suspended",
    "unpaused",
]
