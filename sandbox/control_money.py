"""Controls for what happens at the bank or on a provider's dashboard, without any request of the
shop's: disputes, refunds by hand, the end of a wait, an authorisation taken away."""

from collections.abc import Callable

from flask import Response, jsonify

from sandbox import paypal_captures, paypal_disputes, paypal_refunds, stripe_engine, stripe_refunds
from sandbox import stripe_objects as objects
from sandbox.control import Refused, blueprint, given_json
from sandbox.core import Sandbox, current
from sandbox.paypal_errors import PayPalError
from sandbox.paypal_schema import REFUND
from sandbox.schema import Text, Whole, choice, obj
from sandbox.state import Doc
from sandbox.stripe_errors import StripeError


@blueprint.errorhandler(StripeError)
def against_stripes_rules(error: StripeError) -> tuple[Response, int]:
    return jsonify(error=error.error["message"]), 400


@blueprint.errorhandler(PayPalError)
def against_paypals_rules(error: PayPalError) -> tuple[Response, int]:
    return jsonify(error=error.body["details"][0]["issue"]), 400


def _done(act: Callable[[Sandbox], Doc]) -> Response:
    sandbox = current()
    with sandbox.store.transaction():
        doc = act(sandbox)
    sandbox.webhooks.wake()
    return jsonify(objects.public(doc))


# Stripe


@blueprint.post("/stripe/refunds")
def stripe_refund() -> Response:
    """A refund made by hand on the dashboard: {"payment_intent", "amount"}."""
    values = given_json(obj(payment_intent=Text(), charge=Text(), amount=Whole(1)))
    return _done(lambda sandbox: stripe_refunds.create(sandbox, values))


@blueprint.post("/stripe/refunds/<id>/settle")
def stripe_settle_refund(id: str) -> Response:
    """End the wait of a pending refund: {"status": "succeeded" or "failed"}. One that succeeded
    can fail days later: the payer's bank sent it back."""
    status = given_json(obj(status=choice("succeeded", "failed"))).get("status", "succeeded")

    def act(sandbox: Sandbox) -> Doc:
        refund = sandbox.store.need("refund", id)
        if refund["status"] != "pending" and (refund["status"], status) != ("succeeded", "failed"):
            raise Refused(f"this refund is {refund['status']}, not pending")
        return stripe_refunds.settle(sandbox, refund, succeeded=status == "succeeded")

    return _done(act)


@blueprint.post("/stripe/payment_intents/<id>/settle")
def stripe_settle(id: str) -> Response:
    """End the wait of a `processing` payment: {"status": "succeeded" or "failed"}."""
    status = given_json(obj(status=choice("succeeded", "failed"))).get("status", "succeeded")

    def act(sandbox: Sandbox) -> Doc:
        intent = sandbox.store.need("payment_intent", id)
        if intent["status"] != "processing":
            raise Refused(f"this payment is {intent['status']}, not processing")
        return stripe_engine.settle_processing(sandbox, intent, succeeded=status == "succeeded")

    return _done(act)


@blueprint.post("/stripe/payment_intents/<id>/dispute")
def stripe_dispute(id: str) -> Response:
    """The card's holder contests a payment."""

    def act(sandbox: Sandbox) -> Doc:
        intent = sandbox.store.need("payment_intent", id)
        if intent["status"] != "succeeded":
            raise Refused(f"this payment is {intent['status']}, not succeeded")
        charge = sandbox.store.need("charge", intent["latest_charge"])
        if charge["disputed"] or charge["refunded"]:
            raise Refused("this payment was disputed already, or given back")
        return stripe_engine.open_dispute(sandbox, charge)

    return _done(act)


@blueprint.post("/stripe/disputes/<id>/close")
def stripe_close_dispute(id: str) -> Response:
    """{"status": "won" or "lost"}, seen from the shop."""
    won = _given_ending()

    def act(sandbox: Sandbox) -> Doc:
        dispute = sandbox.store.need("dispute", id)
        if dispute["status"] in ("won", "lost"):
            raise Refused(f"this dispute is {dispute['status']} already")
        return stripe_engine.close_dispute(sandbox, dispute, won=won)

    return _done(act)


def _given_ending() -> bool:
    return bool(given_json(obj(status=choice("won", "lost"))).get("status") == "won")


@blueprint.post("/stripe/payment_methods/<id>/detach")
def stripe_detach(id: str) -> Response:
    """The saved card goes away, by its holder's wish or the bank's."""
    return _done(
        lambda sandbox: stripe_engine.detach(sandbox, sandbox.store.need("payment_method", id))
    )


# PayPal


@blueprint.post("/paypal/captures/<id>/settle")
def paypal_settle(id: str) -> Response:
    """End the wait of a PENDING capture: {"status": "COMPLETED" or "DENIED"}."""
    status = given_json(obj(status=choice("COMPLETED", "DENIED"))).get("status", "COMPLETED")

    def act(sandbox: Sandbox) -> Doc:
        capture = sandbox.store.need("capture", id)
        if capture["status"] != "PENDING":
            raise Refused(f"this capture is {capture['status']}, not PENDING")
        return paypal_captures.settle_pending(sandbox, capture, completed=status == "COMPLETED")

    return _done(act)


@blueprint.post("/paypal/captures/<id>/refund")
def paypal_refund(id: str) -> Response:
    """A refund made by hand on the dashboard: {"amount": {"currency_code", "value"}}."""
    values = given_json(REFUND)
    return _done(
        lambda sandbox: paypal_refunds.refund_capture(
            sandbox, sandbox.store.need("capture", id), values
        )
    )


@blueprint.post("/paypal/captures/<id>/dispute")
def paypal_dispute(id: str) -> Response:
    """The payer contests a payment."""

    def act(sandbox: Sandbox) -> Doc:
        capture = sandbox.store.need("capture", id)
        known = sandbox.store.find("paypal_dispute", _capture=id)
        if known or capture["status"] not in ("COMPLETED", "PARTIALLY_REFUNDED"):
            raise Refused("this payment was disputed already, given back, or never taken")
        return paypal_disputes.open_on(sandbox, capture)

    return _done(act)


@blueprint.post("/paypal/disputes/<id>/close")
def paypal_close_dispute(id: str) -> Response:
    """{"status": "won" or "lost"}, seen from the shop."""
    won = _given_ending()

    def act(sandbox: Sandbox) -> Doc:
        dispute = sandbox.store.need("paypal_dispute", id)
        if dispute["_ending"]:
            raise Refused(f"this dispute is {dispute['_ending']} already")
        return paypal_disputes.close(sandbox, dispute, won=won)

    return _done(act)


@blueprint.post("/paypal/payment-tokens/<id>/revoke")
def paypal_revoke(id: str) -> Response:
    """The payer takes the authorisation away in their account."""

    def act(sandbox: Sandbox) -> Doc:
        token = sandbox.store.need("payment_token", id)
        paypal_captures.delete_token(sandbox, token)
        return token

    return _done(act)
