"""Transfers and cheques: what is awaited, and what arrived."""

from __future__ import annotations

import uuid

from flask import Blueprint, flash, redirect, render_template, request
from flask_login import current_user
from werkzeug.wrappers import Response

from storefront.identity import queries as people
from storefront.identity.models import Role
from storefront.identity.views import staff_required
from storefront.infra import clock, outbox
from storefront.infra.db import db, transaction
from storefront.infra.forms import minor_of
from storefront.infra.templating import money_fr
from storefront.infra.web import found_or_404
from storefront.instalments import queries, service
from storefront.instalments.models import Instalment
from storefront.instalments.queries import Wait
from storefront.kernel.calendar import paris_date
from storefront.orders.queries import ENDED
from storefront.payments import queries as payment_queries
from storefront.payments import service as payments
from storefront.payments.models import ArrivalWay, Payment, PaymentStatus
from storefront.payments.providers.offline import CHEQUE
from storefront.payments.service import Seen
from storefront.staff.arrivals.forms import ArrivalForm

bp = Blueprint("staff_arrivals", __name__, url_prefix="/gestion/argent/encaissements")

PAGE = 50
LONGEST_SEARCH = 120


@bp.get("")
@staff_required(Role.SHOPKEEPER)
def awaited() -> str:
    """What is awaited, the oldest first, or what answers a search."""
    text = request.args.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH]
    after, chosen = request.args.get("apres", ""), request.args.get("etat", Wait.AWAITED.value)
    wait = Wait(chosen) if chosen in set(Wait) else None
    found = queries.by_hand(
        wait=wait,
        text=text,
        amount_minor=minor_of(text, "EUR"),
        after=after,
        limit=PAGE + 1,
    )
    shown = found[:PAGE]
    return render_template(
        "staff/arrivals/list.html",
        rows=shown,
        text=text,
        wait=wait,
        states=list(Wait),
        chosen=wait.value if wait else "tous",
        first=not after,
        following=shown[-1][0].id if len(found) > PAGE else None,
    )


def _payment(payment_id: uuid.UUID) -> Payment:
    found = found_or_404(db.session.get(Payment, payment_id))
    return found_or_404(found if found.by_hand and not found.is_set_up else None)


def _page(payment: Payment, form: ArrivalForm, differs: str | None = None) -> str:
    arrivals = payment_queries.arrivals_of(payment.id)
    part = db.session.get_one(Instalment, payment.instalment_id)
    return render_template(
        "staff/arrivals/record.html",
        payment=payment,
        part=part,
        order=part.order,
        arrivals=arrivals,
        people=people.names_of_actors(f"user:{arrival.recorded_by}" for arrival in arrivals),
        form=form,
        differs=differs,
    )


@bp.get("/<uuid:payment_id>")
@staff_required(Role.SHOPKEEPER)
def payment(payment_id: uuid.UUID) -> str:
    """One payment: what was asked, what came, and the form for what comes."""
    found = _payment(payment_id)
    form = ArrivalForm(formdata=None)
    form.number.data = str(len(payment_queries.arrivals_of(payment_id)) + 1)
    form.way.data = (ArrivalWay.CHEQUE if found.provider == CHEQUE else ArrivalWay.TRANSFER).value
    form.arrived_on.data = paris_date(clock.now())
    return _page(found, form)


@bp.post("/<uuid:payment_id>")
@staff_required(Role.SHOPKEEPER)
def record(payment_id: uuid.UUID) -> Response | str | tuple[str, int]:
    """Write down what arrived; another amount than is awaited is asked about first."""
    found, form, now = _payment(payment_id), ArrivalForm(), clock.now()
    seen = form.seen(found.currency, paris_date(now))
    if seen is None:
        return _page(found, form), 422
    differs = _difference(found, seen)
    if differs and form.text("confirmed") != form.text("amount"):
        return _page(found, form, differs)
    part = db.session.get_one(Instalment, found.instalment_id)
    owed = part.status in service.PAYABLE and part.order.status not in ENDED
    with transaction():
        payments.record_arrival(payment_id, seen, recorded_by=current_user.id, now=now)
    outbox.hurry()
    _tell(payment_id, owed=owed)
    return redirect(f"/gestion/argent/encaissements/{payment_id}", 303)


def _difference(payment: Payment, seen: Seen) -> str | None:
    """What an unexpected amount would do; None when it is what is awaited, or was recorded."""
    missing = payment.missing.minor
    known = len(payment_queries.arrivals_of(payment.id)) >= seen.number
    if seen.amount_minor == missing or known:
        return None
    if payment.status is not PaymentStatus.OPEN and seen.amount_minor != payment.amount_minor:
        return "Cette somme n’est pas celle qui avait été demandée."
    if payment.status is not PaymentStatus.OPEN:
        return None
    gap = money_fr(abs(missing - seen.amount_minor), payment.currency)
    if seen.amount_minor < missing:
        return f"Il manquera {gap} : la commande attend le reste, et le client l’apprend."
    return f"C’est {gap} de trop : leur remboursement vous sera proposé."


def _tell(payment_id: uuid.UUID, *, owed: bool) -> None:
    payment = db.session.get_one(Payment, payment_id, populate_existing=True)
    if payment.status is PaymentStatus.OPEN:
        missing = money_fr(payment.missing)
        flash(f"C’est noté. Il manque {missing} ; le client reçoit un message.", "info")
    elif owed and payment.taken_minor == payment.amount_minor:
        flash("C’est noté : tout est arrivé, la suite part d’elle-même.", "success")
    else:
        flash("C’est noté. Ce qui n’était pas dû est proposé au remboursement.", "info")


@bp.post("/echeances/<uuid:instalment_id>")
@staff_required(Role.SHOPKEEPER)
def wait_for(instalment_id: uuid.UUID) -> Response:
    """Record money on a part that nobody asked for yet, or that was to be debited."""
    found_or_404(db.session.get(Instalment, instalment_id))
    with transaction():
        payment_id = service.wait_for(instalment_id, now=clock.now()).id
    return redirect(f"/gestion/argent/encaissements/{payment_id}", 303)
