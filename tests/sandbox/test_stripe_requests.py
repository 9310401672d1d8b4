"""What Stripe refuses, and what an idempotency key does."""

import pytest
import requests
import stripe as sdk

from tests.sandbox.conftest import stripe_client
from tests.sandbox.orders import charge, open_session, save_card, session_parameters

INTENT = {"amount": 6000, "currency": "eur"}


def raw(sandbox, path, body, **headers):
    """A form body sent as it stands, which the SDK would not write."""
    return requests.post(
        f"{sandbox.base_url}/v1/{path}",
        data=body,
        headers={
            "Authorization": "Bearer sk_test_sandbox",
            "Content-Type": "application/x-www-form-urlencoded",
            **headers,
        },
        timeout=10,
    )


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ("amount=6000", "parameter_missing", "currency"),
        ("amount=60.5&currency=eur", "parameter_invalid_integer", "amount"),
        ("amount=6000&currency=eur&offsession=true", "parameter_unknown", "offsession"),
        ("amount=6000&currency=euro", None, "currency"),
        ("amount=6000&currency=eur&confirm=yes", None, "confirm"),
        ("amount=6000&currency=eur&capture_method=later", None, "capture_method"),
        ("amount=6000&currency=eur&customer=", "parameter_invalid_empty", "customer"),
        ("amount=6000&currency=eur&metadata[a][b]=1", None, "metadata[a]"),
        ("amount=6000&currency=eur&payment_method_types=card", None, "payment_method_types"),
        (
            "amount=6000&currency=eur&automatic_payment_methods[enable]=true",
            "parameter_unknown",
            "automatic_payment_methods[enable]",
        ),
        ("amount=49&currency=eur", "amount_too_small", "amount"),
        ("amount=100000000&currency=eur", "amount_too_large", "amount"),
        ("amount=6000&currency=eur&customer=cus_nobody", "resource_missing", "customer"),
        ("amount=6000&currency=eur&payment_method=pm_none", "resource_missing", "payment_method"),
        ("amount=6000&currency=eur&off_session=true", None, "off_session"),
    ],
)
def test_a_wrong_parameter_is_named_and_nothing_is_made(sandbox, body, code, param):
    answer = raw(sandbox, "payment_intents", body)

    error = answer.json()["error"]
    assert answer.status_code == 400
    assert error["type"] == "invalid_request_error"
    assert (error.get("code"), error["param"]) == (code, param)
    assert sandbox.control("state")["objects"] == {}


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"mode": "subscription"}, "mode"),
        ({"ui_mode": "hosted"}, "ui_mode"),
        ({"line_items": []}, "line_items"),
        ({"success_url": "retour"}, "success_url"),
        ({"expires_at": 1}, "expires_at"),
        ({"locale": "français"}, "locale"),
        ({"setup_intent_data": {"description": "x"}}, None),
        ({"customer_email": "personne"}, "customer_email"),
        ({"customer": "cus_nobody", "customer_email": "a@b.fr"}, "customer_email"),
    ],
)
def test_a_session_that_makes_no_sense_is_refused(stripe, changes, param):
    with pytest.raises(sdk.InvalidRequestError) as refusal:
        open_session(stripe, **changes)
    assert refusal.value.param == param


def test_line_items_need_a_name_a_price_and_one_currency(stripe):
    def line(currency="eur", **product):
        price = {"currency": currency, "unit_amount": 900, "product_data": product}
        return {"price_data": price, "quantity": 1}

    for lines in ([line()], [line(name="A"), line("usd", name="B")]):
        with pytest.raises(sdk.InvalidRequestError):
            open_session(stripe, line_items=lines)


def test_another_key_is_refused(sandbox):
    with pytest.raises(sdk.AuthenticationError) as refusal:
        stripe_client(sandbox, "sk_test_other").v1.customers.create({})
    assert "sk_test_other" not in str(refusal.value)


def test_what_does_not_exist_is_not_found(stripe, sandbox):
    with pytest.raises(sdk.InvalidRequestError) as refusal:
        stripe.v1.payment_intents.retrieve("pi_none")
    assert (refusal.value.http_status, refusal.value.code) == (404, "resource_missing")
    assert raw(sandbox, "subscription_schedules", "").status_code == 404


def test_only_what_is_a_reference_can_be_expanded(stripe):
    session = open_session(stripe)
    with pytest.raises(sdk.InvalidRequestError):
        stripe.v1.checkout.sessions.retrieve(session.id, {"expand": ["metadata"]})


# Idempotency


def test_the_same_key_and_parameters_charge_once(stripe, sandbox):
    customer, method = save_card(stripe, sandbox, "4242424242424242")

    first = charge(stripe, customer, method, key="charge:p-2:1")
    again = charge(stripe, customer, method, key="charge:p-2:1")

    assert first.id == again.id
    assert first.last_response.headers.get("Idempotent-Replayed") is None
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert len(sandbox.control("ledger")["stripe"]["taken"]) == 2


def test_the_same_key_for_something_else_is_an_error(stripe, sandbox):
    customer, method = save_card(stripe, sandbox, "4242424242424242")
    charge(stripe, customer, method, key="charge:p-2:1")

    with pytest.raises(sdk.IdempotencyError):
        charge(stripe, customer, method, key="charge:p-2:1", amount=6001)


def test_a_refusal_is_replayed_too(stripe, sandbox):
    customer, method = save_card(stripe, sandbox, "4000000000000341")

    refusals = []
    for _ in range(2):
        with pytest.raises(sdk.CardError) as refusal:
            charge(stripe, customer, method, key="charge:p-2:1")
        refusals.append(refusal.value.error.charge)

    assert refusals[0] == refusals[1]
    assert len(sandbox.events("stripe", "charge.failed")) == 1


def test_a_wrong_request_does_not_use_up_its_key(stripe):
    options = {"idempotency_key": "page:p-1"}
    with pytest.raises(sdk.InvalidRequestError):
        stripe.v1.checkout.sessions.create(session_parameters(locale="xx"), options)

    assert stripe.v1.checkout.sessions.create(session_parameters(), options).status == "open"


def test_keys_are_forgotten_after_a_day(stripe, sandbox):
    first = stripe.v1.payment_intents.create(INTENT, {"idempotency_key": "k"})
    sandbox.control("clock", now="2040-01-01T00:00:00+00:00")
    again = stripe.v1.payment_intents.create(INTENT, {"idempotency_key": "k"})
    sandbox.control("clock", "POST")

    assert first.id != again.id


# Lists


def test_a_list_is_newest_first_filtered_and_paged(stripe):
    mine = stripe.v1.customers.create({"email": "lea@exemple.test"}).id
    made = [stripe.v1.payment_intents.create({**INTENT, "customer": mine}).id for _ in range(3)]
    stripe.v1.payment_intents.create(INTENT)

    first = stripe.v1.payment_intents.list({"customer": mine, "limit": 2})
    rest = stripe.v1.payment_intents.list(
        {"customer": mine, "limit": 2, "starting_after": first.data[-1].id}
    )

    assert [intent.id for intent in first.data + rest.data] == made[::-1]
    assert (first.has_more, rest.has_more) == (True, False)
    assert [i.id for i in stripe.v1.payment_intents.list({"customer": mine}).auto_paging_iter()]


def test_events_are_listed_by_kind(stripe, sandbox):
    sandbox.pay_by_card(open_session(stripe).url)

    found = stripe.v1.events.list({"types": ["checkout.session.completed"]}).data

    assert [event.type for event in found] == ["checkout.session.completed"]
    assert stripe.v1.events.retrieve(found[0].id).data.object.payment_status == "paid"


def test_an_intent_is_cancelled_once(stripe):
    intent = stripe.v1.payment_intents.create(INTENT)

    assert stripe.v1.payment_intents.cancel(intent.id).status == "canceled"
    with pytest.raises(sdk.InvalidRequestError):
        stripe.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
