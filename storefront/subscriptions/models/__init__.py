"""What goes on month after month, and everything that can happen to it."""

from storefront.subscriptions.models.changes import (
    CHANGE_LIFECYCLE,
    ChangeStatus,
    PlanChange,
)
from storefront.subscriptions.models.subscriptions import (
    SUBSCRIPTION_LIFECYCLE,
    Subscription,
    SubscriptionPeriod,
    SubscriptionStatus,
)
from storefront.subscriptions.models.versions import PlanVersion

__all__ = [
    "CHANGE_LIFECYCLE",
    "SUBSCRIPTION_LIFECYCLE",
    "ChangeStatus",
    "PlanChange",
    "PlanVersion",
    "Subscription",
    "SubscriptionPeriod",
    "SubscriptionStatus",
]
