"""The providers this shop knows. A new one is its file and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from storefront.payments.providers.base import Provider, ProviderSettings
from storefront.payments.providers.offline import cheque, on_request, transfer
from storefront.payments.providers.paypal import PayPalProvider
from storefront.payments.providers.stripe import StripeProvider

_FACTORIES: tuple[Callable[[ProviderSettings], Provider | None], ...] = (
    StripeProvider.from_settings,
    PayPalProvider.from_settings,
    transfer,
    cheque,
    on_request,
)


def build_providers(settings: ProviderSettings) -> Mapping[str, Provider]:
    """The providers that have their settings, by key, in the order in which buyers see them.

    Raises `IncompleteSettings` when one has only part of what it needs.
    """
    built = (factory(settings) for factory in _FACTORIES)
    return MappingProxyType({provider.key: provider for provider in built if provider})
