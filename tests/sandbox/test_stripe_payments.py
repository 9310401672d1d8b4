"""What each test card does, on the hosted page and off session."""

import time

import pytest
import requests
import stripe as sdk

from tests.sandbox.orders import (
    CANCEL,
    charge,
    open_session,
    save_card,
    session_parameters,
    set_up_parameters,
)

GOOD, ONCE, ALWAYS = "4242424242424242", "4000002500003155", "4000002760003184"


def kinds(sandbox):
    return [event["type"] for event in sandbox.events("stripe")]


def test_a_good_card_pays_and_the_payer_returns_to_the_shop(stripe, sandbox):
    session = open_session(stripe)

    answer = sandbox.pay_by_card(session.url, GOOD)

    assert answer.status_code == 303
    assert answer.headers["Location"] == f"http://shop.test/retour?session={session.id}"
    paid = stripe.v1.checkout.sessions.retrieve(
        session.id, {"expand": ["payment_intent.payment_method", "line_items"]}
    )
    assert (paid.status, paid.payment_status, paid.url) == ("complete", "paid", None)
    assert (paid.amount_total, paid.currency) == (18000, "eur")
    assert paid.client_reference_id == "C-2026-0001"
    assert paid.metadata["order"] == "C-2026-0001"
    assert paid.payment_intent.status == "succeeded"
    assert paid.payment_intent.metadata["payment"] == "p-1"
    assert paid.payment_intent.payment_method.card.last4 == "4242"
    assert paid.payment_intent.payment_method.customer == paid.customer
    assert paid.line_items.data[0].description == "Stage de sonorisation"


def test_a_new_session_has_no_payment_intent_and_is_unpaid(stripe):
    session = open_session(stripe)

    assert (session.status, session.payment_status) == ("open", "unpaid")
    assert session.payment_intent is None


def test_the_events_of_a_payment_come_in_the_providers_order(stripe, sandbox):
    sandbox.pay_by_card(open_session(stripe).url, GOOD)

    assert kinds(sandbox) == [
        "customer.created",
        "payment_intent.created",
        "payment_method.attached",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ]


@pytest.mark.parametrize(
    ("number", "code", "decline_code", "advice", "said"),
    [
        ("4000000000000002", "card_declined", "generic_decline", "try_again_later", "refusée"),
        ("4000000000009995", "card_declined", "insufficient_funds", "try_again_later", "solde"),
        ("4000000000000069", "expired_card", "expired_card", "confirm_card_data", "expiré"),
        ("4000000000009979", "card_declined", "stolen_card", "do_not_try_again", "définitivement"),
        ("4000000000000127", "incorrect_cvc", "incorrect_cvc", "confirm_card_data", "cryptogramme"),
        (
            "4000000000000119",
            "processing_error",
            "processing_error",
            "try_again_later",
            "pas pu traiter",
        ),
    ],
)
def test_a_refused_card_says_why_and_leaves_the_page_open_for_another(
    stripe, sandbox, number, code, decline_code, advice, said
):
    session = open_session(stripe)

    refused = sandbox.pay_by_card(session.url, number)

    assert refused.status_code == 402
    assert said in refused.text
    after = stripe.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert (after.status, after.payment_status) == ("open", "unpaid")
    error = after.payment_intent.last_payment_error
    assert (error.code, error.decline_code, error.advice_code) == (code, decline_code, advice)
    assert after.payment_intent.status == "requires_payment_method"
    assert "payment_intent.payment_failed" in kinds(sandbox)

    accepted = sandbox.pay_by_card(session.url, GOOD)
    assert accepted.status_code == 303
    paid = stripe.v1.checkout.sessions.retrieve(session.id)
    assert paid.payment_intent == after.payment_intent.id
    assert [entry["amount"] for entry in sandbox.control("ledger")["stripe"]["taken"]] == [18000]


@pytest.mark.parametrize("number", [ONCE, ALWAYS])
def test_an_authorised_challenge_pays(stripe, sandbox, number):
    session = open_session(stripe)
    form = {"number": number, "expiry": "12/34", "cvc": "123", "name": "Léa"}

    asked = requests.post(session.url, data=form, allow_redirects=False, timeout=10)
    challenge = asked.headers["Location"]
    page = requests.get(challenge, timeout=10).text
    waiting = stripe.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})

    assert "Autoriser" in page
    assert "Refuser" in page
    assert waiting.payment_intent.status == "requires_action"
    answer = requests.post(challenge, data={"answer": "agree"}, allow_redirects=False, timeout=10)
    assert answer.headers["Location"].startswith("http://shop.test/retour")
    assert stripe.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"


def test_a_refused_challenge_leads_back_to_the_page_with_the_reason(stripe, sandbox):
    session = open_session(stripe)

    page = sandbox.pay_by_card(session.url, ONCE, agree=False)

    assert "L’authentification a été refusée" in page.text
    after = stripe.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert after.status == "open"
    error = after.payment_intent.last_payment_error
    assert error.code == "payment_intent_authentication_failure"
    assert sandbox.pay_by_card(session.url, GOOD).status_code == 303


def test_an_abandoned_challenge_takes_no_money_and_another_card_may_follow(stripe, sandbox):
    session = open_session(stripe)
    form = {"number": ONCE, "expiry": "12/34", "cvc": "123", "name": "Léa"}
    asked = requests.post(session.url, data=form, allow_redirects=False, timeout=10)

    assert sandbox.control("ledger")["stripe"]["taken"] == []
    assert sandbox.pay_by_card(session.url, GOOD).status_code == 303
    late = requests.post(
        asked.headers["Location"], data={"answer": "agree"}, allow_redirects=False, timeout=10
    )
    assert "déjà fait" in late.text
    assert len(sandbox.control("ledger")["stripe"]["taken"]) == 1


@pytest.mark.parametrize("number", [GOOD, ONCE])
def test_a_card_set_up_on_session_pays_off_session(stripe, sandbox, number):
    customer, method = save_card(stripe, sandbox, number)

    intent = charge(stripe, customer, method)

    assert (intent.status, intent.amount_received) == ("succeeded", 6000)


def test_a_card_that_always_authenticates_is_refused_off_session(stripe, sandbox):
    customer, method = save_card(stripe, sandbox, ALWAYS)

    with pytest.raises(sdk.CardError) as refusal:
        charge(stripe, customer, method)

    error = refusal.value
    assert (error.http_status, error.code) == (402, "authentication_required")
    assert error.error.payment_intent.status == "requires_payment_method"
    assert error.error.payment_method.id == method


def test_a_card_may_be_accepted_today_and_refused_later(stripe, sandbox):
    customer, method = save_card(stripe, sandbox, "4000000000000341")

    with pytest.raises(sdk.CardError) as refusal:
        charge(stripe, customer, method)

    assert refusal.value.code == "card_declined"
    assert refusal.value.error.decline_code == "generic_decline"
    assert refusal.value.error.advice_code == "try_again_later"


def test_a_disputed_card_pays_and_complains_at_once(stripe, sandbox):
    session = open_session(stripe)
    sandbox.pay_by_card(session.url, "4000000000000259")

    intent = stripe.v1.checkout.sessions.retrieve(session.id).payment_intent
    (dispute,) = stripe.v1.disputes.list({"payment_intent": intent}).data
    assert dispute.status == "needs_response"
    assert "charge.dispute.created" in kinds(sandbox)

    sandbox.control(f"stripe/disputes/{dispute.id}/close", status="won")
    assert stripe.v1.disputes.retrieve(dispute.id).status == "won"
    assert kinds(sandbox)[-1] == "charge.dispute.closed"


@pytest.mark.parametrize(
    ("ending", "status", "event"),
    [
        ("succeeded", "paid", "checkout.session.async_payment_succeeded"),
        ("failed", "unpaid", "checkout.session.async_payment_failed"),
    ],
)
def test_a_pending_payment_waits_until_it_is_settled(stripe, sandbox, ending, status, event):
    session = open_session(stripe)
    sandbox.pay_by_card(session.url, "4000000000008005")
    waiting = stripe.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert (waiting.status, waiting.payment_status) == ("complete", "unpaid")
    assert waiting.payment_intent.status == "processing"
    assert sandbox.control("ledger")["stripe"]["taken"] == []

    sandbox.control(f"stripe/payment_intents/{waiting.payment_intent.id}/settle", status=ending)

    assert stripe.v1.checkout.sessions.retrieve(session.id).payment_status == status
    assert kinds(sandbox)[-1] == event


def test_a_set_up_session_saves_a_card_and_takes_nothing(stripe, sandbox):
    session = stripe.v1.checkout.sessions.create(set_up_parameters())

    sandbox.pay_by_card(session.url, ONCE)

    done = stripe.v1.checkout.sessions.retrieve(session.id, {"expand": ["setup_intent"]})
    assert (done.status, done.payment_status) == ("complete", "no_payment_required")
    assert done.setup_intent.status == "succeeded"
    assert sandbox.control("ledger")["stripe"]["taken"] == []
    assert charge(stripe, done.customer, done.setup_intent.payment_method).status == "succeeded"


def test_a_test_token_stands_for_its_card(stripe):
    customer = stripe.v1.customers.create({"email": "lea@exemple.test"})
    method = stripe.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})

    assert charge(stripe, customer.id, method.id).status == "succeeded"


def test_a_detached_card_can_no_longer_be_charged(stripe, sandbox):
    customer, method = save_card(stripe, sandbox, GOOD)
    stripe.v1.payment_methods.detach(method)

    with pytest.raises(sdk.InvalidRequestError):
        charge(stripe, customer, method)
    assert kinds(sandbox)[-1] == "payment_method.detached"


def test_another_customers_card_is_refused(stripe, sandbox):
    _, method = save_card(stripe, sandbox, GOOD)
    other = stripe.v1.customers.create({"email": "autre@exemple.test"})

    with pytest.raises(sdk.InvalidRequestError) as refusal:
        charge(stripe, other.id, method)
    assert refusal.value.param == "payment_method"


def test_a_session_expires_at_its_time(stripe, sandbox):
    session = open_session(stripe)
    later = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(session.expires_at + 1))

    sandbox.control("clock", now=later)

    assert stripe.v1.checkout.sessions.retrieve(session.id).status == "expired"
    assert kinds(sandbox) == ["checkout.session.expired"]
    page = requests.get(session.url or "", timeout=10) if session.url else None
    assert page is not None
    assert page.status_code == 410
    assert "a expiré" in page.text
    assert sandbox.pay_by_card(session.url, GOOD).status_code == 410
    sandbox.control("clock", "POST")


def test_an_open_session_can_be_expired_once(stripe):
    session = open_session(stripe)

    assert stripe.v1.checkout.sessions.expire(session.id).status == "expired"
    with pytest.raises(sdk.InvalidRequestError):
        stripe.v1.checkout.sessions.expire(session.id)


def test_a_paid_page_shown_again_takes_no_second_payment(stripe, sandbox):
    session = open_session(stripe)
    sandbox.pay_by_card(session.url, GOOD)

    again = sandbox.pay_by_card(session.url, GOOD)

    assert "déjà fait" in again.text
    assert len(sandbox.control("ledger")["stripe"]["taken"]) == 1


def test_the_page_offers_the_way_back_and_asks_again_for_what_is_wrong(stripe):
    session = open_session(stripe)
    page = requests.get(session.url, timeout=10)
    assert CANCEL in page.text
    assert "180,00" in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]

    form = {"number": "1234", "expiry": "13/20", "cvc": "1", "name": "Léa"}
    wrong = requests.post(session.url, data=form, timeout=10)

    assert wrong.status_code == 422
    for sentence in ("numéro de carte est incomplet", "le mois et l’année", "3 chiffres"):
        assert sentence in wrong.text
    assert 'value="Léa"' in wrong.text


def test_a_refund_in_parts_never_exceeds_the_payment(stripe, sandbox):
    session = open_session(stripe)
    sandbox.pay_by_card(session.url, GOOD)
    intent = stripe.v1.checkout.sessions.retrieve(session.id).payment_intent

    first = stripe.v1.refunds.create({"payment_intent": intent, "amount": 10000})
    with pytest.raises(sdk.InvalidRequestError):
        stripe.v1.refunds.create({"payment_intent": intent, "amount": 8001})
    stripe.v1.refunds.create({"payment_intent": intent})
    with pytest.raises(sdk.InvalidRequestError) as refusal:
        stripe.v1.refunds.create({"payment_intent": intent})

    assert refusal.value.code == "charge_already_refunded"
    assert stripe.v1.refunds.retrieve(first.id).status == "succeeded"
    charged = stripe.v1.payment_intents.retrieve(intent, {"expand": ["latest_charge"]})
    assert charged.latest_charge.refunded is True
    assert sandbox.control("ledger")["stripe"]["totals"] == {
        "EUR": {"taken": 18000, "refunded": 18000, "lost": 0}
    }


def test_a_refund_on_the_dashboard_is_told_by_an_event(stripe, sandbox):
    session = open_session(stripe)
    sandbox.pay_by_card(session.url, GOOD)
    intent = stripe.v1.checkout.sessions.retrieve(session.id).payment_intent

    sandbox.control("stripe/refunds", payment_intent=intent, amount=500)

    (event,) = sandbox.events("stripe", "charge.refunded")
    assert event["data"]["object"]["amount_refunded"] == 500


def test_a_currency_without_decimals_is_shown_without_them(stripe, sandbox):
    line = session_parameters()["line_items"][0]
    line["price_data"] |= {"currency": "jpy", "unit_amount": 18000}

    page = requests.get(open_session(stripe, line_items=[line]).url, timeout=10)

    assert "18\u202f000\u00a0¥" in page.text
