"""Trouble between the shop and the providers, and the controls that make it."""

import json
import sqlite3
import subprocess
import sys
import threading
import time

import pytest
import requests
import stripe as sdk

from sandbox.testing import running_sandbox
from tests.sandbox.conftest import stripe_client
from tests.sandbox.orders import (
    approval_page,
    capture,
    charge,
    create_order,
    open_session,
    save_card,
)


def taken(sandbox):
    return [entry["amount"] for entry in sandbox.control("ledger")["stripe"]["taken"]]


@pytest.fixture
def saved(stripe, sandbox):
    return save_card(stripe, sandbox, "4242424242424242")


@pytest.mark.parametrize("kind", ["lost_answer", "error_after", "timeout"])
def test_an_answer_lost_after_the_charge_is_found_again_by_its_key(stripe, sandbox, saved, kind):
    sandbox.control("faults", kind=kind, path="/v1/payment_intents", seconds=0.2)

    with pytest.raises((sdk.APIConnectionError, sdk.APIError)):
        charge(stripe, *saved, key="k")
    assert taken(sandbox) == [18000, 6000]

    assert charge(stripe, *saved, key="k").last_response.headers["Idempotent-Replayed"] == "true"
    assert taken(sandbox) == [18000, 6000]


@pytest.mark.parametrize("fault", [{"kind": "closed"}, {"kind": "error", "status": 503}])
def test_a_request_that_never_arrived_takes_nothing(stripe, sandbox, saved, fault):
    sandbox.control("faults", provider="stripe", method="post", **fault)

    with pytest.raises((sdk.APIConnectionError, sdk.APIError)):
        charge(stripe, *saved, key="k")
    assert taken(sandbox) == [18000]
    assert charge(stripe, *saved, key="k").status == "succeeded"


def test_the_sdks_own_retry_charges_once(sandbox, saved):
    client = sdk.StripeClient(
        "sk_test_sandbox", base_addresses={"api": sandbox.base_url}, max_network_retries=2
    )
    sandbox.control("faults", kind="lost_answer", path="/v1/payment_intents")

    assert charge(client, *saved, key="k").status == "succeeded"
    assert taken(sandbox) == [18000, 6000]


def test_a_provider_can_refuse_for_ever_until_it_is_told_to_stop(stripe, sandbox):
    sandbox.control("faults", kind="error", status=401, provider="stripe", count=-1)
    for _ in range(3):
        with pytest.raises(sdk.AuthenticationError):
            stripe.v1.customers.create({})

    sandbox.control("faults", "DELETE")
    assert stripe.v1.customers.create({}).id


def test_an_answer_can_be_late(stripe, sandbox):
    sandbox.control("faults", kind="delay", seconds=0.3)
    start = time.monotonic()
    stripe.v1.customers.create({})
    assert time.monotonic() - start > 0.25


def test_a_fault_strikes_only_what_it_names(stripe, paypal, sandbox):
    sandbox.control("faults", kind="closed", provider="paypal", path="/v2/*/capture")
    assert stripe.v1.customers.create({}).id
    order = create_order(paypal)
    sandbox.pay_by_paypal(approval_page(order))

    with pytest.raises(requests.ConnectionError):
        capture(paypal, order)
    assert capture(paypal, order)["status"] == "COMPLETED"


def test_many_threads_with_one_key_charge_once(stripe, sandbox, saved):
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(charge(stripe, *saved, key="k").id))
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 12
    assert len(set(found)) == 1
    assert taken(sandbox) == [18000, 6000]


# Controls


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("faults", {"kind": "earthquake"}),
        ("faults", {"status": 500}),
        ("faults", {"kind": "delay", "seconds": "long"}),
        ("webhooks", {"duplicate": -1}),
        ("webhooks", {"delay": True}),
        ("clock", {"now": "tomorrow"}),
        ("clock", {"now": "2026-12-01T09:00:00"}),
        ("settings", {"webhook": "http://127.0.0.1"}),
    ],
)
def test_a_control_that_makes_no_sense_is_refused_in_words(sandbox, path, body):
    answer = requests.post(f"{sandbox.base_url}/_sandbox/{path}", json=body, timeout=10)

    assert answer.status_code == 400
    assert answer.json()["error"]


def test_a_control_on_something_unknown_is_not_found(sandbox):
    for path in ("stripe/payment_intents/pi_none/dispute", "paypal/captures/X/settle"):
        answer = requests.post(f"{sandbox.base_url}/_sandbox/{path}", timeout=10)
        assert answer.status_code == 404


def test_a_reset_forgets_the_money_and_keeps_the_credentials(stripe, sandbox, saved):
    headers = {"Authorization": "Bearer none"}
    sandbox.control("reset", "POST")

    assert sandbox.control("state")["objects"] == {}
    assert sandbox.control("ledger")["stripe"]["taken"] == []
    assert requests.get(sandbox.base_url + "/v2/x", headers=headers, timeout=10).status_code == 404
    assert stripe.v1.customers.create({}).id


def test_every_api_request_is_logged_as_it_was_sent(stripe, sandbox, tmp_path):
    log = tmp_path / "requests.jsonl"
    sandbox.control("settings", log=str(log))
    session = open_session(stripe)
    requests.get(session.url, timeout=10)
    stripe.v1.checkout.sessions.retrieve(session.id, {"expand": ["line_items"]})
    requests.post(f"{sandbox.base_url}/v1/oauth2/token", timeout=10)

    lines = [json.loads(line) for line in log.read_text().splitlines()]

    assert [(line["provider"], line["method"]) for line in lines] == [
        ("stripe", "POST"),
        ("stripe", "GET"),
        ("paypal", "POST"),
    ]
    assert "mode=payment" in lines[0]["body"]
    assert lines[1]["path"].startswith(f"/v1/checkout/sessions/{session.id}?expand")
    assert lines[2] == {
        "provider": "paypal",
        "method": "POST",
        "path": "/v1/oauth2/token",
        "body": None,
    }


@pytest.mark.parametrize("kind", ["error", "closed", "lost_answer"])
def test_a_spoilt_request_is_logged_once_too(stripe, sandbox, tmp_path, kind):
    log = tmp_path / "requests.jsonl"
    sandbox.control("settings", log=str(log))
    sandbox.control("faults", kind=kind)

    with pytest.raises((sdk.APIConnectionError, sdk.APIError)):
        stripe.v1.customers.create({"name": "Léa"})

    (line,) = [json.loads(line) for line in log.read_text().splitlines()]
    assert (line["path"], line["body"]) == ("/v1/customers", "name=L%C3%A9a")


# Life of the process


def test_saved_cards_and_the_certificate_survive_a_restart(tmp_path):
    with running_sandbox(tmp_path) as sandbox:
        first = stripe_client(sandbox)
        customer, method = save_card(first, sandbox, "4242424242424242")
        path = "/v1/notifications/certs/CERT-SANDBOX"
        certificate = requests.get(sandbox.base_url + path, timeout=10).text

    with running_sandbox(tmp_path) as sandbox:
        assert charge(stripe_client(sandbox), customer, method).status == "succeeded"
        assert requests.get(sandbox.base_url + path, timeout=10).text == certificate


def test_the_command_says_where_it_listens_and_stops_when_told(tmp_path):
    state = tmp_path / "state.sqlite3"
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--state", str(state)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        words = process.stdout.readline().split()
        assert words[:3] == ["sandbox", "listening", "on"]
        assert requests.get(f"{words[3]}/_sandbox/state", timeout=10).status_code == 200
    finally:
        process.terminate()
        assert process.wait(timeout=10) == 0
    with sqlite3.connect(state) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
