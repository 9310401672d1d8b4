"""What goes on month after month, and everything that can happen to it."""

from storefront.subscriptions.models.announcements import (
    NOTICE_LIFECYCLE,
    Announcement,
    NoticeStatus,
    VersionNotice,
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
    "SUBSCRIPTION_LIFECYCLE",
    "Announcement",
    "NoticeStatus",
    "PlanVersion",
    "RenewalNotice",
    "Subscription",
    "SubscriptionPeriod",
    "SubscriptionStatus",
    "VersionNotice",
]
