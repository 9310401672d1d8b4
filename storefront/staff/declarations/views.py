"""Withdrawals and cancellations: what was declared, whether it was acknowledged, what is due."""

from __future__ import annotations

import uuid

from flask import Blueprint, flash, redirect, render_template, request
from flask_login import current_user
from werkzeug.wrappers import Response

from storefront.identity.models import Role
from storefront.identity.views import staff_required
from storefront.infra import clock
from storefront.infra.db import transaction
from storefront.infra.web import found_or_404
from storefront.kernel.calendar import PARIS, paris_date
from storefront.orders.models import Order
from storefront.payments import jobs as payment_jobs
from storefront.payments import queries as payments
from storefront.payments.models import Refund
from storefront.staff.declarations.forms import (
    DecisionForm,
    MatchForm,
    ProofForm,
    ReasonForm,
    RecordForm,
    day_of,
)
from storefront.withdrawals import queries, service
from storefront.withdrawals.models import Proof
from storefront.withdrawals.queries import Cancelled, Proposal, Withdrawn

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
        awaited=queries.awaited(paris_date(clock.now())),
        today=paris_date(clock.now()),
    )


@bp.get("/nouvelle")
@staff_required(Role.SHOPKEEPER)
def new() -> str:
    """Write down a withdrawal that came by post or by e-mail (W-01)."""
    form = RecordForm(formdata=None)
    form.received_on.data = paris_date(clock.now())
    return render_template("staff/declarations/new.html", form=form, demand=uuid.uuid4())


@bp.post("/nouvelle")
@staff_required(Role.SHOPKEEPER)
def record() -> Answer:
    """Keep it with its dates; acknowledged like any other. A second click finds the first."""
    form, now = RecordForm(), clock.now()
    demand = request.form.get("demande", "")[:80] or str(uuid.uuid4())
    if not form.check(paris_date(now)):
        page = render_template("staff/declarations/new.html", form=form, demand=demand)
        return page, 422
    declared = form.declared()
    key = service.withdrawal_key(demand, declared)
    staff_id = current_user.id
    with transaction():
        kept = service.record_withdrawal(
            declared, form.received(), key=key, staff_id=staff_id, now=now
        )
        reference = kept.reference
    flash("La rétractation est enregistrée à sa date.", "success")
    return redirect(f"/gestion/declarations/{reference}", 303)


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
        service.resume_debits(session.get_one(Order, matched.order_id), now=clock.now())
    flash("Les prélèvements de cette commande reprennent.", "success")
    return redirect(f"/gestion/declarations/{reference}", 303)


@bp.post("/<reference>/motif")
@staff_required(Role.SHOPKEEPER)
def decide_reason(reference: str) -> Answer:
    """Say whether the reason to leave early is good; the customer is told either way (SUB-04)."""
    found, form = found_or_404(queries.cancellation(reference)), ReasonForm()
    found_or_404(found.match if found.request.reason else None)
    if not form.check():
        return _page(found, MatchForm(formdata=None), reason=form), 422
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


@bp.post("/<reference>/colis")
@staff_required(Role.SHOPKEEPER)
def goods(reference: str) -> Answer:
    """The parcel came back, or its sending was proved: its refund waits no longer."""
    found, form, now = found_or_404(queries.withdrawal(reference)), ProofForm(), clock.now()
    found_or_404(found.match)
    if not form.check(paris_date(now)):
        return _page(found, MatchForm(formdata=None), proof=form), 422
    request_id, staff_id = found.request.id, current_user.id
    proof, seen_on = Proof(form.text("proof")), day_of(form.seen_on)
    with transaction():
        service.record_proof(request_id, proof, seen_on, staff_id=staff_id, now=now)
    flash("C’est noté. L’article peut être remboursé.", "success")
    return redirect(f"/gestion/declarations/{reference}#decision", 303)


@bp.post("/<reference>/decider")
@staff_required(Role.SHOPKEEPER)
def decide(reference: str) -> Answer:
    """Refund and end what is chosen, in one act. A second click changes nothing."""
    found, now = found_or_404(queries.withdrawal(reference)), clock.now()
    order = found_or_404(found.match).order
    form = DecisionForm(queries.proposal(found.request, order), request.form)
    act = form.act()
    if act is None and not _sent_before(found, form):
        return _page(found, MatchForm(formdata=None), decision=form), 422
    request_id, staff_id = found.request.id, current_user.id
    if act is not None:
        with transaction():
            _, made = service.decide(request_id, act, staff_id=staff_id, now=now)
            refund_ids = [one.id for one in made]
        payment_jobs.send_at_once(refund_ids, now)
    flash("C’est décidé. Le client reçoit le détail, ligne par ligne.", "success")
    return redirect(f"/gestion/declarations/{reference}#decision", 303)


def _sent_before(found: Withdrawn, form: DecisionForm) -> bool:
    """Whether this form was sent before: its lines are decided and not shown any more.

    What was sent by the same page for other lines is another act, and gets an id of its own.
    """
    decisions = queries.decisions_of(found.request.id)
    known = next((one for one in decisions if one.id == form.id), None)
    if known is None or known.is_about(form.ticked):
        return known is not None
    form.id = uuid.uuid4()
    return False


def _found(reference: str) -> Withdrawn | Cancelled:
    found = queries.withdrawal(reference)
    return found if found is not None else found_or_404(queries.cancellation(reference))


def _page(
    found: Withdrawn | Cancelled,
    form: MatchForm,
    *,
    proof: ProofForm | None = None,
    decision: DecisionForm | None = None,
    reason: ReasonForm | None = None,
) -> str:
    today = paris_date(clock.now())
    facts = {
        "found": found,
        "form": form,
        "sent_at": found.request.declared_at.astimezone(PARIS),
        "today": today,
    }
    if not isinstance(found, Withdrawn):
        reason = reason or ReasonForm(formdata=None)
        return render_template("staff/declarations/cancellation.html", **facts, reason_form=reason)
    proposal = queries.proposal(found.request, found.match.order) if found.match else None
    if proof is None:
        proof = ProofForm(formdata=None)
        proof.seen_on.data = today
    return render_template(
        "staff/declarations/withdrawal.html",
        **facts,
        proposal=proposal,
        proof=proof,
        decision=decision or (DecisionForm(proposal) if proposal else None),
        refunds=_refunds_of(proposal) if proposal else [],
        awaited=next(iter(queries.awaited(today, only=found.request.id)), None),
    )


def _refunds_of(proposal: Proposal) -> list[Refund]:
    """What the decisions gave back, as far as it is."""
    ids = {one.id for one in proposal.decisions}
    return [one for one in payments.refunds_of_order(proposal.order.id) if one.request_id in ids]
