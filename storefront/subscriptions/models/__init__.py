"""What goes on month after month, and everything that can happen to it."""

from storefront.subscriptions.models.announcements import (
    NOTICE_LIFECYCLE,
    Announcement,
    NoticeStatus,
    VersionNotice,
)
from storefront.subscriptions.models.incidents import (
    OUTAGE_CREDIT_LIFECYCLE,
    Incident,
    IncidentUpdate,
    OutageCredit,
    OutageCreditStatus,
    OutageCreditUse,
)
from storefront.subscriptions.models.renewals import RenewalNotice
from storefront.subscriptions.models.subscriptions import (
    SUBSCRIPTION_LIFECYCLE,
    Subscription,
    SubscriptionPeriod,
    SubscriptionStatus,
)
from storefront.subscriptions.models.versions import PlanVersion

__all__ = [
    "NOTICE_LIFECYCLE",
    "OUTAGE_CREDIT_LIFECYCLE",
    "SUBSCRIPTION_LIFECYCLE",
    "Announcement",
    "Incident",
    "IncidentUpdate",
    "NoticeStatus",
    "OutageCredit",
    "OutageCreditStatus",
    "OutageCreditUse",
    "PlanVersion",
    "RenewalNotice",
    "Subscription",
    "SubscriptionPeriod",
    "SubscriptionStatus",
    "VersionNotice",
]
