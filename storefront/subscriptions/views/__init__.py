"""What a subscriber does from the account, by subject."""

from storefront.subscriptions.views import renewals, revisions

__all__ = ["renewals", "revisions"]
