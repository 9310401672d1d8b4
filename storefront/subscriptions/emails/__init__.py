"""What subscribers are told: their months, what will change, how it ends, what stands still."""

from storefront.subscriptions.emails.changes import (
    change_done,
    change_invoice,
    change_scheduled,
    change_taken_back,
)
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
from storefront.subscriptions.emails.notices import change, left, not_renewed, renewal, renewed

__all__ = [
    "change",
    "change_done",
    "change_invoice",
    "change_scheduled",
    "change_taken_back",
    "end_kept",
    "end_scheduled",
    "left",
    "month_invoice",
    "not_renewed",
    "notice_closed",
    "notice_effective",
    "notice_given",
    "past_due",
    "paused",
    "renewal",
    "renewed",
    "resumed",
    "suspended",
    "unpaused",
]
