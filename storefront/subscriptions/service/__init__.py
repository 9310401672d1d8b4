"""Monthly contracts: each period is opened once, owed once, and keeps the service going (B-01).

A period after the first is an instalment like another: the one billing run takes it, its failures
are retried by the same terms, and what happens to it comes back here as an event.
"""

from storefront.subscriptions.service.endings import (
    EndAnnounced,
    NothingToKeep,
    SubscriptionOver,
    close_notice,
    end_by_holder,
    end_revoked,
    give_notice,
    notice_of,
    schedule_end,
    take_back,
    take_effect,
)
from storefront.subscriptions.service.failures import (
    follow_arrears,
    note_deferred,
    note_failed,
    note_paid,
    suspend,
)
from storefront.subscriptions.service.months import (
    grant_month,
    invoice_month,
    open_next_month,
    open_rest,
)
from storefront.subscriptions.service.pauses import (
    RECORDED_WITHIN,
    AlreadyPaused,
    BadPauseDate,
    NotPaused,
    pause,
    pause_all,
    resume,
    resume_all,
)
from storefront.subscriptions.service.settling import unused_of
from storefront.subscriptions.service.starting import (
    AlreadySubscribed,
    Wanted,
    check_free,
    start_for_order,
)
from storefront.subscriptions.service.versions import publish_version, version_of

__all__ = [
    "RECORDED_WITHIN",
    "AlreadyPaused",
    "AlreadySubscribed",
    "BadPauseDate",
    "EndAnnounced",
    "NotPaused",
    "NothingToKeep",
    "SubscriptionOver",
    "Wanted",
    "check_free",
    "close_notice",
    "end_by_holder",
    "end_revoked",
    "follow_arrears",
    "give_notice",
    "grant_month",
    "invoice_month",
    "note_deferred",
    "note_failed",
    "note_paid",
    "notice_of",
    "open_next_month",
    "open_rest",
    "pause",
    "pause_all",
    "publish_version",
    "resume",
    "resume_all",
    "schedule_end",
    "start_for_order",
    "suspend",
    "take_back",
    "take_effect",
    "unused_of",
    "version_of",
]
