"""Stripe's hosted pages: the payment page and the bank's 3-D Secure challenge."""

import re
from dataclasses import dataclass, field

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from sandbox import cards, money, stripe_sessions
from sandbox import stripe_engine as engine
from sandbox import stripe_objects as objects
from sandbox.core import Sandbox, current
from sandbox.state import Doc, NotThere
from sandbox.stripe_errors import StripeError

blueprint = Blueprint("stripe_pages", __name__)

_REFUSALS = {
    refusal.decline_code or refusal.code: refusal.french
    for refusal in (
        cards.GENERIC,
        cards.FUNDS,
        cards.EXPIRED,
        cards.STOLEN,
        cards.CVC,
        cards.PROCESSING,
        cards.AUTHENTICATION_FAILED,
    )
}

Answer = Response | BaseResponse | str | tuple[str, int]


@dataclass
class PaymentForm:
    """What the payer typed, and what is wrong with it, by field."""

    email: str = ""
    number: str = ""
    expiry: str = ""
    cvc: str = ""
    name: str = ""
    errors: dict[str, str] = field(default_factory=dict, init=False)

    @classmethod
    def posted(cls) -> "PaymentForm":
        names = ("email", "number", "expiry", "cvc", "name")
        return cls(*(request.form.get(name, "").strip() for name in names))

    @property
    def digits(self) -> str:
        return re.sub(r"\D", "", self.number)

    def check(self, today: tuple[int, int], *, with_email: bool) -> bool:
        """Fill `errors`; `today` is (year, month)."""
        if with_email and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", self.email):
            self.errors["email"] = "Indiquez une adresse e-mail, par exemple nom@exemple.fr."
        if not cards.is_card_number(self.digits):
            self.errors["number"] = "Ce numéro de carte est incomplet ou inexact."
        elif self.digits not in cards.BY_NUMBER:
            self.errors["number"] = "Choisissez l’une des cartes de test de la liste."
        if self.expires is None:
            self.errors["expiry"] = "Indiquez le mois et l’année, par exemple 12/34."
        elif self.expires < today:
            self.errors["expiry"] = "Cette date est passée."
        if not re.fullmatch(r"\d{3,4}", self.cvc):
            self.errors["cvc"] = "Indiquez les 3 chiffres au dos de la carte."
        if not self.name:
            self.errors["name"] = "Indiquez le nom qui figure sur la carte."
        return not self.errors

    @property
    def expires(self) -> tuple[int, int] | None:
        """(year, month), or None when it cannot be read."""
        match = re.fullmatch(r"(0?[1-9]|1[0-2])\s*/?\s*(?:20)?(\d\d)", self.expiry)
        return (2000 + int(match[2]), int(match[1])) if match else None


@blueprint.route("/c/pay/<id>", methods=["GET", "POST"])
def pay(id: str) -> Answer:
    sandbox = current()
    with sandbox.store.transaction():
        session = sandbox.store.get("session", id)
        if session is None:
            return render_template("gone.html", reason="unknown", back=None), 404
        stripe_sessions.expire_if_late(sandbox, session)
        if session["status"] != "open":
            return _closed(session)
        if request.method == "GET":
            return _page(sandbox, session, PaymentForm(), session["_refusal"])
        return _paid(sandbox, session)


def _paid(sandbox: Sandbox, session: Doc) -> Answer:
    form = PaymentForm.posted()
    known = _known_email(sandbox, session)
    now = sandbox.clock.now()
    if not form.check((now.year, now.month), with_email=not known):
        return _page(sandbox, session, form, None), 422
    year, month = form.expires or (now.year, now.month)
    payer = {"email": known or form.email, "name": form.name}
    method = objects.payment_method(
        sandbox, cards.BY_NUMBER[form.digits], exp_month=month, exp_year=year, **payer
    )
    try:
        target = stripe_sessions.pay(sandbox, session, method, payer)
    except StripeError as error:
        refusal = _french(error)
        sandbox.store.put("session", session)
        form.number = form.expiry = form.cvc = ""
        return _page(sandbox, session, form, refusal), 402
    sandbox.webhooks.wake()
    return redirect(target, 303)


def _french(error: StripeError) -> str:
    code = error.error.get("decline_code") or error.error.get("code", "")
    return _REFUSALS.get(code, cards.GENERIC.french)


def _known_email(sandbox: Sandbox, session: Doc) -> str | None:
    if session["customer"]:
        customer = sandbox.store.need("customer", session["customer"])
        if customer["email"]:
            return str(customer["email"])
    email: str | None = session["customer_email"]
    return email


def _page(sandbox: Sandbox, session: Doc, form: PaymentForm, refusal: str | None) -> str:
    currency = session["currency"] or "eur"
    return render_template(
        "stripe_pay.html",
        session=session,
        lines=[
            (line["quantity"], line["description"], money.french(line["amount_total"], currency))
            for line in session["_lines"]
        ],
        total=money.french(session["amount_total"] or 0, currency),
        saved=session["mode"] == "setup" or session["_intent_data"].get("setup_future_usage"),
        email=_known_email(sandbox, session),
        form=form,
        refusal=refusal,
        cards=[(cards.spaced(card.number), card.effect) for card in cards.CARDS],
    )


def _closed(session: Doc) -> Answer:
    if session["status"] == "complete":
        back = stripe_sessions.success_url(session)
        return render_template("gone.html", reason="complete", back=back)
    return render_template("gone.html", reason="expired", back=session["cancel_url"]), 410


# 3-D Secure


@blueprint.route("/3d-secure/<id>", methods=["GET", "POST"])
def challenge(id: str) -> Answer:
    sandbox = current()
    with sandbox.store.transaction():
        asked = sandbox.store.get("challenge", id)
        if asked is None:
            return render_template("gone.html", reason="unknown", back=None), 404
        session = sandbox.store.get("session", asked["session"]) if asked["session"] else None
        if session is not None:
            stripe_sessions.expire_if_late(sandbox, session)
            if session["status"] != "open":
                return _closed(session)
        setup = asked["intent"].startswith("seti_")
        intent = sandbox.store.need("setup_intent" if setup else "payment_intent", asked["intent"])
        if asked["state"] != "open" or intent["status"] != "requires_action":
            back = session["url"] if session else asked["return_url"]
            return render_template("gone.html", reason="answered", back=back), 410
        if request.method == "GET":
            return _challenge_page(asked, intent)
        target = _answered(sandbox, asked, intent, session, setup=setup)
    sandbox.webhooks.wake()
    return redirect(target, 303)


def _challenge_page(asked: Doc, intent: Doc) -> str:
    method = current().store.need("payment_method", asked["method"])
    amount = money.french(intent["amount"], intent["currency"]) if "amount" in intent else None
    return render_template("stripe_challenge.html", amount=amount, last4=method["card"]["last4"])


def _answered(
    sandbox: Sandbox, asked: Doc, intent: Doc, session: Doc | None, *, setup: bool
) -> str:
    """Act on the holder's answer; where the browser goes next."""
    agreed = request.form.get("answer") == "agree"
    refusal = None
    if setup:
        target = _answered_setup(sandbox, asked, intent, session, agreed=agreed)
        refusal = None if agreed else cards.AUTHENTICATION_FAILED.french
    else:
        try:
            engine.answer_challenge(sandbox, asked, intent, agreed=agreed)
        except StripeError as error:
            refusal = _french(error)
        if session is None:
            ending = "failed" if refusal else "succeeded"
            url = asked["return_url"] or "/"
            mark = "&" if "?" in url else "?"
            return f"{url}{mark}payment_intent={intent['id']}&redirect_status={ending}"
        target = session["url"] if refusal else stripe_sessions.complete(sandbox, session, intent)
    if session is not None and refusal:
        session["_refusal"] = refusal
        sandbox.store.put("session", session)
    return target


def _answered_setup(
    sandbox: Sandbox, asked: Doc, setup: Doc, session: Doc | None, *, agreed: bool
) -> str:
    if session is None:
        raise NotThere("a set-up belongs to a session")
    asked["state"] = "agreed" if agreed else "refused"
    sandbox.store.put("challenge", asked)
    if agreed:
        method = sandbox.store.need("payment_method", asked["method"])
        return stripe_sessions.finish_set_up(sandbox, session, setup, method)
    setup |= {
        "status": "requires_payment_method",
        "last_setup_error": {"code": "setup_intent_authentication_failure"},
    }
    sandbox.store.put("setup_intent", setup)
    engine.emit(sandbox, "setup_intent.setup_failed", setup)
    url: str = session["url"]
    return url
