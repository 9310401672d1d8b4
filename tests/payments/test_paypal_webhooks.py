"""PayPal's webhooks: who signed them, and what may be read from them."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from sandbox.testing import RunningSandbox, running_sandbox
from storefront.payments.providers.base import (
    InvalidSignature,
    Outcome,
    OutcomeStatus,
    Provider,
    ProviderUnavailable,
)
from storefront.payments.providers.paypal.signature import is_paypals
from storefront.payments.providers.registry import build_providers
from tests.payments.colliding import collide
from tests.payments.provider_requests import (
    NOW,
    nobody_listens_here,
    page_request,
    settings_for,
)

Signed = tuple[dict[str, str], bytes]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: RunningSandbox) -> RunningSandbox:
    running.control("reset", "POST")
    running.control("clock", now=NOW.isoformat())
    return running


@pytest.fixture
def paypal(sandbox: RunningSandbox) -> Provider:
    return build_providers(settings_for(sandbox))["paypal"]


@pytest.fixture
def signed(paypal: Provider, sandbox: RunningSandbox) -> Signed:
    """A true webhook of a page that was approved, as PayPal sends it."""
    return approved(paypal, sandbox)


def approved(paypal: Provider, sandbox: RunningSandbox) -> Signed:
    page = paypal.open_page(page_request())
    sandbox.pay_by_paypal(page.url)
    event = sandbox.events("paypal", "CHECKOUT.ORDER.APPROVED")[-1]
    return sandbox.signed("paypal", event["id"])


def changed(signed: Signed, **headers: str) -> dict[str, str]:
    return {**signed[0], **{name.replace("_", "-"): value for name, value in headers.items()}}


# What is read


def test_webhooks_name_the_order_to_fetch_again(paypal, sandbox):
    request = page_request()
    page = paypal.open_page(request)
    sandbox.pay_by_paypal(page.url)
    outcome = paypal.fetch_page(page.reference)
    sandbox.control(
        f"paypal/captures/{outcome.charge_reference}/refund",
        amount={"currency_code": "EUR", "value": "1.00"},
    )
    sandbox.control(f"paypal/payment-tokens/{outcome.saved.method}/revoke", "POST")
    found = {
        notice.kind: notice
        for event in sandbox.events("paypal")
        for notice in [paypal.read_webhook(*sandbox.signed("paypal", event["id"]), NOW)]
    }

    for kind in ("CHECKOUT.ORDER.APPROVED", "PAYMENT.CAPTURE.COMPLETED"):
        assert found[kind].reference == page.reference
        assert found[kind].payment_id == request.payment_id
    assert found["VAULT.PAYMENT-TOKEN.CREATED"].reference == page.reference
    assert found["PAYMENT.CAPTURE.REFUNDED"].reference == outcome.charge_reference
    assert found["VAULT.PAYMENT-TOKEN.DELETED"].reference == outcome.saved.method


@pytest.mark.parametrize(
    ("kind", "resource", "reference"),
    [
        (
            "CUSTOMER.DISPUTE.CREATED",
            {"disputed_transactions": [{"seller_transaction_id": "CAPTURE1"}]},
            "CAPTURE1",
        ),
        ("PAYMENT.CAPTURE.PENDING", {"id": "CAPTURE1"}, "CAPTURE1"),
        ("PAYMENT.CAPTURE.REFUNDED", {"id": "REFUND1", "links": []}, None),
        ("BILLING.SUBSCRIPTION.CREATED", {"id": "I-1"}, None),
    ],
)
def test_other_events_name_their_capture_or_nothing(paypal, signed, kind, resource, reference):
    event = {"id": "WH-1", "event_type": kind, "resource": resource}
    body = collide(event, zlib.crc32(signed[1]))

    assert paypal.read_webhook(signed[0], body, NOW).reference == reference


@pytest.mark.parametrize(
    "event",
    [
        {"id": "WH-1"},
        {"id": "WH-1", "event_type": "CHECKOUT.ORDER.APPROVED", "resource": "text"},
        {"id": "W" * 300, "event_type": "CHECKOUT.ORDER.APPROVED", "resource": {}},
        {"id": "W\x00", "event_type": "CHECKOUT.ORDER.APPROVED", "resource": {}},
        {"id": "WH-1", "event_type": "CUSTOMER.DISPUTE.CREATED", "resource": {}},
    ],
)
def test_a_body_that_is_no_event_is_refused_whatever_its_checksum(paypal, signed, event):
    with pytest.raises(InvalidSignature):
        paypal.read_webhook(signed[0], collide(event, zlib.crc32(signed[1])), NOW)


def test_a_body_forged_to_the_same_checksum_only_makes_us_ask(paypal, sandbox, signed):
    """CRC32 can be forged, so this passes for PayPal's, and says that somebody else has paid."""
    unpaid = paypal.open_page(page_request())
    event: dict[str, Any] = {
        "id": "WH-FORGED",
        "event_type": "PAYMENT.CAPTURE.COMPLETED",
        "resource": {
            "id": "CAPTURE1",
            "status": "COMPLETED",
            "amount": {"currency_code": "EUR", "value": "180.00"},
            "supplementary_data": {"related_ids": {"order_id": unpaid.reference}},
        },
    }

    notice = paypal.read_webhook(signed[0], collide(event, zlib.crc32(signed[1])), NOW)

    assert notice.reference == unpaid.reference
    assert paypal.fetch_page(notice.reference) == Outcome(OutcomeStatus.OPEN)
    assert sandbox.control("ledger")["paypal"]["taken"] == []


# Who signed


def test_header_names_may_come_in_any_case(paypal, signed):
    headers, body = signed

    lowered = {name.lower(): value for name, value in headers.items()}
    assert paypal.read_webhook(lowered, body, NOW).kind == "CHECKOUT.ORDER.APPROVED"


def test_a_webhook_written_anew_with_the_same_meaning_is_refused(paypal, signed):
    headers, body = signed
    again = json.dumps(json.loads(body), indent=2).encode()

    with pytest.raises(InvalidSignature):
        paypal.read_webhook(headers, again, NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"PAYPAL_TRANSMISSION_ID": "another"},
        {"PAYPAL_TRANSMISSION_TIME": "2026-11-24T09:00:30Z"},
        {"PAYPAL_TRANSMISSION_TIME": "2026-11-24T09:00:00"},
        {"PAYPAL_TRANSMISSION_TIME": "yesterday"},
        {"PAYPAL_TRANSMISSION_TIME": ""},
        {"PAYPAL_TRANSMISSION_SIG": base64.b64encode(b"forged").decode()},
        {"PAYPAL_TRANSMISSION_SIG": "not base64!"},
        {"PAYPAL_TRANSMISSION_SIG": "é"},
        {"PAYPAL_AUTH_ALGO": "none"},
        {"PAYPAL_CERT_URL": ""},
    ],
)
def test_a_webhook_with_another_header_is_refused(paypal, signed, change):
    with pytest.raises(InvalidSignature):
        paypal.read_webhook(changed(signed, **change), signed[1], NOW)


@pytest.mark.parametrize("late", [timedelta(days=3, minutes=1), timedelta(minutes=-6)])
def test_a_webhook_older_than_paypals_retries_or_from_the_future_is_refused(paypal, signed, late):
    headers, body = signed
    assert paypal.read_webhook(headers, body, NOW + timedelta(days=2))

    with pytest.raises(InvalidSignature):
        paypal.read_webhook(headers, body, NOW + late)


def test_a_webhook_for_another_shop_is_refused(sandbox, signed):
    other = build_providers(settings_for(sandbox, paypal_webhook_id="WH-OTHER"))["paypal"]

    with pytest.raises(InvalidSignature):
        other.read_webhook(*signed, NOW)


def test_no_event_is_lost_while_the_webhook_is_replaced(sandbox, signed):
    both = build_providers(settings_for(sandbox, paypal_webhook_id="WH-NEW, WH-SANDBOX"))["paypal"]

    assert both.read_webhook(*signed, NOW)


# The certificate


def test_a_stranger_who_signs_with_a_certificate_of_their_own_is_refused(paypal, sandbox, tmp_path):
    with running_sandbox(tmp_path) as stranger:
        stranger.control("clock", now=NOW.isoformat())
        theirs = build_providers(settings_for(stranger))["paypal"]
        signed = approved(theirs, stranger)
        assert theirs.read_webhook(*signed, NOW)

        with pytest.raises(InvalidSignature, match="not at PayPal's"):
            paypal.read_webhook(*signed, NOW)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.paypal.com.evil.example/v1/notifications/certs/CERT-1",
        "https://api.paypal.com@evil.example/v1/notifications/certs/CERT-1",
        "http://api.paypal.com/v1/notifications/certs/CERT-1",
        "https://evil.example/v1/notifications/certs/CERT-1",
        "https://api.paypal.com:8443/v1/notifications/certs/CERT-1",
        "file:///etc/ssl/certs/ca-certificates.crt",
        "https://[::1/v1/notifications/certs/CERT-1",
    ],
)
def test_a_certificate_elsewhere_is_not_even_fetched(paypal, signed, url):
    with pytest.raises(InvalidSignature):
        paypal.read_webhook(changed(signed, PAYPAL_CERT_URL=url), signed[1], NOW)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/notifications/certs/../../../_sandbox/state",
        "/v1/notifications/certs/CERT-1?again",
        "/v1/notifications/certs/CERT-1#again",
        "/v1/notifications/certs/",
    ],
)
def test_another_address_at_paypals_is_not_fetched(paypal, sandbox, signed, path):
    headers = changed(signed, PAYPAL_CERT_URL=sandbox.base_url + path)

    with pytest.raises(InvalidSignature, match="not the address"):
        paypal.read_webhook(headers, signed[1], NOW)


def test_a_certificate_that_is_not_there_proves_nothing(paypal, sandbox, signed):
    url = f"{sandbox.base_url}/v1/notifications/certs/CERT-NOT-THERE"

    with pytest.raises(InvalidSignature, match="no certificate"):
        paypal.read_webhook(changed(signed, PAYPAL_CERT_URL=url), signed[1], NOW)


def test_a_certificate_out_of_reach_is_doubt_so_that_paypal_sends_again(sandbox, signed):
    base = nobody_listens_here()
    lost = build_providers(settings_for(sandbox, paypal_api_base=base))["paypal"]
    url = f"{base}/v1/notifications/certs/CERT-1"

    with pytest.raises(ProviderUnavailable):
        lost.read_webhook(changed(signed, PAYPAL_CERT_URL=url), signed[1], NOW)


def test_a_certificate_is_fetched_once(tmp_path):
    with running_sandbox(tmp_path) as short_lived:
        short_lived.control("clock", now=NOW.isoformat())
        paypal = build_providers(settings_for(short_lived))["paypal"]
        signed = approved(paypal, short_lived)
        assert paypal.read_webhook(*signed, NOW)

    assert paypal.read_webhook(*signed, NOW)


def test_a_certificate_past_its_time_is_refused(paypal, sandbox):
    far = datetime(2065, 1, 1, tzinfo=UTC)
    sandbox.control("clock", now=far.isoformat())

    with pytest.raises(InvalidSignature, match="not valid today"):
        paypal.read_webhook(*approved(paypal, sandbox), far)


@pytest.mark.parametrize(
    ("common_name", "names", "ours"),
    [
        ("messageverificationcerts.paypal.com", [], True),
        ("PayPal", ["messageverificationcerts.paypal.com"], True),
        ("messageverificationcerts.paypal.com.evil.example", [], False),
        ("evilpaypal.com", ["www.evilpaypal.com"], False),
    ],
)
def test_only_a_certificate_in_paypals_name_is_paypals(common_name, names, ours):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
    )
    if names:
        alternative = x509.SubjectAlternativeName([x509.DNSName(one) for one in names])
        builder = builder.add_extension(alternative, critical=False)

    assert is_paypals(builder.sign(key, SHA256())) is ours
