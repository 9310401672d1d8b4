"""Monthly contracts: each period is opened once, owed once, and keeps the service going (B-01).

A period after the first is an instalment like another: the one billing run takes it, its failures
are retried by the same terms, and what happens to it comes back here as an event.
"""

from storefront.subscriptions.service.endings import end_revoked, schedule_end
from storefront.subscriptions.service.failures import note_failed, note_paid, suspend
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
from storefront.subscriptions.service.months import grant_month, invoice_month, open_next_months
from storefront.subscriptions.service.outage_credits import (
    Computation,
    CreditsChanged,
    Granting,
    UnknownExceptions,
    grant_credits,
    hand_over,
    propose_credits,
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
from storefront.subscriptions.service.starting import (
    AlreadySubscribed,
    Wanted,
    check_free,
    start_for_order,
)
from storefront.subscriptions.service.versions import publish_version, version_of

__all__ = [
    "AlreadySubscribed",
    "Computation",
    "CreditsChanged",
    "DecisionClosed",
    "Facts",
    "Granting",
    "IncidentCredited",
    "UnknownExceptions",
    "Wanted",
    "announce",
    "answer",
    "ask",
    "check_free",
    "close_incident",
    "complete",
    "correct_incident",
    "declare_incident",
    "end_revoked",
    "give_back_late",
    "go_on_with",
    "grant_credits",
    "grant_month",
    "hand_over",
    "invoice_month",
    "leave_now",
    "note_failed",
    "note_paid",
    "note_told",
    "open_next_months",
    "propose_credits",
    "publish_version",
    "reconsider_outages",
    "schedule_end",
    "start_for_order",
    "stop_before",
    "suspend",
    "tell",
    "tell_of_incident",
    "version_of",
    "withdraw_incident",
]
