"""The two functions that the law puts on every page: withdraw from a contract, and end one.

Each is a page to fill in, the same thing to read again, one button, and what was received. What
was typed travels in the page itself: nothing is kept before the button of the law is pressed.
"""

from __future__ import annotations

import hashlib
import uuid
from datetime import datetime, timedelta
from enum import StrEnum
from typing import cast
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as BaseResponse

from storefront.identity.models import User
from storefront.identity.rules import normal_email
from storefront.infra import clock
from storefront.infra.db import transaction
from storefront.infra.seller import seller
from storefront.infra.templating import time_fr
from storefront.infra.throttle import TooManyTries, count_try
from storefront.infra.web import client_ip, found_or_404
from storefront.kernel.calendar import PARIS, paris_date
from storefront.orders.models import Order
from storefront.orders.queries import visible
from storefront.withdrawals import forms, queries, service

bp = Blueprint("withdrawals", __name__)

Answer = str | BaseResponse | tuple[str, int]

WINDOW = timedelta(hours=1)
FROM_ONE_PLACE = 60
TO_ONE_ADDRESS_FROM_ONE_PLACE = 6
TO_ONE_ADDRESS = 30  # wide: nobody can use up somebody else's right to declare


class Act(StrEnum):
    """What the pressed button asks for."""

    READ = "relire"
    CORRECT = "corriger"
    SEND = "envoyer"


@bp.after_request
def _never_kept(response: Response) -> Response:
    """These pages show what somebody typed: no cache keeps them, no other site hears of them."""
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Referrer-Policy"] = "same-origin"
    return response


def _act() -> Act | None:
    """None for a page that is only visited; the enter key sends a form to be read again."""
    if request.method == "GET":
        return None
    try:
        return Act(request.form.get("suite", Act.READ))
    except ValueError:
        return Act.READ


def _customer() -> User | None:
    user = current_user._get_current_object()
    return cast(User, user) if user.is_authenticated and not user.is_staff else None


def _own_order() -> Order | None:
    """The order that the page was reached from, when it is the visitor's; silence otherwise."""
    reference = request.args.get("commande", "")
    if not reference:
        return None
    customer = _customer()
    return visible(
        reference,
        user_id=customer.id if customer else None,
        token=request.args.get("jeton"),
    )


def _query() -> str:
    """What names the visitor's own order, for the next page's address; empty without it."""
    order = _own_order()
    if order is None:
        return ""
    token = request.args.get("jeton")
    return urlencode({"commande": order.reference} | ({"jeton": token} if token else {}))


def _known(order: Order | None) -> dict[str, str]:
    """What need not be typed by who is signed in or comes from their own order."""
    customer = _customer()
    if order is not None:
        return {"name": order.name, "email": order.email, "contract": order.reference}
    if customer is not None:
        return {"name": customer.name, "email": customer.email}
    return {}


def _count(email: str, now: datetime) -> None:
    """Counted with what was kept: a second click is not, and a refusal undoes both.

    Raises `TooManyTries`; an address in a key is neither kept nor longer than the column.
    """
    address, place = hashlib.sha256(normal_email(email).encode()).hexdigest(), client_ip()
    count_try(f"declare-from:{place}", limit=FROM_ONE_PLACE, window=WINDOW, now=now)
    if email:
        both = f"declare-to:{address}:{place}"
        count_try(both, limit=TO_ONE_ADDRESS_FROM_ONE_PLACE, window=WINDOW, now=now)
        count_try(f"declare-to:{address}", limit=TO_ONE_ADDRESS, window=WINDOW, now=now)


def _wait(refusal: TooManyTries) -> str:
    retry_at = cast(datetime, refusal.details["retry_at"])
    return (
        f"Beaucoup de déclarations viennent d’être envoyées d’ici : celle-ci n’est pas partie. "
        f"Renvoyez-la à partir de {time_fr(retry_at)}, ou écrivez dès maintenant à "
        f"{seller().email} : un courriel a la même valeur."
    )


@bp.route("/retractation", methods=["GET", "POST"])
def withdraw() -> Answer:
    """Declare, read again, confirm (L221-21): two steps and one button."""
    order, act, now = _own_order(), _act(), clock.now()
    form = forms.WithdrawalForm(data=_known(order))
    if order is not None:
        offered = [(str(line.id), line.name) for line in queries.withdrawable(order, now)]
        form.offer(order.reference, offered)
    form.page_token()
    if act in (None, Act.CORRECT) or not form.validate():
        page = render_template(
            "withdrawals/declare.html",
            form=form,
            order=order,
            lines=queries.periods_of(order) if order else [],
            delays=queries.delays(now, order),
        )
        return page, 422 if form.errors else 200
    if act is Act.SEND:
        try:
            return redirect(url_for(".withdrawn", key=_send_withdrawal(form, now)), 303)
        except TooManyTries as refusal:
            form.form_errors.append(_wait(refusal))
    page = render_template("withdrawals/confirm.html", form=form, declared=form.declared())
    return page, TooManyTries.status if form.errors else 200


def _send_withdrawal(form: forms.WithdrawalForm, now: datetime) -> str:
    """The key of the declaration that this page made, now or by an earlier click."""
    declared = form.declared()
    key = service.withdrawal_key(form.page_token(), declared)
    user_id = _customer_id()
    with transaction():
        kept = service.withdraw(declared, key=key, user_id=user_id, now=now)
        if kept.declared_at == now:
            _count(declared.email, now)
    return key


@bp.get("/retractation/recue/<key>")
def withdrawn(key: str) -> Answer:
    """What was received, when, and what happens next; the same whether it was matched or not."""
    received = found_or_404(queries.withdrawal_by_key(key))
    return render_template(
        "withdrawals/withdrawn.html",
        received=received,
        sent_at=received.declared_at.astimezone(PARIS),
        delays=queries.delays(received.declared_at),
    )


@bp.get("/resiliation")
def about_cancelling() -> str:
    """What ending a contract means, before doing it (D215-1)."""
    return render_template(
        "withdrawals/about_cancelling.html",
        reasons=queries.early_exit_reasons(clock.now()),
        query=_query(),
    )


@bp.route("/resiliation/demande", methods=["GET", "POST"])
def cancel() -> Answer:
    """Fill in, read again, notify (L215-1-1, D215-2, D215-3)."""
    order, act, now = _own_order(), _act(), clock.now()
    form = forms.CancellationForm(data=_known(order))
    form.page_token()
    form.offer(queries.early_exit_reasons(now, order))
    if act in (None, Act.CORRECT) or not form.check(paris_date(now)):
        page = render_template("withdrawals/cancel.html", form=form, query=_query())
        return page, 422 if form.errors else 200
    if act is Act.SEND:
        try:
            return redirect(url_for(".cancelled", key=_send_cancellation(form, now)), 303)
        except TooManyTries as refusal:
            form.form_errors.append(_wait(refusal))
    page = render_template("withdrawals/notify.html", form=form, declared=form.declared())
    return page, TooManyTries.status if form.errors else 200


def _send_cancellation(form: forms.CancellationForm, now: datetime) -> str:
    """The key of the notification that this page made, now or by an earlier click."""
    declared = form.declared()
    key = service.cancellation_key(form.page_token(), declared)
    user_id = _customer_id()
    with transaction():
        kept = service.cancel(declared, key=key, user_id=user_id, now=now)
        if kept.declared_at == now:
            _count(declared.email, now)
    return key


@bp.get("/resiliation/recue/<key>")
def cancelled(key: str) -> Answer:
    """What was received and when; the end of the contract only to the account that holds it."""
    received = found_or_404(queries.cancellation_by_key(key))
    return render_template(
        "withdrawals/cancelled.html",
        received=received,
        sent_at=received.declared_at.astimezone(PARIS),
        ends=queries.ends_for(received, _customer_id()),
    )


def _customer_id() -> uuid.UUID | None:
    customer = _customer()
    return customer.id if customer else None
