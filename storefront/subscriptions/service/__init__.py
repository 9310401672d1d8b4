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
from storefront.subscriptions.service.months import grant_month, invoice_month, open_next_month
from storefront.subscriptions.service.outage_credits import (
    Computation,
    CreditsChanged,
    Granting,
    UnknownExceptions,
    grant_credits,
    hand_over,
    propose_credits,
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
    "Facts",
    "Granting",
    "IncidentCredited",
    "UnknownExceptions",
    "Wanted",
    "check_free",
    "close_incident",
    "correct_incident",
    "declare_incident",
    "end_revoked",
    "grant_credits",
    "grant_month",
    "hand_over",
    "invoice_month",
    "note_failed",
    "note_paid",
    "open_next_month",
    "propose_credits",
    "publish_version",
    "reconsider_outages",
    "schedule_end",
    "start_for_order",
    "suspend",
    "tell_of_incident",
    "version_of",
    "withdraw_incident",
]
