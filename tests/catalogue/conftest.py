"""A shop and a browser, as the checkout's tests have them."""

from tests.checkout.conftest import browser, shop

__all__ = ["browser", "shop"]
