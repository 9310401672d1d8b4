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
    keep_plan,
)
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
from storefront.subscriptions.service.incidents import (
    Facts,
    IncidentCredited,
    close_incident,
    correct_incident,
    declare_incident,
    reconsider_outages,
    tell_of_incident,
    withdraw_incident,
)
from storefront.subscriptions.service.months import (
    grant_month,
    invoice_month,
    open_next_months,
    open_rest,
)
from storefront.subscriptions.service.outage_credits import (
    Computation,
    CreditsChanged,
    Granting,
    UnknownExceptions,
    grant_credits,
    hand_over,
    propose_credits,
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
from storefront.subscriptions.service.renewals import (
    answer,
    ask,
    give_back_late,
    leave_now,
)
from storefront.subscriptions.service.revisions import (
    DecisionClosed,
    announce,
    complete,
    go_on_with,
    note_told,
    stop_before,
    tell,
)
from storefront.subscriptions.service.settling import unused_of
from storefront.subscriptions.service.starting import (
    AlreadySubscribed,
    Wanted,
    check_free,
    start_for_order,
)
from storefront.subscriptions.service.states import note_use
from storefront.subscriptions.service.versions import publish_version, version_of

__all__ = [
    "RECORDED_WITHIN",
    "AlreadyPaused",
    "AlreadySubscribed",
    "BadPauseDate",
    "ChangeRecomputed",
    "ChangeRefused",
    "Choice",
    "Computation",
    "CreditsChanged",
    "DecisionClosed",
    "EndAnnounced",
    "Facts",
    "Granting",
    "IncidentCredited",
    "NotPaused",
    "NothingToKeep",
    "SubscriptionOver",
    "UnknownExceptions",
    "Wanted",
    "announce",
    "answer",
    "ask",
    "awaiting",
    "check_free",
    "choose",
    "close_incident",
    "close_notice",
    "complete",
    "correct_incident",
    "declare_incident",
    "end_by_holder",
    "end_revoked",
    "follow_arrears",
    "give_back_late",
    "give_notice",
    "go_on_with",
    "grant_credits",
    "grant_month",
    "hand_over",
    "invoice_change",
    "invoice_month",
    "keep_plan",
    "lapse_change",
    "leave_now",
    "note_change_paid",
    "note_deferred",
    "note_failed",
    "note_page_closed",
    "note_paid",
    "note_told",
    "note_use",
    "notice_of",
    "open_next_months",
    "open_rest",
    "pause",
    "pause_all",
    "propose_credits",
    "publish_version",
    "reconsider_outages",
    "resume",
    "resume_all",
    "schedule_end",
    "start_for_order",
    "stop_before",
    "suspend",
    "take_back",
    "take_effect",
    "tell",
    "tell_of_incident",
    "unused_of",
    "version_of",
    "withdraw_incident",
]
