"""PayPal's road, through the transport of the real SDK: orders, captures, saved accounts."""

import paypalrestsdk
import pytest
import requests
from paypalrestsdk import exceptions

from tests.sandbox.orders import (
    approval_page,
    capture,
    create_order,
    first_capture,
    order_parameters,
    paid_order,
    vaulted_parameters,
)


def issue(error):
    """The issue PayPal names; 422 arrives as an exception with the answer in it."""
    return error.value.response.json()["details"][0]["issue"]


def kinds(sandbox):
    return [event["event_type"] for event in sandbox.events("paypal")]


def ledger(sandbox):
    return sandbox.control("ledger")["paypal"]


def test_an_approved_order_is_captured(paypal, sandbox):
    order = create_order(paypal)
    assert order["status"] == "PAYER_ACTION_REQUIRED"

    answer = sandbox.pay_by_paypal(approval_page(order))
    assert answer.headers["Location"].startswith(
        f"http://shop.test/retour?p=1&token={order['id']}&PayerID="
    )
    assert paypal.get(f"v2/checkout/orders/{order['id']}")["status"] == "APPROVED"
    done = capture(paypal, order)

    taken = first_capture(done)
    assert (done["status"], taken["status"]) == ("COMPLETED", "COMPLETED")
    assert taken["amount"] == {"currency_code": "EUR", "value": "120.00"}
    assert (taken["invoice_id"], taken["custom_id"]) == ("F-1", "p-1")
    assert paypal.get(f"v2/payments/captures/{taken['id']}")["status"] == "COMPLETED"
    assert kinds(sandbox) == ["CHECKOUT.ORDER.APPROVED", "PAYMENT.CAPTURE.COMPLETED"]
    assert ledger(sandbox)["taken"][0]["custom_id"] == "p-1"


def test_nothing_is_captured_before_the_payer_agrees(paypal):
    order = create_order(paypal)

    with pytest.raises(exceptions.ResourceInvalid) as error:
        capture(paypal, order)
    assert issue(error) == "ORDER_NOT_APPROVED"


def test_an_order_is_captured_once(paypal, sandbox):
    order = paid_order(paypal, sandbox)

    assert first_capture(capture(paypal, order)) == first_capture(order)  # the same key: replayed
    with pytest.raises(exceptions.ResourceInvalid) as error:
        capture(paypal, order, key="capture-2")
    assert issue(error) == "ORDER_ALREADY_CAPTURED"
    assert len(ledger(sandbox)["taken"]) == 1


def test_the_payer_may_turn_back(paypal, sandbox):
    page = approval_page(create_order(paypal))
    assert "Annuler et revenir" in requests.get(page, timeout=10).text

    answer = requests.post(page, data={"cancel": "1"}, allow_redirects=False, timeout=10)

    assert answer.headers["Location"].startswith("http://shop.test/annulation?token=")
    assert kinds(sandbox) == []


def test_a_refused_card_sends_the_payer_back_to_choose_another(paypal, sandbox):
    order = create_order(paypal)
    sandbox.pay_by_paypal(approval_page(order), "account_declined")

    with pytest.raises(exceptions.ResourceInvalid) as error:
        capture(paypal, order)

    assert issue(error) == "INSTRUMENT_DECLINED"
    (link,) = error.value.response.json()["links"]
    assert link["rel"] == "redirect"
    sandbox.pay_by_paypal(link["href"], "account")
    assert capture(paypal, order)["status"] == "COMPLETED"


def test_a_guest_card_may_be_declined_within_a_completed_order(paypal, sandbox):
    done = paid_order(paypal, sandbox, "guest_card_declined")

    assert first_capture(done)["status"] == "DECLINED"
    assert kinds(sandbox)[-1] == "PAYMENT.CAPTURE.DENIED"
    assert ledger(sandbox)["taken"] == []


@pytest.mark.parametrize(("ending", "status"), [("COMPLETED", "COMPLETED"), ("DENIED", "DECLINED")])
def test_a_pending_capture_is_settled_later(paypal, sandbox, ending, status):
    pending = first_capture(paid_order(paypal, sandbox, "account_pending"))
    assert pending["status"] == "PENDING"
    assert ledger(sandbox)["taken"] == []

    sandbox.control(f"paypal/captures/{pending['id']}/settle", status=ending)

    assert paypal.get(f"v2/payments/captures/{pending['id']}")["status"] == status
    assert kinds(sandbox)[1:] == ["PAYMENT.CAPTURE.PENDING", f"PAYMENT.CAPTURE.{ending}"]


def test_a_saved_account_pays_while_its_owner_is_away(paypal, sandbox):
    done = paid_order(paypal, sandbox, save=True)
    vault = done["payment_source"]["paypal"]["attributes"]["vault"]
    assert vault["status"] == "VAULTED"
    assert "VAULT.PAYMENT-TOKEN.CREATED" in kinds(sandbox)

    later = paypal.post(
        "v2/checkout/orders", vaulted_parameters(vault["id"]), {"PayPal-Request-Id": "later-1"}
    )

    assert later["status"] == "COMPLETED"
    again = paypal.get(f"v2/checkout/orders/{later['id']}")
    assert first_capture(again)["amount"]["value"] == "30.00"
    assert [entry["amount"] for entry in ledger(sandbox)["taken"]] == [12000, 3000]


def test_a_saved_account_may_be_refused_later(paypal, sandbox):
    done = paid_order(paypal, sandbox, "account_later_declined", save=True)
    vault_id = done["payment_source"]["paypal"]["attributes"]["vault"]["id"]

    with pytest.raises(exceptions.ResourceInvalid) as error:
        paypal.post(
            "v2/checkout/orders", vaulted_parameters(vault_id), {"PayPal-Request-Id": "later-1"}
        )
    assert issue(error) == "INSTRUMENT_DECLINED"


@pytest.mark.parametrize("by", ["shop", "payer"])
def test_a_withdrawn_authorisation_pays_no_more(paypal, sandbox, by):
    done = paid_order(paypal, sandbox, save=True)
    vault_id = done["payment_source"]["paypal"]["attributes"]["vault"]["id"]
    path = f"v3/vault/payment-tokens/{vault_id}"
    assert paypal.get(path)["id"] == vault_id

    if by == "shop":
        paypal.delete(path)
    else:
        sandbox.control(f"paypal/payment-tokens/{vault_id}/revoke", "POST")

    with pytest.raises(exceptions.ResourceNotFound):
        paypal.get(path)
    with pytest.raises(exceptions.ResourceInvalid) as error:
        paypal.post(
            "v2/checkout/orders", vaulted_parameters(vault_id), {"PayPal-Request-Id": "later-1"}
        )
    assert issue(error) == "TOKEN_ID_NOT_FOUND"
    assert kinds(sandbox)[-1] == "VAULT.PAYMENT-TOKEN.DELETED"


def test_a_card_without_account_is_offered_for_a_single_payment_only(paypal, sandbox):
    once = approval_page(create_order(paypal, key="once"))
    kept = approval_page(create_order(paypal, key="kept", save=True))

    assert "sans compte" in requests.get(once, timeout=10).text
    assert "sans compte" not in requests.get(kept, timeout=10).text
    assert sandbox.pay_by_paypal(kept, "guest_card").status_code == 422
    assert sandbox.pay_by_paypal(once, "guest_card").status_code == 303


def test_an_invoice_number_is_paid_once(paypal, sandbox):
    paid_order(paypal, sandbox)
    other = create_order(paypal, key="order-2")
    sandbox.pay_by_paypal(approval_page(other))

    with pytest.raises(exceptions.ResourceInvalid) as error:
        capture(paypal, other)
    assert issue(error) == "DUPLICATE_INVOICE_ID"


def test_refunds_in_parts_never_exceed_the_capture(paypal, sandbox):
    id = first_capture(paid_order(paypal, sandbox))["id"]

    def refund(value, key, currency="EUR"):
        body = {"amount": {"currency_code": currency, "value": value}} if value else {}
        path = f"v2/payments/captures/{id}/refund"
        return paypal.post(path, body, {"PayPal-Request-Id": key})

    first = refund("20.00", "refund-1")
    assert refund("20.00", "refund-1")["id"] == first["id"]
    assert paypal.get(f"v2/payments/refunds/{first['id']}")["amount"]["value"] == "20.00"
    with pytest.raises(exceptions.ResourceInvalid) as error:
        refund("100.01", "refund-2")
    assert issue(error) == "REFUND_AMOUNT_EXCEEDED"
    with pytest.raises(exceptions.ResourceInvalid) as error:
        refund("1.00", "refund-3", "USD")
    assert issue(error) == "REFUND_CAPTURE_CURRENCY_MISMATCH"
    refund(None, "refund-4")
    with pytest.raises(exceptions.ResourceInvalid) as error:
        refund(None, "refund-5")
    assert issue(error) == "CAPTURE_FULLY_REFUNDED"

    assert paypal.get(f"v2/payments/captures/{id}")["status"] == "REFUNDED"
    assert ledger(sandbox)["totals"] == {"EUR": {"taken": 12000, "refunded": 12000, "lost": 0}}


def test_a_refund_on_the_dashboard_is_told_by_an_event(paypal, sandbox):
    id = first_capture(paid_order(paypal, sandbox))["id"]
    amount = {"currency_code": "EUR", "value": "5.00"}

    sandbox.control(f"paypal/captures/{id}/refund", amount=amount)

    (event,) = sandbox.events("paypal", "PAYMENT.CAPTURE.REFUNDED")
    assert event["resource"]["amount"] == amount


def test_an_order_never_approved_is_forgotten_after_six_hours(paypal, sandbox):
    order = create_order(paypal)
    sandbox.control("clock", now="2040-01-01T00:00:00+00:00")

    with pytest.raises(exceptions.ResourceNotFound):
        paypal.get(f"v2/checkout/orders/{order['id']}")
    assert sandbox.pay_by_paypal(approval_page(order)).status_code == 410
    sandbox.control("clock", "POST")


# Requests


def test_the_same_request_id_makes_one_order_and_shows_its_latest_state(paypal, sandbox):
    order = create_order(paypal)
    sandbox.pay_by_paypal(approval_page(order))

    again = create_order(paypal)

    assert (again["id"], again["status"]) == (order["id"], "APPROVED")


def test_the_same_request_id_for_something_else_is_refused(paypal):
    create_order(paypal)

    with pytest.raises(exceptions.ResourceInvalid) as error:
        create_order(paypal, value="121.00")
    assert issue(error) == "DUPLICATE_REQUEST_ID"


def change(order, path, value):
    *way, last = path
    for step in way:
        order = order[step]
    order[last] = value


UNIT = ("purchase_units", 0)
WALLET = ("payment_source", "paypal")


@pytest.mark.parametrize(
    ("path", "value", "issue_named", "field"),
    [
        (("intent",), "capture", "INVALID_PARAMETER_VALUE", "/intent"),
        ((*UNIT, "foo"), 1, "INVALID_PARAMETER", "/purchase_units/0/foo"),
        (
            (*UNIT, "amount", "value"),
            120.0,
            "INVALID_PARAMETER_SYNTAX",
            "/purchase_units/0/amount/value",
        ),
        (
            (*UNIT, "amount", "value"),
            "120,00",
            "INVALID_PARAMETER_SYNTAX",
            "/purchase_units/0/amount/value",
        ),
        ((*UNIT, "amount"), {}, "MISSING_REQUIRED_PARAMETER", None),
        (
            (*WALLET, "stored_credential"),
            {"payment_initiator": "SHOP"},
            "INVALID_PARAMETER_VALUE",
            "/payment_source/paypal/stored_credential/payment_initiator",
        ),
        (
            (*WALLET, "attributes"),
            {"vault": {"store_in_vault": "ON_SUCCESS"}},
            "MISSING_REQUIRED_PARAMETER",
            "/payment_source/paypal/attributes/vault/usage_type",
        ),
    ],
)
def test_a_malformed_order_is_refused_and_the_field_named(paypal, path, value, issue_named, field):
    order = order_parameters()
    change(order, path, value)

    answer = paypal.post("v2/checkout/orders", order, {"PayPal-Request-Id": "k"})

    error = answer["error"]  # the SDK gives a 400 back as a dict
    assert error["name"] == "INVALID_REQUEST"
    assert error["details"][0]["issue"] == issue_named
    if field:
        assert error["details"][0]["field"] == field


@pytest.mark.parametrize(
    ("currency", "value", "issue_named"),
    [
        ("EUR", "120.005", "DECIMAL_PRECISION"),
        ("JPY", "120.50", "DECIMALS_NOT_SUPPORTED"),
        ("EUR", "0.00", "CANNOT_BE_ZERO_OR_NEGATIVE"),
        ("EUR", "-5.00", "CANNOT_BE_ZERO_OR_NEGATIVE"),
        ("MAD", "120.00", "INVALID_CURRENCY_CODE"),
    ],
)
def test_an_amount_paypal_cannot_take_is_refused(paypal, currency, value, issue_named):
    order = order_parameters()
    order["purchase_units"][0]["amount"] = {"currency_code": currency, "value": value}

    with pytest.raises(exceptions.ResourceInvalid) as error:
        paypal.post("v2/checkout/orders", order, {"PayPal-Request-Id": "k"})
    assert issue(error) == issue_named


def test_a_breakdown_must_add_up(paypal):
    order = order_parameters()
    amount = order["purchase_units"][0]["amount"]
    amount["breakdown"] = {"item_total": {"currency_code": "EUR", "value": "100.00"}}

    with pytest.raises(exceptions.ResourceInvalid) as error:
        paypal.post("v2/checkout/orders", order, {"PayPal-Request-Id": "k"})
    assert issue(error) == "AMOUNT_MISMATCH"


def test_an_order_with_a_payment_source_needs_a_request_id(paypal):
    answer = paypal.post("v2/checkout/orders", order_parameters())
    assert answer["error"]["details"][0]["issue"] == "PAYPAL_REQUEST_ID_REQUIRED"


def test_wrong_credentials_get_no_token(sandbox):
    api = paypalrestsdk.Api(
        mode="sandbox", endpoint=sandbox.base_url, client_id="sandbox-client", client_secret="no"
    )
    with pytest.raises(exceptions.UnauthorizedAccess):
        api.get_token_hash()


def test_a_made_up_token_opens_nothing(sandbox):
    for token in ("", "A21AA9999999999-", "A21AA9999999999-00"):
        answer = requests.get(
            f"{sandbox.base_url}/v2/checkout/orders/X",
            headers={"Authorization": f"Bearer {token}"},
            timeout=10,
        )
        assert answer.status_code == 401
