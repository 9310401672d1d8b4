"""Stripe through its real SDK, against the sandbox."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from stripe import StripeClient, WebhookSignature

from sandbox.testing import RunningSandbox, running_sandbox
from storefront.kernel.money import Money
from storefront.payments.providers.base import (
    PAGE_LIFETIME,
    Decline,
    IncompleteSettings,
    InvalidSignature,
    Outcome,
    OutcomeStatus,
    ProviderRejected,
    ProviderSettings,
    ProviderUnavailable,
    RefundStatus,
    SavedReference,
)
from storefront.payments.providers.registry import build_providers
from storefront.payments.providers.stripe import StripeProvider
from tests.payments.provider_requests import (
    NOW,
    RETURN_URL,
    charge_request,
    nobody_listens_here,
    page_request,
    refund_request,
    settings_for,
)

GOOD_CARD = "4242424242424242"
REFUSED_CARD = "4000000000000002"
CHALLENGED_CARD = "4000002500003155"
ALWAYS_CHALLENGED_CARD = "4000002760003184"
LATER_REFUSED_CARD = "4000000000000341"
PENDING_CARD = "4000000000008005"


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
def stripe(sandbox: RunningSandbox) -> StripeProvider:
    return provider(settings_for(sandbox))


def provider(settings: ProviderSettings) -> StripeProvider:
    built = build_providers(settings)["stripe"]
    assert isinstance(built, StripeProvider)
    return built


def paid_page(
    stripe: StripeProvider, sandbox: RunningSandbox, card: str = GOOD_CARD, **changes: Any
) -> Outcome:
    page = stripe.open_page(page_request(**changes))
    sandbox.pay_by_card(page.url, card)
    return stripe.fetch_page(page.reference)


def kept_card(stripe: StripeProvider, sandbox: RunningSandbox, card: str) -> SavedReference:
    saved = paid_page(stripe, sandbox, card).saved
    assert saved is not None
    return saved


def taken(sandbox: RunningSandbox) -> list[int]:
    return [entry["amount"] for entry in sandbox.control("ledger")["stripe"]["taken"]]


# The hosted page


def test_a_paid_page_tells_the_amount_the_charge_and_the_card_that_was_kept(stripe, sandbox):
    outcome = paid_page(stripe, sandbox)

    assert outcome.status is OutcomeStatus.SUCCEEDED
    assert outcome.amount == Money(18000)
    assert outcome.charge_reference.startswith("pi_")
    assert outcome.saved.label == "Visa •••• 4242"


def test_asking_twice_for_a_page_opens_one(stripe, sandbox):
    request = page_request()

    assert stripe.open_page(request) == stripe.open_page(request)
    assert sandbox.control("state")["objects"]["session"] == 1


def test_a_page_asked_again_once_paid_leads_back_to_the_shop(stripe, sandbox):
    request = page_request()
    page = stripe.open_page(request)
    sandbox.pay_by_card(page.url)

    assert stripe.open_page(request).reference == page.reference
    assert stripe.fetch_page(page.reference).status is OutcomeStatus.SUCCEEDED
    assert taken(sandbox) == [18000]


def test_a_page_that_only_pays_keeps_no_card(stripe, sandbox):
    outcome = paid_page(stripe, sandbox, save_method=False)

    assert outcome.status is OutcomeStatus.SUCCEEDED
    assert outcome.saved is None


@pytest.mark.parametrize("keeps", [True, False])
def test_only_a_page_that_keeps_the_card_asks_for_it(stripe, sandbox, keeps):
    stripe.open_page(page_request(save_method=keeps))

    sent = json.loads(sandbox.log.read_text().splitlines()[-1])["body"]
    assert ("customer_creation=always" in sent) is keeps
    assert ("setup_future_usage" in sent) is keeps


def test_a_buyer_whose_card_is_refused_can_use_another_on_the_same_page(stripe, sandbox):
    page = stripe.open_page(page_request())
    assert stripe.fetch_page(page.reference).status is OutcomeStatus.OPEN

    sandbox.pay_by_card(page.url, REFUSED_CARD)
    assert stripe.fetch_page(page.reference) == Outcome(OutcomeStatus.OPEN)

    answer = sandbox.pay_by_card(page.url, GOOD_CARD)
    assert answer.headers["Location"] == RETURN_URL
    assert stripe.fetch_page(page.reference).status is OutcomeStatus.SUCCEEDED


def test_an_authentication_given_up_pays_nothing_and_one_agreed_pays(stripe, sandbox):
    page = stripe.open_page(page_request())

    sandbox.pay_by_card(page.url, CHALLENGED_CARD, agree=False)
    assert stripe.fetch_page(page.reference).status is OutcomeStatus.OPEN
    assert taken(sandbox) == []

    sandbox.pay_by_card(page.url, CHALLENGED_CARD, agree=True)
    assert stripe.fetch_page(page.reference).status is OutcomeStatus.SUCCEEDED


def test_a_page_left_alone_expires_after_about_half_an_hour(stripe, sandbox):
    page = stripe.open_page(page_request())
    sandbox.control("clock", now=(NOW + timedelta(minutes=32)).isoformat())

    assert stripe.fetch_page(page.reference) == Outcome(OutcomeStatus.CANCELLED)


@pytest.mark.parametrize(
    ("ending", "status"),
    [("succeeded", OutcomeStatus.SUCCEEDED), ("failed", OutcomeStatus.DECLINED)],
)
def test_a_payment_under_way_is_pending_until_the_bank_decides(stripe, sandbox, ending, status):
    page = stripe.open_page(page_request())
    sandbox.pay_by_card(page.url, PENDING_CARD)
    waiting = stripe.fetch_page(page.reference)
    assert (waiting.status, waiting.amount) == (OutcomeStatus.PENDING, Money(18000))

    sandbox.control(f"stripe/payment_intents/{waiting.charge_reference}/settle", status=ending)

    assert stripe.fetch_page(page.reference).status is status
    assert stripe.fetch_charge(waiting.charge_reference).status is status


def test_the_amount_is_that_of_the_page_whatever_order_it_is_shown_for(stripe, sandbox):
    page = stripe.open_page(page_request(amount=Money(100)))
    sandbox.pay_by_card(page.url)

    assert stripe.fetch_page(page.reference).amount == Money(100)


def test_a_currency_without_cents_is_counted_in_whole_units(stripe, sandbox):
    assert paid_page(stripe, sandbox, amount=Money(18000, "JPY")).amount == Money(18000, "JPY")


def test_a_currency_that_is_counted_differently_is_not_taken(stripe, sandbox):
    with pytest.raises(ProviderRejected, match="ISK"):
        stripe.open_page(page_request(amount=Money(18000, "ISK")))


# Later payments


def test_a_later_instalment_is_taken_without_the_buyer(stripe, sandbox):
    saved = kept_card(stripe, sandbox, GOOD_CARD)

    outcome = stripe.charge(charge_request(saved))

    assert (outcome.status, outcome.amount) == (OutcomeStatus.SUCCEEDED, Money(6000))
    assert stripe.fetch_charge(outcome.charge_reference).amount == Money(6000)


def test_the_same_charge_sent_again_takes_the_money_once(stripe, sandbox):
    request = charge_request(kept_card(stripe, sandbox, GOOD_CARD))

    assert stripe.charge(request) == stripe.charge(request)
    assert taken(sandbox) == [18000, 6000]


def test_a_charge_whose_answer_is_lost_once_is_asked_again_by_itself(stripe, sandbox):
    request = charge_request(kept_card(stripe, sandbox, GOOD_CARD))
    sandbox.control("faults", kind="lost_answer", path="/v1/payment_intents", count=1)

    assert stripe.charge(request).status is OutcomeStatus.SUCCEEDED
    assert taken(sandbox) == [18000, 6000]


def test_a_charge_in_doubt_is_not_guessed_and_the_same_one_later_tells(stripe, sandbox):
    request = charge_request(kept_card(stripe, sandbox, GOOD_CARD))
    sandbox.control("faults", kind="lost_answer", path="/v1/payment_intents", count=3)

    with pytest.raises(ProviderUnavailable):
        stripe.charge(request)
    assert taken(sandbox) == [18000, 6000]  # it was taken, which nobody could know

    assert stripe.charge(request).status is OutcomeStatus.SUCCEEDED
    assert taken(sandbox) == [18000, 6000]


def test_one_key_never_serves_two_amounts(stripe, sandbox):
    request = charge_request(kept_card(stripe, sandbox, GOOD_CARD))
    stripe.charge(request)

    with pytest.raises(ProviderRejected):
        stripe.charge(replace(request, amount=Money(7000)))
    assert taken(sandbox) == [18000, 6000]


def test_a_bank_that_wants_the_customer_is_not_a_decline(stripe, sandbox):
    saved = kept_card(stripe, sandbox, ALWAYS_CHALLENGED_CARD)

    outcome = stripe.charge(charge_request(saved))

    assert outcome.status is OutcomeStatus.NEEDS_CUSTOMER
    assert stripe.fetch_charge(outcome.charge_reference).status is OutcomeStatus.NEEDS_CUSTOMER


def test_a_soft_decline_may_be_tried_again_under_a_new_attempt(stripe, sandbox):
    request = charge_request(kept_card(stripe, sandbox, LATER_REFUSED_CARD))

    first = stripe.charge(request)
    second = stripe.charge(replace(request, attempt=2))

    assert first.status is OutcomeStatus.DECLINED
    assert first.decline == Decline("generic_decline", retryable=True)
    assert second.charge_reference != first.charge_reference


@pytest.mark.parametrize(
    ("card", "decline"),
    [
        ("pm_card_visa_chargeDeclinedStolenCard", Decline("stolen_card", retryable=False)),
        ("pm_card_chargeDeclinedExpiredCard", Decline("expired_card", retryable=False)),
        (
            "pm_card_visa_chargeDeclinedInsufficientFunds",
            Decline("insufficient_funds", retryable=True),
        ),
    ],
)
def test_declines_say_whether_the_same_card_may_ever_work(stripe, sandbox, card, decline):
    saved = kept_card(stripe, sandbox, GOOD_CARD)
    merchant = StripeClient(sandbox.stripe_key, base_addresses={"api": sandbox.base_url})
    attached = merchant.v1.payment_methods.attach(card, {"customer": saved.customer})

    outcome = stripe.charge(charge_request(replace(saved, method=attached.id)))

    assert outcome.decline == decline
    assert stripe.fetch_charge(outcome.charge_reference).decline == decline


def test_a_card_taken_away_at_stripe_is_declined_for_good(stripe, sandbox):
    saved = kept_card(stripe, sandbox, GOOD_CARD)
    sandbox.control(f"stripe/payment_methods/{saved.method}/detach", "POST")

    outcome = stripe.charge(charge_request(saved))

    assert outcome.status is OutcomeStatus.DECLINED
    assert outcome.decline.retryable is False


# Doubt and refusal


@pytest.mark.parametrize("status", [500, 503, 429])
def test_an_error_of_stripes_is_doubt(stripe, sandbox, status):
    sandbox.control("faults", kind="error", status=status, count=3)

    with pytest.raises(ProviderUnavailable):
        stripe.open_page(page_request())


def test_an_answer_that_takes_too_long_is_doubt(sandbox):
    hurried = StripeProvider(sandbox.stripe_key, ("whsec",), sandbox.base_url, timeout=0.2)
    sandbox.control("faults", kind="delay", seconds=0.6, count=3)

    with pytest.raises(ProviderUnavailable):
        hurried.open_page(page_request())


def test_a_stripe_out_of_reach_is_doubt(sandbox):
    lost = provider(settings_for(sandbox, stripe_api_base=nobody_listens_here()))

    with pytest.raises(ProviderUnavailable):
        lost.open_page(page_request())


def test_a_key_refused_for_ever_is_said_at_once(sandbox):
    stranger = provider(settings_for(sandbox, stripe_secret_key="sk_test_of_another_shop"))
    asked = len(sandbox.log.read_text().splitlines())

    with pytest.raises(ProviderRejected, match="401"):
        stranger.open_page(page_request())
    assert len(sandbox.log.read_text().splitlines()) == asked + 1


def test_an_unknown_page_is_our_mistake(stripe):
    with pytest.raises(ProviderRejected, match="resource_missing"):
        stripe.fetch_page("cs_test_unknown")


# Refunds


def test_refunds_in_parts_stop_at_what_was_paid(stripe, sandbox):
    charge = paid_page(stripe, sandbox).charge_reference

    first = stripe.refund(refund_request(charge, 5000))
    too_much = stripe.refund(refund_request(charge, 13001))
    rest = stripe.refund(refund_request(charge, 13000))
    more = stripe.refund(refund_request(charge, 1))

    assert (first.status, first.amount) == (RefundStatus.SUCCEEDED, Money(5000))
    assert (too_much.status, too_much.amount) == (RefundStatus.REFUSED, None)
    assert (rest.status, rest.amount) == (RefundStatus.SUCCEEDED, Money(13000))
    assert more.reason == "charge_already_refunded"


def test_the_same_refund_sent_again_gives_back_once(stripe, sandbox):
    request = refund_request(paid_page(stripe, sandbox).charge_reference, 5000)

    assert stripe.refund(request) == stripe.refund(request)
    assert sandbox.control("ledger")["stripe"]["totals"]["EUR"]["refunded"] == 5000


# Webhooks


@pytest.fixture
def signed(stripe, sandbox) -> tuple[dict[str, str], bytes]:
    """A true webhook of a page that was paid, as Stripe sends it."""
    paid_page(stripe, sandbox)
    event = sandbox.events("stripe", "checkout.session.completed")[0]
    return sandbox.signed("stripe", event["id"])


def test_a_webhook_names_what_to_fetch_again(stripe, sandbox):
    request = page_request()
    page = stripe.open_page(request)
    sandbox.pay_by_card(page.url)
    charge = stripe.fetch_page(page.reference).charge_reference
    found = {
        notice.kind: notice
        for event in sandbox.events("stripe")
        for notice in [stripe.read_webhook(*sandbox.signed("stripe", event["id"]), NOW)]
    }

    assert found["checkout.session.completed"].reference == page.reference
    assert found["checkout.session.completed"].payment_id == request.payment_id
    assert found["payment_intent.succeeded"].reference == charge
    assert found["payment_intent.succeeded"].payment_id == request.payment_id
    assert found["customer.created"].reference is None


def test_refunds_disputes_and_lost_cards_name_their_charge_or_card(stripe, sandbox):
    outcome = paid_page(stripe, sandbox)
    sandbox.control("stripe/refunds", payment_intent=outcome.charge_reference, amount=100)
    sandbox.control(f"stripe/payment_intents/{outcome.charge_reference}/dispute", "POST")
    sandbox.control(f"stripe/payment_methods/{outcome.saved.method}/detach", "POST")

    def reference(kind: str) -> str | None:
        event = sandbox.events("stripe", kind)[-1]
        return stripe.read_webhook(*sandbox.signed("stripe", event["id"]), NOW).reference

    assert reference("charge.refunded") == outcome.charge_reference
    assert reference("charge.dispute.created") == outcome.charge_reference
    assert reference("payment_method.detached") == outcome.saved.method
    # A card that was just saved must not be taken for one that was lost.
    assert reference("payment_method.attached") is None


def test_header_names_may_come_in_any_case(stripe, signed):
    headers, body = signed

    lowered = {name.lower(): value for name, value in headers.items()}
    assert stripe.read_webhook(lowered, body, NOW).kind == "checkout.session.completed"


def test_a_webhook_made_up_without_the_secret_is_refused(stripe, signed):
    _, body = signed
    forged = WebhookSignature.generate_signature_header(
        body.decode(), "whsec_guess", timestamp=int(NOW.timestamp())
    )

    with pytest.raises(InvalidSignature):
        stripe.read_webhook({"Stripe-Signature": forged}, body, NOW)


@pytest.mark.parametrize("header", ["", "t=1,v1=00", "nonsense", "t=x,v1=", "v1=1", "t=1=2,v1==="])
def test_a_webhook_without_a_readable_signature_is_refused(stripe, signed, header):
    with pytest.raises(InvalidSignature):
        stripe.read_webhook({"Stripe-Signature": header}, signed[1], NOW)


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"{}"])
def test_another_body_under_a_true_signature_is_refused(stripe, signed, body):
    with pytest.raises(InvalidSignature):
        stripe.read_webhook(signed[0], body, NOW)


def test_a_webhook_written_anew_with_the_same_meaning_is_refused(stripe, signed):
    headers, body = signed
    again = json.dumps(json.loads(body)).encode()
    assert again != body

    with pytest.raises(InvalidSignature):
        stripe.read_webhook(headers, again, NOW)


@pytest.mark.parametrize("late", [timedelta(minutes=6), timedelta(days=1), timedelta(minutes=-6)])
def test_a_webhook_replayed_late_or_dated_in_the_future_is_refused(stripe, signed, late):
    headers, body = signed
    assert stripe.read_webhook(headers, body, NOW)

    with pytest.raises(InvalidSignature):
        stripe.read_webhook(headers, body, NOW + late)


def test_the_shops_clock_decides_what_is_late_not_the_machines(stripe, sandbox):
    long_ago = NOW - timedelta(days=300)
    sandbox.control("clock", now=long_ago.isoformat())
    paid_page(stripe, sandbox, expires_at=long_ago + PAGE_LIFETIME)
    event = sandbox.events("stripe", "checkout.session.completed")[0]

    assert stripe.read_webhook(*sandbox.signed("stripe", event["id"]), long_ago)


def test_no_event_is_lost_while_the_secret_is_rotated(sandbox, signed):
    headers, body = signed
    between = provider(settings_for(sandbox, stripe_webhook_secret="whsec_new, whsec_sandbox"))
    after = provider(settings_for(sandbox, stripe_webhook_secret="whsec_new"))

    assert between.read_webhook(headers, body, NOW).kind == "checkout.session.completed"
    with pytest.raises(InvalidSignature):
        after.read_webhook(headers, body, NOW)


@pytest.mark.parametrize(
    "body",
    [
        '{"id": "evt_1", "type": "charge.refunded"}',
        '{"id": "evt_1", "type": "charge.refunded", "data": {"object": 3}}',
        '{"id": "' + "e" * 200 + '", "type": "x", "data": {"object": {"object": "charge"}}}',
        '["evt_1"]',
    ],
)
def test_a_signed_body_that_is_no_event_is_refused(stripe, body):
    header = WebhookSignature.generate_signature_header(
        body, "whsec_sandbox", timestamp=int(NOW.timestamp())
    )

    with pytest.raises(InvalidSignature):
        stripe.read_webhook({"Stripe-Signature": header}, body.encode(), NOW)


# Settings and secrets


def test_a_shop_without_a_stripe_key_does_not_offer_cards(sandbox):
    assert "stripe" not in build_providers(settings_for(sandbox, stripe_secret_key=""))


def test_a_key_without_a_webhook_secret_does_not_start(sandbox):
    with pytest.raises(IncompleteSettings):
        build_providers(settings_for(sandbox, stripe_webhook_secret=" , "))


def test_neither_secrets_nor_the_buyers_address_are_written_down(stripe, sandbox, caplog):
    caplog.set_level(logging.DEBUG)
    paid_page(stripe, sandbox)

    assert sandbox.stripe_key not in caplog.text
    assert "camille@exemple.test" not in caplog.text
    assert sandbox.stripe_key not in repr(settings_for(sandbox))
