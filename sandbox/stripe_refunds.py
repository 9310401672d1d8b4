"""Giving card money back at Stripe."""

from sandbox import money
from sandbox import stripe_objects as objects
from sandbox.core import Sandbox
from sandbox.state import Doc
from sandbox.stripe_engine import emit
from sandbox.stripe_errors import invalid, missing, refused


def create(sandbox: Sandbox, values: Doc) -> Doc:
    """A refund of a charge, in full or in part, never above what is left of it."""
    charge = _charge_of(sandbox, values)
    if charge["refunded"]:
        raise refused(
            f"Charge {charge['id']} has already been refunded.", None, "charge_already_refunded"
        )
    if any(one["status"] != "won" for one in sandbox.store.find("dispute", charge=charge["id"])):
        raise refused(f"Charge {charge['id']} has been charged back.", None, "charge_disputed")
    if values.get("currency", charge["currency"]) != charge["currency"]:
        raise refused("The currency of a refund is that of its charge.", "currency")
    left = charge["amount"] - charge["amount_refunded"]
    amount = values.get("amount", left)
    if amount > left:
        asked, rest = (money.french(value, charge["currency"]) for value in (amount, left))
        raise refused(
            f"Refund amount ({asked}) is greater than unrefunded amount on charge ({rest})",
            "amount",
        )
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    sandbox.store.put("charge", charge)
    refund = objects.refund(sandbox, charge, amount, values)
    emit(sandbox, "refund.created", refund)
    emit(sandbox, "charge.refunded", charge)
    return refund


def settle(sandbox: Sandbox, refund: Doc, *, succeeded: bool) -> Doc:
    """End the wait of a pending refund; one that fails leaves the money with the shop."""
    refund["status"] = "succeeded" if succeeded else "failed"
    if not succeeded:
        refund["failure_reason"] = "expired_or_canceled_card"
        charge = sandbox.store.need("charge", refund["charge"])
        charge["amount_refunded"] -= refund["amount"]
        charge["refunded"] = False
        sandbox.store.put("charge", charge)
    sandbox.store.put("refund", refund)
    emit(sandbox, "refund.updated" if succeeded else "refund.failed", refund)
    return refund


def _charge_of(sandbox: Sandbox, values: Doc) -> Doc:
    if "payment_intent" in values:
        intent = sandbox.store.get("payment_intent", values["payment_intent"])
        if intent is None:
            raise missing("payment_intent", values["payment_intent"], "payment_intent", status=400)
        if intent["status"] != "succeeded":
            raise refused(
                f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
                "payment_intent",
            )
        if "charge" in values and values["charge"] != intent["latest_charge"]:
            raise invalid("The charge is not the one of this PaymentIntent.", "charge")
        return sandbox.store.need("charge", intent["latest_charge"])
    if "charge" not in values:
        raise invalid(
            "One of the following params should be provided for this request: payment_intent or"
            " charge."
        )
    charge = sandbox.store.get("charge", values["charge"])
    if charge is None:
        raise missing("charge", values["charge"], "charge", status=400)
    if not charge["paid"]:
        raise refused("This charge was not successful and cannot be refunded.", "charge")
    return charge
