"""Monthly contracts: each period is opened once, owed once, and keeps the service going (B-01).

A period after the first is an instalment like another: the one billing run takes it, its failures
are retried by the same terms, and what happens to it comes back here as an event.
"""

from storefront.subscriptions.service.changes import (
    invoice_change,
    lapse_change,
    note_change_paid,
    note_page_closed,
)
from storefront.subscriptions.service.changing import (
    ChangeRecomputed,
    ChangeRefused,
    Choice,
    awaiting,
    choose,
    take_back,
)
from storefront.subscriptions.service.endings import end_revoked, schedule_end
from storefront.subscriptions.service.failures import note_failed, note_paid, suspend
from storefront.subscriptions.service.months import grant_month, invoice_month, open_next_month
from storefront.subscriptions.service.starting import (
    AlreadySubscribed,
    Wanted,
    check_free,
    start_for_order,
)
from storefront.subscriptions.service.versions import publish_version, version_of

__all__ = [
    "AlreadySubscribed",
    "ChangeRecomputed",
    "ChangeRefused",
    "Choice",
    "Wanted",
    "awaiting",
    "check_free",
    "choose",
    "end_revoked",
    "grant_month",
    "invoice_change",
    "invoice_month",
    "lapse_change",
    "note_change_paid",
    "note_failed",
    "note_page_closed",
    "note_paid",
    "open_next_month",
    "publish_version",
    "schedule_end",
    "start_for_order",
    "suspend",
    "take_back",
    "version_of",
]
