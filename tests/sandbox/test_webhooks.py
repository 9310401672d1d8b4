"""Webhooks: signed as the providers sign, and spoilt in every way on command."""

import base64
import json
import time
import zlib

import pytest
import requests
import stripe as sdk
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from tests.sandbox.orders import open_session, paid_order

SECRET = "whsec_sandbox"


def ids(notices):
    return [json.loads(notice.body)["id"] for notice in notices]


def verify_paypal(headers, body):
    """As a shop does it with `cryptography`. Raises InvalidSignature."""
    certificate = requests.get(headers["PAYPAL-CERT-URL"], timeout=10).content
    message = "|".join(
        (
            headers["PAYPAL-TRANSMISSION-ID"],
            headers["PAYPAL-TRANSMISSION-TIME"],
            "WH-SANDBOX",
            str(zlib.crc32(body)),
        )
    )
    assert headers["PAYPAL-AUTH-ALGO"] == "SHA256withRSA"
    key = x509.load_pem_x509_certificate(certificate).public_key()
    signature = base64.b64decode(headers["PAYPAL-TRANSMISSION-SIG"])
    key.verify(signature, message.encode(), padding.PKCS1v15(), hashes.SHA256())


def test_stripes_own_library_accepts_the_signature(stripe, sandbox, receiver):
    session = open_session(stripe)
    sandbox.pay_by_card(session.url)

    notices = receiver.wait_for(6)

    assert {notice.path for notice in notices} == {"/webhooks/stripe"}
    events = [
        sdk.Webhook.construct_event(notice.body, notice.headers["Stripe-Signature"], SECRET)
        for notice in notices
    ]
    assert events[-1].type == "checkout.session.completed"
    assert events[-1].data.object.id == session.id


def test_a_changed_body_or_another_secret_is_not_accepted(stripe, sandbox, receiver):
    sandbox.pay_by_card(open_session(stripe).url)
    notice = receiver.wait_for(1)[0]
    header = notice.headers["Stripe-Signature"]

    for body, secret in ((notice.body + b" ", SECRET), (notice.body, "whsec_other")):
        with pytest.raises(sdk.SignatureVerificationError):
            sdk.Webhook.construct_event(body, header, secret)


def test_a_rotated_secret_signs_beside_the_old_one(stripe, sandbox):
    sandbox.control("settings", stripe_webhook_secret="whsec_old,whsec_new")
    open_session(stripe)
    stripe.v1.customers.create({"email": "lea@exemple.test"})
    headers, body = sandbox.signed("stripe", sandbox.events("stripe")[0]["id"])

    for secret in ("whsec_old", "whsec_new"):
        assert sdk.Webhook.construct_event(body, headers["Stripe-Signature"], secret)


def test_signatures_follow_the_sandboxs_clock(stripe, sandbox):
    stripe.v1.customers.create({"email": "lea@exemple.test"})
    sandbox.control("clock", now="2026-12-24T18:00:00+01:00")
    headers, _ = sandbox.signed("stripe", sandbox.events("stripe")[0]["id"])
    sandbox.control("clock", "POST")

    stamp = int(headers["Stripe-Signature"].split(",")[0].removeprefix("t="))
    assert 0 <= stamp - 1798131600 < 30


def test_paypals_signature_is_verified_with_its_certificate(paypal, sandbox, receiver):
    paid_order(paypal, sandbox, save=True)

    notices = receiver.wait_for(3)

    assert [json.loads(notice.body)["event_type"] for notice in notices] == [
        "CHECKOUT.ORDER.APPROVED",
        "PAYMENT.CAPTURE.COMPLETED",
        "VAULT.PAYMENT-TOKEN.CREATED",
    ]
    for notice in notices:
        assert notice.path == "/webhooks/paypal"
        verify_paypal(notice.headers, notice.body)
        with pytest.raises(InvalidSignature):
            verify_paypal(notice.headers, notice.body + b" ")


def test_paypal_verifies_the_bytes_it_sent_and_no_others(paypal, sandbox, receiver):
    paid_order(paypal, sandbox)
    notice = receiver.wait_for(1)[0]
    names = ("auth-algo", "cert-url", "transmission-id", "transmission-sig", "transmission-time")
    about = {name.replace("-", "_"): notice.headers[f"PAYPAL-{name.upper()}"] for name in names}

    def verdict(event):
        head = json.dumps({**about, "webhook_id": "WH-SANDBOX"})
        answer = requests.post(
            f"{sandbox.base_url}/v1/notifications/verify-webhook-signature",
            data=head[:-1].encode() + b', "webhook_event": ' + event + b"}",
            headers={"Authorization": f"Bearer {paypal.get_access_token()}"},
            timeout=10,
        )
        return answer.json()["verification_status"]

    assert verdict(notice.body) == "SUCCESS"
    assert verdict(json.dumps(json.loads(notice.body), indent=1).encode()) == "FAILURE"
    assert verdict(b'{"id": "WH-made-up"}') == "FAILURE"


# Trouble on the way


def test_events_can_arrive_several_times_and_shuffled(stripe, sandbox, receiver):
    sandbox.control("webhooks", duplicate=4, shuffle=True)
    sandbox.pay_by_card(open_session(stripe).url)

    arrived = ids(receiver.wait_for(30))

    sent = [event["id"] for event in sandbox.events("stripe")]
    assert sorted(arrived) == sorted(sent * 5)
    assert arrived != [id for id in sent for _ in range(5)]


def test_events_can_arrive_all_at_once(stripe, sandbox, receiver):
    sandbox.control("webhooks", "POST", parallel=20, hold=True)
    stripe.v1.customers.create({"email": "lea@exemple.test"})
    event = sandbox.events("stripe")[0]["id"]
    sandbox.control(f"events/stripe/{event}/resend", times=19)
    sandbox.control("webhooks/release", "POST")

    assert ids(receiver.wait_for(20)) == [event] * 20


def test_events_can_be_held_and_released(stripe, sandbox, receiver):
    sandbox.control("webhooks", hold=True)
    stripe.v1.customers.create({"email": "lea@exemple.test"})
    time.sleep(0.3)
    assert receiver.notices == []

    assert sandbox.control("webhooks/release", "POST") == {"released": 1}
    assert len(receiver.wait_for(1)) == 1


def test_events_can_be_lost_and_sent_again_by_hand(stripe, sandbox, receiver):
    sandbox.control("webhooks", drop=True)
    stripe.v1.customers.create({"email": "lea@exemple.test"})
    (event,) = sandbox.events("stripe")
    sandbox.wait_for_deliveries()
    assert receiver.notices == []

    sandbox.control(f"events/stripe/{event['id']}/resend", times=2)
    assert ids(receiver.wait_for(2)) == [event["id"]] * 2


def test_events_can_be_late(stripe, sandbox, receiver):
    sandbox.control("webhooks", delay=0.6)
    start = time.monotonic()
    stripe.v1.customers.create({"email": "lea@exemple.test"})

    receiver.wait_for(1)
    assert time.monotonic() - start > 0.5


def test_an_event_that_was_not_taken_comes_again(stripe, sandbox, receiver):
    receiver.statuses = [503, 500]
    stripe.v1.customers.create({"email": "lea@exemple.test"})

    notices = receiver.wait_for(3)
    sandbox.wait_for_deliveries()

    assert len(set(ids(notices))) == 1
    (delivery,) = sandbox.control("webhooks")["deliveries"]
    assert (delivery["state"], delivery["attempts"]) == ("delivered", 3)


def test_a_shop_that_is_down_gets_its_events_when_it_is_back(stripe, sandbox):
    from tests.sandbox.receiver import Receiver

    sandbox.control("settings", webhook_base="http://127.0.0.1:9")
    stripe.v1.customers.create({"email": "lea@exemple.test"})
    time.sleep(0.3)
    with Receiver() as shop:
        sandbox.control("settings", webhook_base=shop.base_url)
        assert len(shop.wait_for(1)) == 1
        sandbox.control("settings", webhook_base="")
