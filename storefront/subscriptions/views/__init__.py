"""What a subscriber does from the account, and the public page of the service's state."""

from storefront.subscriptions.views import renewals, revisions, status

__all__ = ["renewals", "revisions", "status"]
