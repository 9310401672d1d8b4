"""What goes on month after month, and everything that can happen to it."""

from storefront.subscriptions.models.announcements import (
    NOTICE_LIFECYCLE,
    Announcement,
    NoticeStatus,
    VersionNotice,
)
from storefront.subscriptions.models.changes import (
    CHANGE_LIFECYCLE,
    ChangeStatus,
    PlanChange,
)
from storefront.subscriptions.models.endings import (
    TERMINATION_LIFECYCLE,
    Termination,
    TerminationNotice,
    TerminationStatus,
)
from storefront.subscriptions.models.incidents import (
    OUTAGE_CREDIT_LIFECYCLE,
    Incident,
    IncidentUpdate,
    OutageCredit,
    OutageCreditStatus,
    OutageCreditUse,
)
from storefront.subscriptions.models.pauses import Pause
from storefront.subscriptions.models.renewals import RenewalNotice
from storefront.subscriptions.models.subscriptions import (
    SUBSCRIPTION_LIFECYCLE,
    Subscription,
    SubscriptionPeriod,
    SubscriptionStatus,
    SuspensionCause,
)
from storefront.subscriptions.models.versions import PlanVersion

__all__ = [
    "CHANGE_LIFECYCLE",
    "NOTICE_LIFECYCLE",
    "OUTAGE_CREDIT_LIFECYCLE",
    "SUBSCRIPTION_LIFECYCLE",
    "TERMINATION_LIFECYCLE",
    "Announcement",
    "ChangeStatus",
    "Incident",
    "IncidentUpdate",
    "NoticeStatus",
    "OutageCredit",
    "OutageCreditStatus",
    "OutageCreditUse",
    "Pause",
    "PlanChange",
    "PlanVersion",
    "RenewalNotice",
    "Subscription",
    "SubscriptionPeriod",
    "SubscriptionStatus",
    "SuspensionCause",
    "Termination",
    "TerminationNotice",
    "TerminationStatus",
    "VersionNotice",
]
