"""Bank transfer: no third party, and no pretence of one."""

from __future__ import annotations

import pytest

from storefront.kernel.money import Money
from storefront.payments.providers.base import (
    InvalidSignature,
    Outcome,
    OutcomeStatus,
    ProviderRejected,
    ProviderSettings,
    SavedReference,
)
from storefront.payments.providers.registry import build_providers
from tests.payments.provider_requests import (
    NOW,
    RETURN_URL,
    charge_request,
    page_request,
    refund_request,
)


@pytest.fixture
def transfer():
    return build_providers(ProviderSettings())["offline"]


def test_a_shop_without_any_account_can_still_be_paid():
    assert list(build_providers(ProviderSettings())) == ["offline", "cheque", "on_request"]


def test_only_on_request_stands_in_for_a_provider_that_does_not_take_the_currency():
    ways = build_providers(ProviderSettings())
    assert [way.key for way in ways.values() if way.capabilities.fallback] == ["on_request"]
    assert [way.key for way in ways.values() if "MAD" in way.capabilities.currencies] == [
        "on_request"
    ]


def test_the_buyer_stays_with_us_and_gets_a_reference_to_quote(transfer):
    page = transfer.open_page(page_request())

    assert transfer.capabilities.hosted_page is False
    assert page.url == RETURN_URL
    assert page.reference.startswith("VIR-")


def test_the_reference_belongs_to_the_payment_alone(transfer):
    request = page_request()

    assert transfer.open_page(request) == transfer.open_page(request)
    assert transfer.open_page(request) != transfer.open_page(page_request())


def test_a_transfer_stays_open_because_nobody_can_be_asked(transfer):
    page = transfer.open_page(page_request())

    assert transfer.fetch_page(page.reference) == Outcome(OutcomeStatus.OPEN)


def test_only_euros_are_taken_by_transfer(transfer):
    with pytest.raises(ProviderRejected, match="CHF"):
        transfer.open_page(page_request(amount=Money(18000, "CHF")))


def test_what_a_transfer_cannot_do_is_announced_and_refused(transfer):
    assert (transfer.capabilities.saved_method, transfer.capabilities.refund) == (False, False)
    with pytest.raises(ProviderRejected):
        transfer.charge(charge_request(SavedReference("customer", "method", "label")))
    with pytest.raises(ProviderRejected):
        transfer.refund(refund_request("VIR-1", 100))
    with pytest.raises(ProviderRejected):
        transfer.fetch_charge("VIR-1")


def test_nobody_can_announce_a_transfer_by_webhook(transfer):
    with pytest.raises(InvalidSignature):
        transfer.read_webhook({"Stripe-Signature": "t=1,v1=00"}, b"{}", NOW)
