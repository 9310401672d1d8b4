"""What goes on month after month, and everything that can happen to it."""

from storefront.subscriptions.models.subscriptions import (
    SUBSCRIPTION_LIFECYCLE,
    Subscription,
    SubscriptionPeriod,
    SubscriptionStatus,
)
from storefront.subscriptions.models.versions import PlanVersion

__all__ = [
    "SUBSCRIPTION_LIFECYCLE",
    "PlanVersion",
    "Subscription",
    "SubscriptionPeriod",
    "SubscriptionStatus",
]
