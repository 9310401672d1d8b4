"""PayPal through the real SDK, against the sandbox."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from sandbox.testing import RunningSandbox, running_sandbox
from storefront.kernel.money import Money
from storefront.payments.providers.base import (
    Decline,
    IncompleteSettings,
    Outcome,
    OutcomeStatus,
    ProviderRejected,
    ProviderSettings,
    ProviderUnavailable,
    RefundStatus,
    SavedReference,
)
from storefront.payments.providers.paypal import PayPalProvider
from storefront.payments.providers.paypal.signature import TransmissionCheck
from storefront.payments.providers.paypal.transport import Transport
from storefront.payments.providers.registry import build_providers
from tests.payments.provider_requests import (
    NOW,
    RETURN_URL,
    charge_request,
    nobody_listens_here,
    page_request,
    refund_request,
    settings_for,
)

ORDERS = "/v2/checkout/orders"
CAPTURE = "/v2/checkout/orders/*/capture"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSandbox]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: RunningSandbox) -> RunningSandbox:
    """The provider as good as new, at the instant of the tests."""
    running.control("reset", "POST")
    running.control("clock", now=NOW.isoformat())
    return running


@pytest.fixture
def paypal(sandbox: RunningSandbox) -> PayPalProvider:
    return provider(settings_for(sandbox))


def provider(settings: ProviderSettings) -> PayPalProvider:
    built = build_providers(settings)["paypal"]
    assert isinstance(built, PayPalProvider)
    return built


def paid_page(
    paypal: PayPalProvider, sandbox: RunningSandbox, source: str = "account", **changes: Any
) -> Outcome:
    page = paypal.open_page(page_request(**changes))
    sandbox.pay_by_paypal(page.url, source)
    return paypal.fetch_page(page.reference)


def kept_account(
    paypal: PayPalProvider, sandbox: RunningSandbox, source: str = "account"
) -> SavedReference:
    saved = paid_page(paypal, sandbox, source).saved
    assert saved is not None
    return saved


def taken(sandbox: RunningSandbox) -> list[int]:
    return [entry["amount"] for entry in sandbox.control("ledger")["paypal"]["taken"]]


def requests_of(sandbox: RunningSandbox) -> list[dict[str, Any]]:
    return [json.loads(line) for line in sandbox.log.read_text().splitlines()]


# The approval page


def test_an_approved_page_is_captured_when_it_is_fetched(paypal, sandbox):
    page = paypal.open_page(page_request())
    answer = sandbox.pay_by_paypal(page.url)
    assert answer.headers["Location"].startswith(RETURN_URL)
    assert taken(sandbox) == []

    outcome = paypal.fetch_page(page.reference)

    assert (outcome.status, outcome.amount) == (OutcomeStatus.SUCCEEDED, Money(18000))
    assert outcome.saved.label == "PayPal (c•••@exemple.test)"
    assert taken(sandbox) == [18000]


def test_a_page_fetched_again_and_again_is_captured_once(paypal, sandbox):
    page = paypal.open_page(page_request())
    sandbox.pay_by_paypal(page.url)

    assert paypal.fetch_page(page.reference) == paypal.fetch_page(page.reference)
    assert taken(sandbox) == [18000]


def test_an_order_captured_by_somebody_else_meanwhile_is_paid(paypal, sandbox):
    """It was still approved when this fetch looked at it, and is captured before this one acts."""
    page = paypal.open_page(page_request())
    sandbox.pay_by_paypal(page.url)
    merchant = Transport(sandbox.base_url, sandbox.paypal_client, sandbox.paypal_secret)
    sandbox.control("faults", kind="delay", path=CAPTURE, seconds=0.5)

    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(paypal.fetch_page, page.reference)
        while sandbox.control("faults"):
            time.sleep(0.01)
        merchant.post(
            "v2", "checkout", "orders", page.reference, "capture", body={}, request_id="other"
        )

    outcome = slow.result()
    assert (outcome.status, outcome.amount) == (OutcomeStatus.SUCCEEDED, Money(18000))
    assert taken(sandbox) == [18000]


def test_asking_twice_for_a_page_opens_one(paypal, sandbox):
    request = page_request()

    assert paypal.open_page(request) == paypal.open_page(request)
    assert sandbox.control("state")["objects"]["order"] == 1


def test_a_page_asked_again_once_paid_leads_back_to_the_shop(paypal, sandbox):
    request = page_request()
    page = paypal.open_page(request)
    sandbox.pay_by_paypal(page.url)
    paypal.fetch_page(page.reference)

    again = paypal.open_page(request)

    assert (again.reference, again.url) == (page.reference, RETURN_URL)


def test_a_buyer_who_has_not_approved_is_still_there(paypal):
    page = paypal.open_page(page_request())

    assert paypal.fetch_page(page.reference) == Outcome(OutcomeStatus.OPEN)


def test_an_order_paypal_has_forgotten_was_not_paid(paypal, sandbox):
    page = paypal.open_page(page_request())
    sandbox.control("clock", now=(NOW + timedelta(hours=12)).isoformat())

    assert paypal.fetch_page(page.reference) == Outcome(OutcomeStatus.CANCELLED)


def test_a_refused_account_is_a_decline_and_another_page_may_be_paid(paypal, sandbox):
    refused = paid_page(paypal, sandbox, "account_declined")

    assert refused.status is OutcomeStatus.DECLINED
    assert refused.decline == Decline("INSTRUMENT_DECLINED", retryable=True)
    assert paid_page(paypal, sandbox).status is OutcomeStatus.SUCCEEDED


def test_a_capture_refused_by_the_bank_is_a_decline(paypal, sandbox):
    outcome = paid_page(paypal, sandbox, "guest_card_declined", save_method=False)

    assert (outcome.status, outcome.amount) == (OutcomeStatus.DECLINED, None)
    assert taken(sandbox) == []


def test_a_guest_pays_once_and_leaves_nothing_to_keep(paypal, sandbox):
    outcome = paid_page(paypal, sandbox, "guest_card", save_method=False)

    assert (outcome.status, outcome.saved) == (OutcomeStatus.SUCCEEDED, None)


def test_an_account_is_kept_only_when_it_was_asked_for(paypal, sandbox):
    assert paid_page(paypal, sandbox, save_method=False).saved is None


@pytest.mark.parametrize(
    ("ending", "status"),
    [("COMPLETED", OutcomeStatus.SUCCEEDED), ("DENIED", OutcomeStatus.DECLINED)],
)
def test_a_capture_under_review_is_pending_until_paypal_decides(paypal, sandbox, ending, status):
    page = paypal.open_page(page_request())
    sandbox.pay_by_paypal(page.url, "account_pending")
    waiting = paypal.fetch_page(page.reference)
    assert (waiting.status, waiting.amount) == (OutcomeStatus.PENDING, Money(18000))

    sandbox.control(f"paypal/captures/{waiting.charge_reference}/settle", status=ending)

    assert paypal.fetch_page(page.reference).status is status
    assert paypal.fetch_charge(waiting.charge_reference).status is status


def test_the_amount_is_that_of_the_order_at_paypal(paypal, sandbox):
    assert paid_page(paypal, sandbox, amount=Money(1)).amount == Money(1)


def test_a_currency_without_cents_is_written_without_cents(paypal, sandbox):
    outcome = paid_page(paypal, sandbox, amount=Money(18000, "JPY"), save_method=False)

    assert outcome.amount == Money(18000, "JPY")
    body = next(entry["body"] for entry in requests_of(sandbox)[::-1] if entry["path"] == ORDERS)
    assert json.loads(body)["purchase_units"][0]["amount"]["value"] == "18000"


def test_dirhams_are_not_taken(paypal):
    with pytest.raises(ProviderRejected, match="MAD"):
        paypal.open_page(page_request(amount=Money(18000, "MAD")))


def test_a_long_description_is_cut_to_what_paypal_accepts(paypal, sandbox):
    assert paid_page(paypal, sandbox, description="é" * 200).status is OutcomeStatus.SUCCEEDED


# Later payments


@pytest.mark.parametrize(
    ("usage", "pattern"),
    [("instalment", "INSTALLMENT_PREPAID"), ("subscription", "SUBSCRIPTION_PREPAID")],
)
def test_a_later_payment_says_what_it_is_for(paypal, sandbox, usage, pattern):
    saved = kept_account(paypal, sandbox)

    outcome = paypal.charge(charge_request(saved, usage=usage))

    assert (outcome.status, outcome.amount) == (OutcomeStatus.SUCCEEDED, Money(6000))
    assert paypal.fetch_charge(outcome.charge_reference).amount == Money(6000)
    sent = [json.loads(entry["body"]) for entry in requests_of(sandbox) if entry["path"] == ORDERS]
    credential = sent[-1]["payment_source"]["paypal"]["stored_credential"]
    assert (credential["usage_pattern"], credential["payment_initiator"]) == (pattern, "MERCHANT")


def test_the_same_charge_sent_again_takes_the_money_once(paypal, sandbox):
    request = charge_request(kept_account(paypal, sandbox))

    assert paypal.charge(request) == paypal.charge(request)
    assert taken(sandbox) == [18000, 6000]


def test_a_charge_in_doubt_is_not_guessed_and_the_same_one_later_tells(paypal, sandbox):
    request = charge_request(kept_account(paypal, sandbox))
    sandbox.control("faults", kind="lost_answer", path=ORDERS, count=3)

    with pytest.raises(ProviderUnavailable):
        paypal.charge(request)
    assert taken(sandbox) == [18000, 6000]  # it was taken, which nobody could know

    assert paypal.charge(request).status is OutcomeStatus.SUCCEEDED
    assert taken(sandbox) == [18000, 6000]


def test_a_charge_sent_again_after_paypal_forgot_its_key_is_not_taken_twice(paypal, sandbox):
    request = charge_request(kept_account(paypal, sandbox))
    paypal.charge(request)
    sandbox.control("clock", now=(NOW + timedelta(hours=7)).isoformat())

    with pytest.raises(ProviderUnavailable, match="invoice"):
        paypal.charge(request)
    assert taken(sandbox) == [18000, 6000]


def test_a_refused_account_may_be_tried_again(paypal, sandbox):
    saved = kept_account(paypal, sandbox, "account_later_declined")

    outcome = paypal.charge(charge_request(saved))

    assert outcome.status is OutcomeStatus.DECLINED
    assert outcome.decline == Decline("INSTRUMENT_DECLINED", retryable=True)


def test_an_authorisation_taken_away_is_declined_for_good(paypal, sandbox):
    saved = kept_account(paypal, sandbox)
    sandbox.control(f"paypal/payment-tokens/{saved.method}/revoke", "POST")

    outcome = paypal.charge(charge_request(saved))

    assert outcome.decline == Decline("TOKEN_ID_NOT_FOUND", retryable=False)


# Doubt and refusal


def test_a_capture_whose_answer_is_lost_is_found_by_the_next_fetch(paypal, sandbox):
    page = paypal.open_page(page_request())
    sandbox.pay_by_paypal(page.url)
    sandbox.control("faults", kind="lost_answer", path=CAPTURE, count=3)

    with pytest.raises(ProviderUnavailable):
        paypal.fetch_page(page.reference)

    assert paypal.fetch_page(page.reference).status is OutcomeStatus.SUCCEEDED
    assert taken(sandbox) == [18000]


@pytest.mark.parametrize("status", [409, 429, 500, 503])
def test_an_error_of_paypals_is_doubt(paypal, sandbox, status):
    sandbox.control("faults", kind="error", path=ORDERS, status=status)

    with pytest.raises(ProviderUnavailable):
        paypal.open_page(page_request())


def test_an_answer_that_takes_too_long_is_doubt(sandbox):
    transport = Transport(sandbox.base_url, sandbox.paypal_client, sandbox.paypal_secret, 0.2)
    hurried = PayPalProvider(transport, TransmissionCheck(("WH",), sandbox.base_url))
    sandbox.control("faults", kind="delay", path=ORDERS, seconds=0.6, count=3)

    with pytest.raises(ProviderUnavailable):
        hurried.open_page(page_request())


def test_a_paypal_out_of_reach_is_doubt(sandbox):
    lost = provider(settings_for(sandbox, paypal_api_base=nobody_listens_here()))

    with pytest.raises(ProviderUnavailable):
        lost.open_page(page_request())


def test_a_paypal_that_says_401_for_ever_is_asked_twice(paypal, sandbox):
    sandbox.control("faults", kind="error", path=ORDERS, status=401, count=10)

    with pytest.raises(ProviderRejected, match="401"):
        paypal.open_page(page_request())
    assert sandbox.control("faults")[0]["count"] == 8


def test_wrong_credentials_are_said_at_once(sandbox):
    stranger = provider(settings_for(sandbox, paypal_client_secret="guess"))

    with pytest.raises(ProviderRejected, match="invalid_client"):
        stranger.open_page(page_request())


def test_a_wrong_request_is_our_mistake_and_names_the_issue(paypal):
    with pytest.raises(ProviderRejected, match=r"400 INVALID_PARAMETER_SYNTAX.* \(.+\)"):
        paypal.open_page(page_request(return_url="no address"))


# Refunds


def test_refunds_in_parts_stop_at_what_was_paid(paypal, sandbox):
    charge = paid_page(paypal, sandbox).charge_reference

    first = paypal.refund(refund_request(charge, 5000))
    too_much = paypal.refund(refund_request(charge, 13001))
    rest = paypal.refund(refund_request(charge, 13000))
    more = paypal.refund(refund_request(charge, 1))

    assert (first.status, first.amount) == (RefundStatus.SUCCEEDED, Money(5000))
    assert (too_much.status, too_much.reason) == (RefundStatus.REFUSED, "REFUND_AMOUNT_EXCEEDED")
    assert (rest.status, rest.amount) == (RefundStatus.SUCCEEDED, Money(13000))
    assert more.reason == "CAPTURE_FULLY_REFUNDED"


def test_a_payment_given_back_was_still_paid(paypal, sandbox):
    page = paypal.open_page(page_request())
    sandbox.pay_by_paypal(page.url)
    charge = paypal.fetch_page(page.reference).charge_reference
    paypal.refund(refund_request(charge, 18000))

    outcome = paypal.fetch_page(page.reference)

    assert (outcome.status, outcome.amount) == (OutcomeStatus.SUCCEEDED, Money(18000))


def test_the_same_refund_sent_again_gives_back_once(paypal, sandbox):
    request = refund_request(paid_page(paypal, sandbox).charge_reference, 5000)

    assert paypal.refund(request) == paypal.refund(request)
    assert sandbox.control("ledger")["paypal"]["totals"]["EUR"]["refunded"] == 5000


# What the deprecated SDK would do wrong


class Wire(ThreadingHTTPServer):
    """A server that takes note of what it is sent, and answers like PayPal, barely.

    Tokens are t1, t2, …; only the last is good, and none once `revoke` was called.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), WireHandler)
        self.base = f"http://127.0.0.1:{self.server_port}"
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []
        self.tokens = 0
        self.good = ""

    def revoke(self) -> None:
        self.good = ""

    def transport(self) -> Transport:
        return Transport(self.base, "client", "secret")


class WireHandler(BaseHTTPRequestHandler):
    server: Wire

    def do_POST(self) -> None:
        wire = self.server
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        wire.seen.append((self.command, self.path, dict(self.headers), body))
        status, answer = 200, {"id": "1", "status": "CREATED"}
        if self.path == "/v2/nothing":
            answer = {}
        if self.path == "/v1/oauth2/token":
            wire.tokens += 1
            wire.good = f"t{wire.tokens}"
            answer = {"token_type": "Bearer", "access_token": wire.good, "expires_in": 60}
        elif self.headers["Authorization"] != f"Bearer {wire.good}":
            status, answer = 401, {"error": "invalid_token"}
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST

    def log_message(self, *_: Any) -> None:
        """Nothing to say."""


@pytest.fixture
def wire() -> Iterator[Wire]:
    server = Wire()
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_one_token_serves_until_it_is_revoked_and_is_then_replaced(wire):
    transport = wire.transport()
    transport.get("v2", "look")
    transport.get("v2", "look")
    assert wire.tokens == 1

    wire.revoke()

    assert transport.get("v2", "look") == {"id": "1", "status": "CREATED"}
    assert wire.tokens == 2


def test_the_key_goes_with_the_act_it_is_for_and_nowhere_else(wire):
    transport = wire.transport()
    transport.post("v2", "act", body={}, request_id="key-1")
    transport.get("v2", "look")

    keys = {path: headers.get("PayPal-Request-Id") for _, path, headers, _ in wire.seen}
    assert keys == {"/v1/oauth2/token": None, "/v2/act": "key-1", "/v2/look": None}


def test_an_answer_that_says_nothing_is_doubt(wire):
    with pytest.raises(ProviderUnavailable):
        wire.transport().get("v2", "nothing")


def test_reading_sends_no_body(wire):
    wire.transport().get("v2", "look")

    assert [body for method, _, _, body in wire.seen if method == "GET"] == [b""]


def test_a_reference_cannot_lead_to_another_address(wire):
    wire.transport().get("v2", "../a?b=c/d")

    assert wire.seen[-1][1] == "/v2/..%2Fa%3Fb%3Dc%2Fd"


def test_a_netrc_file_does_not_replace_the_token(wire, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    wire.transport().get("v2", "look")

    assert wire.seen[-1][2]["Authorization"] == "Bearer t1"


def test_neither_credentials_nor_the_buyers_address_are_written_down(paypal, sandbox, caplog):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("paypalrestsdk.api").debug("the SDK's own words")
    paid_page(paypal, sandbox)

    assert "the SDK's own words" not in caplog.text
    for secret in (sandbox.paypal_secret, "Basic ", "Bearer ", "camille@exemple.test"):
        assert secret not in caplog.text


def test_a_client_without_its_secret_or_webhook_does_not_start(sandbox):
    with pytest.raises(IncompleteSettings):
        build_providers(settings_for(sandbox, paypal_client_secret=""))
    with pytest.raises(IncompleteSettings):
        build_providers(settings_for(sandbox, paypal_webhook_id=""))
    assert "paypal" not in build_providers(settings_for(sandbox, paypal_client_id=""))


def test_settings_do_not_show_their_secrets(sandbox):
    settings = replace(settings_for(sandbox), paypal_client_secret="so-secret")

    assert "so-secret" not in repr(settings)
