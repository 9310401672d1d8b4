"""What holders decide about their subscriptions, one blueprint a subject."""

from storefront.subscriptions.views import changes, renewals

__all__ = ["changes", "renewals"]
