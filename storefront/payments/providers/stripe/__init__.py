"""Stripe behind the port.

`provider` says what to do; `answers` reads Stripe's objects and error codes; `events` reads its
webhooks.
"""

from storefront.payments.providers.stripe.provider import StripeProvider

__all__ = ["StripeProvider"]
