"""The checkout: who and where, check and accept, pay; then back from the provider's page."""

from storefront.checkout.views import ordering, placed
from storefront.checkout.views.paying import bp

__all__ = ["bp", "ordering", "placed"]
