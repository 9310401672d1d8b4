"""What goes on month after month, and everything that can happen to it."""

from storefront.subscriptions.models.endings import (
    TERMINATION_LIFECYCLE,
    Termination,
    TerminationNotice,
    TerminationStatus,
)
from storefront.subscriptions.models.pauses import Pause
from storefront.subscriptions.models.subscriptions import (
    SUBSCRIPTION_LIFECYCLE,
    Subscription,
    SubscriptionPeriod,
    SubscriptionStatus,
    SuspensionCause,
)
from storefront.subscriptions.models.versions import PlanVersion

__all__ = [
    "SUBSCRIPTION_LIFECYCLE",
    "TERMINATION_LIFECYCLE",
    "Pause",
    "PlanVersion",
    "Subscription",
    "SubscriptionPeriod",
    "SubscriptionStatus",
    "SuspensionCause",
    "Termination",
    "TerminationNotice",
    "TerminationStatus",
]
