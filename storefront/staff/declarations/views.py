"""Withdrawals and cancellations: what was declared, whether it was acknowledged, what is due."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template
from flask_login import current_user
from werkzeug.wrappers import Response

from storefront.identity.models import Role
from storefront.identity.views import staff_required
from storefront.infra import clock
from storefront.infra.db import transaction
from storefront.infra.web import found_or_404
from storefront.kernel.calendar import PARIS, paris_date
from storefront.orders import service as orders
from storefront.orders.models import Order
from storefront.staff.declarations.forms import MatchForm, ReasonForm
from storefront.withdrawals import queries, service
from storefront.withdrawals.queries import Cancelled, Withdrawn

bp = Blueprint("staff_declarations", __name__, url_prefix="/gestion/declarations")

Answer = str | Response | tuple[str, int]


@bp.get("")
@staff_required(Role.SHOPKEEPER)
def declarations() -> str:
    """Every declaration, the last one first."""
    return render_template(
        "staff/declarations/list.html",
        withdrawals=queries.withdrawals(),
        cancellations=queries.cancellations(),
        today=paris_date(clock.now()),
    )


@bp.get("/<reference>")
@staff_required(Role.SHOPKEEPER)
def declaration(reference: str) -> Answer:
    """One declaration, word for word, and what it was found to be about."""
    return _page(_found(reference), MatchForm())


@bp.post("/<reference>/rattacher")
@staff_required(Role.SHOPKEEPER)
def match(reference: str) -> Answer:
    """Name the order that a declaration is about; a cancellation's end is then set and told."""
    found, form = _found(reference), MatchForm()
    if not form.validate():
        return _page(found, form), 422
    order = queries.order_by_reference(form.text("order"))
    if order is None:
        form.order.errors = ["Aucune commande n’a cette référence : vérifiez-la."]
        return _page(found, form), 422
    withdrawn = isinstance(found, Withdrawn)
    act = service.match_withdrawal if withdrawn else service.match_cancellation
    request_id, order_id, staff_id = found.request.id, order.id, current_user.id
    with transaction():
        act(request_id, order_id, staff_id=staff_id, now=clock.now())
    flash("La déclaration est rattachée à la commande.", "success")
    return redirect(f"/gestion/declarations/{reference}", 303)


@bp.post("/<reference>/reprendre")
@staff_required(Role.SHOPKEEPER)
def resume(reference: str) -> Response:
    """The contract goes on: its debits, stopped by the withdrawal, are taken again."""
    found = found_or_404(queries.withdrawal(reference))
    matched = found_or_404(found.match)
    with transaction() as session:
        orders.resume_debits(session.get_one(Order, matched.order_id), now=clock.now())
    flash("Les prélèvements de cette commande reprennent.", "success")
    return redirect(f"/gestion/declarations/{reference}", 303)


@bp.post("/<reference>/motif")
@staff_required(Role.SHOPKEEPER)
def decide(reference: str) -> Answer:
    """Say whether the reason to leave early is good; the customer is told either way (SUB-04)."""
    found, form = found_or_404(queries.cancellation(reference)), ReasonForm()
    found_or_404(found.match if found.request.reason else None)
    if not form.check():
        return _page(found, MatchForm(formdata=None), form), 422
    request_id, staff_id = found.request.id, current_user.id
    with transaction():
        service.decide_reason(
            request_id,
            accepted=form.accepted,
            explanation=form.text("explanation"),
            staff_id=staff_id,
            now=clock.now(),
        )
    flash("La décision est enregistrée, et le client prévenu.", "success")
    return redirect(f"/gestion/declarations/{reference}", 303)


def _found(reference: str) -> Withdrawn | Cancelled:
    found = queries.withdrawal(reference)
    return found if found is not None else found_or_404(queries.cancellation(reference))


def _page(
    found: Withdrawn | Cancelled, form: MatchForm, reason_form: ReasonForm | None = None
) -> str:
    kind = "withdrawal" if isinstance(found, Withdrawn) else "cancellation"
    return render_template(
        f"staff/declarations/{kind}.html",
        found=found,
        form=form,
        reason_form=reason_form or ReasonForm(formdata=None),
        sent_at=found.request.declared_at.astimezone(PARIS),
        today=paris_date(clock.now()),
    )
