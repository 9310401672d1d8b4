"""What a holder does with a subscription, and the public page of the service's state."""

from storefront.subscriptions.views import changes, endings, renewals, revisions, status

__all__ = ["changes", "endings", "renewals", "revisions", "status"]
