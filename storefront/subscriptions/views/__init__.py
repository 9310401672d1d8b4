"""What a holder does with a subscription, what it allows, and how the service does."""

from storefront.subscriptions.views import changes, endings, renewals, revisions, rights, status

__all__ = ["changes", "endings", "renewals", "revisions", "rights", "status"]
