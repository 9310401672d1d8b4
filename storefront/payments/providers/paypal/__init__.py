"""PayPal, in three files: the provider, the transport (alone to know the SDK), the signatures."""

from storefront.payments.providers.paypal.provider import PayPalProvider

__all__ = ["PayPalProvider"]
