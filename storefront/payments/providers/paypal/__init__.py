"""PayPal behind the port.

`provider` says what to do; `transport` is how (the one file that knows the SDK); `answers` reads
PayPal's objects and error codes; `signature` and `events` read its webhooks.
"""

from storefront.payments.providers.paypal.provider import PayPalProvider

__all__ = ["PayPalProvider"]
